// SPDX-License-Identifier: MIT
/*
 * tests/fuzz/blob.c - anything, where a boot loader's table is expected.
 *
 * What could go wrong: a reader believes a length, an offset or a count, and
 * reads outside of what it was given; it never ends; it reports a range that
 * wraps around. AddressSanitizer sees the first: the bytes are a block of
 * their own.
 *
 * The first byte is the format; then come, 16 bits each, the address of the
 * blob and that of the loader's structure, for formats that tell them.
 */
#include <stdlib.h>

#include <kmem/map_fdt.h>
#include <kmem/map_multiboot.h>
#include <kmem/map_pvh.h>

#include "blob.h"
#include "testlib.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static int look_at(void *nr, const struct kmem_map_entry *e)
{
	REQUIRE(!e->size || e->start + (e->size - 1) >= e->start);
	REQUIRE(e->type == KMEM_REGION_USABLE ||
		e->type == KMEM_REGION_RESERVED);
	REQUIRE(e->node >= KMEM_NO_NODE && e->what);
	*(size_t *)nr += strlen(e->what) + 1;
	return KMEM_OK;
}

static void walk_tree(const uint8_t *bytes, size_t n)
{
	struct kmem_fdt_node node;
	struct kmem_fdt fdt;
	size_t tokens = 0;

	if (kmem_fdt_open(&fdt, bytes, n))
		return;
	node = kmem_fdt_root(&fdt);
	while (kmem_fdt_next(&fdt, &node)) {
		kmem_fdt_says(&fdt, &node, "compatible", "ns16550a");
		REQUIRE(++tokens <= n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct kmem_map_window window;
	size_t seen = 0, base, at;
	int err = KMEM_OK;
	uint8_t *blob;

	if (n < 5)
		return 0;
	base = bytes[1] | (size_t)bytes[2] << 8;
	at = bytes[3] | (size_t)bytes[4] << 8;
	n -= 5;
	blob = malloc(n ? n : 1);
	REQUIRE(blob);
	memcpy(blob, bytes + 5, n);
	window = (struct kmem_map_window){ blob, base, n };
	switch (bytes[0] % 4) {
	case 0:
		err = kmem_map_fdt(blob, n, look_at, &seen);
		walk_tree(blob, n);
		break;
	case 1:
		err = kmem_map_multiboot2(blob, n, look_at, &seen);
		break;
	case 2:
		err = kmem_map_multiboot(&window, at, look_at, &seen);
		break;
	case 3:
		err = kmem_map_pvh(&window, at, look_at, &seen);
		break;
	}
	REQUIRE(err == KMEM_OK || err == KMEM_EINVAL);
	free(blob);
	return 0;
}
