#!/bin/sh
# SPDX-License-Identifier: MIT
#
# headers.sh - every public header compiles on its own and after any other, in
# every language that kmem promises, with both compilers, for every
# architecture, of 32 and of 64 bits; and nothing but the compiler's
# freestanding headers is included.

cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make}
unset MAKEFLAGS MAKELEVEL MFLAGS CC ARCH BOOT
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0

# A unit for each header, what the architecture supplies included, and for
# each pair in both orders.
mkdir "$dir/one" "$dir/two"
printf '#include <kmem_arch.h>\nint unit;\n' >"$dir/one/arch.c"
headers=$(cd include/kmem && ls -- *.h)
for first in $headers; do
	printf '#include <kmem/%s>\nint unit;\n' $first >"$dir/one/$first.c"
	for second in $headers; do
		printf '#include <kmem/%s>\n' $first $second 'kmem.h' \
			>"$dir/two/$first-$second.c"
	done
done

# compile WHICH COMPILER...: to be run below
compile() {
	which=$1
	shift
	echo "$* -fsyntax-only $dir/$which/*.c || echo FAILED: '$*'" \
		>>"$dir/jobs"
}

# each MAKE-ARGUMENT...: each header alone, as the library is compiled
each() {
	cc=$($MAKE -s compiler "$@") || { bad=$((bad + 1)); return; }
	for std in c11 c17 c2x; do
		compile one $cc -x c -std=$std
	done
	# Of a cross gcc, only the C compiler is asked for.
	case $cc in clang*)
		compile one $cc -x c++ -std=c++17 ;;
	esac
}

for mk in arch/*/arch.mk; do
	arch=$(basename "$(dirname "$mk")")
	each ARCH="$arch" CC=gcc
	each ARCH="$arch" CC=clang
done
for target in i686 armhf s390x; do
	each ARCH=host HOST_TARGET=$target CC=gcc
	each ARCH=host HOST_TARGET=$target CC=clang
done
host="-Wall -Wextra -Wundef -Werror -Iinclude -Iarch/host"
compile one g++ -x c++ -std=c++17 $host
compile two gcc -x c -std=c11 $host

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
echo "$(wc -l <"$dir/jobs") ways to compile them all, $bad failed"
[ "$bad" -eq 0 ]
