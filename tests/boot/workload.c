/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/workload.c - all CPUs and their interrupts at once.
 *
 * Every CPU replaces items of a table at random. An item is a block from one
 * of the ways to allocate, filled with a pattern that is checked before it is
 * freed. Items move:
 *
 *	 CPU 0 ──ring──► CPU 1 ──ring──► CPU 2 ──ring──► CPU 3 ──ring──► CPU 0
 *	 ▲ │
 *	 │ ▼ box: one slot, exchanged by the thread and by the tick handler
 *	tick handler: replaces items of a table of its own, GFP_ATOMIC
 *
 * so blocks are freed by another CPU, or in another context, than the one
 * that allocated them. Ticks come at random distances, each at whatever
 * instruction the CPU is executing, kmem's included. Where a machine has
 * interrupts that can't be masked, CPUs send them to one another, and to
 * themselves out of the tick handler: they land in kmem's locked sections too,
 * and replace items of a third table by the calls that wait for nobody.
 * Meanwhile CPUs 0 and 1 shrink caches and drain pages, which interrupts all
 * others in turn.
 *
 * An emulator with fewer real CPUs than emulated ones shows little of memory
 * ordering: this tests locking, the busy flag, interrupts and cross-CPU calls.
 */
#include "boot.h"

#define NR_ITEMS	BY_MEMORY(256u, 16u)	/* of a thread */
#define NR_TICK_ITEMS	BY_MEMORY(32u, 4u)	/* of a tick handler */
#define NR_NMI_ITEMS	BY_MEMORY(32u, 4u)	/* of an NMI handler */
#define RING_SIZE	BY_MEMORY(64u, 4u)
#define TICK_MIN_USEC	30
#define TICK_SPAN_USEC	300
#define UPKEEP_MASK	0xfff		/* shrink after that many steps */
#define NMI_MASK	0x1f		/* send one after that many */
#define BURST		400
#define MOST_BULK	BY_MEMORY(40u, 4u)

/* ---- rings: one producer, one consumer ---- */

struct ring {
	uint32_t head;			/* written by the producer */
	KMEM_ALIGNED(KMEM_CACHE_LINE) uint32_t tail;	/* by the consumer */
	struct item *slot[RING_SIZE];
};

static bool ring_put(struct ring *r, struct item *it)
{
	uint32_t head = r->head;

	if (head - kmem_load_acquire(&r->tail) == RING_SIZE)
		return false;
	r->slot[head % RING_SIZE] = it;
	kmem_store_release(&r->head, head + 1);
	return true;
}

static struct item *ring_take(struct ring *r)
{
	uint32_t tail = r->tail;
	struct item *it;

	if (kmem_load_acquire(&r->head) == tail)
		return NULL;
	it = r->slot[tail % RING_SIZE];
	kmem_store_release(&r->tail, tail + 1);
	return it;
}

/* ---- a CPU ---- */

struct worker {
	KMEM_ALIGNED(KMEM_CACHE_LINE) uint64_t rng;
	struct item *item[NR_ITEMS];
	uint64_t steps, passed, taken, upkeep;

	/* Used by both, the thread and the tick handler. */
	struct item *box;
	uint32_t hot;			/* what burst() is hammering, or 0 */

	/* The tick handler's. */
	uint64_t tick_rng;
	struct item *tick_item[NR_TICK_ITEMS];
	unsigned ticks;			/* read by the thread, whole */
	uint64_t tick_frees;

	/* The NMI handler's. */
	uint64_t nmi_rng;
	struct item *nmi_item[NR_NMI_ITEMS];
	uint64_t nmis, nmi_frees, nmi_fails;

	struct ring ring;		/* this CPU produces */
};

static struct worker worker[MACHINE_MAX_CPUS];
static unsigned steps_wanted, ticks_wanted;
static unsigned nr_working;
static bool ticking;

static struct worker *self(void)
{
	return &worker[kmem_arch_cpu()];
}

/* What the CPU before this one puts items into. */
static struct ring *neighbour_ring(void)
{
	unsigned me = kmem_arch_cpu();

	return &worker[(me ? me : machine.nr_cpus) - 1].ring;
}

/* Only this CPU's thread and interrupts do. */
static struct item *box_exchange(struct worker *w, struct item *it)
{
	uintptr_t irq = kmem_arch_irq_save();
	struct item *was = w->box;

	w->box = it;
	kmem_arch_irq_restore(irq);
	return was;
}

/*
 * What to hammer: 1 .. ITEM_CACHES, a cache; then single pages, which come from
 * magazines as well; then blocks of an order that always takes the zone lock.
 */
#define HOT_PAGES	(ITEM_CACHES + 1)
#define HOT_BLOCKS	(ITEM_CACHES + 2)
#define HOT_ORDER(hot) \
	((hot) == HOT_PAGES ? 0u : BY_MEMORY(KMEM_CACHED_MAX_ORDER + 1u, 1u))

static void *hot_take(uint32_t hot, gfp_t gfp)
{
	uint32_t *block = hot < HOT_PAGES ?
			  kmem_cache_alloc(item_cache[hot - 1], gfp) :
			  (void *)__get_free_pages(gfp, HOT_ORDER(hot));

	CHECK(block || MAY_RUN_OUT);
	if (block)
		kmem_store_relaxed(block, hot);
	return block;
}

static void hot_give(uint32_t hot, void *block)
{
	if (!block)
		return;
	CHECK(kmem_load_relaxed((uint32_t *)block) == hot);
	kmem_store_relaxed((uint32_t *)block, 0);
	if (hot < HOT_PAGES)
		kmem_cache_free(item_cache[hot - 1], block);
	else
		free_pages((uintptr_t)block, HOT_ORDER(hot));
}

/* ---- in the interrupt handler ---- */

static void rearm(struct worker *w)
{
	if (kmem_load_relaxed(&ticking))
		machine_timer(TICK_MIN_USEC + random_below(&w->tick_rng,
							   TICK_SPAN_USEC));
}

/* The thread is allocating just this, this very moment: so must we. */
static void join_burst(uint32_t hot)
{
	void *block[3];

	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(block); i++)
		block[i] = hot_take(hot, GFP_ATOMIC);
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(block); i++)
		hot_give(hot, block[i]);
}

#if KMEM_DEFERRED
/* As join_burst(): the zone's lock is likely taken, by what this interrupts. */
static void join_burst_nolock(struct worker *w, uint32_t hot)
{
	struct page *page;

	if (hot < HOT_PAGES)
		return;
	page = alloc_pages_nolock(0, KMEM_NO_NODE, HOT_ORDER(hot));
	free_pages_nolock(page, HOT_ORDER(hot));
	w->nmi_fails += !page;
}

static void nmi(struct worker *w)
{
	struct item **slot = &w->nmi_item[
		random_below(&w->nmi_rng, NR_NMI_ITEMS)];

	w->nmis++;
	join_burst_nolock(w, kmem_load_relaxed(&w->hot));
	if (*slot) {
		item_free_nolock(*slot);
		*slot = NULL;
		w->nmi_frees++;
	} else {
		*slot = item_new_nolock(&w->nmi_rng);
		w->nmi_fails += !*slot;
	}
}
#else
static void nmi(struct worker *w)
{
	(void)w;
}
#endif

/* One that was sent as the ticks ended may be late. */
void boot_nmi(void)
{
	struct worker *w = self();

	if (!w->nmi_rng)
		boot_fail("unexpected NMI");
	if (kmem_load_relaxed(&ticking))
		nmi(w);
}

static void send_nmi(unsigned cpu)
{
	if (KMEM_DEFERRED && machine.nmi)
		machine.nmi(cpu);
}

static void tick(void)
{
	struct worker *w = self();
	uint32_t hot = kmem_load_relaxed(&w->hot);
	unsigned n = 1 + random_below(&w->tick_rng, 4);

	kmem_count(&w->ticks);
	if (random_below(&w->tick_rng, 4) == 0)
		send_nmi(kmem_arch_cpu());
	if (hot)
		join_burst(hot);
	while (n--) {
		struct item **slot = &w->tick_item[
			random_below(&w->tick_rng, NR_TICK_ITEMS)];

		if (*slot) {
			item_free(*slot);
			*slot = NULL;
			w->tick_frees++;
		} else {
			*slot = item_new(&w->tick_rng, GFP_ATOMIC);
		}
		if (random_below(&w->tick_rng, 4) == 0)
			*slot = box_exchange(w, *slot);
	}
	rearm(w);
}

/* ---- in the thread ---- */

static void replace(struct worker *w, struct item **slot)
{
	if (*slot) {
		item_free(*slot);
		*slot = NULL;
	} else {
		*slot = item_new(&w->rng, GFP_KERNEL);
	}
}

static void bulk(uint64_t *rng)
{
	struct kmem_cache *cache = item_cache[random_below(rng, ITEM_CACHES)];
	size_t size = kmem_cache_size(cache);
	size_t n = 1 + random_below(rng, MOST_BULK);
	void *object[MOST_BULK];

	if (kmem_cache_alloc_bulk(cache, GFP_KERNEL, n, object) != n) {
		if (MAY_RUN_OUT)
			return;
		boot_fail("kmem_cache_alloc_bulk of %zu failed", n);
	}
	for (size_t i = 0; i < n; i++)
		pattern_fill(object[i], size, (uint32_t)i);
	for (size_t i = 0; i < n; i++)
		if (!pattern_holds(object[i], size, (uint32_t)i))
			boot_fail("object of a bulk overwritten");
	kmem_cache_free_bulk(cache, n, object);
}

/*
 * Pairs of alloc and free, and little else: a good part of the time the CPU is
 * inside kmem's critical sections, where a tick must find the way around.
 */
static void burst(struct worker *w)
{
	uint32_t hot = 1 + random_below(&w->rng, HOT_BLOCKS);

	kmem_store_relaxed(&w->hot, hot);
	for (unsigned i = 0; i < BURST; i++)
		hot_give(hot, hot_take(hot, GFP_KERNEL));
	kmem_store_relaxed(&w->hot, 0);
}

static void upkeep(struct worker *w)
{
	uint32_t which = random_below(&w->rng, ITEM_CACHES + 1);

	if (which < ITEM_CACHES)
		kmem_cache_shrink(item_cache[which]);
	else
		drain_pages();
	w->upkeep++;
}

static void step(struct worker *w)
{
	struct item **slot = &w->item[random_below(&w->rng, NR_ITEMS)];
	uint32_t dice = random_below(&w->rng, 100);

	if ((w->steps & NMI_MASK) == NMI_MASK)
		send_nmi(random_below(&w->rng, machine.nr_cpus));
	if (dice < 55) {
		replace(w, slot);
	} else if (dice < 70) {
		if (*slot && ring_put(&w->ring, *slot)) {
			*slot = NULL;
			w->passed++;
		}
	} else if (dice < 85) {
		struct item *it = ring_take(neighbour_ring());

		if (it) {
			item_free(*slot);
			*slot = it;
			w->taken++;
		}
	} else if (dice < 92) {
		*slot = box_exchange(w, *slot);
	} else if (dice < 97) {
		item_resize(slot, &w->rng);
	} else if (dice < 98) {
		bulk(&w->rng);
	} else {
		burst(w);
	}
	if (kmem_arch_cpu() < 2 && (w->steps & UPKEEP_MASK) == UPKEEP_MASK)
		upkeep(w);
}

/*
 * CPUs begin together; one that has done its share goes on until all have, so
 * that none ever works alone.
 */
static void work(void)
{
	struct worker *w = self();

	kmem_add_relaxed(&nr_working, 1);
	while (kmem_load_acquire(&nr_working) < machine.nr_cpus)
		kmem_arch_relax();
	rearm(w);
	for (; w->steps < steps_wanted || kmem_load_relaxed(&w->ticks) <
	       ticks_wanted; w->steps++)
		step(w);
	kmem_add_relaxed(&nr_working, 1);
	for (; kmem_load_relaxed(&nr_working) < 2 * machine.nr_cpus; w->steps++)
		step(w);
	machine_timer(0);
}

/* With the ticks over, and all CPUs at it again: give everything back, what
 * came from other CPUs included. */
static void clean_up(void)
{
	struct worker *w = self();
	struct item *it;

	for (unsigned i = 0; i < NR_ITEMS; i++)
		item_free(w->item[i]);
	for (unsigned i = 0; i < NR_TICK_ITEMS; i++)
		item_free(w->tick_item[i]);
	for (unsigned i = 0; i < NR_NMI_ITEMS; i++)
		item_free(w->nmi_item[i]);
	item_free(w->box);
	while ((it = ring_take(neighbour_ring())))
		item_free(it);
}

/* ---- the whole ---- */

struct sums {
	uint64_t allocs, directs;
};

static void add_layer(struct sums *sum, const struct kmem_layer_stats *l)
{
	sum->allocs += l->allocs;
	sum->directs += l->directs;
}

static bool add_cache(struct kmem_cache *s, void *arg)
{
	struct kmem_cache_stats st;

	kmem_cache_stats(s, &st);
	add_layer(arg, &st.layer);
	return true;
}

static struct sums layer_sums(void)
{
	struct sums sum = { 0 };
	struct kmem_zone_stats st;

	kmem_for_each_cache(add_cache, &sum);
	for (unsigned i = 0; kmem_zone_stats(i, &st); i++)
		for (unsigned o = 0; o <= KMEM_CACHED_MAX_ORDER; o++)
			add_layer(&sum, &st.order[o]);
	return sum;
}

static void report_nmis(void)
{
	uint64_t nmis = 0, frees = 0, fails = 0;

	for (unsigned i = 0; i < machine.nr_cpus; i++) {
		nmis += worker[i].nmis;
		frees += worker[i].nmi_frees;
		fails += worker[i].nmi_fails;
	}
	if (!KMEM_DEFERRED || !machine.nmi)
		return;
	print("  %llu NMIs: %llu items freed, %llu not to be had at once\n",
	      (unsigned long long)nmis, (unsigned long long)frees,
	      (unsigned long long)fails);
	CHECK(frees > 0);
}

static void report(struct sums before, uint64_t usec)
{
	struct sums now = layer_sums();
	uint64_t steps = 0, ticks = 0, frees = 0, taken = 0, upkeeps = 0;

	for (unsigned i = 0; i < machine.nr_cpus; i++) {
		const struct worker *w = &worker[i];

		print("  CPU %u: %llu steps, %u ticks, %llu items from its "
		      "neighbour\n", i, (unsigned long long)w->steps,
		      w->ticks, (unsigned long long)w->taken);
		CHECK(w->ticks > 0 && w->taken > 0);
		steps += w->steps;
		ticks += w->ticks;
		frees += w->tick_frees;
		taken += w->taken;
		upkeeps += w->upkeep;
	}
	print("  all: %llu steps in %u ms; %llu items crossed CPUs; %llu ticks "
	      "allocated, and freed\n  %llu items\n", (unsigned long long)steps,
	      msec(usec), (unsigned long long)taken,
	      (unsigned long long)ticks, (unsigned long long)frees);
	report_nmis();
	if (KMEM_MAGAZINE_ROUNDS)
		print("  %llu allocations; %llu operations found the CPU's "
		      "slots busy: the tick had\n  interrupted kmem\n",
		      (unsigned long long)(now.allocs - before.allocs),
		      (unsigned long long)(now.directs - before.directs));
	print("  %llu times shrunk or drained: %llu calls to other CPUs, "
	      "%llu of them as interrupts\n", (unsigned long long)upkeeps,
	      (unsigned long long)cpus_calls_served(),
	      (unsigned long long)cpus_calls_interrupting());
	CHECK(now.directs > before.directs || !KMEM_MAGAZINE_ROUNDS);
	CHECK(machine.nr_cpus == 1 || cpus_calls_interrupting() > 0);
}

void workload(uint64_t seed)
{
	struct account before;
	struct sums sums;
	uint64_t start;

	print("workload on %u CPUs, seed=%llu\n", machine.nr_cpus,
	      (unsigned long long)seed);
	items_init();
	before = account_now();
	sums = layer_sums();

	for (unsigned i = 0; i < machine.nr_cpus; i++) {
		worker[i].rng = random_start(seed, 3 * i);
		worker[i].tick_rng = random_start(seed, 3 * i + 1);
		worker[i].nmi_rng = random_start(seed, 3 * i + 2);
	}
	steps_wanted = (unsigned)argument("steps", 200000);
	ticks_wanted = (unsigned)argument("ticks", 2000);
	kmem_store_relaxed(&ticking, true);
	cpus_on_tick(tick);
	start = machine_usec();
	cpus_run(work);
	kmem_store_relaxed(&ticking, false);
	cpus_on_tick(NULL);
	report(sums, machine_usec() - start);

	kmem_report(port_print_line, NULL);
	cpus_run(clean_up);
	account_check(&before, "workload");
	items_exit();
	print("  everything is back: %zu pages free\n", nr_free_pages());
}
