#!/bin/bash
# scripts/install lives through whatever apt-get says while it installs, and keeps it for the case of a failure. apt-get,
# dpkg-query and sudo are small programs of this test. Prints TAP.
set -uo pipefail
scripts=$(realpath "$(dirname "$0")/../../scripts")
top=$(mktemp -d /tmp/muniment-test-XXXXXX)
trap 'rm -rf "$top"' EXIT
mkdir -p "$top"/{bin,scripts,www/ui/node_modules}
cp "$scripts/install" "$top/scripts/"
echo libone >"$top/scripts/packages"
echo '{}' | tee "$top/www/ui/package-lock.json" >"$top/www/ui/node_modules/.lock-installed"
# It ends well only when it could say all it had to say. Like the real one it closes the descriptor of the status before the
# packages' scripts run.
cat >"$top/bin/apt-get" <<-'END'
	#!/bin/bash
	case "$*" in *' -s '*) exit 0 ;; esac
	trap '' PIPE
	status=$(sed -n 's/.*Status-Fd=\([0-9]*\).*/\1/p' <<<"$*")
	for line in dlstatus:1:44.9:Retrieving pmstatus:dpkg-exec:0.0:Running pmstatus:libone:amd64:80.5:Configuring \
		pmstatus:libone:trigger a:b:c '' 'pmerror:libone:amd64:81.2:oops'; do
		echo "$line" >&"$status" || exit 3
	done
	eval "exec $status>&-"
	echo 'Setting up 100: %s' || exit 4
	exit "${APT_ENDS:-0}"
END
printf '#!/bin/sh\nexit 1\n' >"$top/bin/dpkg-query"
printf '#!/bin/sh\nexec "$@"\n' >"$top/bin/sudo"
chmod +x "$top"/bin/*
count=0 bad=0
result() { # result OUTPUT NAME: of the command before
	local r=$? not=''
	count=$((count + 1))
	[ "$r" = 0 ] || { not='not ' bad=1; }
	echo "${not}ok $count - $2"
	[ -z "$not" ] || sed 's/^/# /' <<<"$1"
}
output=$(PATH=$top/bin:$PATH "$top/scripts/install" 2>&1)
result "$output" "every line of apt-get is lived through"
grep -q '80 %  Configuring' <<<"$output"
result "$output" "a package with an architecture counts, too"
output=$(PATH=$top/bin:$PATH APT_ENDS=100 "$top/scripts/install" 2>&1)
[ $? = 1 ] && grep -q 'Setting up 100: %s' <<<"$output"
result "$output" "what it said stands there when it fails"
echo "1..$count"
exit $bad
