#!/bin/sh
# SPDX-License-Identifier: MIT
#
# headers.sh - every public header compiles on its own in every language that
# kmem promises; all of them, in either order, with both compilers for every
# architecture, of 32 and of 64 bits; and nothing but the compiler's freestanding
# headers is included.

cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make}
unset MAKEFLAGS MAKELEVEL MFLAGS CC ARCH BOOT
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0

# A unit for each header, and two that include all, what the architecture
# supplies first and last: so each comes once before and once after any other.
headers=$(cd include/kmem && ls -- *.h)
mkdir "$dir/one" "$dir/all"
for header in $headers; do
	printf '#include <kmem/%s>\nint unit;\n' $header >"$dir/one/$header.c"
done
printf '#include <kmem_arch.h>\n' >"$dir/all/forward.c"
printf '#include <kmem/%s>\n' $headers >>"$dir/all/forward.c"
tac "$dir/all/forward.c" >"$dir/all/backward.c"

# compile WHICH COMPILER...: to be run below
compile() {
	which=$1
	shift
	for unit in "$dir/$which"/*.c; do
		echo "$* -fsyntax-only $unit || echo FAILED: '$*' $unit" \
			>>"$dir/jobs"
	done
}

# each MAKE-ARGUMENT...: all of them, as the library is compiled
each() {
	cc=$($MAKE -s compiler "$@") || { bad=$((bad + 1)); return; }
	compile all $cc -x c -std=c11
	# Of a cross gcc, only the C compiler is asked for.
	case $cc in clang*)
		compile all $cc -x c++ -std=c++17 ;;
	esac
}

for mk in arch/*/arch.mk; do
	arch=$(basename "$(dirname "$mk")")
	each ARCH="$arch" CC=gcc
	each ARCH="$arch" CC=clang
done
for target in i686 armhf powerpc s390x; do
	each ARCH=host HOST_TARGET=$target CC=gcc
	each ARCH=host HOST_TARGET=$target CC=clang
done
host="-Wall -Wextra -Wundef -Werror -Iinclude -Iarch/host"
for std in c11 c17 c2x; do
	compile one gcc -x c -std=$std $host
	compile all clang -x c -std=$std $host
done
compile one g++ -x c++ -std=c++17 $host
compile all gcc -x c -std=c11 $host -DKMEM_ARCH_RCU_HEAD=1

xargs -P 2 -d '\n' -n 1 sh -c <"$dir/jobs" >"$dir/out" 2>&1
cat "$dir/out"
bad=$((bad + $(grep -c '^FAILED' "$dir/out")))

if grep -hE '^#[ 	]*include' src/*.[ch] include/kmem/*.h arch/*/kmem_arch.h |
	grep -vE '"[a-z0-9_./]+\.h"|<kmem/[a-z0-9_]+\.h>|<kmem_arch\.h>' |
	grep -vE '<(stddef|stdint|stdbool|stdarg)\.h>' |
	grep -vE 'KMEM_(CONFIG|ATOMIC)_FILE'; then
	echo "FAILED: not a freestanding header"
	bad=$((bad + 1))
fi
echo "$(wc -l <"$dir/jobs") compilations, $bad failed"
[ "$bad" -eq 0 ]
