#!/bin/sh
# SPDX-License-Identifier: MIT
#
# incremental.sh - make rebuilds what depends on a change, and nothing else.
# In a copy of the tree: what is touched there is old everywhere else.

cd "$(dirname "$0")/.." || exit 1
MAKE="${MAKE:-make} -s -j2 ARCH=x86_64 CC=gcc"
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -r Makefile src include arch tests linker "$tree" && cd "$tree" || exit 1
export CFLAGS=-O0

# newer WHAT: objects of the library newer than the mark
newer() {
	find build/x86_64/src -name '*.o' -newer "$mark" | wc -l
}

expect() {
	echo "$1: $2 objects rebuilt, expected $3"
	[ "$2" -eq "$3" ] || exit 1
}

mark=mark
all=$(ls src/*.c | wc -l)
users=$(grep -l '"format.h"' src/*.c | wc -l)

$MAKE || exit 1
sleep 1; touch "$mark"
$MAKE || exit 1
expect "nothing changed" "$(newer)" 0
sleep 1; touch src/format.h
$MAKE || exit 1
expect "src/format.h touched" "$(newer)" "$users"
sleep 1; touch "$mark" include/kmem/config.h
$MAKE || exit 1
expect "config.h touched" "$(newer)" "$all"
sleep 1; touch "$mark"
$MAKE CFLAGS=-O1 || exit 1
expect "flags changed" "$(newer)" "$all"
