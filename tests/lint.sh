#!/bin/sh
# SPDX-License-Identifier: MIT
#
# lint.sh - gcc's analyzer, clang-tidy and cppcheck over src/: no finding that
# lint.waivers does not give a reason for, and no waiver that waives nothing.

cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
flags='-std=c11 -ffreestanding -Iinclude -Iarch/x86_64'

for tool in gcc clang-tidy cppcheck; do
	command -v $tool >/dev/null || { echo "no $tool"; exit 1; }
done

# Each finding as a line "check file:line: text".
for f in src/*.c; do
	gcc $flags -O2 -fanalyzer -Wall -Wextra -Wconversion \
		-Wno-sign-conversion -fdiagnostics-plain-output \
		-o "$dir/o" -c "$f" 2>&1 |
		sed -n 's/^\([^ ]*\):[0-9]*: warning: \(.*\) \[\([^]]*\)\]$/\3 \1: \2/p'
	clang-tidy --quiet "$f" -- $flags 2>"$dir/log" |
		sed -n "s|^$PWD/||
			s/^\([^ ]*\):[0-9]*: [a-z]*: \(.*\) \[\([^]]*\)\]$/\3 \1: \2/p"
done >"$dir/found"
cppcheck --quiet --std=c11 --enable=warning,performance,portability \
	-Iinclude -Iarch/x86_64 --suppress=preprocessorErrorDirective \
	--template='{id} {file}:{line}: {message}' src 2>>"$dir/found"
[ "$(ls src/*.c | wc -l)" -gt 0 ] || exit 1

sort -u "$dir/found" | awk '
	FNR == NR {
		if (/^[^#]/) { waiver[$1 " " $2] = 0; known++ }
		next
	}
	{
		file = $2
		sub(/:.*/, "", file)
		if (($1 " " file) in waiver)
			waiver[$1 " " file]++
		else if (($1 " *") in waiver)
			waiver[$1 " *"]++
		else {
			print
			bad++
		}
	}
	END {
		for (w in waiver)
			if (!waiver[w]) {
				print "waived, and not found: " w
				bad++
			}
		print known " waivers, " bad + 0 " findings"
		exit bad > 0
	}' tests/lint.waivers -
