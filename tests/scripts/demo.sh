#!/bin/bash
# demo.sh BUILD: the demonstration runs to its end, in both languages, and what it proves can be disproved.
set -uo pipefail
scripts=$(realpath "$(dirname "$0")/../../scripts")
export MUNIMENT_BUILD=$1 LC_ALL=C.UTF-8
top=$(mktemp -d /tmp/muniment-test-XXXXXX)
trap 'rm -rf "$top"' EXIT
count=0 bad=0
check() { # check NAME COMMAND...
	local name=$1 not=
	shift
	count=$((count + 1))
	"$@" >"$top/output" 2>&1 </dev/null || { not="not " bad=1; }
	echo "${not}ok $count - $name"
	[ -z "$not" ] || tail -n 60 "$top/output" | sed 's/^/# /'
}
# shellcheck disable=SC2317
{
	demo() { "$scripts/demo" --story --dir "$@" >"$top/log" 2>&1 || { cat "$top/log"; return 1; }; }
	shows() { for text; do grep -qF -- "$text" "$top/log" || { echo "missing: $text"; cat "$top/log"; return 1; }; done; }
	verify() { "$scripts/verify-archive.sh" "$top/zh-proof/clone.git" "$top/zh-proof/allowed_signers" "$top/zh-proof/checkpoint"; }
	refused() { ! verify >"$top/log" 2>&1 && shows "NOT VERIFIED"; }
	is_stopped() { [ ! -e "$top/zh/socket" ]; }
	cut_off() { git -C "$top/zh-proof/clone.git" update-ref refs/heads/main refs/heads/main~1 && refused; }
}
check "it runs to its end" demo "$top/zh"
check "it finds the sentence" shows "检索到" "【接头渗液】" "【不移动、不拆托】"
check "it shows both versions" shows "版本 2" "（核对稿）"
check "it proves with stock tools" shows "VERIFIED: 24 commits" "验证通过"
check "it ends the resident process" is_stopped
check "the proof can be repeated" verify
check "a commit less is found out" cut_off
mkdir "$top/files" && printf '夜班巡检，温度正常。\n' >"$top/files/巡检.txt" && printf '召回计划：责任到人。\n' >"$top/files/计划.txt"
check "it files a folder, in English" env MUNIMENT_LANG=en "$scripts/demo" --story --dir "$top/en" --files "$top/files"

# In the browser: it serves, ends when it is told to, and goes on with what was there.
# shellcheck disable=SC2317
{
	web() {
		"$scripts/demo" --dir "$top/web" --port 0 >"$top/web.log" 2>&1 </dev/null &
		demo=$!
		for _ in $(seq 600); do
			grep -q Ctrl-C "$top/web.log" && break
			kill -0 "$demo" || break
			sleep 0.1
		done
		url=$(sed -n 's,^\(https://[^ ]*/\)$,\1,p' "$top/web.log")
		[ -n "$url" ] || { cat "$top/web.log"; return 1; }
	}
	ask() { curl -sk --max-time 20 "$@"; }
	web_ends() { kill -TERM "$demo" && wait "$demo" && ! ask "$url" && [ ! -e "$top/web/socket" ]; }
	serves() {
		web && ask "${url}api/v1/status" | grep -F '"demonstration":true' && enters 13
	}
	# With the password and the second factor that are printed.
	enters() {
		local name code
		name=$(head -n 1 "$top/web-logins" | cut -f 1)
		code=$(MUNIMENT_ARCHIVE=$top/web "$MUNIMENT_BUILD/core/main/muniment" --json account totp "$name" code |
			sed 's/.*"code":"\([0-9]*\)".*/\1/')
		ask -c "$top/jar" -H 'Content-Type: application/json' "${url}api/v1/session" \
			-d "{\"name\":\"$name\",\"password\":\"demonstration\",\"code\":\"$code\"}" &&
			ask -b "$top/jar" "${url}api/v1/records" | grep -F "\"count\":$1,"
	}
	serves_again() {
		web && ! grep -q make-samples "$top/web.log" && MUNIMENT_ARCHIVE=$top/web "$MUNIMENT_BUILD/core/main/muniment" --json list |
			grep -F '"count":13,'
	}
}
check "it serves, and lets in who it says" serves
check "it ends when it is told to" web_ends
check "it starts again with what was there" serves_again
check "and ends again" web_ends
echo "1..$count"
exit $bad
