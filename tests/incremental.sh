#!/bin/sh
# SPDX-License-Identifier: MIT
#
# incremental.sh - make rebuilds what depends on a change, and nothing else.

cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make}

# newer WHAT: objects of the library newer than the mark
newer() {
	find build/x86_64/src -name '*.o' -newer "$mark" | wc -l
}

expect() {
	echo "$1: $2 objects rebuilt, expected $3"
	[ "$2" -eq "$3" ] || exit 1
}

mark=$(mktemp)
trap 'rm -f "$mark"' EXIT
all=$(ls src/*.c | wc -l)
users=$(grep -l '"format.h"' src/*.c | wc -l)

$MAKE -s -j2 ARCH=x86_64 CC=gcc || exit 1
sleep 1; touch "$mark"
$MAKE -s -j2 ARCH=x86_64 CC=gcc || exit 1
expect "nothing changed" "$(newer)" 0
sleep 1; touch src/format.h
$MAKE -s -j2 ARCH=x86_64 CC=gcc || exit 1
expect "src/format.h touched" "$(newer)" "$users"
sleep 1; touch "$mark" include/kmem/config.h
$MAKE -s -j2 ARCH=x86_64 CC=gcc || exit 1
expect "config.h touched" "$(newer)" "$all"
sleep 1; touch "$mark"
$MAKE -s -j2 ARCH=x86_64 CC=gcc CFLAGS=-O1 || exit 1
expect "flags changed" "$(newer)" "$all"
$MAKE -s -j2 ARCH=x86_64 CC=gcc
