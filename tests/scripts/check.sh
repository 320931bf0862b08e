#!/bin/bash
# scripts/check and scripts/check-messages find what they promise to find: each kind of fault is planted in a small tree of
# its own and must be named, with file and line; the tree without faults passes. Prints TAP.
# shellcheck disable=SC2016
set -uo pipefail
scripts=$(realpath "$(dirname "$0")/../../scripts")
top=$(mktemp -d /tmp/muniment-test-XXXXXX)
trap 'rm -rf "$top"' EXIT
count=0 bad=0

fresh() { # a tree that has nothing to complain about
	rm -rf "$top/tree"
	mkdir -p "$top/tree"/{scripts,core/base,core/model,store,search,www,plugins}
	cp "$scripts/check" "$scripts/check-messages" "$top/tree/scripts/"
	cp "$scripts/../.clang-format" "$top/tree/"
	cd "$top/tree" || exit 1
	printf "files('a.c')\n" >core/base/meson.build
	printf "files('b.c')\n" >store/meson.build
	printf 'msgid "not found"\nmsgstr "未找到"\n' >store/zh.po
	printf '/* a.h - one. */\n#ifndef MUN_BASE_A_H\n#define MUN_BASE_A_H\n\nint a(void);\n\n#endif\n' >core/base/a.h
	printf '/* a.c - see a.h. */\n#include "core/base/a.h"\n\nint a(void)\n{\n\treturn 1;\n}\n' >core/base/a.c
	printf '/* b.h - two. */\n#ifndef MUN_STORE_B_H\n#define MUN_STORE_B_H\n\nconst char *b(void);\n\n#endif\n' >store/b.h
	printf '/* b.c - see b.h. */\n#include "store/b.h"\n#include "core/base/a.h"\n\n#include <string.h>\n\nconst char *b(void)\n{\n\treturn tr("not found");\n}\n' >store/b.c
}

finds() { # finds NAME PROGRAM EXPECTED: after a fault was planted
	local output not=''
	count=$((count + 1))
	output=$(scripts/"$2" 2>&1) && not='not '
	grep -qF -- "$3" <<<"$output" || not='not '
	echo "${not}ok $count - $1"
	[ -z "$not" ] || { bad=1; sed 's/^/# /' <<<"$output"; }
	fresh
}
passes() {
	local output not=''
	count=$((count + 1))
	output=$(scripts/"$2" 2>&1) || not='not '
	echo "${not}ok $count - $1"
	[ -z "$not" ] || { bad=1; sed 's/^/# /' <<<"$output"; }
}
plant() { sed -i "$2" "$1"; } # plant FILE SED: for example 5i\\text

fresh
passes "a clean tree passes" check
passes "and its messages" check-messages
plant core/base/a.c '2a #include "store/b.h"'
finds "a layer that uses one above it" check 'core/base/a.c:3: core/base may not use store/b.h'
plant store/b.c 's|core/base/a.h|b.h|'
finds "an include that is not from the root" check 'store/b.c:3: "b.h" is not a path from the root'
plant core/base/a.c '2a #include <git2.h>'
finds "a library outside its wrapper" check 'core/base/a.c:3: <git2.h> is for store/* only'
plant store/b.c '5a #include <xapian.h>'
finds "xapian outside the C++ of search" check '<xapian.h> is for search/*.cc, search/*.hh, tests/*.cc only'
plant store/b.c '5a #include "core/base/a.h"'
finds "ours behind the system's" check 'store/b.c:6: ours are included before <...>'
plant core/base/a.c 's|return 1|return strcpy(x, y)|'
finds "a banned call" check 'core/base/a.c:6: strcpy() is banned'
plant core/base/a.c 's|return 1|return time(NULL)|'
finds "a second clock" check 'core/base/a.c:6: time(): the one clock'
plant core/base/a.h 's/MUN_BASE_A_H/A_H/'
finds "a wrong guard" check 'core/base/a.h:1: the guard is not'
plant core/base/a.c '1s/a.c/b.c/'
finds "a file that does not say what it is" check 'core/base/a.c:1: the top does not say'
plant core/base/a.c '6s|$|  |'
finds "white space at the end" check 'core/base/a.c:6: white space at the end'
plant core/base/a.c "6s|^|/* $(printf '卷%.0s' {1..60}) */|"
finds "lines that are too wide, by columns" check 'columns; 120 are accepted'
printf 'x' >>core/base/a.c
finds "no newline at the end" check 'core/base/a.c:8: no newline at the end'
printf "files()\n" >core/base/meson.build
finds "a source that is never built" check 'core/base/a.c:1: no meson.build names it'
plant core/base/a.c "6i\\	/* TO""DO */"
finds "a leftover" check 'core/base/a.c:6: a leftover'
plant store/b.c 's/not found/gone/'
finds "a sentence without translation" check-messages 'store/b.c:9: no translation of "gone"'
plant store/b.c 's/not found/gone/'
finds "a translation that nobody uses" check-messages 'store/zh.po:1: no source says "not found"'
plant store/b.c 's/"not found"/"not " WORD/'
finds "a sentence made with macros" check-messages 'tr() wants one plain literal'
echo "1..$count"
exit $bad
