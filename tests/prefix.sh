#!/bin/sh
# SPDX-License-Identifier: MIT
#
# prefix.sh CC - with KMEM_PREFIX_NAMES the library defines no name of Linux's.

cd "$(dirname "$0")/.." || exit 1
public=$(sed -n 's/^#define \([A-Za-z_]*\)[ 	]*kmem_.*/\1/p' \
	include/kmem/names.h)
[ -n "$public" ] || exit 1

# names OBJECT: what it defines for others
names() {
	nm -g --defined-only "$1" | awk 'NF == 3 { print $3 }' | sort -u
}

cc=$1
make=${MAKE:-make}
dir=build/prefix-${cc##*/}
usual=build/x86_64$(case $cc in *clang*) echo -clang ;; esac)/libkmem.a
sh tests/amalgamate.sh "$dir" >/dev/null || exit 1
$(CFLAGS=-O0 $make -s compiler ARCH=x86_64 CC="$cc" |
	sed "s| -Iinclude -Iarch/x86_64 | |") -DKMEM_PREFIX_NAMES -I"$dir" \
	-I"$dir/arch/x86_64" -c "$dir/kmem.c" -o "$dir/kmem.o" || exit 1
objcopy --localize-hidden "$dir/kmem.o" || exit 1
$make -s -j2 ARCH=x86_64 CC="$cc" "$usual" >/dev/null || exit 1
prefixed=$(names "$dir/kmem.o")
plain=$(names "$usual")
if echo "$prefixed" | grep -v '^kmem_'; then
	echo "defined without the prefix, or not in names.h"
	exit 1
fi
[ -n "$prefixed" ] && [ -n "$plain" ] || exit 1
for name in $(echo "$plain" | grep -v '^kmem_'); do
	echo "$public" | grep -qx "$name" ||
		{ echo "not in names.h: $name"; exit 1; }
done
echo "$(echo "$plain" | wc -l) names"
