#!/bin/sh
# SPDX-License-Identifier: MIT
#
# prefix.sh CC - with KMEM_PREFIX_NAMES the library defines no name of Linux's.

cd "$(dirname "$0")/.." || exit 1
public=$(sed -n 's/^#define \([A-Za-z_]*\)[ 	]*kmem_.*/\1/p' \
	include/kmem/names.h)
[ -n "$public" ] || exit 1

# names DIR FLAGS: what the library defines for others
names() {
	dir=$1
	shift
	${MAKE:-make} -s -j2 ARCH=x86_64 CC="$cc" BUILD="$dir" "$@" \
		>/dev/null || exit 1
	nm -g --defined-only "$dir/libkmem.a" |
		awk 'NF == 3 { print $3 }' | sort -u
}

cc=$1
plain_dir=build/x86_64$(case $1 in *clang*) echo -clang ;; esac)
prefixed=$(names "build/prefix-${1##*/}" CFLAGS="-O0 -DKMEM_PREFIX_NAMES") ||
	exit 1
plain=$(names "$plain_dir") || exit 1
if echo "$prefixed" | grep -v '^kmem_'; then
	echo "defined without the prefix, or not in names.h"
	exit 1
fi
for name in $(echo "$plain" | grep -v '^kmem_'); do
	echo "$public" | grep -qx "$name" ||
		{ echo "not in names.h: $name"; exit 1; }
done
echo "$(echo "$plain" | wc -l) names"
