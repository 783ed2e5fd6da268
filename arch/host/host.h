/* SPDX-License-Identifier: MIT */
/*
 * arch/host/host.h - a machine in a process, for tests, demo and benchmarks.
 *
 * Physical memory is a range of address space, reserved whole (it costs
 * nothing) and backed with real memory only where asked. CPUs are threads.
 * Interrupts are signals.
 */
#ifndef KMEM_HOST_H
#define KMEM_HOST_H

#include <kmem/kmem.h>

KMEM_BEGIN_DECLS

/*
 * Reserve address space for physical memory [start, end), none of it
 * accessible yet. Replaces what was reserved before. Returns false (with a
 * line on stderr) if the host refuses.
 */
bool host_memory_reserve(kmem_phys_t start, kmem_phys_t end);

/* Make [start, end), inside what is reserved, readable and writable. The host
 * supplies pages on first touch. Contents: zero at first. */
bool host_memory_back(kmem_phys_t start, kmem_phys_t end);

/* Memory that is reserved from now on can be mapped at other addresses too. */
void host_memory_share(bool on);

/* Map shared memory there; without sharing, new memory. */
bool host_memory_map(void *at, kmem_phys_t phys, size_t bytes);

/* What params.virt_offset must be for that memory. */
uint64_t host_virt_offset(void);

/* Give all of it back. */
void host_memory_release(void);

/* Bytes of memory that this host can spare for a test machine: half of what
 * is available now. */
uint64_t host_memory_spare(void);

/*
 * vm.c: addresses for vmalloc(), as many bytes, and the hooks:
 * kmem_vmalloc_init(). The memory is shared. What is not mapped is
 * inaccessible, so that touching a guard page is a SIGSEGV. Replaces the
 * addresses of the machine before. Returns what kmem_vmalloc_init() does.
 */
int host_vmalloc(size_t bytes);

/* The same, but what kmem_vmalloc_init() is to be told is left to the caller to
 * change. False if the host refuses. */
bool host_vmalloc_params(size_t bytes, struct kmem_vmalloc_params *params);

/* This thread is CPU `cpu` from now on. A new process's first thread is 0. */
void host_cpu_set(unsigned cpu);

/* Run fn(cpu, arg) on nr threads, CPU 0 .. nr-1, all started together; return
 * when all have finished. The calling thread is not one of them; while they
 * run it must not use kmem. */
void host_run_cpus(unsigned nr, void (*fn)(unsigned cpu, void *arg),
		   void *arg);

/*
 * The hook run_on_cpu: interrupts the thread of host_run_cpus() that is that
 * CPU. A CPU that is no such thread can't be reached, and nothing is done: it
 * drains at its own next slow path.
 */
void host_run_on_cpu(void *ctx, unsigned cpu, void (*fn)(void *arg), void *arg);

/*
 * Send each thread started by host_run_cpus() (and the calling thread, if
 * `self`) an interrupt about every `usec` microseconds: handler(cpu) runs on
 * it, at any instruction where kmem has not masked interrupts, and does not
 * nest. Stop with host_irq_stop().
 */
void host_irq_start(unsigned usec, bool self, void (*handler)(unsigned cpu));
void host_irq_stop(void);

/*
 * What a CPU does whenever it finds that a lock is taken: by default it waits.
 * With a function set, that is called each time, and may do what another CPU
 * does meanwhile, and release the lock. NULL restores the default.
 */
void host_on_wait(void (*fn)(void));

/*
 * What kmem_panic() does: by default the reason goes to stderr and the
 * process aborts. With a function set, that is called instead and may return.
 * NULL restores the default.
 */
void host_on_panic(void (*fn)(const char *reason));

/* kmem_out_fn that prints to the FILE * in ctx (stdout if NULL). */
void host_print(void *ctx, const char *line);

/*
 * The usual test machine: `bytes` of usable memory from physical 1 MiB up, one
 * node, nr_cpus CPUs, no hooks but log (to stderr if the environment has
 * KMEM_LOG) and run_on_cpu (host_run_on_cpu()), caches debugged as the environment's KMEM_CACHES says (the string
 * of kmem_params). Any machine before is forgotten. Aborts the process on failure.
 */
void host_machine(uint64_t bytes, unsigned nr_cpus);

KMEM_END_DECLS

#endif /* KMEM_HOST_H */
