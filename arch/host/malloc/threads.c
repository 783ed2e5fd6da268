/* SPDX-License-Identifier: MIT */
/*
 * threads.c - which thread is which CPU, and fork().
 *
 *	CPU   0 .. nr_shared-1        nr_shared .. nr_cpus-1
 *	      shared by threads       one thread each; those without one are
 *	      that come too late      on the stack `slots.free`
 *
 * A thread takes a CPU off the stack when it first allocates or frees
 * something, and puts it back when it ends. What is in the CPU's magazines
 * stays there for the next one: nothing needs to be flushed, and a thousand
 * short threads one after the other use one CPU. When the stack is empty, a
 * thread is given a shared CPU, and calls kmem only while it holds that CPU's
 * section; it asks for one of its own again at each call.
 *
 * The end of a thread is told by the destructor of a pthread key. Destructors
 * that run after it, and the C library itself, may still use malloc: the
 * thread is then on a shared CPU for the rest of its life. The destructor asks
 * to be called once more before that, so that the others of the first round
 * find things as they were.
 *
 * fork(): the handler before it takes `slots.lock` and then all sections,
 * after which no thread is inside anything that takes a lock; threads on their
 * fast paths go on, and harm nobody: each changes only what its own CPU has.
 * In the child those threads are gone; their CPUs go back to the stack, with
 * whatever their magazines held at that instant. (A fast path changes `rounds`
 * in one store, after it has written the round.) The forking thread itself may
 * allocate between the handlers, as those of others do: it counts as being
 * inside a section already.
 *
 * Order of locks: slots.lock, sections in ascending order, section_locks and
 * kmem's own.
 */
#define _GNU_SOURCE
#include "private.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#define SPINS_BEFORE_YIELD	64

KMEM_ARCH_TLS struct kmem_thread kmem_thread;
struct kmem_section kmem_sections[KMEM_MAX_CPUS];

/* What became of a thread. */
enum thread_state { THREAD_NEW, THREAD_OWN, THREAD_SHARED, THREAD_ENDED };

static KMEM_ARCH_TLS struct {
	enum thread_state state;
	bool ending;			/* the destructor has run once */
} self;

static struct {
	uint8_t lock;
	unsigned nr_cpus, nr_shared;
	unsigned next_shared;
	unsigned nr_free;
	uint8_t free[KMEM_MAX_CPUS];
	bool has_key;
	pthread_key_t key;
} slots;

void kmem_malloc_yield(void)
{
	static KMEM_ARCH_TLS unsigned spins;

	if (++spins % SPINS_BEFORE_YIELD)
		kmem_barrier();
	else
		sched_yield();
}

static void slots_lock(void)
{
	while (kmem_exchange_acquire(&slots.lock, 1))
		kmem_malloc_yield();
}

static void slots_unlock(void)
{
	kmem_store_release(&slots.lock, 0);
}

/* A CPU off the stack. Return: false if there is none. */
static bool take_slot(unsigned *cpu)
{
	bool found = false;

	if (!kmem_load_relaxed(&slots.nr_free))
		return false;
	slots_lock();
	if (slots.nr_free) {
		kmem_store_relaxed(&slots.nr_free, slots.nr_free - 1);
		*cpu = slots.free[slots.nr_free];
		found = true;
	}
	slots_unlock();
	return found;
}

static void put_slot(unsigned cpu)
{
	slots_lock();
	slots.free[slots.nr_free] = (uint8_t)cpu;
	kmem_store_relaxed(&slots.nr_free, slots.nr_free + 1);
	slots_unlock();
}

static void become_shared(enum thread_state state)
{
	self.state = state;
	kmem_thread.fast_max = 0;
	kmem_thread.cpu = __atomic_fetch_add(&slots.next_shared, 1,
					     __ATOMIC_RELAXED) %
			  slots.nr_shared;
}

static void become_owner(unsigned cpu)
{
	self.state = THREAD_OWN;
	kmem_thread.cpu = cpu;
	kmem_thread.fast_max = KMALLOC_MAX_CACHE_SIZE;
}

static void release_own(enum thread_state next)
{
	unsigned cpu = kmem_thread.cpu;
	bool own = self.state == THREAD_OWN;

	become_shared(next);
	if (own)
		put_slot(cpu);
}

static void on_thread_end(void *arg)
{
	(void)arg;
	if (!self.ending) {
		self.ending = true;
		if (!pthread_setspecific(slots.key, &self))
			return;
	}
	release_own(THREAD_ENDED);
}

/*
 * To own a CPU, the thread must be sure to give it back. pthread_setspecific()
 * may allocate: so the thread owns it first.
 */
bool thread_attach(void)
{
	unsigned cpu;
	int error = errno;

	if (self.state == THREAD_OWN)
		return true;
	if (self.state == THREAD_ENDED || kmem_thread.depth)
		return false;
	if (!slots.has_key || !take_slot(&cpu)) {
		if (self.state == THREAD_NEW) {
			become_shared(THREAD_SHARED);
			if (slots.has_key)
				pthread_setspecific(slots.key, &self);
		}
		errno = error;
		return false;
	}
	become_owner(cpu);
	if (pthread_setspecific(slots.key, &self))
		release_own(THREAD_SHARED);
	errno = error;
	return self.state == THREAD_OWN;
}

void threads_init(unsigned nr_cpus)
{
	slots.nr_cpus = nr_cpus;
	slots.nr_shared = nr_cpus < 16 ? 1 : nr_cpus / 16;
	slots.has_key = !pthread_key_create(&slots.key, on_thread_end);
	/* The lowest on top. */
	for (unsigned cpu = nr_cpus; cpu-- > slots.nr_shared; )
		slots.free[slots.nr_free++] = (uint8_t)cpu;
}

/* ---- fork() ---- */

static void before_fork(void)
{
	arena_start();
	thread_attach();
	slots_lock();
	for (unsigned cpu = 0; cpu < slots.nr_cpus; cpu++)
		while (kmem_exchange_acquire(&kmem_sections[cpu].locked, 1))
			kmem_malloc_yield();
	kmem_thread.depth++;
}

static void release_sections(void)
{
	kmem_thread.depth--;
	for (unsigned cpu = 0; cpu < slots.nr_cpus; cpu++)
		kmem_store_release(&kmem_sections[cpu].locked, 0);
}

static void after_fork_parent(void)
{
	release_sections();
	slots_unlock();
}

/* Only this thread is left: all CPUs but its own are free. */
static void after_fork_child(void)
{
	release_sections();
	slots.nr_free = 0;
	for (unsigned cpu = slots.nr_cpus; cpu-- > slots.nr_shared; )
		if (self.state != THREAD_OWN || cpu != kmem_thread.cpu)
			slots.free[slots.nr_free++] = (uint8_t)cpu;
	slots_unlock();
}

/* Before any other library's, if the loader allows: handlers before fork() run
 * in reverse order. */
__attribute__((constructor(101)))
static void register_fork_handlers(void)
{
	if (pthread_atfork(before_fork, after_fork_parent, after_fork_child))
		say("kmem: no memory for fork handlers: a process with "
		    "threads must not fork");
}
