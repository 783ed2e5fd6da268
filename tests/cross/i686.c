// SPDX-License-Identifier: MIT
/*
 * tests/cross/i686.c - threads with signals in qemu-i386.
 *
 * What is thread-local on i686 is found by the segment register %gs, and the
 * segment by a table of the thread's own: one entry, with another base for
 * each thread. QEMU (7.2) gives all threads one table. A thread does not
 * notice, as the base was loaded with the register, until it returns from a
 * signal handler: that loads %gs anew, with the base of whoever started last.
 *
 * So each thread gets an entry of its own, in the other table that a process
 * has (the LDT), and %gs selects that. The C library wants to see the usual
 * selector where it starts a thread: pthread_create() is wrapped (the linker's
 * --wrap) and has it there, with all signals blocked. One thread starts the
 * others.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LDT_SELECTOR(entry)	((entry) << 3 | 7)

static unsigned usual;		/* the C library's selector */
static unsigned nr_threads;

int __real_pthread_create(pthread_t *, const pthread_attr_t *,
			  void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *,
			  void *(*)(void *), void *);

static unsigned get_gs(void)
{
	unsigned gs;

	__asm__ __volatile__("movl %%gs, %0" : "=r" (gs));
	return gs;
}

static void set_gs(unsigned gs)
{
	__asm__ __volatile__("movl %0, %%gs" : : "r" (gs) : "memory");
}

/* An entry for this thread: the first word of its block is the address. */
static struct user_desc this_thread(unsigned entry)
{
	struct user_desc d = { .entry_number = entry, .limit = 0xfffff,
			       .seg_32bit = 1, .limit_in_pages = 1,
			       .useable = 1 };

	__asm__ __volatile__("movl %%gs:0, %0" : "=r" (d.base_addr));
	return d;
}

static void use_own_entry(void)
{
	unsigned entry = __atomic_fetch_add(&nr_threads, 1, __ATOMIC_RELAXED) %
			 LDT_ENTRIES;
	struct user_desc d = this_thread(entry);

	if (syscall(SYS_modify_ldt, 0x11, &d, sizeof(d)))
		abort();
	set_gs(LDT_SELECTOR(entry));
}

/* Before any thread is created: they share the table if it is there. */
static void __attribute__((constructor)) first_thread(void)
{
	usual = get_gs();
	use_own_entry();
}

struct start {
	void *(*fn)(void *);
	void *arg;
	sigset_t signals;
};

static void *start_thread(void *arg)
{
	struct start s = *(struct start *)arg;

	free(arg);
	use_own_entry();
	pthread_sigmask(SIG_SETMASK, &s.signals, NULL);
	return s.fn(s.arg);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
			  void *(*fn)(void *), void *arg)
{
	struct start *s = malloc(sizeof(*s));
	struct user_desc d = this_thread(usual >> 3);
	unsigned own = get_gs();
	sigset_t all;
	int error;

	if (!s)
		abort();
	s->fn = fn;
	s->arg = arg;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &s->signals);
	all = s->signals;
	syscall(SYS_set_thread_area, &d);
	set_gs(usual);
	error = __real_pthread_create(thread, attr, start_thread, s);
	set_gs(own);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	return error;
}
