#!/bin/sh
# SPDX-License-Identifier: MIT
#
# unlinked.sh CC - a program that does not start vmalloc() has none of it.
#
# What could go wrong: kvmalloc(), kvfree(), the report or the checker names
# what only kmem_vmalloc_init() may. Two programs are linked with
# --gc-sections, with that call and without: the second must have the modules'
# functions (or the test sees nothing), the first must not.

cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
lib=build/host$(case $1 in *clang*) echo -clang ;; esac)/libkmem.a
${MAKE:-make} -s -j2 ARCH=host CC="$1" "$lib" >/dev/null || exit 1

cat >"$dir/program.c" <<'C'
#include <host.h>

int main(void)
{
	void *p;

	host_machine(16 << 20, 1);
#ifdef START
	static struct kmem_vmalloc_params params;

	kmem_vmalloc_init(&params);
#endif
	p = kvmalloc(100000, GFP_KERNEL);
	p = kvrealloc(p, 200000, GFP_KERNEL);
	kmem_report(host_print, NULL);
	kvfree(p);
	kfree(kmalloc(1, GFP_KERNEL));
	return kmem_check_all(host_print, NULL) != 0 || is_vmalloc_addr(p);
}
C

# link NAME FLAG...: and the library's functions of vmalloc() that are in it
link() {
	name=$1
	shift
	$cc -O1 "$@" -ffunction-sections -Wl,--gc-sections -Iinclude \
		-Iarch/host "$dir/program.c" arch/host/host.c "$lib" -pthread \
		-o "$dir/$name" || exit 1
	nm "$dir/$name" | awk '$2 ~ /[Tt]/ { print $3 }' |
		grep -E '^(_*v(malloc|free|realloc|map|unmap)|vm_[acsu]|kmem_vmalloc)'
}

cc=$1
link with -DSTART >"$dir/have"
link without >"$dir/left"
"$dir/without" >/dev/null || { echo "the program does not run"; exit 1; }
for name in kmem_vmalloc_init vfree vm_area_new vm_check; do
	grep -qx "$name" "$dir/have" ||
		{ echo "$name is not linked where it should be"; exit 1; }
done
if [ -s "$dir/left" ]; then
	echo "linked without kmem_vmalloc_init():" $(cat "$dir/left")
	exit 1
fi
echo "$(wc -l <"$dir/have") functions with vmalloc(), none without"
