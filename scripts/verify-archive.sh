#!/bin/bash
# verify-archive.sh CLONE ALLOWED_SIGNERS CHECKPOINT [FROM..TO] [LATER-CLONE...]
# Checks one volume with git, ssh-keygen and sha256sum (and awk, to compare); store/FORMAT.md, section 13: what this sees.
# CLONE is your own (git clone --mirror); ALLOWED_SIGNERS and CHECKPOINT come from elsewhere. FROM..TO: signatures and
# envelopes of these commits only. LATER-CLONE: newer volumes, with the tombstones of what was destroyed since.
set -euo pipefail
export LC_ALL=C TZ=UTC GIT_NO_REPLACE_OBJECTS=1 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
[ $# -ge 3 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
work=$(mktemp -d)
trap '[ -e "$work/verified" ] || echo "NOT VERIFIED, do not trust this copy · 验证不通过，此副本不可信"; rm -rf "$work"' EXIT
clone=$(realpath "$1") signers=$(realpath "$2") note=$(realpath "$3") range=main; shift 3
case ${1-} in *..*) range=$1; shift ;; esac
fail() { echo "$*" >&2; exit 1; }
g() { git -C "$clone" -c gpg.ssh.allowedSignersFile="$signers" -c gpg.ssh.program=ssh-keygen \
	-c gpg.program=false -c gpg.x509.program=false -c core.commitGraph=false "$@"; }
progress() { awk -v what="$1" -v all="$2" '{ print } NR % 50 == 0 || NR == all {
	printf "\r%s: %d / %d%s", what, NR, all, NR == all ? "\n" : "" >"/dev/stderr" }'; }
unpack() { (mkdir "$work/$1" && cd "$work/$1" && g cat-file --batch | # each object into a file; their SHA-256
	awk 'n > 0 { n -= length($0) + 1; print >file; next } NF == 3 { close(file); file = $1; n = $3; printf "" >file }'
	find . -type f -print0 | xargs -0r sha256sum | sed 's,  \./,  ,' >>"$work/sums"); }

archive=$(sed -n '1s,^muniment\.example/\([0-9a-f]*\)$,\1,p' "$note")
sed '/^$/,$d' "$note" >"$work/text"
{ echo '-----BEGIN SSH SIGNATURE-----'; sed -n "s/^[^ ]* server@$archive //p" "$note" | base64 -d | tail -c +5 | base64
	echo '-----END SSH SIGNATURE-----'; } >"$work/signature"
ssh-keygen -Y verify -f "$signers" -I "server@$archive" -n muniment-checkpoint -s "$work/signature" \
	-O verify-time="$(sed -n 's/^time //p' "$work/text" | tr -d T:-)" <"$work/text" || fail "the checkpoint is not signed by the server"

for key in Act Account Signer Slip List Last Archive Volume Actions Previous; do
	trailers+="%x09%(trailers:key=$key,valueonly,separator=%x2c)"; done
g log --reverse --raw -r -z -m --first-parent --no-renames --no-abbrev \
	--format="%H%x09%ct$trailers%x09%P%x09%an <%ae> %at %cn <%ce>" main | tr -s '\0' '\n' >"$work/log"
g rev-list --first-parent main | unpack commits
sed -n 's/^:000000 100644 0* \([0-9a-f]*\) A$/\1/p' "$work/log" | unpack added
g log --first-parent --reverse --format='%H %G? %GS' "$range" |
	progress "Signatures · 签名" "$(g rev-list --count --first-parent "$range")" >"$work/good"
awk -v work="$work" -v archive="$archive" '
function bad(why) { if (!failed) print "commit " n " " oid ": " why >"/dev/stderr"; failed = 1; exit 1 }
function end_of_commit(  i, w, line, said, done, files) { # it must have added exactly what it names
	split(list, w, " ")
	for (i = 1; i <= adds; i++) if (path[i] == w[2] && sum[blob[i]] == w[1]) {
		while ((getline line <(work "/added/" blob[i])) > 0) said = said line "\n"
	} else if (n > 1 || path[i] !~ /^(README|CHECKPOINT)$/) {
		files++; done = done sum[blob[i]] " " path[i] "\n"
		if (oid in good || !(stated && stated < n) && path[i] ~ /\/destroyed$/) print blob[i] }
	if (slip != "" ? done != slip "\n" : list != "" ? said != "muniment list 1\n" done || files != w[3] : files)
		bad("adds something else than it names") }
FILENAME == ARGV[1] { if ($1 == "volume") { head[$2] = $3; head_sum[$2] = $4 } next }
FILENAME == ARGV[2] { sum[$2] = $1; next }
FILENAME == ARGV[3] { good[$1] = $2 " " $3; next }
/^:/ { if (!/^:000000 100644 0+ [0-9a-f]+ A$/) bad("changes or removes a file")
	split($0, w, " "); blob[++adds] = w[4]; getline path[adds]; next }
{ if (n) end_of_commit(); n++; adds = 0; oid = $1; act = $3; who = $4; signer = $5; slip = $6; list = $7 }
n == 1 { volume = $10; actions = $11 - 1; previous = volume > 1 ? head_sum[volume - 1] : sprintf("%064d", 0)
	if ($8 != (volume > 1 ? volume - 1 " " head[volume - 1] : "0 none") || volume == 1 && actions) bad("the checkpoint knows no such beginning") }
$9 != archive || $10 != volume || $11 != ++actions { bad("archive, volume or count of actions is wrong") }
$12 != previous || $13 != parent || $2 < date { bad("does not follow the one before") }
$14 != who " <" who "@" archive "> " $2 " server <server@" archive ">" { bad("author, account and committer differ") }
(act == "open") != (n == 1) || (slip list == "") != (act == "open" || act == "keys") { bad("act and content differ") }
oid in good && good[oid] != "G " signer "@" archive || signer != "server" && signer != who { bad("signed by another or not at all") }
{ parent = oid; previous = sum[oid]; date = $2 + (act == "keys") }
oid == head[volume] { stated = n; if (sum[oid] != head_sum[volume]) bad("is not what the checkpoint saw") }
END { if (!failed) end_of_commit(); if (!stated) bad("the head that the checkpoint saw is not in this history")
	print volume >(work "/volume") }
' "$work/text" "$work/sums" "$work/good" FS='\t' "$work/log" >"$work/found"

{ (cd "$work/added" && xargs -r cat) <"$work/found"
for later; do id=$(git -C "$later" rev-parse refs/heads/main) # counts when the checkpoint knows its head
	grep -q " $id $(git -C "$later" cat-file commit "$id" | sha256sum | cut -c1-64)$" "$note" || fail "the checkpoint has another head than $later"
	git -C "$later" grep -ha '^envelope ' "$id" -- '*/destroyed'; done; } | awk -v volume="$(cat "$work/volume")" '
	$1 == "envelope" { gone[$3] } $1 == "manifest" && $2 == volume { need[$3] = $5 } $1 == "part" && $4 == volume { need[$5] = $7 }
	END { for (sum in need) if (!(sum in gone)) print sum, need[sum] }' >"$work/envelopes"
while read -r sum oid; do
	[ "$(g cat-file blob "$oid" | sha256sum)" = "$sum  -" ] || fail "an envelope is missing or has other bytes: $sum"; echo
done <"$work/envelopes" | progress "Envelopes · 密文" "$(wc -l <"$work/envelopes")" >"$work/checked"
echo "VERIFIED: $(g rev-list --count main) commits, $(wc -l <"$work/checked") envelopes of volume $(cat "$work/volume") · 验证通过" | tee "$work/verified"
