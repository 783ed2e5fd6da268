#!/bin/sh
# SPDX-License-Identifier: MIT
#
# headers.sh - every public header compiles on its own, in every language
# that kmem promises, with both compilers, for the host and for a kernel; and
# nothing but the compiler's freestanding headers is included.

cd "$(dirname "$0")/.." || exit 1
bad=0
n=0

compile() {
	n=$((n + 1))
	printf '#include <kmem/%s>\nint unit;\n' "$header" |
		"$@" -Iinclude -Wall -Wextra -Wundef -Werror -fsyntax-only - ||
		{ echo "FAILED: $*: kmem/$header"; bad=$((bad + 1)); }
}

for path in include/kmem/*.h; do
	header=${path##*/}
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
if grep -hE '^#[ 	]*include' src/*.[ch] include/kmem/*.h arch/*/kmem_arch.h |
	grep -vE '"[a-z_]+\.h"|<kmem/[a-z_]+\.h>|<kmem_arch\.h>' |
	grep -vE '<(stddef|stdint|stdbool|stdarg|limits)\.h>' |
	grep -vE 'KMEM_(CONFIG|ATOMIC)_FILE'; then
	echo "FAILED: not a freestanding header"
	bad=$((bad + 1))
fi
echo "$n compilations, $bad failed"
[ "$bad" -eq 0 ]
