/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/test_stages.c - memory that is given in a second stage, goes, and
 * comes again, while all CPUs allocate.
 *
 * The last MiB of the machine's highest memory are held back, as if the early
 * page tables did not reach them.
 */
#include "boot.h"

#define HELD_BYTES	(4u << 20)
#define ROUNDS		20

static kmem_phys_t early_end;

kmem_phys_t stages_early_end(void)
{
	uint64_t highest = 0;

	for (unsigned i = 0; i < machine.nr_map; i++) {
		const struct machine_range *r = &machine.map[i];
		uint64_t end = r->start + r->size;

		if (!r->usable || r->size < 4 * HELD_BYTES ||
		    (machine.direct_map_end && end > machine.direct_map_end))
			continue;
		highest = end > highest ? end : highest;
	}
	if (BY_MEMORY(true, false) && highest)
		early_end = (highest - HELD_BYTES) &
			    ~(kmem_phys_t)(KMEM_PAGE_SIZE - 1);
	return early_end;
}

static kmem_phys_t held;
static unsigned removed;
static bool stop;

/* CPU 0 takes that memory away and brings it back; the others use all of it. */
static void come_and_go(void)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		int err = kmem_remove_memory(early_end, held);

		CHECK(err == KMEM_OK || err == KMEM_EBUSY);
		if (err)
			continue;
		removed++;
		CHECK(!kmem_add_memory(early_end, held, KMEM_NO_NODE));
	}
	kmem_store_release(&stop, true);
}

static void use(void)
{
	uint64_t rng = random_start(1, kmem_arch_cpu());
	void *block[16] = { NULL };

	while (!kmem_load_acquire(&stop)) {
		unsigned i = random_below(&rng, KMEM_ARRAY_SIZE(block));

		kfree(block[i]);
		block[i] = kmalloc(1 + random_below(&rng, 20000), GFP_ATOMIC);
		if (block[i])
			*(char *)block[i] = 1;
	}
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(block); i++)
		kfree(block[i]);
}

static void stages_run(void)
{
	if (kmem_arch_cpu() == 0)
		come_and_go();
	else
		use();
}

void test_stages(void)
{
	const struct kmem_boot_info *info = kmem_boot_info();
	size_t before = nr_free_pages();
	struct account a;
	int err;

	held = info->held;
	if (!early_end || !held)
		return;
	CHECK(!kmem_release_type(KMEM_REGION_LATER, 0) && info->held == held);
	CHECK(!kmem_release_type(KMEM_REGION_USABLE, 0) && !info->held);
	CHECK(nr_free_pages() == before + held / KMEM_PAGE_SIZE);
	CHECK(kmem_release_region(early_end, held) == KMEM_EBUSY);
	ranges_check(info);

	a = account_now();
	err = kmem_remove_memory(early_end, held);
	if (err) {		/* kmem's own tables may have settled there */
		print("  removal of %u KiB refused: %d\n",
		      (unsigned)(held >> 10), err);
		return;
	}
	CHECK(kmem_release_region(early_end, held) == KMEM_EINVAL);
	CHECK(!kmem_add_memory(early_end, held, KMEM_NO_NODE));
	cpus_run(stages_run);
	account_check(&a, "stages");
	ranges_check(info);
	print("%u KiB held back, released, removed %u times of %u\n",
	      (unsigned)(held >> 10), removed, ROUNDS);
}
