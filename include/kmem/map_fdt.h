/* SPDX-License-Identifier: MIT */
/*
 * kmem/map_fdt.h - the memory map of a flattened devicetree, and a walk
 * through the tree for whatever else start-up code wants to know.
 *
 * On ARM, RISC-V and others the loader leaves in memory a tree of nodes with
 * properties that says what the machine consists of. Flattened, it is one
 * blob of big-endian numbers:
 *
 *	header		where the other three are, and how long
 *	reservations	address and size, 64 bits each; two zeros end them
 *	structure	the tree, in 32-bit words:
 *
 *			1  name, NUL, padding		a node begins
 *			3  length, name's offset in	a property of it
 *			   strings, value, padding
 *			2				the node ends
 *			4				nothing
 *			9				the tree ends
 *
 *	strings		the names of properties
 *
 * A node's properties stand before its children. What a value means, its
 * reader must know: it is a string, or a list of strings, or numbers of 32
 * bits ("cells"). `reg` is a list of pairs (address, size); how many cells
 * each has, the node's parent says:
 *
 *	/ {					depth 0
 *		#address-cells = <2>;
 *		#size-cells = <2>;
 *		memory@80000000 {		depth 1
 *			device_type = "memory";
 *			reg = <0x0 0x80000000 0x0 0x8000000>;
 *		};
 *		reserved-memory {
 *			#address-cells = <2>;
 *			#size-cells = <2>;
 *			mmode@80000000 {	depth 2
 *				reg = <0x0 0x80000000 0x0 0x80000>;
 *
 * The map is kmem_map_fdt()'s. For the rest, a walk in the order of the blob:
 *
 *	struct kmem_fdt fdt;
 *	struct kmem_fdt_node node;
 *
 *	if (kmem_fdt_open(&fdt, blob, room))
 *		panic();
 *	node = kmem_fdt_root(&fdt);
 *	while (kmem_fdt_next(&fdt, &node))
 *		if (kmem_fdt_says(&fdt, &node, "compatible", "ns16550a"))
 *			...
 *
 * kmem_fdt_open() reads all of the structure once, so that a blob which is
 * cut off or damaged is refused there. Nevertheless nothing here relies on
 * that: each token is read by kmem_fdt_step(), which keeps within its block,
 * and every loop moves on to the next token. There is no recursion, and no
 * limit to the tree's depth. The blob may lie at any address: it is read
 * byte by byte.
 *
 * Cost: O(blob) for a walk; kmem_fdt_find_regs() walks too, to the parent.
 *
 * Facts: Devicetree Specification v0.4, chapters 2, 3 and 5.
 */
#ifndef KMEM_MAP_FDT_H
#define KMEM_MAP_FDT_H

#include <kmem/boot_map.h>

#define KMEM_FDT_MAGIC		0xd00dfeedu

/* Words of the header, by number. */
#define KMEM_FDT_TOTAL_SIZE	1
#define KMEM_FDT_STRUCT_AT	2
#define KMEM_FDT_STRINGS_AT	3
#define KMEM_FDT_RESERVE_AT	4
#define KMEM_FDT_VERSION	5
#define KMEM_FDT_COMPATIBLE	6	/* readable by who knows this version */
#define KMEM_FDT_BOOT_CPU	7
#define KMEM_FDT_STRINGS_SIZE	8
#define KMEM_FDT_STRUCT_SIZE	9	/* version 17 and later */
#define KMEM_FDT_HEADER_SIZE	40u

/* Tokens. */
#define KMEM_FDT_BEGIN_NODE	1u
#define KMEM_FDT_END_NODE	2u
#define KMEM_FDT_PROP		3u
#define KMEM_FDT_NOP		4u
#define KMEM_FDT_END		9u

/* A blob. All but the first are bytes from its start; ends are exclusive. */
struct kmem_fdt {
	const unsigned char *blob;
	size_t total;			/* how long it says it is */
	size_t structure, structure_end;
	size_t strings, strings_end;
	size_t reservations;
	uint32_t boot_cpu;		/* `reg` of the CPU that boots */
};

/* A node, and a place in a walk. Its pointers lead into the blob. */
struct kmem_fdt_node {
	const char *name;		/* with its "@address" */
	size_t body;			/* the token behind the name */
	unsigned depth;			/* 0: the root */
};

/* What one step through the structure yields. */
struct kmem_fdt_token {
	uint32_t kind;
	const char *name;		/* of a node, of a property */
	const unsigned char *value;	/* of a property */
	uint32_t length;		/* bytes */
	size_t next;			/* the token behind this one */
};

/* `reg` of a node. */
struct kmem_fdt_regs {
	const unsigned char *value;
	unsigned nr;			/* pairs */
	uint32_t address_cells, size_cells;	/* words of each number */
};

/* ---- numbers and strings ---- */

/** kmem_fdt_number - a number of that many cells: the last 64 bits of it */
static inline uint64_t kmem_fdt_number(const unsigned char *value,
				       uint32_t cells)
{
	uint64_t number = 0;

	for (uint32_t i = 0; i < cells * 4; i++)
		number = number << 8 | value[i];
	return number;
}

/* A word of the blob, at an offset that is known to be inside. */
static inline uint32_t kmem_fdt_word(const struct kmem_fdt *fdt, size_t at)
{
	return (uint32_t)kmem_fdt_number(fdt->blob + at, 1);
}

static inline bool kmem_fdt_same(const char *a, const char *b)
{
	for (; *a && *a == *b; a++)
		b++;
	return *a == *b;
}

/* Bytes of the string at `at`, its NUL included; 0 if there is none. */
static inline size_t kmem_fdt_string(const unsigned char *blob, size_t at,
				     size_t end)
{
	for (size_t i = at; i < end; i++)
		if (!blob[i])
			return i - at + 1;
	return 0;
}

/* ---- steps ---- */

/*
 * The token at `at`. Return: false if there is no whole one within the
 * structure, or an unknown one. Blobs are below 2 GiB, so no sum overflows.
 */
static inline bool kmem_fdt_step(const struct kmem_fdt *fdt, size_t at,
				 struct kmem_fdt_token *t)
{
	size_t end = fdt->structure_end, length, name;

	if (at > end || end - at < 4)
		return false;
	t->kind = kmem_fdt_word(fdt, at);
	t->name = NULL;
	t->value = NULL;
	t->length = 0;
	at += 4;
	t->next = at;

	switch (t->kind) {
	case KMEM_FDT_BEGIN_NODE:
		length = kmem_fdt_string(fdt->blob, at, end);
		if (!length)
			return false;
		t->name = (const char *)fdt->blob + at;
		break;
	case KMEM_FDT_PROP:
		if (end - at < 8)
			return false;
		t->length = kmem_fdt_word(fdt, at);
		name = kmem_fdt_word(fdt, at + 4);
		at += 8;
		if (t->length > end - at ||
		    name >= fdt->strings_end - fdt->strings ||
		    !kmem_fdt_string(fdt->blob, fdt->strings + name,
				     fdt->strings_end))
			return false;
		t->name = (const char *)fdt->blob + fdt->strings + name;
		t->value = fdt->blob + at;
		length = t->length;
		break;
	default:
		return t->kind == KMEM_FDT_END_NODE ||
		       t->kind == KMEM_FDT_NOP || t->kind == KMEM_FDT_END;
	}
	t->next = (at + length + 3) & ~(size_t)3;
	return true;
}

/* One tree, whose nodes end as often as they begin, properties first. */
static inline bool kmem_fdt_structure_is_sound(const struct kmem_fdt *fdt)
{
	struct kmem_fdt_token t;
	size_t at = fdt->structure;
	unsigned depth = 0, roots = 0;
	bool in_properties = false;

	for (; kmem_fdt_step(fdt, at, &t); at = t.next) {
		if (t.kind == KMEM_FDT_END)
			return depth == 0 && roots == 1;
		if (t.kind == KMEM_FDT_PROP && !in_properties)
			return false;
		if (t.kind == KMEM_FDT_BEGIN_NODE) {
			if (depth++ == 0 && roots++)
				return false;
			in_properties = true;
		}
		if (t.kind == KMEM_FDT_END_NODE) {
			if (depth-- == 0)
				return false;
			in_properties = false;
		}
	}
	return false;
}

/* The n-th reservation. Return: false if the block's end is not there. */
static inline bool kmem_fdt_reservation(const struct kmem_fdt *fdt, size_t n,
					uint64_t *start, uint64_t *size)
{
	const unsigned char *pair = fdt->blob + fdt->reservations + n * 16;

	if ((fdt->total - fdt->reservations) / 16 <= n)
		return false;
	*start = kmem_fdt_number(pair, 2);
	*size = kmem_fdt_number(pair + 8, 2);
	return true;
}

static inline bool kmem_fdt_reservations_end(const struct kmem_fdt *fdt)
{
	uint64_t start = 1, size = 1;

	for (size_t n = 0; start || size; n++)
		if (!kmem_fdt_reservation(fdt, n, &start, &size))
			return false;
	return true;
}

/* [at, at + size) is inside the blob, at a multiple of align. */
static inline bool kmem_fdt_inside(const struct kmem_fdt *fdt, size_t at,
				   size_t size, size_t align)
{
	return at >= KMEM_FDT_HEADER_SIZE && at % align == 0 &&
	       at <= fdt->total && size <= fdt->total - at;
}

/**
 * kmem_fdt_open - check a blob, and find its parts
 * @fdt: filled in
 * @blob: its first byte, at any alignment
 * @room: bytes from there on that may be read
 *
 * Return: KMEM_OK; KMEM_EINVAL if this is no devicetree, or not all of one,
 * or of a version that can't be read (16 and 17 can).
 */
static inline int kmem_fdt_open(struct kmem_fdt *fdt, const void *blob,
				size_t room)
{
	const unsigned char *p = (const unsigned char *)blob;
	size_t strings_size, structure_size;
	uint32_t word[KMEM_FDT_HEADER_SIZE / 4];

	if (room < KMEM_FDT_HEADER_SIZE)
		return KMEM_EINVAL;
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(word); i++)
		word[i] = (uint32_t)kmem_fdt_number(p + i * 4, 1);
	if (word[0] != KMEM_FDT_MAGIC || word[KMEM_FDT_VERSION] < 16 ||
	    word[KMEM_FDT_COMPATIBLE] > 17 ||
	    word[KMEM_FDT_TOTAL_SIZE] > room ||
	    word[KMEM_FDT_TOTAL_SIZE] > INT32_MAX)
		return KMEM_EINVAL;

	fdt->blob = p;
	fdt->total = word[KMEM_FDT_TOTAL_SIZE];
	fdt->structure = word[KMEM_FDT_STRUCT_AT];
	fdt->strings = word[KMEM_FDT_STRINGS_AT];
	fdt->reservations = word[KMEM_FDT_RESERVE_AT];
	fdt->boot_cpu = word[KMEM_FDT_BOOT_CPU];

	strings_size = word[KMEM_FDT_STRINGS_SIZE];
	structure_size = word[KMEM_FDT_STRUCT_SIZE];
	if (word[KMEM_FDT_VERSION] < 17)	/* the size is not told */
		structure_size = fdt->total < fdt->structure ? 0 :
				 fdt->total - fdt->structure;
	if (!kmem_fdt_inside(fdt, fdt->structure, structure_size, 4) ||
	    !kmem_fdt_inside(fdt, fdt->strings, strings_size, 1) ||
	    !kmem_fdt_inside(fdt, fdt->reservations, 16, 8))
		return KMEM_EINVAL;
	fdt->structure_end = fdt->structure + structure_size;
	fdt->strings_end = fdt->strings + strings_size;
	return kmem_fdt_structure_is_sound(fdt) &&
	       kmem_fdt_reservations_end(fdt) ? KMEM_OK : KMEM_EINVAL;
}

/**
 * kmem_fdt_next - the node that begins next: a child, a sibling, or a sibling
 * of a parent; depth tells
 *
 * Return: false, and node as it was, if that was the last.
 */
static inline bool kmem_fdt_next(const struct kmem_fdt *fdt,
				 struct kmem_fdt_node *node)
{
	struct kmem_fdt_token t;
	size_t at = node->body;
	unsigned depth = node->depth;

	for (; kmem_fdt_step(fdt, at, &t); at = t.next) {
		if (t.kind == KMEM_FDT_BEGIN_NODE) {
			node->name = t.name;
			node->body = t.next;
			node->depth = depth + 1;
			return true;
		}
		if (t.kind == KMEM_FDT_END_NODE && depth-- == 0)
			return false;
	}
	return false;
}

/** kmem_fdt_root - the node that a walk begins with */
static inline struct kmem_fdt_node kmem_fdt_root(const struct kmem_fdt *fdt)
{
	struct kmem_fdt_token t;
	struct kmem_fdt_node root;
	size_t at = fdt->structure;

	root.name = "";
	root.body = fdt->structure_end;
	root.depth = 0;
	for (; kmem_fdt_step(fdt, at, &t); at = t.next)
		if (t.kind == KMEM_FDT_BEGIN_NODE) {
			root.body = t.next;
			break;
		}
	return root;
}

/* The root is its own parent. */
static inline struct kmem_fdt_node
kmem_fdt_parent(const struct kmem_fdt *fdt, const struct kmem_fdt_node *node)
{
	struct kmem_fdt_node at = kmem_fdt_root(fdt), parent = at;

	while (at.body < node->body) {
		if (at.depth + 1 == node->depth)
			parent = at;
		if (!kmem_fdt_next(fdt, &at))
			break;
	}
	return parent;
}

/**
 * kmem_fdt_find - a child of the root, by its name without "@address"
 *
 * To go through the children of a node, walk on from it while the depth is
 * greater than its own.
 */
static inline bool kmem_fdt_find(const struct kmem_fdt *fdt, const char *name,
				 struct kmem_fdt_node *node)
{
	*node = kmem_fdt_root(fdt);
	while (kmem_fdt_next(fdt, node)) {
		size_t i = 0;

		while (name[i] && node->name[i] == name[i])
			i++;
		if (node->depth == 1 && !name[i] &&
		    (!node->name[i] || node->name[i] == '@'))
			return true;
	}
	return false;
}

/* ---- properties ---- */

/**
 * kmem_fdt_prop - the value of a node's property
 * @length: set to its bytes
 *
 * Return: where it is in the blob, or NULL if there is no such property. It
 * may be empty, and is not aligned.
 */
static inline const unsigned char *
kmem_fdt_prop(const struct kmem_fdt *fdt, const struct kmem_fdt_node *node,
	      const char *name, size_t *length)
{
	struct kmem_fdt_token t;
	size_t at = node->body;

	for (; kmem_fdt_step(fdt, at, &t); at = t.next) {
		if (t.kind == KMEM_FDT_NOP)
			continue;
		if (t.kind != KMEM_FDT_PROP)
			break;
		if (kmem_fdt_same(t.name, name)) {
			*length = t.length;
			return t.value;
		}
	}
	*length = 0;
	return NULL;
}

/** kmem_fdt_text - a property that is a string, or NULL */
static inline const char *kmem_fdt_text(const struct kmem_fdt *fdt,
					const struct kmem_fdt_node *node,
					const char *name)
{
	size_t length;
	const unsigned char *value = kmem_fdt_prop(fdt, node, name, &length);

	return value && kmem_fdt_string(value, 0, length) ?
	       (const char *)value : NULL;
}

/** kmem_fdt_says - one of the strings of that property is `text` */
static inline bool kmem_fdt_says(const struct kmem_fdt *fdt,
				 const struct kmem_fdt_node *node,
				 const char *name, const char *text)
{
	size_t length, n;
	const unsigned char *value = kmem_fdt_prop(fdt, node, name, &length);

	for (size_t at = 0; value; at += n) {
		n = kmem_fdt_string(value, at, length);
		if (!n)
			return false;
		if (kmem_fdt_same((const char *)value + at, text))
			return true;
	}
	return false;
}

/** kmem_fdt_u32 - a property that is one cell, or `otherwise` */
static inline uint32_t kmem_fdt_u32(const struct kmem_fdt *fdt,
				    const struct kmem_fdt_node *node,
				    const char *name, uint32_t otherwise)
{
	size_t length;
	const unsigned char *value = kmem_fdt_prop(fdt, node, name, &length);

	return value && length == 4 ? (uint32_t)kmem_fdt_number(value, 1) :
	       otherwise;
}

/** kmem_fdt_enabled - `status` is "okay" or absent: what it is may be used */
static inline bool kmem_fdt_enabled(const struct kmem_fdt *fdt,
				    const struct kmem_fdt_node *node)
{
	size_t length;

	return !kmem_fdt_prop(fdt, node, "status", &length) ||
	       kmem_fdt_says(fdt, node, "status", "okay") ||
	       kmem_fdt_says(fdt, node, "status", "ok");
}

/**
 * kmem_fdt_find_regs - what `reg` of a node consists of
 *
 * Addresses are those of the parent's bus. The parent's `ranges`, which says
 * where that is in the CPU's address space, is not applied: mostly it is empty,
 * and then they are the same.
 *
 * Return: KMEM_OK, with nr 0 if there is no `reg`; KMEM_EINVAL if it is no
 * whole number of pairs, or its numbers have more than 64 bits.
 */
static inline int kmem_fdt_find_regs(const struct kmem_fdt *fdt,
				     const struct kmem_fdt_node *node,
				     struct kmem_fdt_regs *regs)
{
	struct kmem_fdt_node parent = kmem_fdt_parent(fdt, node);
	size_t length, pair;

	regs->address_cells = kmem_fdt_u32(fdt, &parent, "#address-cells", 2);
	regs->size_cells = kmem_fdt_u32(fdt, &parent, "#size-cells", 1);
	regs->nr = 0;
	regs->value = kmem_fdt_prop(fdt, node, "reg", &length);
	if (!regs->value)
		return KMEM_OK;
	if (regs->address_cells < 1 || regs->address_cells > 2 ||
	    regs->size_cells > 2)
		return KMEM_EINVAL;
	pair = 4 * (regs->address_cells + regs->size_cells);
	if (length % pair)
		return KMEM_EINVAL;
	regs->nr = (unsigned)(length / pair);
	return KMEM_OK;
}

/* Pair number n, below regs->nr. */
static inline const unsigned char *
kmem_fdt_pair(const struct kmem_fdt_regs *regs, unsigned n)
{
	return regs->value +
	       (size_t)n * 4 * (regs->address_cells + regs->size_cells);
}

static inline uint64_t kmem_fdt_reg_start(const struct kmem_fdt_regs *regs,
					  unsigned n)
{
	return kmem_fdt_number(kmem_fdt_pair(regs, n), regs->address_cells);
}

/* 0 where sizes have no cells, as for CPUs. */
static inline uint64_t kmem_fdt_reg_size(const struct kmem_fdt_regs *regs,
					 unsigned n)
{
	return kmem_fdt_number(kmem_fdt_pair(regs, n) +
			       (size_t)4 * regs->address_cells,
			       regs->size_cells);
}

/* ---- the map ---- */

static inline int kmem_fdt_entry(uint64_t start, uint64_t size,
				 enum kmem_region_type type, int node,
				 const char *what, kmem_map_fn fn, void *ctx)
{
	struct kmem_map_entry entry;
	uint64_t last = start + (size ? size - 1 : 0);

	/* Beyond 64 bits, or the 32 that kmem_phys_t may have. */
	if (last < start || (kmem_phys_t)last != last ||
	    (kmem_phys_t)size != size)
		return KMEM_EINVAL;
	entry.start = (kmem_phys_t)start;
	entry.size = (kmem_phys_t)size;
	entry.type = type;
	entry.node = node;
	entry.what = what;
	return fn(ctx, &entry);
}

/* All pairs of a node's `reg`. */
static inline int kmem_fdt_entries(const struct kmem_fdt *fdt,
				   const struct kmem_fdt_node *node,
				   enum kmem_region_type type,
				   kmem_map_fn fn, void *ctx)
{
	struct kmem_fdt_regs regs;
	const char *what = node->name;
	uint32_t numa = kmem_fdt_u32(fdt, node, "numa-node-id", UINT32_MAX);
	size_t length;
	int err = kmem_fdt_find_regs(fdt, node, &regs);

	if (type == KMEM_REGION_USABLE &&
	    kmem_fdt_prop(fdt, node, "hotpluggable", &length))
		what = "hotpluggable";
	for (unsigned i = 0; !err && i < regs.nr; i++)
		err = kmem_fdt_entry(kmem_fdt_reg_start(&regs, i),
				     kmem_fdt_reg_size(&regs, i), type,
				     numa > INT32_MAX ? KMEM_NO_NODE :
							(int)numa,
				     what, fn, ctx);
	return err;
}

static inline int kmem_fdt_map_reservations(const struct kmem_fdt *fdt,
					    kmem_map_fn fn, void *ctx)
{
	uint64_t start, size;
	int err = KMEM_OK;

	for (size_t n = 0; !err; n++) {
		if (!kmem_fdt_reservation(fdt, n, &start, &size))
			return KMEM_EINVAL;
		if (!start && !size)
			break;
		err = kmem_fdt_entry(start, size, KMEM_REGION_RESERVED,
				     KMEM_NO_NODE, "memreserve", fn, ctx);
	}
	return err;
}

/**
 * kmem_map_fdt - report the memory map of a flattened devicetree
 * @blob: its first byte, at any alignment
 * @room: bytes from there on that may be read
 * @fn: called for each entry, with ctx: kmem_map_add, or your own
 *
 * Usable are the root's children with device_type = "memory", with their
 * numa-node-id. Memory that is marked "hotpluggable" is there now, but may be
 * taken away: kmem never gives it back, so leave out what that may happen to;
 * `what` is the word hotpluggable, else the node's name. Memory whose
 * `status` is not "okay" is somebody else's (a secure world's, for one), and
 * not reported.
 *
 * Reserved are the block of reservations, and the children of
 * /reserved-memory that say where they are. Those of `size` without `reg` ask
 * the kernel to find a place, with the constraints that they name: kmem
 * doesn't; use kmem_boot_alloc(). Reserved memory that a driver would lend
 * out ("reusable") stays reserved.
 *
 * The blob itself is often in usable memory, and in no entry: kmem_reserve()
 * it, if it is to be read after kmem_init(); `total` of struct kmem_fdt is
 * its size.
 *
 * Return: KMEM_OK, KMEM_EINVAL, or what fn did.
 */
static inline int kmem_map_fdt(const void *blob, size_t room, kmem_map_fn fn,
			       void *ctx)
{
	struct kmem_fdt fdt;
	struct kmem_fdt_node node;
	bool reserved = false;
	int err = kmem_fdt_open(&fdt, blob, room);

	if (err)
		return err;
	err = kmem_fdt_map_reservations(&fdt, fn, ctx);
	node = kmem_fdt_root(&fdt);
	while (!err && kmem_fdt_next(&fdt, &node)) {
		if (node.depth == 1)
			reserved = kmem_fdt_same(node.name, "reserved-memory");
		if (!kmem_fdt_enabled(&fdt, &node))
			continue;
		if (node.depth == 1 &&
		    kmem_fdt_says(&fdt, &node, "device_type", "memory"))
			err = kmem_fdt_entries(&fdt, &node, KMEM_REGION_USABLE,
					       fn, ctx);
		else if (node.depth == 2 && reserved)
			err = kmem_fdt_entries(&fdt, &node,
					       KMEM_REGION_RESERVED, fn, ctx);
	}
	return err;
}

#endif /* KMEM_MAP_FDT_H */
