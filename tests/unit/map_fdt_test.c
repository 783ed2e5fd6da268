/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/map_fdt_test.c - the reader of flattened devicetrees.
 *
 * What could go wrong: an entry is missed, or read with the wrong number of
 * cells; memory that is somebody else's is reported as usable; a damaged blob
 * is read beyond its end, or for ever. Each blob is handed over in an
 * allocation of exactly its size, so that AddressSanitizer sees the first
 * byte beyond.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include <kmem/map_fdt.h>

#include "unit.h"

#define DATA "tests/data/fdt/"

/* ---- what is reported -------------------------------------------------- */

#define MAX_ENTRIES 64

struct map {
	struct kmem_map_entry entry[MAX_ENTRIES];
	char what[MAX_ENTRIES][32];
	unsigned nr;
	unsigned stop_after;		/* fn returns 77 then; 0: never */
};

static int note(void *ctx, const struct kmem_map_entry *entry)
{
	struct map *m = ctx;

	if (m->nr < MAX_ENTRIES) {
		m->entry[m->nr] = *entry;
		snprintf(m->what[m->nr], sizeof(m->what[0]), "%s",
			 entry->what);
	}
	m->nr++;
	return m->nr == m->stop_after ? 77 : KMEM_OK;
}

static void expect_entry(const struct map *m, unsigned i, uint64_t start,
			 uint64_t size, enum kmem_region_type type, int node,
			 const char *what)
{
	assert_true(i < m->nr);
	assert_int_equal(m->entry[i].start, start);
	assert_int_equal(m->entry[i].size, size);
	assert_int_equal(m->entry[i].type, type);
	assert_int_equal(m->entry[i].node, node);
	assert_string_equal(m->what[i], what);
}

/* ---- blobs ------------------------------------------------------------- */

struct blob {
	unsigned char *data;
	size_t size;
};

static struct blob blob_read(const char *path)
{
	struct blob b = { malloc(1 << 20), 0 };
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	assert_non_null(b.data);
	b.size = fread(b.data, 1, 1 << 20, f);
	fclose(f);
	assert_in_range(b.size, 1, (1 << 20) - 1);
	b.data = realloc(b.data, b.size);
	return b;
}

static void put_word(unsigned char *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> (24 - 8 * i));
}

static uint32_t get_word(const struct blob *b, unsigned n)
{
	return (uint32_t)kmem_fdt_number(b->data + n * 4, 1);
}

/* The same with the structure at the very end, so that a step too far is one
 * beyond the blob. (QEMU puts the strings there.) */
static struct blob structure_last(struct blob b)
{
	uint32_t at = get_word(&b, KMEM_FDT_STRUCT_AT);
	uint32_t size = get_word(&b, KMEM_FDT_STRUCT_SIZE);
	uint32_t strings = get_word(&b, KMEM_FDT_STRINGS_SIZE);
	uint32_t new_at = (at + strings + 3) & ~3u;
	struct blob new = { calloc(1, new_at + size), new_at + size };

	assert_non_null(new.data);
	memcpy(new.data, b.data, at);
	memcpy(new.data + at, b.data + get_word(&b, KMEM_FDT_STRINGS_AT),
	       strings);
	memcpy(new.data + new_at, b.data + at, size);
	put_word(new.data + KMEM_FDT_TOTAL_SIZE * 4, (uint32_t)new.size);
	put_word(new.data + KMEM_FDT_STRINGS_AT * 4, at);
	put_word(new.data + KMEM_FDT_STRUCT_AT * 4, new_at);
	free(b.data);
	return new;
}

/* Read the map from a copy of exactly `room` bytes. */
static int map_copy(const void *data, size_t room, struct map *m)
{
	unsigned char *copy = malloc(room ? room : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, data, room);
	memset(m, 0, sizeof(*m));
	err = kmem_map_fdt(copy, room, note, m);
	free(copy);
	return err;
}

/* ---- a devicetree compiler of sorts ------------------------------------ */

static unsigned char reserve_block[64], struct_block[1 << 20];
static char strings_block[4096];
static size_t reserve_len, struct_len, strings_len;

static void word(uint32_t value)
{
	assert_true(struct_len + 4 <= sizeof(struct_block));
	put_word(struct_block + struct_len, value);
	struct_len += 4;
}

static void padded(const void *bytes, size_t n)
{
	memcpy(struct_block + struct_len, bytes, n);
	struct_len += n;
	while (struct_len % 4)
		struct_block[struct_len++] = 0;
}

static void begin(const char *name)
{
	word(KMEM_FDT_BEGIN_NODE);
	padded(name, strlen(name) + 1);
}

static void end(void)
{
	word(KMEM_FDT_END_NODE);
}

static void prop(const char *name, const void *value, size_t n)
{
	word(KMEM_FDT_PROP);
	word((uint32_t)n);
	word((uint32_t)strings_len);
	strcpy(strings_block + strings_len, name);
	strings_len += strlen(name) + 1;
	if (n)
		padded(value, n);
}

static void text(const char *name, const char *value)
{
	prop(name, value, strlen(value) + 1);
}

static void cells(const char *name, unsigned n, ...)
{
	unsigned char value[64];
	va_list args;

	va_start(args, n);
	for (unsigned i = 0; i < n; i++)
		put_word(value + i * 4, va_arg(args, uint32_t));
	va_end(args);
	prop(name, value, n * 4);
}

static void reserve(uint64_t start, uint64_t size)
{
	put_word(reserve_block + reserve_len, (uint32_t)(start >> 32));
	put_word(reserve_block + reserve_len + 4, (uint32_t)start);
	put_word(reserve_block + reserve_len + 8, (uint32_t)(size >> 32));
	put_word(reserve_block + reserve_len + 12, (uint32_t)size);
	reserve_len += 16;
}

/* The root node is begun, with that many cells. */
static void start(uint32_t address_cells, uint32_t size_cells)
{
	reserve_len = struct_len = strings_len = 0;
	begin("");
	cells("#address-cells", 1, address_cells);
	cells("#size-cells", 1, size_cells);
}

static void memory(const char *name)
{
	begin(name);
	text("device_type", "memory");
}

/* Header, reservations, structure, strings. */
static struct blob assemble(void)
{
	struct blob b;
	size_t at = KMEM_FDT_HEADER_SIZE;
	const uint32_t header[] = {
		KMEM_FDT_MAGIC,
		(uint32_t)(at + reserve_len + struct_len + strings_len),
		(uint32_t)(at + reserve_len),
		(uint32_t)(at + reserve_len + struct_len),
		(uint32_t)at, 17, 16, 0,
		(uint32_t)strings_len, (uint32_t)struct_len,
	};

	b.size = header[KMEM_FDT_TOTAL_SIZE];
	b.data = malloc(b.size);
	assert_non_null(b.data);
	for (unsigned i = 0; i < 10; i++)
		put_word(b.data + i * 4, header[i]);
	memcpy(b.data + at, reserve_block, reserve_len);
	memcpy(b.data + at + reserve_len, struct_block, struct_len);
	memcpy(b.data + at + reserve_len + struct_len, strings_block,
	       strings_len);
	return b;
}

/* End the root and the tree. */
static struct blob finish(void)
{
	end();
	word(KMEM_FDT_NOP);
	word(KMEM_FDT_END);
	reserve(0, 0);
	return assemble();
}

static int map_finished(struct map *m)
{
	struct blob b = finish();
	int err = map_copy(b.data, b.size, m);

	free(b.data);
	return err;
}

/* ---- real machines ----------------------------------------------------- */

static void maps_of_real_machines(void **state)
{
	static const struct {
		const char *file;
		unsigned nr;
		struct kmem_map_entry entry[2];
	} expected[] = {
		{ DATA "riscv64-virt.dtb", 1, {
			{ 0x80000000, 128 * MIB, KMEM_REGION_USABLE,
			  KMEM_NO_NODE, "memory@80000000" } } },
		{ DATA "riscv64-numa.dtb", 2, {
			{ 0x80000000, 128 * MIB, KMEM_REGION_USABLE, 0,
			  "memory@80000000" },
			{ 0x88000000, 128 * MIB, KMEM_REGION_USABLE, 1,
			  "memory@88000000" } } },
		{ DATA "riscv64-opensbi.dtb", 2, {
			{ 0x80000000, 512 * KIB, KMEM_REGION_RESERVED,
			  KMEM_NO_NODE, "mmode_resv0@80000000" },
			{ 0x80000000, 128 * MIB, KMEM_REGION_USABLE,
			  KMEM_NO_NODE, "memory@80000000" } } },
		{ DATA "aarch64-virt.dtb", 1, {
			{ 0x40000000, 6 * GIB, KMEM_REGION_USABLE,
			  KMEM_NO_NODE, "memory@40000000" } } },
	};

	(void)state;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(expected); i++) {
		struct blob b = blob_read(expected[i].file);
		struct map m;

		assert_int_equal(map_copy(b.data, b.size, &m), KMEM_OK);
		assert_int_equal(m.nr, expected[i].nr);
		for (unsigned e = 0; e < m.nr; e++) {
			const struct kmem_map_entry *x = &expected[i].entry[e];

			expect_entry(&m, e, x->start, x->size, x->type,
				     x->node, x->what);
		}
		free(b.data);
	}
}

/* With kmem_map_add(), what the firmware keeps is not kmem's. */
static void map_reaches_kmem(void **state)
{
	struct blob b = blob_read(DATA "riscv64-opensbi.dtb");
	struct kmem_params params = { .nr_cpus = 1 };
	struct kmem_boot_info info;

	(void)state;
	kmem_reset();
	assert_int_equal(kmem_map_fdt(b.data, b.size, kmem_map_add, NULL),
			 KMEM_OK);
	assert_int_equal(kmem_boot_plan(&params, &info), KMEM_OK);
	assert_int_equal(info.usable, 128 * MIB - 512 * KIB);
	kmem_reset();
	free(b.data);
}

static void walk_finds_what_start_up_needs(void **state)
{
	struct blob b = blob_read(DATA "riscv64-virt.dtb");
	struct kmem_fdt fdt;
	struct kmem_fdt_node node, at;
	struct kmem_fdt_regs regs;
	unsigned nr_cpus = 0, nr_uarts = 0;

	(void)state;
	assert_int_equal(kmem_fdt_open(&fdt, b.data, b.size), KMEM_OK);
	assert_int_equal(fdt.total, b.size);
	node = kmem_fdt_root(&fdt);
	assert_string_equal(node.name, "");
	assert_int_equal(node.depth, 0);
	assert_true(kmem_fdt_says(&fdt, &node, "compatible",
				  "riscv-virtio"));
	assert_string_equal(kmem_fdt_text(&fdt, &node, "model"),
			    "riscv-virtio,qemu");
	assert_null(kmem_fdt_text(&fdt, &node, "modem"));
	assert_int_equal(kmem_fdt_u32(&fdt, &node, "#size-cells", 7), 2);
	assert_int_equal(kmem_fdt_u32(&fdt, &node, "model", 7), 7);
	assert_int_equal(kmem_fdt_u32(&fdt, &node, "modem", 7), 7);

	assert_false(kmem_fdt_find(&fdt, "cpu", &node));
	assert_true(kmem_fdt_find(&fdt, "cpus", &node));
	assert_int_equal(kmem_fdt_u32(&fdt, &node, "timebase-frequency", 0),
			 10000000);
	at = node;
	while (kmem_fdt_next(&fdt, &at) && at.depth > node.depth) {
		if (!kmem_fdt_says(&fdt, &at, "device_type", "cpu"))
			continue;
		assert_int_equal(kmem_fdt_find_regs(&fdt, &at, &regs), KMEM_OK);
		assert_int_equal(regs.nr, 1);
		assert_int_equal(kmem_fdt_reg_size(&regs, 0), 0);
		nr_cpus |= 1u << kmem_fdt_reg_start(&regs, 0);
	}
	assert_int_equal(nr_cpus, 0xf);

	assert_true(kmem_fdt_find(&fdt, "memory", &node));
	at = kmem_fdt_root(&fdt);
	while (kmem_fdt_next(&fdt, &at)) {
		if (!kmem_fdt_says(&fdt, &at, "compatible", "ns16550a"))
			continue;
		nr_uarts++;
		assert_int_equal(at.depth, 2);
		assert_string_equal(kmem_fdt_parent(&fdt, &at).name, "soc");
		assert_int_equal(kmem_fdt_find_regs(&fdt, &at, &regs), KMEM_OK);
		assert_int_equal(regs.nr, 1);
		assert_int_equal(kmem_fdt_reg_start(&regs, 0), 0x10000000);
		assert_int_equal(kmem_fdt_reg_size(&regs, 0), 0x100);
	}
	assert_int_equal(nr_uarts, 1);
	free(b.data);
}

/* ---- trees that no emulator makes -------------------------------------- */

static void cells_are_the_parents(void **state)
{
	struct map m;

	(void)state;
	start(1, 1);
	memory("memory@1000");
	cells("reg", 4, 0x1000, 0x2000, 0x8000, 0x4000);
	end();
	begin("reserved-memory");
	cells("#address-cells", 1, 2);
	cells("#size-cells", 1, 1);
	begin("firmware@1800");
	cells("reg", 3, 0, 0x1800, 0x100);
	end();
	end();
	assert_int_equal(map_finished(&m), KMEM_OK);
	assert_int_equal(m.nr, 3);
	expect_entry(&m, 0, 0x1000, 0x2000, KMEM_REGION_USABLE, KMEM_NO_NODE,
		     "memory@1000");
	expect_entry(&m, 1, 0x8000, 0x4000, KMEM_REGION_USABLE, KMEM_NO_NODE,
		     "memory@1000");
	expect_entry(&m, 2, 0x1800, 0x100, KMEM_REGION_RESERVED, KMEM_NO_NODE,
		     "firmware@1800");

	/* Without the two properties: 2 and 1. */
	reserve_len = struct_len = strings_len = 0;
	begin("");
	memory("memory");
	cells("reg", 3, 1, 0x1000, 0x2000);
	end();
	assert_int_equal(map_finished(&m), KMEM_OK);
	expect_entry(&m, 0, 0x100001000, 0x2000, KMEM_REGION_USABLE,
		     KMEM_NO_NODE, "memory");
}

static void only_what_may_be_used_is_usable(void **state)
{
	struct map m;

	(void)state;
	start(1, 1);
	memory("memory@1");
	text("status", "disabled");
	cells("reg", 2, 0x10000, 0x1000);
	end();
	memory("memory@2");
	text("status", "okay");
	prop("hotpluggable", NULL, 0);
	cells("numa-node-id", 1, 3);
	cells("reg", 2, 0x20000, 0x1000);
	end();
	begin("memory@3");		/* no device_type */
	cells("reg", 2, 0x30000, 0x1000);
	end();
	begin("soc");
	memory("memory@4");		/* not the root's */
	cells("reg", 3, 0, 0x40000, 0x1000);
	end();
	end();
	memory("memory@5");		/* no reg */
	end();
	assert_int_equal(map_finished(&m), KMEM_OK);
	assert_int_equal(m.nr, 1);
	expect_entry(&m, 0, 0x20000, 0x1000, KMEM_REGION_USABLE, 3,
		     "hotpluggable");
}

static void what_is_reserved(void **state)
{
	struct map m;

	(void)state;
	start(1, 1);
	reserve(0x123456789abc, 0x1000);
	reserve(0, 0x800);
	begin("reserved-memory");
	cells("#address-cells", 1, 1);
	cells("#size-cells", 1, 1);
	prop("ranges", NULL, 0);
	begin("pool");			/* to be placed by the kernel */
	cells("size", 1, 0x1000);
	end();
	begin("gone@1000");
	text("status", "disabled");
	cells("reg", 2, 0x1000, 0x1000);
	end();
	begin("two@2000");
	prop("no-map", NULL, 0);
	cells("reg", 4, 0x2000, 0x1000, 0x4000, 0x800);
	begin("deeper@1");		/* no region of its own */
	cells("reg", 3, 0, 1, 2);
	end();
	end();
	end();
	begin("reserved-memory-too");
	begin("not@9000");
	cells("reg", 3, 0, 0x9000, 0x1000);
	end();
	end();
	assert_int_equal(map_finished(&m), KMEM_OK);
	assert_int_equal(m.nr, 4);
	expect_entry(&m, 0, 0x123456789abc, 0x1000, KMEM_REGION_RESERVED,
		     KMEM_NO_NODE, "memreserve");
	expect_entry(&m, 1, 0, 0x800, KMEM_REGION_RESERVED, KMEM_NO_NODE,
		     "memreserve");
	expect_entry(&m, 2, 0x2000, 0x1000, KMEM_REGION_RESERVED, KMEM_NO_NODE,
		     "two@2000");
	expect_entry(&m, 3, 0x4000, 0x800, KMEM_REGION_RESERVED, KMEM_NO_NODE,
		     "two@2000");
}

/* Nothing between tokens, and no depth, confuses the walk. */
static void nops_and_depth(void **state)
{
	struct map m;

	(void)state;
	reserve_len = struct_len = strings_len = 0;
	word(KMEM_FDT_NOP);
	begin("");
	word(KMEM_FDT_NOP);
	cells("#address-cells", 1, 1);
	word(KMEM_FDT_NOP);
	cells("#size-cells", 1, 1);
	word(KMEM_FDT_NOP);
	for (unsigned i = 0; i < 20000; i++)
		begin("x");
	for (unsigned i = 0; i < 20000; i++)
		end();
	word(KMEM_FDT_NOP);
	memory("memory");
	word(KMEM_FDT_NOP);
	cells("reg", 2, 0x1000, 0x2000);
	end();
	assert_int_equal(map_finished(&m), KMEM_OK);
	assert_int_equal(m.nr, 1);
	expect_entry(&m, 0, 0x1000, 0x2000, KMEM_REGION_USABLE, KMEM_NO_NODE,
		     "memory");
}

static void any_alignment_will_do(void **state)
{
	struct blob b = blob_read(DATA "riscv64-opensbi.dtb");
	unsigned char *room = malloc(b.size + 8);
	struct map m;

	(void)state;
	for (unsigned shift = 0; shift < 8; shift++) {
		memset(&m, 0, sizeof(m));
		memcpy(room + shift, b.data, b.size);
		assert_int_equal(kmem_map_fdt(room + shift, b.size, note, &m),
				 KMEM_OK);
		assert_int_equal(m.nr, 2);
	}
	free(room);
	free(b.data);
}

static void functions_error_ends_the_walk(void **state)
{
	struct blob b = blob_read(DATA "riscv64-numa.dtb");
	struct map m = { .stop_after = 1 };

	(void)state;
	assert_int_equal(kmem_map_fdt(b.data, b.size, note, &m), 77);
	assert_int_equal(m.nr, 1);
	free(b.data);

	start(1, 1);
	reserve(1, 1);
	reserve(2, 1);
	b = finish();
	m = (struct map){ .stop_after = 2 };
	assert_int_equal(kmem_map_fdt(b.data, b.size, note, &m), 77);
	assert_int_equal(m.nr, 2);
	free(b.data);
}

/* ---- contradictions ---------------------------------------------------- */

static void bad_reg(uint32_t address_cells, uint32_t size_cells, unsigned n)
{
	struct map m;

	start(address_cells, size_cells);
	memory("memory");
	cells("reg", n, 0, 0, 0, 0, 0);
	end();
	assert_int_equal(map_finished(&m), KMEM_EINVAL);
	assert_int_equal(m.nr, 0);
}

static void refuses_bad_regs(void **state)
{
	struct map m;

	(void)state;
	bad_reg(1, 1, 3);
	bad_reg(2, 2, 5);
	bad_reg(3, 1, 4);
	bad_reg(0, 1, 1);
	bad_reg(1, 3, 4);
	bad_reg(0x80000000, 0x80000000, 1);

	start(2, 2);			/* beyond the end of the world */
	memory("memory");
	cells("reg", 4, 0xffffffff, 0xfffff000, 0, 0x1001);
	end();
	assert_int_equal(map_finished(&m), KMEM_EINVAL);
	start(2, 2);			/* just up to it */
	memory("memory");
	cells("reg", 4, 0xffffffff, 0xfffff000, 0, 0x1000);
	end();
	assert_int_equal(map_finished(&m), KMEM_OK);
}

static void expect_refused(struct blob b)
{
	struct map m;

	assert_int_equal(map_copy(b.data, b.size, &m), KMEM_EINVAL);
	assert_int_equal(m.nr, 0);
	free(b.data);
}

static void refuses_bad_structure(void **state)
{
	(void)state;
	start(1, 1);			/* a property behind a child */
	begin("child");
	end();
	text("late", "property");
	expect_refused(finish());

	start(1, 1);			/* two roots */
	end();
	begin("");
	expect_refused(finish());

	start(1, 1);			/* a node that does not end */
	begin("child");
	expect_refused(finish());

	start(1, 1);			/* one that ends twice */
	end();
	expect_refused(finish());

	start(1, 1);			/* an unknown token */
	word(5);
	expect_refused(finish());

	start(1, 1);			/* no end */
	end();
	reserve(0, 0);
	expect_refused(assemble());

	start(1, 1);			/* reservations without end */
	end();
	word(KMEM_FDT_END);
	reserve(1, 1);
	expect_refused(assemble());

	reserve_len = struct_len = strings_len = 0;
	word(KMEM_FDT_END);		/* no root */
	reserve(0, 0);
	expect_refused(assemble());
}

static void header_word(unsigned n, uint32_t value, int expected)
{
	struct blob b = blob_read(DATA "riscv64-virt.dtb");
	struct map m;

	put_word(b.data + n * 4, value);
	assert_int_equal(map_copy(b.data, b.size, &m), expected);
	free(b.data);
}

static void refuses_bad_headers(void **state)
{
	static const uint32_t offset[] = {
		0, 36, 0x7ffffffc, 0x80000000, 0xfffffff8, 0xffffffff,
	};

	(void)state;
	header_word(0, 0xedfe0dd0, KMEM_EINVAL);
	header_word(KMEM_FDT_VERSION, 15, KMEM_EINVAL);
	header_word(KMEM_FDT_VERSION, 16, KMEM_OK);
	header_word(KMEM_FDT_VERSION, 18, KMEM_OK);
	header_word(KMEM_FDT_COMPATIBLE, 18, KMEM_EINVAL);
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(offset); i++) {
		header_word(KMEM_FDT_TOTAL_SIZE, offset[i], KMEM_EINVAL);
		header_word(KMEM_FDT_STRUCT_AT, offset[i], KMEM_EINVAL);
		header_word(KMEM_FDT_STRINGS_AT, offset[i], KMEM_EINVAL);
		header_word(KMEM_FDT_RESERVE_AT, offset[i], KMEM_EINVAL);
		header_word(KMEM_FDT_STRINGS_SIZE, offset[i], KMEM_EINVAL);
		header_word(KMEM_FDT_STRUCT_SIZE, offset[i], KMEM_EINVAL);
	}
}

/* A blob of 2 GiB is refused for its length alone: its offsets would not be sums
 * that can't overflow. */
static void refuses_more_than_2_gib(void **state)
{
	struct blob b = blob_read(DATA "riscv64-virt.dtb");
	struct kmem_fdt fdt;

	(void)state;
	put_word(b.data + KMEM_FDT_TOTAL_SIZE * 4, 0x80000000);
	assert_int_equal(kmem_fdt_open(&fdt, b.data, SIZE_MAX), KMEM_EINVAL);
	free(b.data);
}

/* Version 16 does not say how long the structure is: to the blob's end. */
static void structure_of_version_16(void **state)
{
	struct blob b = structure_last(blob_read(DATA "riscv64-virt.dtb"));
	struct map m;

	(void)state;
	put_word(b.data + KMEM_FDT_VERSION * 4, 16);
	put_word(b.data + KMEM_FDT_STRUCT_SIZE * 4, 0xffffffff);
	assert_int_equal(map_copy(b.data, b.size, &m), KMEM_OK);
	assert_int_equal(m.nr, 1);
	put_word(b.data + KMEM_FDT_STRUCT_AT * 4, (uint32_t)b.size + 4);
	assert_int_equal(map_copy(b.data, b.size, &m), KMEM_EINVAL);
	assert_int_equal(m.nr, 0);
	free(b.data);
}

/* ---- damage ------------------------------------------------------------ */

static volatile uint64_t sum;

/* Call everything for each node, and read every byte that is handed out. */
static void tour(const unsigned char *data, size_t room)
{
	struct kmem_fdt fdt;
	struct kmem_fdt_node node;
	unsigned nodes = 0;

	if (kmem_fdt_open(&fdt, data, room))
		return;
	node = kmem_fdt_root(&fdt);
	do {
		struct kmem_fdt_regs regs;
		size_t length;
		const unsigned char *value = kmem_fdt_prop(
			&fdt, &node, "compatible", &length);
		const char *string = kmem_fdt_text(&fdt, &node, "status");

		for (size_t i = 0; i < length; i++)
			sum += value[i];
		sum += string ? strlen(string) : 0;
		sum += strlen(node.name);
		sum += kmem_fdt_says(&fdt, &node, "compatible", "x");
		sum += kmem_fdt_enabled(&fdt, &node);
		if (kmem_fdt_find_regs(&fdt, &node, &regs) == KMEM_OK)
			for (unsigned i = 0; i < regs.nr; i++)
				sum += kmem_fdt_reg_start(&regs, i) +
				       kmem_fdt_reg_size(&regs, i);
		REQUIRE(++nodes <= room);
	} while (kmem_fdt_next(&fdt, &node));
}

/* Memory that was given away too early: the blob is written over after
 * kmem_fdt_open() has found it good. Then a walk ends, and finds nothing. */
static void written_over_after_it_was_opened(void **state)
{
	struct blob b = structure_last(blob_read(DATA "riscv64-virt.dtb"));
	struct kmem_fdt_node root, cpus, at;
	struct kmem_fdt fdt;
	struct map m = { .nr = 0 };
	size_t length;

	(void)state;
	assert_int_equal(kmem_fdt_open(&fdt, b.data, b.size), KMEM_OK);
	root = kmem_fdt_root(&fdt);
	assert_true(kmem_fdt_find(&fdt, "cpus", &cpus));
	assert_non_null(kmem_fdt_prop(&fdt, &root, "model", &length));

	/* the bodies of the root and of its child */
	memset(b.data + cpus.body, 0xff, fdt.structure_end - cpus.body);
	assert_null(kmem_fdt_prop(&fdt, &cpus, "#address-cells", &length));
	assert_int_equal(length, 0);
	at = cpus;
	assert_false(kmem_fdt_next(&fdt, &at));
	assert_int_equal(at.body, cpus.body);
	memset(b.data + root.body, 0xff, cpus.body - root.body);
	assert_null(kmem_fdt_prop(&fdt, &root, "model", &length));
	/* whose parent is not found on the way: the root */
	assert_int_equal(kmem_fdt_parent(&fdt, &cpus).body, root.body);

	memset(b.data + fdt.structure, 0xff, root.body - fdt.structure);
	root = kmem_fdt_root(&fdt);
	assert_string_equal(root.name, "");
	assert_false(kmem_fdt_next(&fdt, &root));
	assert_null(kmem_fdt_prop(&fdt, &root, "model", &length));

	/* reservations that have lost their end */
	memset(b.data + fdt.reservations, 0x01, b.size - fdt.reservations);
	assert_int_equal(kmem_fdt_map_reservations(&fdt, note, &m),
			 KMEM_EINVAL);
	assert_int_equal(m.nr, (b.size - fdt.reservations) / 16);
	free(b.data);
}

static void truncate_everywhere(struct blob b)
{
	uint32_t structure = get_word(&b, KMEM_FDT_STRUCT_AT);
	struct map m;

	assert_int_equal(map_copy(b.data, b.size, &m), KMEM_OK);
	for (size_t room = 0; room < b.size; room++) {
		unsigned char *copy = malloc(room ? room : 1);

		m.nr = 0;
		memcpy(copy, b.data, room);
		assert_int_equal(kmem_map_fdt(copy, room, note, &m),
				 KMEM_EINVAL);
		assert_int_equal(m.nr, 0);
		/* And ones that don't know that they are cut. */
		if (room >= KMEM_FDT_HEADER_SIZE) {
			put_word(copy + KMEM_FDT_TOTAL_SIZE * 4,
				 (uint32_t)room);
			kmem_map_fdt(copy, room, note, &m);
			tour(copy, room);
			put_word(copy + KMEM_FDT_STRUCT_SIZE * 4,
				 (uint32_t)room - structure);
			kmem_map_fdt(copy, room, note, &m);
			tour(copy, room);
		}
		free(copy);
	}
	free(b.data);
}

static void every_truncation(void **state)
{
	(void)state;
	truncate_everywhere(blob_read(DATA "riscv64-numa.dtb"));
	truncate_everywhere(structure_last(
		blob_read(DATA "riscv64-opensbi.dtb")));
}

static void damage_everywhere(struct blob b)
{
	static const unsigned char flip[] = {
		0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff,
	};

	for (size_t i = 0; i < b.size; i += test_step()) {
		unsigned char was = b.data[i];

		for (unsigned f = 0; f <= KMEM_ARRAY_SIZE(flip); f++) {
			struct map m = { .nr = 0 };

			b.data[i] = f < KMEM_ARRAY_SIZE(flip) ?
				    was ^ flip[f] : 0;
			kmem_map_fdt(b.data, b.size, note, &m);
			REQUIRE(m.nr <= b.size / 8);
			if (f % 3 == 0)
				tour(b.data, b.size);
		}
		b.data[i] = was;
	}
	free(b.data);
}

static void every_damaged_byte(void **state)
{
	(void)state;
	damage_everywhere(blob_read(DATA "riscv64-opensbi.dtb"));
	damage_everywhere(structure_last(
		blob_read(DATA "riscv64-virt.dtb")));
}

/* Several bytes at once, which may agree with one another. */
static void random_damage(void **state)
{
	struct blob b = blob_read(DATA "riscv64-numa.dtb");
	unsigned char *copy = malloc(b.size);
	uint64_t rng = test_seed("map_fdt_test");

	(void)state;
	for (unsigned n = test_scaled(20000); n; n--) {
		struct map m = { .nr = 0 };

		memcpy(copy, b.data, b.size);
		for (uint64_t i = 1 + test_below(&rng, 8); i; i--) {
			size_t at = KMEM_FDT_HEADER_SIZE + test_below(
				&rng, b.size - KMEM_FDT_HEADER_SIZE);

			/* Words mostly: lengths, tokens, offsets. */
			at &= ~(size_t)3;
			if (at + 4 <= b.size)
				put_word(copy + at, (uint32_t)test_below(
					&rng, test_below(&rng, 4) ? 10 :
						(uint64_t)1 << 32));
		}
		kmem_map_fdt(copy, b.size, note, &m);
		tour(copy, b.size);
	}
	free(copy);
	free(b.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_of_real_machines),
		cmocka_unit_test(map_reaches_kmem),
		cmocka_unit_test(walk_finds_what_start_up_needs),
		cmocka_unit_test(cells_are_the_parents),
		cmocka_unit_test(only_what_may_be_used_is_usable),
		cmocka_unit_test(what_is_reserved),
		cmocka_unit_test(nops_and_depth),
		cmocka_unit_test(any_alignment_will_do),
		cmocka_unit_test(functions_error_ends_the_walk),
		cmocka_unit_test(refuses_bad_regs),
		cmocka_unit_test(refuses_bad_structure),
		cmocka_unit_test(refuses_bad_headers),
		cmocka_unit_test(refuses_more_than_2_gib),
		cmocka_unit_test(structure_of_version_16),
		cmocka_unit_test(written_over_after_it_was_opened),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(every_damaged_byte),
		cmocka_unit_test(random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
