#!/bin/sh
# SPDX-License-Identifier: MIT
#
# up.sh [CC] - built for one CPU, the library has no atomic operation.
#
# What could go wrong: a lock or a counter that forgets that KMEM_MAX_CPUS is 1
# and pays for other CPUs. The machine code for x86_64 is searched for the
# lock prefix, for xchg with memory, which implies it, and for fences. That the
# search can find them is shown on the library as it is usually built.

cd "$(dirname "$0")/.." || exit 1
cc=${1:-gcc}
dir=build/up-${cc##*/}
usual=build/x86_64$(case $cc in *clang*) echo -clang ;; esac)/libkmem.a
flags="-std=c11 -ffreestanding -O2 -Iinclude -Iarch/x86_64 -mno-red-zone
	-mgeneral-regs-only -mcmodel=kernel -fno-pic -fno-stack-protector"

# atomics OBJECT...: the atomic instructions in them
atomics() {
	objdump -d --no-show-raw-insn "$@" | awk '
		/file format/ { file = $1 }
		/[ \t](lock|mfence|lfence|sfence)([ \t]|$)/ ||
		/[ \t]xchg[a-z]*[ \t].*\(/ { print file $0 }'
}

rm -rf "$dir"
mkdir -p "$dir"
for src in src/*.c; do
	echo $flags -DKMEM_MAX_CPUS=1 -c "$src" \
		-o "$dir/$(basename "$src" .c).o"
done | xargs -P 2 -L 1 $cc || exit 1
${MAKE:-make} -s -j2 ARCH=x86_64 CC="$cc" "$usual" >/dev/null || exit 1

one=$(atomics "$dir"/*.o) || exit 1
many=$(atomics "$usual") || exit 1
if [ -z "$many" ]; then
	echo "no atomic instruction for many CPUs either: the search is broken"
	exit 1
fi
if [ -n "$one" ]; then
	echo "atomic instructions in a build for one CPU:"
	echo "$one"
	exit 1
fi
echo "$cc: atomic instructions: 0 for one CPU," \
	"$(echo "$many" | wc -l) for many"
