#!/bin/sh
# SPDX-License-Identifier: MIT
#
# headers.sh - every public header compiles on its own, in every language
# that kmem promises, with both compilers, for the host and for a kernel; each
# architecture's kmem_arch.h does, with its own compilers; and nothing but the
# compiler's freestanding headers is included.

cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make}
unset MAKEFLAGS MAKELEVEL MFLAGS CC ARCH BOOT
bad=0
n=0

compile() {
	n=$((n + 1))
	printf '#include <%s>\nint unit;\n' "$header" |
		"$@" -Iinclude -Wall -Wextra -Wundef -Werror -fsyntax-only - ||
		{ echo "FAILED: $*: $header"; bad=$((bad + 1)); }
}

for path in include/kmem/*.h; do
	header=kmem/${path##*/}
	for cc in gcc clang; do
		for std in c11 c17 c2x; do
			compile $cc -x c -std=$std -Wpedantic -Iarch/host
			compile $cc -x c -std=$std -Wpedantic -ffreestanding \
				-Iarch/x86_64
		done
	done
	compile g++ -x c++ -std=c++17 -Iarch/host
	compile clang++ -x c++ -std=c++17 -Iarch/host
done

# A cross compiler's C++ half may be missing; clang has both.
for path in arch/*/arch.mk; do
	arch=$(basename "${path%/arch.mk}")
	for kind in gcc clang; do
		cc=$($MAKE -s compiler ARCH="$arch" CC=$kind) ||
			bad=$((bad + 1))
		for header in kmem_arch.h kmem/kmem.h \
				$(cd include && ls kmem/map_*.h); do
			for std in c11 c17 c2x; do
				compile $cc -x c -std=$std -Wpedantic \
					-ffreestanding -Iarch/$arch
			done
			[ $kind = clang ] || echo |
				$cc -x c++ -fsyntax-only - 2>/dev/null ||
				continue
			compile $cc -x c++ -std=c++17 -ffreestanding \
				-Iarch/$arch
		done
	done
done
if grep -hE '^#[ 	]*include' src/*.[ch] include/kmem/*.h arch/*/kmem_arch.h |
	grep -vE '"[a-z0-9_./]+\.h"|<kmem/[a-z0-9_]+\.h>|<kmem_arch\.h>' |
	grep -vE '<(stddef|stdint|stdbool|stdarg)\.h>' |
	grep -vE 'KMEM_(CONFIG|ATOMIC)_FILE'; then
	echo "FAILED: not a freestanding header"
	bad=$((bad + 1))
fi
echo "$n compilations, $bad failed"
[ "$bad" -eq 0 ]
