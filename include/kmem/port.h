/* SPDX-License-Identifier: MIT */
/*
 * kmem/port.h - the whole contract between kmem and the kernel it lives in.
 *
 * A port supplies three things and touches nothing in src/:
 *
 *  1. <kmem_arch.h>, found on the include path: six inline functions and some
 *     constants, listed below. arch/<arch>/kmem_arch.h are ready-made ones;
 *     put a file of that name earlier on the path to use your own.
 *  2. At link time: kmem_panic(), and the four functions that a compiler may
 *     emit calls to anyway: memcpy, memmove, memset, memcmp.
 *  3. At kmem_init(): struct kmem_hooks, every member of which may be NULL.
 *
 * Preconditions that hold for every call below: kmem calls a hook with none of
 * its locks held and with interrupts as its caller had them. The exceptions:
 * `log`, `wake` and kmem_panic() may be called in any context that the API was
 * called in, with locks held, and must not call kmem; run_on_cpu is called with
 * preemption off.
 *
 * ## What <kmem_arch.h> defines
 *
 *	unsigned kmem_arch_enter(void);
 *		Stop preemption by other threads on this CPU, and return this
 *		CPU's number, 0 .. nr_cpus - 1. May be "return cpu" alone on a
 *		kernel that never preempts kernel code. It need not, and for
 *		speed should not, mask interrupts. Calls nest.
 *	void kmem_arch_exit(void);
 *		Undo the last kmem_arch_enter().
 *	unsigned kmem_arch_cpu(void);
 *		This CPU's number. Where it matters, interrupts are masked;
 *		elsewhere the answer may be out of date.
 *	uintptr_t kmem_arch_irq_save(void);
 *		Mask interrupts on this CPU; return what restores the state
 *		before. Implies that the caller is not moved to another CPU.
 *	void kmem_arch_irq_restore(uintptr_t state);
 *	void kmem_arch_relax(void);
 *		A hint inside a spin loop.
 *
 *	KMEM_ARCH_DMA_LIMIT, KMEM_ARCH_DMA32_LIMIT
 *		Default ends (exclusive physical bytes) of the zones DMA and
 *		DMA32; 0 where the architecture has no such zone.
 *
 * and, where the defaults below are not right for the CPU:
 *
 *	KMEM_ARCH_PHYS_BITS
 *		32 if physical addresses are 32 bits wide: kmem_phys_t.
 *	KMEM_ARCH_HAS_CLZ, KMEM_ARCH_HAS_DIV, KMEM_ARCH_HAS_UMULL
 *		0 if the CPU has no instruction that counts leading zeros, that
 *		divides, that multiplies two words to one of twice the width:
 *		kmem then does it in steps, where compilers would call their
 *		library.
 *	KMEM_ARCH_NESTS
 *		0 if no context calls kmem as a CPU on which it interrupts
 *		another: handlers neither allocate nor free, or kmem_arch_enter()
 *		and kmem_arch_cpu() return a number of their own there. Then the
 *		fast paths do without `busy` (below), a tenth of their time. Such
 *		numbers are CPUs in all else: nr_cpus counts them, cpu_node() is
 *		asked about them. run_on_cpu() may then be no interrupt that
 *		runs as whom it interrupted; for a handler's number it runs fn as
 *		that, with no such handler under way. What it can't do so, it
 *		leaves: that CPU's magazines are drained late.
 *	KMEM_ARCH_VECTOR_BYTES
 *		of the vectors that all who call kmem may use, handlers of
 *		interrupts too: KMEM_HARDEN looks at objects by them. The
 *		default is a word, for kernels leave such registers to programs.
 *
 * ## Why a plain flag is enough
 *
 * kmem's fast path owns its CPU's slots by setting a plain byte, `busy`, with
 * compiler barriers only. That is right only for strictly nested contexts,
 * thread < interrupt < NMI: a handler runs to its end before the code it
 * interrupted goes on, so it either sees busy set, and goes another way, or
 * finds the slots in order. (In an NMI only the calls of <kmem/nolock.h> may be
 * made: they wait for no lock.) Two threads that preempt one another are not nested: that is why
 * kmem_arch_enter() must hold preemption off.
 */
#ifndef KMEM_PORT_H
#define KMEM_PORT_H

#include <kmem/compiler.h>
#include <kmem/gfp.h>

#include <kmem_arch.h>

#ifndef KMEM_ARCH_PHYS_BITS
#define KMEM_ARCH_PHYS_BITS	64
#endif
#ifndef KMEM_ARCH_HAS_CLZ
#define KMEM_ARCH_HAS_CLZ	1
#endif
#ifndef KMEM_ARCH_HAS_DIV
#define KMEM_ARCH_HAS_DIV	1
#endif
#ifndef KMEM_ARCH_HAS_UMULL
#define KMEM_ARCH_HAS_UMULL	1
#endif
#ifndef KMEM_ARCH_NESTS
#define KMEM_ARCH_NESTS		1
#endif
#ifndef KMEM_ARCH_VECTOR_BYTES
#define KMEM_ARCH_VECTOR_BYTES	sizeof(uintptr_t)
#endif

KMEM_BEGIN_DECLS

/*
 * Supplied by the host kernel: something is wrong that kmem must not hide.
 * `reason` is one line: what was called, with which object, what was expected
 * and what was found. A caller's mistake (double free, bad pointer, …) leaves
 * kmem's state sound, so this function may return: the bad call then does
 * nothing. A broken invariant of kmem's own is announced as "kmem: BUG".
 *
 * Context: any.
 */
void kmem_panic(const char *reason);

/*
 * And memcpy(), memmove(), memset(), memcmp(), which compilers call too. They
 * are not declared here: a kernel's own declarations may differ from C's.
 */

/* What reclaim is told of the request that is failing. */
struct kmem_pressure {
	gfp_t gfp;
	unsigned order;		/* pages wanted: 2^order */
	int node;
	unsigned attempt;	/* 0 for the first try */
	unsigned wakes;		/* for kmem_woken() */
};

/**
 * kmem_woken - memory came free since the request of @p was tried last
 *
 * What a wait hook sleeps for. Context: any.
 * Return: true also where kmem can't tell: without magazines.
 */
bool kmem_woken(const struct kmem_pressure *p);

/*
 * What the kernel's RCU links callbacks by. With KMEM_ARCH_RCU_HEAD 1, the
 * kernel defines struct rcu_head, in any of its headers; where kmem's sources
 * are compiled with it, in <kmem_arch.h>. They may be compiled without, if the
 * kernel's has the same two members.
 */
struct rcu_head;
#ifndef KMEM_ARCH_RCU_HEAD
#define KMEM_ARCH_RCU_HEAD	0
#endif
#if !KMEM_ARCH_RCU_HEAD
/* A callback that waits; its fields are the kernel's RCU's. */
struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};
#endif

/* Optional services, each may be NULL. `ctx` is passed to all of them. */
struct kmem_hooks {
	void *ctx;

	/* One line of text without newline. Context: any. */
	void (*log)(void *ctx, const char *line);

	/*
	 * Free some memory; return about how many pages came free (0: nothing
	 * more to give). Called for GFP_KERNEL-like requests only. May sleep
	 * and may call kmem, but not allocate with __GFP_DIRECT_RECLAIM (it
	 * would call itself; the same holds for the next two), and must not
	 * wait for the failing request.
	 */
	size_t (*reclaim)(void *ctx, const struct kmem_pressure *p);

	/*
	 * Memory has run out although reclaim was tried. Return true if it is
	 * worth trying again (a process was killed, …). May sleep.
	 */
	bool (*out_of_memory)(void *ctx, const struct kmem_pressure *p);

	/*
	 * Sleep until memory may have come free. Needed for __GFP_NOFAIL and
	 * mempools: without it such a request that can't be served is a
	 * panic. Sleep on a queue that `wake` wakes, as long as kmem_woken(p)
	 * is false; that is looked at with the caller on the queue, or under
	 * the lock that `wake` takes. Then nothing that is freed after this
	 * call began is missed: pages, objects, elements of mempools; not
	 * even where it would have stayed in a CPU's magazine. What CPUs have
	 * in magazines when it begins, or are just freeing, is fetched by
	 * run_on_cpu; without that, when the CPU next frees to the same cache
	 * or allocates from it in vain, so that one should not sleep for ever.
	 * A hook that just yields is right too.
	 */
	void (*wait)(void *ctx, const struct kmem_pressure *p);

	/*
	 * Memory came free while somebody is in `wait`, or about to be: wake
	 * all of them. May come often, and in vain. Context: that of a free,
	 * with interrupts masked or not, and locks of kmem's held: it must not
	 * sleep, nor call kmem but for kmem_woken().
	 */
	void (*wake)(void *ctx);

	/*
	 * Run fn(arg) on that CPU with interrupts masked or in an interrupt
	 * handler, and return when it has finished. Must not sleep; two CPUs
	 * may do it to one another at once. Without it, a CPU's magazines are
	 * drained at its own next slow path; and as pages must not be out of
	 * reach then, several CPUs have no magazines of pages: each block comes
	 * from its zone and goes back there, under the zone's lock. (A hook
	 * that returns without doing it says that they may: then there are
	 * magazines of pages, which are drained late as well.)
	 */
	void (*run_on_cpu)(void *ctx, unsigned cpu, void (*fn)(void *),
			   void *arg);

	/*
	 * Whether this context must not sleep: an interrupt, a spinlock held,
	 * preemption off. Then a call that may sleep is a misuse: reported to
	 * kmem_panic(), and if that returns, gone on with as if it had been
	 * GFP_ATOMIC's. Asked by every allocation with __GFP_DIRECT_RECLAIM
	 * that the CPU's magazine does not serve (the first of a cache or order
	 * on each CPU, and one of each magazine-full after that), by all of
	 * them with KMEM_DEBUG, and by kmem_cache_create(), _shrink() and
	 * _destroy(). Context: any, preemption on or off; must not call kmem.
	 */
	bool (*in_atomic)(void *ctx);

	/* The NUMA node of a CPU. NULL: all CPUs are on the first node. */
	int (*cpu_node)(void *ctx, unsigned cpu);

	/*
	 * Who it is that reports of misuse name as the caller, and caches with
	 * SLAB_STORE_USER (kmem/debug.h) note as who allocates or frees, other
	 * than 0, given the address that the call of kmem returns to: one
	 * further up, or the number of a stack trace that the kernel keeps.
	 * NULL: that address. Context: any.
	 */
	uintptr_t (*caller)(void *ctx, uintptr_t address);

	/* And when, in any unit. NULL: a running number. Context: any. */
	uint64_t (*clock)(void *ctx);

	/* Distance between nodes, 10 = local. NULL: all others equal. */
	unsigned (*node_distance)(void *ctx, int from, int to);

	/*
	 * Call fn(head) after a grace period: when every read-side section
	 * that is under way now has ended. Needed for kfree_rcu() and for
	 * SLAB_TYPESAFE_BY_RCU, which are refused without it. Called in any
	 * context in which memory is freed: in interrupt handlers, with
	 * interrupts masked, with the list of caches locked. So it must not
	 * sleep, and whatever it allocates must be without
	 * __GFP_DIRECT_RECLAIM. fn may call it again; it runs in any context
	 * but NMI, and takes time in proportion to what it frees.
	 */
	void (*call_rcu)(void *ctx, struct rcu_head *head,
			 void (*fn)(struct rcu_head *head));

	/*
	 * Return when every function given to call_rcu before has been called.
	 * May sleep. Without it nobody waits for a grace period: a cache that
	 * would have to be waited for is not destroyed.
	 */
	void (*rcu_barrier)(void *ctx);
};

KMEM_END_DECLS

#endif /* KMEM_PORT_H */
