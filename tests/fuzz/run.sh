#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh run|merge SECONDS PROGRAM...: fuzz with each, for so long, two at a
# time. The last line is "N passed, N failed".
set -u
do=$1
seconds=$2
shift 2
mkdir -p build/fuzz

# What the data of the tests looks like to a program: the bytes that choose,
# then the file, if it is a small one.
seed() {
	case $1 in
	map) set -- 'a\000\000\000' tests/data/memmaps/*.map ;;
	blob) set -- '\000\000\000\000\000' tests/data/fdt/*.dtb \
		'\001\000\000\000\000' tests/data/bootinfo/multiboot2*.bin \
		'\002\000\220\000\225' tests/data/bootinfo/multiboot-qemu.bin \
		'\003\250\005\340\041' tests/data/bootinfo/pvh-qemu.bin ;;
	calls)	# long ones, of bytes without a pattern
		for at in src/[a-g]*.c; do
			xz -c "$at" | tail -c +100 | head -c 3900 \
				>"$seeds/${at##*/}"
		done
		return ;;
	*) return ;;
	esac
	for at; do
		if [ -f "$at" ]; then
			[ "$(wc -c <"$at")" -le 16384 ] || continue
			{ printf "$prefix"; cat "$at"; } \
				>"$seeds/${at##*/}"
		else
			prefix=$at
		fi
	done
}

# one PROGRAM
one() {
	program=$1
	name=${program##*/}
	# a call takes about five bytes
	[ "$name" = calls ] && longest=4000 || longest=20000
	found=build/fuzz/$name
	corpus=tests/fuzz/corpus/$name
	seeds=build/fuzz/$name.seeds
	rm -rf "$seeds"
	mkdir -p "$found" "$seeds" "$corpus"
	seed "$name"
	if [ "$do" = merge ]; then
		rm -rf "$corpus.new"
		mkdir -p "$corpus.new"
		"$program" -merge=1 "$corpus.new" "$seeds" "$corpus" \
			"$found" >"$found.log" 2>&1 || exit 1
		rm -rf "$corpus"
		mv "$corpus.new" "$corpus"
		echo "$corpus: $(ls "$corpus" | wc -l) files"
		return
	fi
	if "$program" -max_total_time="$seconds" -timeout=20 \
		-rss_limit_mb=4096 -max_len=$longest -verbosity=1 \
		-artifact_prefix="build/fuzz/$name." \
		-print_final_stats=1 "$found" "$corpus" "$seeds" \
		>"$found.log" 2>&1; then
		echo "ok $name:" $(sed -n \
			's/^stat::number_of_executed_units: */inputs /p
			s/^#[0-9]*\tDONE *\(cov: [0-9]*\).*/\1/p' "$found.log")
	else
		tail -n 40 "$found.log" | sed 's/^/    /'
		echo "FAILED $name (output in $found.log)"
	fi
}

if [ "$do" = merge ]; then
	for program; do
		one "$program"
	done
	exit
fi
if [ "$do" = run-one ]; then
	one "$1"
	exit
fi
results=$(mktemp)
trap 'rm -f "$results"' EXIT
printf '%s\n' "$@" | xargs -P 2 -n 1 sh "$0" run-one "$seconds" | tee "$results"
passed=$(grep -c '^ok ' "$results")
failed=$(($# - passed))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
