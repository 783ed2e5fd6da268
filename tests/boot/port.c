/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/port.c - how kmem is tied to a kernel: the worked example.
 *
 * kmem/port.h is the contract. Of its three parts, this file is the third:
 *
 *  1. inline, <kmem_arch.h>: arch/<arch>/kmem_arch.h as it comes. It finds the
 *     CPU's number where arch/<arch>/ start-up put it.
 *  2. at link time: kmem_panic() below; memcpy() and its kin in string.c.
 *  3. at kmem_init(): the hooks, the direct map, the number of CPUs, and
 *     before it the firmware's memory map.
 */
#include "boot.h"

/* ---- 2: link time ---- */

/* What port_catches() is waiting for. */
static bool panic_expected;
static unsigned panics_seen;
static char panic_reason[BY_MEMORY(160, 48)];

/*
 * A kernel would print the reason and stop. The self-test also misuses kmem
 * on purpose: then the report is what it wants to see, and the call returns.
 */
void kmem_panic(const char *reason)
{
	size_t i = 0;

	if (!panic_expected)
		boot_fail("kmem_panic on CPU %u: %s", kmem_arch_cpu(), reason);
	panics_seen++;
	for (; reason[i] && i < sizeof(panic_reason) - 1; i++)
		panic_reason[i] = reason[i];
	panic_reason[i] = '\0';
}

/* Without text, a reason is its kind. */
static bool reason_fits(const char *expect)
{
	if (KMEM_REPORT_TEXT)
		return contains(panic_reason, expect);
	return contains(panic_reason, "double free") ==
	       (contains(expect, "double free") ||
		contains(expect, "freed twice"));
}

bool port_catches(void (*fn)(void *arg), void *arg, const char *expect)
{
	panics_seen = 0;
	panic_reason[0] = '\0';
	panic_expected = true;
	fn(arg);
	panic_expected = false;
	if (panics_seen == 1 && reason_fits(expect))
		return true;
	print("expected one report of \"%s\", got %u: %s\n", expect,
	      panics_seen, panic_reason);
	return false;
}

/* ---- 3: hooks ---- */

void port_print_line(void *ctx, const char *line)
{
	(void)ctx;
	print("%s\n", line);
}

static size_t (*reclaim_fn)(void);

/* A kernel would shrink its caches of files and names here. */
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

static int port_cpu_node(void *ctx, unsigned cpu)
{
	(void)ctx;
	return machine.cpu_node[cpu];
}

static const struct kmem_hooks hooks = {
	.log = port_print_line,
	.reclaim = port_reclaim,
	.run_on_cpu = cpus_call,
	.cpu_node = port_cpu_node,
};

/* ---- 3: memory ---- */

static uint64_t start_page;

uint64_t port_start_page(void)
{
	return start_page;
}

static void print_range(const struct machine_range *r)
{
	print("  %#014llx - %#014llx  %s\n", (unsigned long long)r->start,
	      (unsigned long long)(r->start + r->size), r->what);
}

static void add(const struct machine_range *r)
{
	int err;

	print_range(r);
	err = kmem_add_region(r->start, r->size,
			      r->usable ? KMEM_REGION_USABLE :
					  KMEM_REGION_RESERVED, r->node);
	if (err)
		boot_fail("kmem_add_region: error %d", err);
}

/* The map goes in as it is; what of it is in use already is reserved. */
static void add_memory(void)
{
	print("memory map of the firmware:\n");
	for (unsigned i = 0; i < machine.nr_map; i++)
		add(&machine.map[i]);
	print("in use:\n");
	for (unsigned i = 0; i < machine.nr_used; i++)
		add(&machine.used[i]);
}

/* The one thing that is needed before kmem runs: low memory for the page that
 * the other CPUs start in. */
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
	print_range(&machine.used[machine.nr_used++]);
}

/* Bytes that two ranges share. */
static uint64_t common(const struct machine_range *r, uint64_t start,
		       uint64_t size)
{
	uint64_t from = r->start > start ? r->start : start;
	uint64_t to = r->start + r->size < start + size ? r->start + r->size :
							  start + size;

	return from < to ? to - from : 0;
}

/* Bytes of a range that the direct map does not reach. */
static uint64_t common_beyond(uint64_t start, uint64_t size)
{
	struct machine_range beyond = { .start = machine.direct_map_end };

	beyond.size = UINT64_MAX - beyond.start;
	return beyond.start ? common(&beyond, start, size) : 0;
}

bool port_may_be_given(kmem_phys_t start, kmem_phys_t size)
{
	uint64_t usable = 0, taboo = common_beyond(start, size);

	for (unsigned i = 0; i < machine.nr_map; i++)
		*(machine.map[i].usable ? &usable : &taboo) +=
			common(&machine.map[i], start, size);
	for (unsigned i = 0; i < machine.nr_used; i++)
		taboo += common(&machine.used[i], start, size);
	return usable >= size && !taboo;
}

int port_node(kmem_phys_t at)
{
	for (unsigned i = 0; i < machine.nr_map; i++)
		if (machine.map[i].usable && common(&machine.map[i], at, 1))
			return machine.map[i].node;
	return KMEM_NO_NODE;
}

/*
 * Memory beyond the direct map is accounted as such, to the page. (Firmware
 * calls nothing there usable that it also calls something else.)
 */
static void check_account(const struct kmem_boot_info *info)
{
	uint64_t beyond = 0;

	for (unsigned i = 0; i < machine.nr_map; i++)
		if (machine.map[i].usable)
			beyond += common_beyond(machine.map[i].start,
						machine.map[i].size);
	CHECK(info->usable == info->managed + info->metadata + info->rounding +
			      info->unreachable);
	CHECK(info->unreachable <= beyond);
	CHECK(beyond - info->unreachable <= info->rounding);
}

void port_init(void)
{
	struct kmem_params params = {
		.nr_cpus = machine.nr_cpus,
		.virt_offset = machine.virt_offset,
		.direct_map_end = machine.direct_map_end,
		.hooks = &hooks,
	};
	int err;

	add_memory();
	take_start_page();
	err = kmem_init(&params);
	if (err)
		boot_fail("kmem_init: error %d", err);
	kmem_report_boot(kmem_boot_info(), port_print_line, NULL);
	check_account(kmem_boot_info());
}
