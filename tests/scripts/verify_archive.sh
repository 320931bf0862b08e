#!/bin/bash
# Builds small volumes by hand, from store/FORMAT.md alone, with git and ssh-keygen; scripts/verify-archive.sh must accept
# the true ones and refuse each kind of forgery, for the reason that it was made for. Prints TAP.
# shellcheck disable=SC2016,SC2317,SC2094
set -euo pipefail
export LC_ALL=C.UTF-8 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
verify=$(realpath "$(dirname "$0")/../../scripts/verify-archive.sh")
top=$(mktemp -d /tmp/muniment-test-XXXXXX)
trap 'rm -rf "$top"' EXIT
cd "$top"

archive=00112233445566778899aabbccddeeff
zeros=$(printf '%064d' 0)
for name in server u-00002 stranger; do ssh-keygen -q -t ed25519 -N '' -C '' -f "$name"; done
key_of() { cut -d' ' -f1,2 "$1.pub"; }
at() { date -u -d "@$1" +%Y%m%d%H%M%SZ; }
allow() { echo "$1@$archive namespaces=\"git,muniment-checkpoint\"${2-} $(key_of "${3-$1}")"; } # allow NAME [OPTIONS] [KEY]

# ---- a volume under construction: $repo with its index, and what the next commit follows

start() { # start REPO VOLUME
	repo=$1 volume=$2 parent='' names=() edit='' signed='' mode=100644 key=server signer=server who=u-00001
	env -u GIT_WORK_TREE -u GIT_DIR git init -q -b main --bare "$repo"
	export GIT_WORK_TREE=$top GIT_DIR="$PWD/$repo" GIT_INDEX_FILE="$PWD/$repo/making"
}
sum() { sha256sum | cut -c1-64; }
put() { # put PATH TEXT: one more file for the next commit
	local blob
	blob=$(printf '%s\n' "$2" | git hash-object -w --stdin)
	git update-index --add --cacheinfo "$mode,$blob,$1"
	names+=("$(printf '%s\n' "$2" | sum) $1")
}
envelope() { # envelope SEED: ciphertext on content; prints "VOLUME SHA256 BYTES OID"
	local sha oid
	sha=$(printf 'MUNE %s' "$1" | sum) oid=$(printf 'MUNE %s' "$1" | git hash-object -w --stdin)
	GIT_INDEX_FILE=$GIT_DIR/content git update-index --add --cacheinfo "100644,$oid,0000/001/$sha"
	echo "$volume $sha $(printf 'MUNE %s' "$1" | wc -c) ${other_oid:-$oid}"
}
forget() { # forget TEXT: no such envelope any more
	GIT_INDEX_FILE=$GIT_DIR/content git update-index --force-remove "0000/001/$(printf %s "$1" | sum)"
}
slip() { # slip NUMBER VERSION: a version of a record with a manifest and a part of two chunks
	local seed="$1 $2"
	put "2026-11/资质审核记录/质量部/0000/00/$1/v$2" "muniment slip 1
archive $archive
record $(sum <<<"$1" | cut -c1-32)
sequence 0
version $2
manifest $(envelope "$seed manifest")
part ${zeros:0:32} 0/2 $(envelope "$seed first")
part ${zeros:0:32} 1/2 $(envelope "$seed second")
number $1"
	[ "$2" != 1 ] || records=$((records + 1))
}
tombstone() { # tombstone NUMBER [OTHER]: version 1 of it, and its envelopes are gone; it says that it is of OTHER
	local path="2026-11/资质审核记录/质量部/0000/00/$1" line
	put "$path/destroyed" "muniment tombstone 1
archive $archive
record $(sum <<<"${2-$1}" | cut -c1-32)
sequence 0
versions 1
epoch 1
$(git cat-file blob ":$path/v1" | sed -nE 's/^(manifest|part [^ ]* [^ ]*) /envelope /p')
number $1"
	git cat-file blob ":$path/v1" | sed -nE 's/^(manifest|part [^ ]* [^ ]*) [0-9]* ([^ ]*) .*/\2/p' | while read -r line; do
		GIT_INDEX_FILE=$GIT_DIR/content git update-index --force-remove "0000/001/$line"
	done
}
list() { # the files so far come as a list
	local text
	text=$(printf '%s\n' "muniment list 1"; printf '%s\n' "${names[@]}" | LC_ALL=C sort -k2)
	files=${#names[@]} names=()
	put "lists/0000/$(printf %03d "$actions")" "$text"
	what="List: ${names[0]} $files"
}
commit() { # commit ACT [TRAILERS]: $edit changes the text before it is signed (by $key), $signed afterwards
	local text=commit.text
	actions=$((actions + 1)) now=$((now + 60))
	[ -n "${2-}" ] || what=${what:-Slip: ${names[0]-}}
	{
		echo "tree $(git write-tree)"
		[ -z "$parent" ] || echo "parent $parent"
		echo "author $who <$who@$archive> $now +0000"
		echo "committer server <server@$archive> $now +0000"
		printf '\n%s\n\n' "number $1"
		printf 'Archive: %s\nVolume: %s\nAct: %s\nAction: %s\nAccount: %s\nUid: 0\nSigner: %s\n' \
			"$archive" "$volume" "$1" "${zeros:0:32}" "$who" "$signer"
		printf 'Actions: %s\nRecords: %s\nPrevious: %s\n%s\n' "$actions" "$records" "$previous" "${2:-$what}"
	} | sed -E "$edit" >$text
	if [ "$key" != none ]; then
		ssh-keygen -q -Y sign -n git -f "$top/$key" $text 2>/dev/null
		sed -i "/^committer /r /dev/stdin" $text < <(sed '1s/^/gpgsig /; 2,$s/^/ /' $text.sig)
	fi
	sed -i -E "$signed" $text
	parent=$(git hash-object -w -t commit $text) previous=$(sum <$text)
	git update-ref refs/heads/main "$parent"
	rm -f $text.sig
	names=() what='' edit='' signed='' key=server signer=server who=u-00001 mode=100644
}
content() {
	local tree
	tree=$(GIT_INDEX_FILE=$GIT_DIR/content git write-tree)
	git update-ref refs/heads/content "$(git -c user.name=m -c user.email=m commit-tree "$tree" -m content </dev/null)"
}
open_volume() { # open_volume LAST CHECKPOINT [ENROL...]
	local last=$1 noted=$2 trailers
	shift 2
	trailers=$(printf 'Format: 1\nDemonstration: no\nLast: %s\nCheckpoint: %s' "$last" "$noted"; printf '\n%s' "$@")
	put README "This is an archive."
	commit open "$trailers"
}
checkpoint() { # checkpoint [LINE...]: of these volumes, by default of this one's present head
	[ $# -gt 0 ] || set -- "$(head_line)"
	printf '%s\n' "muniment.example/$archive" "$actions" "${zeros:0:43}=" "$@" "time $(date -u -d "@$now" +%FT%TZ)" >note
	sign_note note
}
note_key=server space=muniment-checkpoint
sign_note() { # sign_note FILE: the text of a note, signed by $note_key
	sed '/^$/,$d' "$1" >note.text
	ssh-keygen -q -Y sign -n "$space" -f "$top/$note_key" note.text 2>/dev/null
	cat note.text
	printf '\n— muniment.example/%s AAAA\n— server@%s %s\n' "$archive" "$archive" \
		"$({ printf 'hash'; sed '/^---/d' note.text.sig | base64 -d; } | base64 -w 0)"
	rm note.text.sig
}
resign() { sign_note checkpoint.copy >checkpoint.new && mv checkpoint.new checkpoint.copy; }
head_line() { echo "volume $volume $parent $previous"; }

# ---- the true volume that all others start from

export LC_ALL=C.UTF-8
now=1795251600 actions=0 records=0 previous=$zeros what=''
start base.git 1
open_volume "0 none" "$zeros" "Enrol: server $(key_of server)"
slip 资质审核记录-20261121-001 1; commit file
slip 资质审核记录-20261121-002 1; slip 资质审核记录-20261121-003 1; list; commit file
slip 资质审核记录-20261121-001 2; commit revise
commit keys "Enrol: u-00002 $(key_of u-00002)"
{ allow server; allow u-00002 ",valid-after=\"$(at $now)\""; } >allowed_signers
who=u-00002 signer=u-00002 key=u-00002; slip 资质审核记录-20261121-002 2; commit revise
slip 资质审核记录-20261121-004 1; commit file
tombstone 资质审核记录-20261121-004; commit destroy
slip 资质审核记录-20261121-005 1; commit file
content
checkpoint >checkpoint

# ---- the cases; each starts in a copy of that volume, and with its state

count=0 bad=0
report() { # report OK NAME [OUTPUT]
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		bad=1
		echo "not ok $count - $2"
		sed 's/^/# /' "$top/output"
	fi
}
# accepted|refused NAME [REASON]: the commands on standard input change "copy.git" and "checkpoint.copy", in a subshell;
# they may set args to others than those of a plain run.
attempt() {
	set -e
	rm -rf copy.git made && cp -a base.git copy.git && cp checkpoint checkpoint.copy
	args=(copy.git allowed_signers checkpoint.copy)
	repo=copy.git GIT_DIR=$top/copy.git GIT_INDEX_FILE=$top/copy.git/making
	eval "$(cat)"
	touch made
	unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
	exec "$verify" "${args[@]}"
}
try() {
	local r
	set +e
	(attempt) >output 2>&1
	r=$?
	set -e
	[ -e made ] || return 9
	return $r
}
accepted() {
	local r=0
	try && grep -q '^VERIFIED' output || r=1
	report $r "accepted: $1"
}
refused() {
	local r=0
	try || r=$?
	[ $r = 1 ] && grep -q -- "$2" output && tail -n 1 output | grep -q '^NOT VERIFIED' && r=0 || r=1
	report $r "refused: $1"
}
seal() { commit "$@"; content; checkpoint >checkpoint.copy; } # the forger has the checkpoint's key, too

accepted "a true volume" <<<""
accepted "a mirror clone" <<<'env -u GIT_WORK_TREE git clone -q --mirror copy.git clone.git 2>/dev/null; args[0]=clone.git'
accepted "a common clone" <<<'env -u GIT_WORK_TREE -u GIT_DIR git clone -q copy.git clone 2>/dev/null; args[0]=clone'
accepted "a volume that has grown since the checkpoint" <<<'slip X-6 1; commit file; content'
accepted "a range of commits" <<<'args+=("main~4..main~1")'
accepted "replaced objects, which do not count" <<<'git replace "$(git rev-parse main)" "$(git rev-parse main~1)"'

refused "another author" "author, account" <<<'edit="s/^author u-00001 <u-00001/author u-00003 <u-00003/"; slip X-6 1; seal file'
refused "another account" "author, account" <<<'edit="s/^Account: .*/Account: u-00003/"; slip X-6 1; seal file'
refused "another committer" "author, account" <<<'edit="s/^committer server/committer u-00002/"; slip X-6 1; seal file'
refused "an author of another archive" "author, account" <<<'edit="/^author/s/@0011/@0012/"; slip X-6 1; seal file'
refused "a signer who is not the author" "signed by another" <<<'signer=u-00002 key=u-00002; slip X-6 1; seal file'
refused "another archive" "archive, volume" <<<'edit="s/^(Archive: )0011/\10012/"; slip X-6 1; seal file'
refused "another volume" "archive, volume" <<<'edit="s/^Volume: 1/Volume: 2/"; slip X-6 1; seal file'
refused "an action left out" "archive, volume" <<<'actions=$((actions + 1)); slip X-6 1; seal file'
refused "a date before the last" "does not follow" <<<'now=$((now - 1000)); slip X-6 1; seal file'
refused "another commit before" "does not follow" <<<'previous=$zeros; slip X-6 1; seal file'
refused "two parents" "does not follow" <<<'edit="s/^parent .*/&\nparent $(git rev-parse main~2)/"; slip X-6 1; seal file'
refused "a second beginning" "act and content" <<<'edit="s/^Act: .*/Act: open/"; slip X-6 1; seal file'
refused "keys under another act" "act and content" <<<'seal file "Enrol: u-00003 $(key_of stranger)"'
refused "keys and a slip" "act and content" <<<'slip X-6 1; seal keys "Enrol: u-00003 $(key_of stranger)
Slip: ${names[0]}"'
refused "a slip of other bytes" "adds something else" <<<'slip X-6 1; names[0]=${zeros}${names[0]:64}; seal file'
refused "a slip at another path" "adds something else" <<<'slip X-6 1; names[0]=${names[0]}2; seal file'
refused "a file that no list names" "adds something else" <<<'put 2026-11/extra x; names=(); slip X-6 1; seal file'
refused "a list of other bytes" "adds something else" <<<'slip X-6 1; slip X-7 1; list; what=${what/List: ?/List: z}; seal file'
refused "a list that names too much" "adds something else" <<<'slip X-6 1; slip X-7 1; names+=("$zeros 2026-11/none"); list; seal file'
refused "a list that names too little" "adds something else" <<<'slip X-6 1; slip X-7 1; unset "names[0]"; list; seal file'
refused "a list with a wrong count" "adds something else" <<<'slip X-6 1; slip X-7 1; list; what=${what% *}\ 3; seal file'
refused "a changed slip" "changes or removes" <<<'slip 资质审核记录-20261121-005 1; put "${names[0]#* }" changed; names=("${names[1]}"); seal file'
refused "a removed slip" "changes or removes" <<<'git update-index --force-remove "$(git -c core.quotePath=false ls-files | head -1)"; slip X-6 1; seal file'
refused "an executable file" "changes or removes" <<<'mode=100755; slip X-6 1; seal file'
refused "a symbolic link" "changes or removes" <<<'mode=120000; slip X-6 1; seal file'

refused "no signature" "signed by another" <<<'key=none; slip X-6 1; seal file'
refused "the signature of a stranger" "signed by another" <<<'key=stranger; slip X-6 1; seal file'
refused "the signature of another person" "signed by another" <<<'key=u-00002; slip X-6 1; seal file'
refused "words changed after signing" "signed by another" <<<'signed="s/^number .*/number other/"; slip X-6 1; seal file'
refused "an enrolled key that the inspector does not know" "signed by another" <<<'sed 2d allowed_signers >fewer; args[1]=fewer'
retire='commit keys "Retire: u-00002 $(key_of u-00002)"
	{ allow server; allow u-00002 ",valid-before=\"$(at $now)\""; } >windows; args[1]=windows
	who=u-00002 signer=u-00002 key=u-00002;'
refused "a retired key" "signed by another" <<<"$retire slip X-6 1; seal file"
refused "a retired key with an old date" "does not follow" <<<"$retire now=\$((now - 60)); slip X-6 1; seal file"
rotate='commit keys "Retire: server $(key_of server)
Enrol: server $(key_of stranger)"
	{ allow server ",valid-before=\"$(at $now)\""; allow server ",valid-after=\"$(at $now)\"" stranger; sed 1d allowed_signers; } >windows
	args[1]=windows note_key=stranger;'
accepted "another key of the server" <<<"$rotate key=stranger; slip X-6 1; seal file"
refused "the server's key after its end" "signed by another" <<<"$rotate slip X-6 1; seal file"
refused "the server's next key before its time" "signed by another" <<<"key=stranger; slip X-6 1; commit file; $rotate key=stranger; slip X-7 1; seal file"
refused "a checkpoint by a key after its end" "not signed by the server" <<<"$rotate key=stranger; slip X-6 1; note_key=server; seal file"
refused "a key before its enrolment" "signed by another" <<<'start early.git 1; args[0]=early.git actions=0 records=0 previous=$zeros
	open_volume "0 none" "$zeros" "Enrol: server $(key_of server)"
	who=u-00002 signer=u-00002 key=u-00002; slip X-6 1; commit file
	commit keys "Enrol: u-00002 $(key_of u-00002)"; content; checkpoint >checkpoint.copy
	{ allow server; allow u-00002 ",valid-after=\"$(at $now)\""; } >windows; args[1]=windows'

refused "the last commit removed" "not in this history" <<<'git update-ref refs/heads/main main~1'
refused "the history written anew" "not in this history" <<<'git update-ref refs/heads/main main~1; git read-tree main; parent=$(git rev-parse main)
	previous=$(git cat-file commit main | sum) actions=$((actions - 1)) records=$((records - 1)); slip X-5 1; commit file; content'
refused "two commits that changed places" "count of actions" <<<'a=$(git rev-parse main~1) b=$(git rev-parse main)
	git cat-file commit "$b" | sed "s/^parent .*/parent $(git rev-parse main~2)/" >one; one=$(git hash-object -w -t commit one)
	git cat-file commit "$a" | sed "s/^parent .*/parent $one/" >two; git update-ref refs/heads/main "$(git hash-object -w -t commit two)"
	checkpoint "volume 1 $(git rev-parse main) $(git cat-file commit main | sum)" >checkpoint.copy'
refused "a beginning cut off" "beginning" <<<'start late.git 1; args[0]=late.git actions=5 previous=$zeros
	open_volume "0 none" "$zeros" "Enrol: server $(key_of server)"; content; checkpoint >checkpoint.copy'
refused "a shallow clone" "beginning" <<<'env -u GIT_WORK_TREE -u GIT_DIR git clone -q --bare --depth 3 "file://$top/copy.git" shallow.git 2>/dev/null; args[0]=shallow.git'
refused "a checkpoint of another archive" "not signed by the server" <<<'archive=${archive/0011/0012}; checkpoint >checkpoint.copy'
refused "a checkpoint that was changed" "not signed by the server" <<<'sed -i "2s/.*/8/" checkpoint.copy'
refused "a checkpoint without the signature of the server" "not signed by the server" <<<'sed -i "/^— server@/d" checkpoint.copy'
refused "a checkpoint by a stranger" "not signed by the server" <<<'note_key=stranger; resign'
refused "a checkpoint by a person" "not signed by the server" <<<'note_key=u-00002; resign'
refused "a checkpoint signed as a commit" "not signed by the server" <<<'space=git; resign'
refused "a checkpoint of another volume" "not in this history" <<<'sed -i "s/^volume 1/volume 2/" checkpoint.copy; resign'
refused "a checkpoint with another sum" "not what the checkpoint saw" <<<'sed -i "s/^\(volume 1 [^ ]* \).*/\1$zeros/" checkpoint.copy; resign'

reclone='rm -rf clone.git; env -u GIT_WORK_TREE -u GIT_DIR git clone -q --mirror "file://$top/copy.git" clone.git 2>/dev/null; args[0]=clone.git'
refused "an envelope that is missing" "envelope is missing" <<<'forget MUNE\ 资质审核记录-20261121-005\ 1\ first; content'"; $reclone"
refused "an envelope of other bytes" "other bytes" <<<'other_oid=$(git rev-parse main:README); slip X-6 1; seal file'
refused "a tombstone that nobody signed" "signed by another" <<<'tombstone 资质审核记录-20261121-005; key=none; commit destroy; content'
refused "a tombstone after the signatures that are looked at" "envelope is missing" <<<'args+=("main~9..main")
	tombstone 资质审核记录-20261121-005; key=none; commit destroy; content; args[3]="main~9..main~1"'"; $reclone"
accepted "a tombstone" <<<'tombstone 资质审核记录-20261121-005; seal destroy'"; $reclone"

# ---- a second volume; the first one's 005 is destroyed in it

last="volume 1 $parent $previous"
start second.git 2
open_volume "1 ${last:9:40}" "$(sum <checkpoint)" "Enrol: server $(key_of server)"
slip X-6 1; commit file
slip X-6 2; commit revise
content
cp -a second.git second.plain
checkpoint "$last" "$(head_line)" >checkpoint.two
accepted "a second volume" <<<'args=("$top/second.git" allowed_signers checkpoint.two)'
refused "a second volume that follows another first one" "does not follow" <<<'sed "/^volume 1/s/.\{8\}$/00000000/" checkpoint.two >checkpoint.copy; resign
	args=("$top/second.git" allowed_signers checkpoint.copy)'
refused "a second volume whose first one is not known" "beginning" <<<'sed "/^volume 1/d" checkpoint.two >checkpoint.copy; resign
	args=("$top/second.git" allowed_signers checkpoint.copy)'
GIT_DIR=$top/base.git GIT_INDEX_FILE=$top/base.git/making
tombstone 资质审核记录-20261121-005; content
text=$(git cat-file blob ":$(git -c core.quotePath=false ls-files | grep 005/destroyed)")
GIT_DIR=$top/second.git GIT_INDEX_FILE=$top/second.git/making
names=(); put 2026-11/资质审核记录/质量部/0000/00/资质审核记录-20261121-005/destroyed "$text"; commit destroy
checkpoint "$last" "$(head_line)" >checkpoint.three
refused "envelopes destroyed later, without the later volume" "envelope is missing" <<<"$reclone; args[2]=checkpoint.three"
accepted "envelopes destroyed later, with the later volume" <<<"$reclone; args[2]=checkpoint.three args+=(\"\$top/second.git\")"
accepted "the later volume itself" <<<'args=("$top/second.git" allowed_signers checkpoint.three)'
refused "a later volume that the checkpoint does not know" "another head" <<<'args=(copy.git allowed_signers checkpoint.two "$top/second.git")'

echo "1..$count"
exit $bad
