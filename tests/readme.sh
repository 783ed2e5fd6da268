#!/bin/sh
# SPDX-License-Identifier: MIT
#
# readme.sh - what the README says is so: its first program compiles, runs and
# is short, its kernel example compiles, its links lead somewhere, and it is at
# most 200 lines long; and the line counts of src/README.md are near the truth.

cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0

fail() {
	echo "FAILED: $*"
	bad=1
}

# block N: the N-th C block
block() {
	awk -v want="$1" '/^```c$/ { n++; on = n == want; next }
		/^```$/ { on = 0 } on' README.md
}

block 1 >"$dir/program.c"
lines=$(grep -c '[^[:space:]]' "$dir/program.c")
[ "$lines" -le 16 ] || fail "the program has $lines lines"
${MAKE:-make} -s -j2 ARCH=host CC=gcc >/dev/null || fail "make ARCH=host"
gcc -Wall -Wextra -Werror -Iinclude -Iarch/host "$dir/program.c" \
	arch/host/host.c build/host/libkmem.a -pthread -o "$dir/program" ||
	fail "the program does not compile"
"$dir/program" || fail "the program does not run"

{
	cat <<'C'
struct map_entry { unsigned long start, size; int usable; };
extern struct map_entry map[], *map_end;
extern unsigned long kernel_start, kernel_size;
extern unsigned nr_cpus;
void my_panic(const char *fmt, ...);
void my_print(const char *fmt, ...);
#define DIRECT_MAP 0xffff888000000000u
C
	block 2
} >"$dir/kernel.c"
gcc -std=c11 -ffreestanding -Wall -Wextra -Wno-unused-parameter -Werror \
	-Iinclude -Iarch/x86_64 \
	-c "$dir/kernel.c" -o "$dir/kernel.o" ||
	fail "the kernel example does not compile"

# | `file` | lines | ...
sed -n 's/^| \[\{0,1\}`\([^`]*\)`[^|]*| \([0-9]*\) |.*/\1 \2/p' src/README.md |
while read -r file said; do
	is=$(wc -l <"$file") || { echo "$file is gone"; exit 1; }
	if [ $((is * 10)) -gt $((said * 11 + 50)) ] ||
	   [ $((is * 11 + 50)) -lt $((said * 10)) ]; then
		echo "$file has $is lines, the README says $said"
		exit 1
	fi
done || fail "line counts"

for link in $(grep -o '](\([^)]*\))' README.md | sed 's/^](//; s/)$//'); do
	[ -e "$link" ] || fail "dead link: $link"
done
total=$(wc -l <README.md)
[ "$total" -le 200 ] || fail "the README has $total lines"
[ "$bad" -eq 0 ] && echo "program of $lines lines, $total lines in all"
exit "$bad"
