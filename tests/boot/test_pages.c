/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/test_pages.c - blocks of pages, zones, nodes, and running out.
 */
#include "boot.h"

/* The blocks of test_page_orders(): that much memory there is. */
#define PER_ORDER	BY_MEMORY(3u, 1u)
#define TOP_ORDER	BY_MEMORY(KMEM_MAX_ORDER, 3)

/* ---- orders ---- */

/* The four names of a page lead to one another. */
static void check_names(struct page *page)
{
	void *addr = page_to_virt(page);

	CHECK(virt_to_page(addr) == page);
	CHECK(virt_to_page((char *)addr + KMEM_PAGE_SIZE - 1) == page);
	CHECK(pfn_to_page(page_to_pfn(page)) == page);
	CHECK(virt_to_phys(addr) == page_to_phys(page));
	CHECK(phys_to_virt(page_to_phys(page)) == addr);
	CHECK(page_address(page) == addr);
}

static struct page *take_block(unsigned order, uint32_t seed)
{
	struct page *page = alloc_pages(GFP_KERNEL, order);

	if (!page)
		boot_fail("alloc_pages of order %u failed", order);
	CHECK((page_to_phys(page) & ((KMEM_PAGE_SIZE << order) - 1)) == 0);
	check_names(page);
	pattern_fill(page_to_virt(page), KMEM_PAGE_SIZE << order, seed);
	return page;
}

void test_page_orders(void)
{
	struct page *block[TOP_ORDER + 1][PER_ORDER];

	for (unsigned order = 0; order <= TOP_ORDER; order++)
		for (unsigned i = 0; i < PER_ORDER; i++)
			block[order][i] = take_block(order, order * 8 + i);
	for (unsigned order = 0; order <= TOP_ORDER; order++)
		for (unsigned i = 0; i < PER_ORDER; i++) {
			struct page *page = block[order][i];

			CHECK(pattern_holds(page_to_virt(page),
					    KMEM_PAGE_SIZE << order,
					    order * 8 + i));
			__free_pages(page, order);
		}
	CHECK(!alloc_pages(GFP_KERNEL | __GFP_NOWARN, KMEM_MAX_ORDER + 1));
	__free_pages(NULL, 0);
	free_pages(0, 0);
}

#define PARTS_ORDER	BY_MEMORY(4u, 3u)
#define PARTS		(1u << PARTS_ORDER)
#define EXACT_SIZE	((PARTS / 2 + 1) * KMEM_PAGE_SIZE + 1)

void test_page_parts(void)
{
	size_t before = nr_free_pages();
	struct page *page;
	char *exact;

	for (unsigned i = 0; i < 64; i++) {
		uintptr_t addr = __get_free_page(GFP_KERNEL);

		CHECK(addr);
		memset((void *)addr, 0xee, KMEM_PAGE_SIZE);
		free_page(addr);
		addr = get_zeroed_page(GFP_KERNEL);
		CHECK(addr && is_zero((void *)addr, KMEM_PAGE_SIZE));
		free_page(addr);
	}

	/* Nine pages and a byte: 10 of a block of 16, the rest comes back. (Or
	 * five, 6 of 8.) */
	exact = alloc_pages_exact(EXACT_SIZE, GFP_KERNEL);
	CHECK(exact && ((uintptr_t)exact & (KMEM_PAGE_SIZE - 1)) == 0);
	CHECK(before - nr_free_pages() == PARTS / 2 + 2);
	memset(exact, 1, EXACT_SIZE);
	free_pages_exact(exact, EXACT_SIZE);
	CHECK(nr_free_pages() == before);

	page = alloc_pages(GFP_KERNEL, PARTS_ORDER);
	CHECK(page);
	split_page(page, PARTS_ORDER);
	for (unsigned i = 0; i < PARTS; i++)
		__free_page(pfn_to_page(page_to_pfn(page) + i));
	CHECK(nr_free_pages() == before);
}

/* ---- chains of blocks ---- */

/*
 * The links are outside the blocks: a block that is never touched costs the
 * emulator's host no memory, so a test may take all that the machine has.
 */
struct link {
	struct link *next;
	struct page *page;
	unsigned order;
};

#define NR_LINKS BY_MEMORY(32768, 32)	/* of 4 MiB: 128 GiB */
static struct link links[NR_LINKS];
static struct link *unused_links;

static void links_init(void)
{
	unused_links = NULL;
	for (unsigned i = 0; i < NR_LINKS; i++) {
		links[i].next = unused_links;
		unused_links = &links[i];
	}
}

/* Take up to max blocks of one order, as long as there are any. */
static size_t take(gfp_t gfp, unsigned order, size_t max, struct link **chain)
{
	size_t n = 0;
	struct page *page;

	while (n < max && (page = alloc_pages(gfp, order))) {
		struct link *l = unused_links;

		if (!l)
			boot_fail("more memory than %d links can note",
				  NR_LINKS);
		unused_links = l->next;
		*l = (struct link){ *chain, page, order };
		*chain = l;
		n++;
	}
	return n << order;
}

static size_t take_everything(gfp_t gfp, struct link **chain)
{
	size_t nr_pages = 0;

	for (unsigned order = KMEM_MAX_ORDER + 1; order-- > 0; )
		nr_pages += take(gfp, order, SIZE_MAX, chain);
	return nr_pages;
}

/* Give back every n-th block of a chain; return the pages that were. */
static size_t give_every(size_t n, struct link **chain)
{
	size_t nr_pages = 0, i = 0;

	while (*chain) {
		struct link *l = *chain;

		if (++i < n) {
			chain = &l->next;
			continue;
		}
		i = 0;
		*chain = l->next;
		nr_pages += (size_t)1 << l->order;
		__free_pages(l->page, l->order);
		l->next = unused_links;
		unused_links = l;
	}
	return nr_pages;
}

/* Nothing that kmem ever gives is in use, or no memory. */
static void check_places(const struct link *chain)
{
	for (; chain; chain = chain->next) {
		kmem_phys_t start = page_to_phys(chain->page);
		kmem_phys_t size = (kmem_phys_t)KMEM_PAGE_SIZE << chain->order;

		if (!port_may_be_given(start, size))
			boot_fail("a block of order %u at %#llx is not kmem's "
				  "to give", chain->order,
				  (unsigned long long)start);
	}
}

/* ---- zones ---- */

/* 0 where there is no such zone; variables, so that comparing with 0 is no
 * mistake. */
static const kmem_phys_t dma_end = KMEM_ARCH_DMA_LIMIT;
static const kmem_phys_t dma32_end = KMEM_ARCH_DMA32_LIMIT;

static void check_below(gfp_t gfp, kmem_phys_t limit)
{
	struct page *page = alloc_page(gfp);
	void *p = kmalloc(100, gfp), *large = kmalloc(20000, gfp);

	CHECK(page && p && large);
	CHECK(page_to_phys(page) < limit);
	CHECK(virt_to_phys(p) < limit);
	CHECK(virt_to_phys(large) < limit);
	__free_page(page);
	kfree(p);
	kfree(large);
}

/* On this CPU's node, whose memory it gets first. */
static bool have_zone(const char *name)
{
	int node = machine.cpu_node[kmem_arch_cpu()];
	struct kmem_zone_stats st;
	size_t len = 1;

	while (name[len - 1])
		len++;
	for (unsigned i = 0; kmem_zone_stats(i, &st); i++)
		if (st.node == node && memcmp(st.name, name, len) == 0)
			return true;
	return false;
}

/* A request for a low zone fails when that is empty: it never goes up. */
static void exhaust_dma(void)
{
	struct link *chain = NULL;
	size_t nr_pages = take(GFP_DMA | __GFP_NOWARN, 0, SIZE_MAX, &chain);
	struct page *page = alloc_page(GFP_KERNEL);

	CHECK(nr_pages && nr_pages * KMEM_PAGE_SIZE < dma_end);
	check_places(chain);
	for (struct link *l = chain; l; l = l->next)
		CHECK(page_to_phys(l->page) < dma_end);
	CHECK(page && page_to_phys(page) >= dma_end);
	__free_page(page);
	CHECK(give_every(1, &chain) == nr_pages);
	CHECK(!chain);
}

void test_zones(void)
{
	links_init();
	if (dma_end) {
		check_below(GFP_DMA, dma_end);
		exhaust_dma();
	}
	if (dma32_end)
		check_below(GFP_DMA32, dma32_end);
	if (dma32_end && have_zone("Normal")) {
		struct page *page = alloc_page(GFP_KERNEL);

		CHECK(page && page_to_phys(page) >= dma32_end);
		__free_page(page);
	}
}

/* ---- nodes ---- */

static void check_node(struct page *page, int node)
{
	CHECK(page && port_node(page_to_phys(page)) == node);
	__free_page(page);
}

/* Memory of this CPU's node, unless another is asked for. */
static void check_nodes(void)
{
	check_node(alloc_page(GFP_KERNEL), machine.cpu_node[kmem_arch_cpu()]);
	for (unsigned i = 0; i < machine.nr_cpus; i++) {
		int node = machine.cpu_node[i];

		check_node(alloc_pages_node(node, GFP_KERNEL | __GFP_THISNODE,
					    0), node);
	}
}

/* Objects too, although what others' nodes lent lies in the magazines. */
static void check_object_nodes(void)
{
	for (unsigned i = 0; i < 8 * machine.nr_cpus; i++) {
		int node = machine.cpu_node[i & 7 ? i >> 3 : 0];
		void *p = kmalloc_node(24, GFP_KERNEL | __GFP_THISNODE, node);

		CHECK(p && port_node(virt_to_phys(p)) == node);
		CHECK(page_to_nid(virt_to_page(p)) == node);
		kfree(p);
	}
	CHECK(numa_node_id() == machine.cpu_node[kmem_arch_cpu()]);
}

void test_nodes(void)
{
	cpus_run(check_nodes);
	cpus_run(check_object_nodes);
}

/* ---- exhaustion ---- */

static struct link *spare;
static unsigned reclaims;

/* What a kernel's shrinkers do: give up what is cached. */
static size_t give_spare(void)
{
	reclaims++;
	return give_every(1, &spare);
}

static void check_reclaim(void)
{
	struct link *taken = NULL;

	reclaims = 0;
	port_on_reclaim(give_spare);
	CHECK(!alloc_page(GFP_NOWAIT | __GFP_NOWARN));
	CHECK(reclaims == 0);		/* it may not sleep, so it did not */
	CHECK(take(GFP_KERNEL | __GFP_NOWARN, 0, 1, &taken) == 1);
	CHECK(reclaims > 0 && !spare);
	port_on_reclaim(NULL);
	give_every(1, &taken);
}

/* A small zone keeps nothing back. */
static bool has_reserve(void)
{
	struct kmem_zone_stats st;
	size_t min = 0;

	for (unsigned i = 0; kmem_zone_stats(i, &st); i++)
		min += st.min;
	return min;
}

void test_exhaustion(void)
{
	struct link *all = NULL, *reserve = NULL, *low = NULL;
	size_t before = nr_free_pages(), nr_all, nr_reserve, nr_low, given;
	void *p = kmalloc(64, GFP_KERNEL);

	CHECK(p);
	links_init();
	take(GFP_KERNEL, BY_MEMORY(3, 0), before / 64 / 8 + 1, &spare);
	nr_all = take_everything(GFP_NOWAIT | __GFP_NOWARN, &all);
	nr_reserve = take_everything(GFP_ATOMIC | __GFP_NOWARN, &reserve);
	/* What is kept for those who need low addresses. */
	nr_low = take_everything(GFP_ATOMIC | GFP_DMA32 | __GFP_NOWARN, &low);
	nr_low += take_everything(GFP_ATOMIC | GFP_DMA | __GFP_NOWARN, &low);
	print("  taken: %zu of %zu pages, %zu of the reserve, %zu kept for low "
	      "addresses;\n  %zu stay\n", nr_all, before, nr_reserve, nr_low,
	      nr_free_pages());
	CHECK(nr_all > before / 2 && (nr_reserve > 0 || !has_reserve()));
	check_places(all);
	check_places(reserve);
	check_places(low);
	check_places(spare);
	give_every(1, &low);
	CHECK(!kmalloc(KMALLOC_MAX_SIZE / 4, GFP_ATOMIC | __GFP_NOWARN));
	CHECK(!krealloc(p, KMALLOC_MAX_SIZE / 4, GFP_KERNEL | __GFP_NOWARN));
	CHECK(kmem_check_all(port_print_line, NULL) == 0);
	kfree(p);
	check_reclaim();

	/* Half of it back, in a comb; then it is there to be taken again. */
	CHECK(give_every(1, &reserve) == nr_reserve);
	given = give_every(2, &all);
	CHECK(given * BY_MEMORY(3, 8) >= nr_all);
	CHECK(take_everything(GFP_NOWAIT | __GFP_NOWARN, &reserve) >= given);
	CHECK(kmem_check_all(port_print_line, NULL) == 0);
	give_every(1, &reserve);
	give_every(1, &all);
}
