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
flags="-std=c11 -ffreestanding -O2 -mno-red-zone
	-mgeneral-regs-only -mcmodel=kernel -fno-pic -fno-stack-protector"

# atomics OBJECT...: the atomic instructions in them
atomics() {
	objdump -d --no-show-raw-insn "$@" | awk '
		/^[0-9a-f]+ <.*>:$/ { function_ = $2 }
		/[ \t](lock|mfence|lfence|sfence)([ \t]|$)/ ||
		/[ \t]xchg[a-z]*[ \t].*\(/ { print function_ $0 }'
}

mkdir -p "$dir"
sh tests/amalgamate.sh "$dir" >/dev/null || exit 1
$cc $flags -I"$dir" -I"$dir/arch/x86_64" -DKMEM_MAX_CPUS=1 -c "$dir/kmem.c" \
	-o "$dir/kmem.o" || exit 1
${MAKE:-make} -s -j2 ARCH=x86_64 CC="$cc" "$usual" >/dev/null || exit 1

one=$(atomics "$dir/kmem.o") || exit 1
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
