#!/bin/bash
# verify-archive.sh CLONE ALLOWED_SIGNERS CHECKPOINT [FROM..TO] [LATER-CLONE...]
# Checks one volume with git, ssh-keygen, sha256sum and awk alone; store/FORMAT.md, sections 6 to 8, says what must hold.
# CLONE is made by yourself (git clone --mirror); ALLOWED_SIGNERS and CHECKPOINT come from elsewhere. FROM..TO: signatures
# and envelopes of these commits only. LATER-CLONE: newer volumes, with the tombstones of what was destroyed since.
set -euo pipefail
export LC_ALL=C GIT_NO_REPLACE_OBJECTS=1 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
[ $# -ge 3 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
work=$(mktemp -d)
trap 'r=$?; rm -rf "$work"; [ $r = 0 ] || { echo "NOT VERIFIED, do not trust this copy · 验证不通过，此副本不可信"; exit 1; }' EXIT
clone=$(realpath "$1") signers=$(realpath "$2") note=$(realpath "$3") range=''; shift 3
case ${1-} in *..*) range=$1; shift ;; esac
fail() { echo "$*" >&2; exit 1; }
g() { git -C "$clone" -c gpg.ssh.allowedSignersFile="$signers" -c gpg.ssh.program=ssh-keygen \
	-c gpg.program=false -c gpg.x509.program=false -c core.commitGraph=false -c core.autocrlf=false "$@"; }
head_of() { git -C "$1" rev-parse -q --verify "refs/heads/$2" || git -C "$1" rev-parse -q --verify "refs/remotes/origin/$2" || fail "no $2 in $1"; }
log() { g log --first-parent --reverse "$@"; }
unpack() { # the objects named on standard input, all text, each into a file, and their SHA-256
	(mkdir "$work/$1" && cd "$work/$1" && g cat-file --batch | awk '
		NR == 1 || n < 0 { if (NF != 3) { print >"/dev/stderr"; exit 1 } file = $1; n = $3; printf "" >file; next }
		{ n -= length($0) + 1; printf n < 0 ? "%s" : "%s\n", $0 >file } n < 0 { close(file) }'
	find . -type f -print0 | xargs -0r sha256sum | sed 's,  \./,  ,' >>../sums)
}

echo "Keys that count · 有效密钥:"
sed -n 's/^\([^# ]*\) .*\(ssh-ed25519 [^ ]*\).*/\2 \1/p' "$signers" | ssh-keygen -lf -
[ "$(g rev-parse --is-shallow-repository)" = false ] || fail "the history of this clone is cut off (shallow)"
main=$(head_of "$clone" main)
content=$(head_of "$clone" content)
format='%H%x09%P%x09%an <%ae> %at%x09%cn <%ce> %ct%x09%ct'
for key in Archive Volume Act Account Signer Actions Records Previous Last Slip List Enrol Retire; do
	format+="%x09%(trailers:key=$key,valueonly,separator=%x2c)"
done
log --raw -r -z --no-renames --no-abbrev --format="$format" "$main" | tr '\0' '\n' >"$work/log"
log --format=%H "$main" | unpack commits
sed -n 's/^:000000 100644 0* \([0-9a-f]*\) A$/\1/p' "$work/log" | unpack added
log --format='%(trailers:key=Enrol,valueonly)%(trailers:key=Retire,valueonly)' "$main" | sort -u | while read -r name kind key; do
	[ -z "$key" ] || echo "$name $kind $key $(ssh-keygen -lf - <<<"$kind $key" | cut -d' ' -f2)"
done >"$work/keys"
count=$(g rev-list --count --first-parent "${range:-$main}")
log --format='%H %G? %GS %GF' "${range:-$main}" | awk -v all="$count" '{ print } NR % 50 == 0 || NR == all {
	printf "\rSignatures · 签名: %d / %d%s", NR, all, NR == all ? "\n" : "" >"/dev/stderr" }' >"$work/good"

awk -v work="$work" '
function bad(why) { if (!failed) print "commit " n " " oid ": " why >"/dev/stderr"; failed = 1; exit 1 }
function enrol(list, state,  i, who) { for (i = split(list, who, ","); i > 0; i--) valid[fingerprint[who[i]]] = state }
function close_commit(  i, w, line, said, done, others) { # it adds exactly what it names
	split(list, w, " ")
	for (i = 1; i <= adds; i++)
		if (path[i] == w[2] && sum[blob[i]] == w[1]) while ((getline line <(work "/added/" blob[i])) > 0) said = said line "\n"
		else { others++; done = done sum[blob[i]] " " path[i] "\n"; filed += path[i] ~ /\/v1$/
			if (path[i] ~ /\/destroyed$/) tomb[blob[i]] = n; else if (oid in good) print "need", blob[i] }
	if (slip != "" ? done != slip "\n" : list != "" ? said != "muniment list 1\n" done || others != w[3] : \
		others && (n > 1 || others > 1 || path[1] != "README")) bad("adds something else than it names")
	if (records != filed) bad("the count of records is wrong")
}
FILENAME == ARGV[1] { if (FNR == 1) origin = $0; if (FNR == 2) total = $0; if ($1 == "volume") { head[$2] = $3; head_sum[$2] = $4; newest = $2 } next }
FILENAME == ARGV[2] { sum[$2] = $1; next }
FILENAME == ARGV[3] { fingerprint[$1 " " $2 " " $3] = $1 " " $4; next }
FILENAME == ARGV[4] { good[$1] = $2 " " $3 " " $4; next }
/^$/ { next }
/^:/ { if (!/^:000000 100644 0+ [0-9a-f]+ A$/) bad("changes or removes a file"); split($0, w, " "); blob[++adds] = w[4]; getline path[adds]; next }
{ if (n) close_commit(); n++; adds = 0; oid = $1; act = $8; who = $9; signer = $10; records = $12; slip = $15; list = $16 }
n == 1 { archive = $6; volume = $7; actions = $11 - 1; filed = $12
	if (origin != "muniment.example/" archive || !(volume in head)) bad("the checkpoint does not speak of this volume")
	previous = volume > 1 ? head_sum[volume - 1] : sprintf("%064d", 0)
	if ($14 != (volume > 1 ? volume - 1 " " head[volume - 1] : "0 none") || volume == 1 && actions + filed > 0) bad("this is not the beginning") }
$6 != archive || $7 != volume || $11 != ++actions { bad("archive, volume or count of actions is wrong") }
$2 != parent || $13 != previous { bad("does not follow the one before") }
{ id = "@" archive "> " $5; key = $17 $18 != "" }
$3 != who " <" who id || $4 != "server <server" id || signer != "server" && signer != who { bad("author, account, signer and committer differ") }
$5 < date { bad("is older than the one before") }
(act == "open") != (n == 1) || (act == "open" || act == "keys") != key || (slip != "") + (list != "") + key != 1 { bad("act and content differ") }
n == 1 { enrol($17, 1) }
oid in good { split(good[oid], w, " "); if (w[1] != "G" || w[2] != signer "@" archive || !valid[signer " " w[3]]) bad("signed by another or not at all"); vouched = n }
n > 1 { enrol($17, 1); enrol($18, 0) }
{ parent = oid; previous = sum[oid]; date = $5 + 0 }
oid == head[volume] { if (sum[oid] != head_sum[volume] || volume == newest && actions != total) bad("is not what the checkpoint saw"); reached = vouched = n }
END { if (!failed) close_commit(); if (!reached) bad("the head that the checkpoint saw is not in this history")
	for (i in tomb) if (tomb[i] <= vouched) print "gone", i; print n >(work "/count") }
' "$note" "$work/sums" "$work/keys" "$work/good" FS='\t' "$work/log" >"$work/found"

slips() { (cd "$work/added" && sed -n "s/^$1 //p" ../found | xargs -r cat); }
volume=$(sed -n 's/^Volume: //p' "$work/commits/$main")
slips need | awk -v v="$volume" '$1 == "record" { r = $2 } $1 == "manifest" && $2 == v { print r, $3, $4 } $1 == "part" && $4 == v { print r, $5, $6 }' >"$work/need"
{ slips gone; for later; do # its tombstones count when the checkpoint knows its head
	id=$(head_of "$later" main)
	grep -q "^volume [0-9]* $id $(git -C "$later" cat-file commit "$id" | sha256sum | cut -c1-64)$" "$note" || fail "$later: the checkpoint has another head"
	git -C "$later" ls-tree -rz "$id" | tr '\0' '\n' | sed -n 's,^100644 blob \([0-9a-f]*\).*/destroyed$,\1,p' | git -C "$later" cat-file --batch
done; } | awk '$1 == "record" { r = $2 } $1 == "envelope" { print r, $3 }' >"$work/gone"
awk 'FILENAME == ARGV[1] { gone[$1, $2]; next } !(($1, $2) in gone) { print $2, $3 }' "$work/gone" "$work/need" | sort -u >"$work/envelopes"

g ls-tree -r -l "$content" | awk -v work="$work" 'FILENAME == ARGV[1] { need[$1 " " $2]; next } { sha = $5; sub(/.*\//, "", sha) }
	sha " " $4 in need { bytes += $4; print "100644 blob " $3 "\t" sha >(work "/batch." int(bytes / 2 ^ 28)); delete need[sha " " $4] }
	END { for (sha in need) { print "an envelope is missing or has another size: " sha >"/dev/stderr"; bad = 1 } exit bad }' "$work/envelopes" -
for batch in "$work"/batch.*; do # 256 MiB at a time
	[ -e "$batch" ] || break
	export GIT_INDEX_FILE="$work/index"
	rm -rf "$work/index" "$work/out"; mkdir "$work/out"
	g --work-tree="$work/out" update-index --index-info <"$batch"
	g --work-tree="$work/out" checkout-index -a
	(cd "$work/out" && sed 's/.*\t\(.*\)/\1  \1/' "$batch" | sha256sum --quiet -c -)
done
echo "VERIFIED: $(cat "$work/count") commits, $(wc -l <"$work/envelopes") envelopes of volume $volume · 验证通过"
