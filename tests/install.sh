#!/bin/sh
# SPDX-License-Identifier: MIT
#
# install.sh - what `make install` puts where, and that it is enough.
#
# Three architectures are installed into one place; nothing that is installed
# needs another's files. The README's first program is built with what
# pkg-config says and nothing of the source tree, and runs; a kernel's object
# links with another library; uninstalling one leaves the others, and
# uninstalling all leaves nothing.

cd "$(dirname "$0")/.." || exit 1
MAKE="${MAKE:-make} -s -j2 CC=gcc"
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT
prefix=/opt/kmem

fail() {
	echo "FAILED: $*"
	exit 1
}

# flags ARCH OPTION: pkg-config's answer, inside of $dest
flags() {
	PKG_CONFIG_PATH=$dest$prefix/lib/pkgconfig pkg-config \
		--define-variable=prefix="$dest$prefix" "$2" "kmem-$1"
}

for arch in host x86_64 riscv32; do
	$MAKE install ARCH=$arch PREFIX=$prefix DESTDIR="$dest" >/dev/null ||
		fail "make install ARCH=$arch"
done
grep -r '"\.\./' "$dest" && fail "a header is left behind"
grep -r "$dest" "$dest" && fail "DESTDIR is in what was installed"

awk '/^```c$/ { on = 1; next } /^```$/ { exit } on' README.md >"$dest/app.c"
(
	cd "$dest" && cc -Wall -Werror $(flags host --cflags) app.c \
		$(flags host --libs) -o app && ./app >app.out
) || fail "the README's program"

cat >"$dest/kernel.c" <<'C'
#include <kmem/kmem.h>
void kmem_panic(const char *reason) { (void)reason; }
void *_start(void);
void *_start(void) { return kmalloc(100, GFP_KERNEL); }
void *memset(void *p, int byte, size_t n) { (void)byte; (void)n; return p; }
void *memcpy(void *p, const void *q, size_t n) { (void)q; (void)n; return p; }
void *memmove(void *p, const void *q, size_t n) { (void)q; (void)n; return p; }
C
(
	cd "$dest" && gcc -std=c11 -ffreestanding -fno-pic -mcmodel=kernel \
		-mno-red-zone -mgeneral-regs-only $(flags x86_64 --cflags) \
		-nostdlib -static kernel.c $(flags x86_64 --libs) -o kernel
) || fail "a kernel"

$MAKE uninstall ARCH=host PREFIX=$prefix DESTDIR="$dest" >/dev/null
[ -e "$dest$prefix/include/kmem/kmem.h" ] || fail "uninstall took too much"
[ ! -e "$dest$prefix/lib/kmem/host" ] || fail "uninstall left a library"
for arch in x86_64 riscv32; do
	$MAKE uninstall ARCH=$arch PREFIX=$prefix DESTDIR="$dest" >/dev/null
done
left=$(find "$dest$prefix" -type f)
[ -z "$left" ] || fail "uninstall left $left"
echo "installed, used and uninstalled, three side by side"
