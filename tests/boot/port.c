/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/port.c - how kmem is tied to a kernel: the worked example.
 *
 * Read it from top to bottom beside <kmem/port.h>, which is the contract. This
 * is all that a kernel writes; it takes the place of your memory.c. The parts
 * of the test kernel that only a test needs are elsewhere: catch.c, ranges.c.
 *
 *	1  the CPU		<kmem_arch.h>		at compile time
 *	2  what kmem calls	kmem_panic(), memcpy()…	at link time
 *	3  what it may call	struct kmem_hooks	at kmem_init()
 *	4  the memory map	kmem_add_region()	before kmem_init()
 *	5  the start		kmem_init()
 *	6  proof that it works
 *
 * Steps 1, 2, 4 and 5 are needed. Step 3 may be empty.
 */
#include "boot.h"

/* ---- 1: the CPU ---- */

/*
 * Nothing to write: the Makefile says -Iarch/<arch>, and with it comes
 * arch/<arch>/kmem_arch.h: how this CPU's number is found, how interrupts are
 * masked, how one waits in a spin loop. The library and this file are
 * compiled with the same header and the same choices of <kmem/config.h>.
 *
 * Two things are the kernel's to see to. Before the first call of kmem on a
 * CPU, the number must be where the header looks for it (arch/<arch>/, in the
 * start-up code). And a kernel that switches threads in an interrupt defines
 * KMEM_ARCH_PREEMPT_DISABLE and _ENABLE; this one has one thread a CPU.
 */

/* ---- 2: what kmem calls ---- */

/*
 * A caller's mistake, or a broken invariant. A kernel prints the reason and
 * stops this CPU. May be called anywhere, an interrupt handler included, with
 * kmem's locks held: what prints must not allocate. It may return; then the
 * bad call has done nothing. Here that is so when the self-test misuses kmem
 * on purpose.
 */
void kmem_panic(const char *reason)
{
	if (!catches(reason))
		boot_fail("kmem_panic on CPU %u: %s", kmem_arch_cpu(), reason);
}

/* memcpy(), memmove(), memset(), memcmp(): string.c, or those you have. */

/* ---- 3: what it may call ---- */

/* One line, without newline. Called with locks held, like kmem_panic(). */
void port_print_line(void *ctx, const char *line)
{
	(void)ctx;
	print("%s\n", line);
}

static size_t (*reclaim_fn)(void);

/*
 * Memory is short, and the request that meets it may sleep (GFP_KERNEL). A
 * kernel shrinks its caches of files and names here and says how many pages
 * that gave; 0 ends the trying, and the request fails.
 */
static size_t port_reclaim(void *ctx, const struct kmem_pressure *pressure)
{
	(void)ctx;
	(void)pressure;
	return reclaim_fn ? reclaim_fn() : 0;
}

void port_on_reclaim(size_t (*fn)(void))
{
	reclaim_fn = fn;
}

/* On a NUMA machine: the node of a CPU, to take memory from first. */
static int port_cpu_node(void *ctx, unsigned cpu)
{
	(void)ctx;
	return machine.cpu_node[cpu];
}

/*
 * A kernel begins with .log alone. .run_on_cpu is an inter-processor
 * interrupt whose sender waits (cpus.c): with it, shrinking a cache empties
 * the magazines of all CPUs at once; without, each empties its own in time.
 * Two more, for memory that ran out and for waiting, are in port.h.
 */
static const struct kmem_hooks hooks = {
	.log = port_print_line,
	.reclaim = port_reclaim,
	.run_on_cpu = cpus_call,
	.cpu_node = port_cpu_node,
};

/* ---- 4: the memory map ---- */

/*
 * Every entry as the firmware gave it: unsorted, overlapping, unaligned. What
 * is not USABLE wins over what is, wherever two overlap. The errors (no room
 * for more entries; an entry that wraps) mean a map that can't be trusted. The
 * machine's start-up has read the map with one of <kmem/map_*.h>; a kernel can
 * hand it to kmem without a table of its own: see <kmem/boot_map.h>.
 */
static void add(const struct machine_range *r)
{
	int err;

	range_print(r);
	err = kmem_add_region(r->start, r->size,
			      r->usable ? KMEM_REGION_USABLE :
					  KMEM_REGION_RESERVED, r->node);
	if (err)
		boot_fail("kmem_add_region: error %d", err);
}

/*
 * Then what of it is in use already, as RESERVED: the kernel's own image with
 * its stacks and page tables, what the boot loader left that is still needed,
 * such as an initial file system or a device tree. A range that is forgotten
 * here is given away and overwritten, sooner or later. All addresses are
 * physical.
 */
static void add_memory(void)
{
	print("memory map of the firmware:\n");
	for (unsigned i = 0; i < machine.nr_map; i++)
		add(&machine.map[i]);
	print("in use:\n");
	for (unsigned i = 0; i < machine.nr_used; i++)
		add(&machine.used[i]);
}

static uint64_t start_page;

uint64_t port_start_page(void)
{
	return start_page;
}

/*
 * Memory for something that can't wait for kmem_init(), or that must lie below
 * a limit: here the page that other CPUs start in, on machines where they
 * start in low memory. It is never given back.
 */
static void take_start_page(void)
{
	if (!machine.start_page_end)
		return;
	start_page = kmem_boot_alloc(KMEM_PAGE_SIZE, KMEM_PAGE_SIZE,
				     machine.start_page_end);
	if (!start_page)
		boot_fail("no page below %#llx to start CPUs in",
			  (unsigned long long)machine.start_page_end);
	machine.used[machine.nr_used] = (struct machine_range){
		.start = start_page, .size = KMEM_PAGE_SIZE,
		.what = "start-up page of CPUs",
	};
	range_print(&machine.used[machine.nr_used++]);
}

/* ---- 5: the start ---- */

/*
 * On one CPU, before any other runs, with the direct map in place: all memory
 * of the map, or the part below direct_map_end, can be read and written at
 * physical + virt_offset (0 without an MMU). kmem zeroes its tables there.
 */
void port_init(void)
{
	struct kmem_params params = {
		.nr_cpus = machine.nr_cpus,	/* that will ever run */
		.virt_offset = machine.virt_offset,
		.direct_map_end = machine.direct_map_end,
		.early_end = stages_early_end(), /* if not all is mapped yet */
		.hooks = &hooks,		/* copied */
	};
	int err;

	add_memory();
	take_start_page();
	err = kmem_init(&params);
	if (err)	/* and .log was told why */
		boot_fail("kmem_init: error %d", err);
}

/* ---- 6: proof that it works ---- */

/* One of each, from each layer; a walk over all of kmem's structures, which
 * names what it finds wrong; and the account of the map, to read. */
void port_prove(void)
{
	void *small = kmalloc(100, GFP_KERNEL);
	void *large = kmalloc(3 * KMEM_PAGE_SIZE, GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);

	CHECK(small && large && page);
	__free_page(page);
	kfree(large);
	kfree(small);
	CHECK(!kmem_check_all(port_print_line, NULL));
	kmem_report_boot(kmem_boot_info(), port_print_line, NULL);
	ranges_check(kmem_boot_info());
}
