#!/bin/sh
# SPDX-License-Identifier: MIT
#
# incremental.sh - make rebuilds what depends on a change, and nothing else.
# In a copy of the tree: what is touched there is old everywhere else.

cd "$(dirname "$0")/.." || exit 1
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -r Makefile src include arch tests linker "$tree" && cd "$tree" || exit 1
export CFLAGS=-O0
# A few, among them those that include what is touched below.
LIB_SRC="$(grep -l '"format.h"' src/*.c | head -n 6) src/buddy.c src/zone.c"

# newer WHAT: objects of the library newer than the mark
newer() {
	find build/x86_64/src -name '*.o' -newer "$mark" | wc -l
}

expect() {
	echo "$1: $2 objects rebuilt, expected $3"
	[ "$2" -eq "$3" ] || exit 1
}

mark=mark
all=$(echo $LIB_SRC | wc -w)
users=$(grep -l '"format.h"' $LIB_SRC | wc -l)
lib() {
	${MAKE:-make} -s -j2 ARCH=x86_64 CC=gcc LIB_SRC="$LIB_SRC" "$@" || exit 1
}

lib
sleep 1; touch "$mark"
lib
expect "nothing changed" "$(newer)" 0
sleep 1; touch src/format.h
lib
expect "src/format.h touched" "$(newer)" "$users"
sleep 1; touch "$mark" include/kmem/config.h
lib
expect "config.h touched" "$(newer)" "$all"
sleep 1; touch "$mark"
lib CFLAGS=-O1
expect "flags changed" "$(newer)" "$all"
