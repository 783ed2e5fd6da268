/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/cpus.c - work for other CPUs, and calls between them.
 *
 * Work runs as the CPU's thread, interrupts enabled, in the idle loop of
 * boot_secondary(). A call (kmem's hook run_on_cpu) runs at once, in the
 * handler of an interrupt that the caller sends.
 *
 * Each CPU has one slot for a call to it:
 *
 *	empty ──► taken, by exchange of a caller ──► call, by that caller
 *	call  ──► empty, by that CPU, when the function has returned
 *
 * Two CPUs may call one another, and a called CPU may itself be waiting for
 * a slot, with interrupts masked even: so whoever waits here serves calls to
 * itself meanwhile, and no circle of waiting CPUs can stand still.
 */
#include "boot.h"

#define STACK_ORDER	3
#define STACK_SIZE	(KMEM_PAGE_SIZE << STACK_ORDER)
#define STACK_CANARY	0x5ca1ab1e57ac0ff5u

struct cpu_call {
	void (*fn)(void *arg);
	void *arg;
	unsigned char done;
};

struct cpu {
	unsigned taken;			/* from any CPU */
	struct cpu_call *call;		/* from the one that took the slot */
	void (*work)(void);		/* from CPU 0; NULL when finished */
	uint64_t *stack;		/* lowest word: the canary */
	uint64_t calls_served;		/* written by this CPU only */
	uint64_t calls_interrupting;
} KMEM_ALIGNED(KMEM_CACHE_LINE);

static struct cpu cpus[MACHINE_MAX_CPUS];
static void (*on_tick)(void);

/* ---- calls ---- */

/* Serve the call in this CPU's slot, if there is one. */
static bool serve_call(void)
{
	uintptr_t state = kmem_arch_irq_save();
	struct cpu *self = &cpus[kmem_arch_cpu()];
	struct cpu_call *call = kmem_load_acquire(&self->call);

	if (call) {
		call->fn(call->arg);
		self->calls_served++;
		kmem_store_relaxed(&self->call, NULL);
		kmem_store_release(&self->taken, 0);
		kmem_store_release(&call->done, 1);
	}
	kmem_arch_irq_restore(state);
	return call;
}

static bool claim_slot(struct cpu *target, struct cpu_call *call)
{
	if (kmem_exchange_acquire(&target->taken, 1))
		return false;
	kmem_store_release(&target->call, call);
	return true;
}

static void serve_while_waiting(void)
{
	serve_call();
	kmem_arch_relax();
}

void cpus_call(void *ctx, unsigned cpu, void (*fn)(void *), void *arg)
{
	struct cpu_call call = { .fn = fn, .arg = arg };

	(void)ctx;
	if (MACHINE_MAX_CPUS == 1 || cpu == kmem_arch_cpu()) {
		uintptr_t state = kmem_arch_irq_save();

		fn(arg);
		kmem_arch_irq_restore(state);
		return;
	}
	while (!claim_slot(&cpus[cpu], &call))
		serve_while_waiting();
	machine_ipi(cpu);
	while (!kmem_load_acquire(&call.done))
		serve_while_waiting();
}

void boot_ipi(void)
{
	if (serve_call())
		cpus[kmem_arch_cpu()].calls_interrupting++;
}

uint64_t cpus_calls_served(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < machine.nr_cpus; i++)
		sum += cpus[i].calls_served;
	return sum;
}

uint64_t cpus_calls_interrupting(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < machine.nr_cpus; i++)
		sum += cpus[i].calls_interrupting;
	return sum;
}

/* ---- work ---- */

_Noreturn void boot_secondary(void)
{
	struct cpu *self = &cpus[kmem_arch_cpu()];

	for (;;) {
		void (*work)(void) = kmem_load_acquire(&self->work);

		if (work) {
			machine_irq_enable();
			work();
			kmem_arch_irq_save();
			kmem_store_release(&self->work, NULL);
		} else {
			machine_idle();
		}
	}
}

void cpus_run(void (*fn)(void))
{
	for (unsigned i = 1; i < machine.nr_cpus; i++) {
		kmem_store_release(&cpus[i].work, fn);
		machine_ipi(i);
	}
	fn();
	for (unsigned i = 1; i < machine.nr_cpus; i++)
		while (kmem_load_acquire(&cpus[i].work))
			serve_while_waiting();
}

/* ---- start-up ---- */

void cpus_start(uint64_t start_page)
{
	for (unsigned i = 1; i < machine.nr_cpus; i++) {
		uint64_t *stack = (void *)__get_free_pages(
			GFP_KERNEL | __GFP_ZERO, STACK_ORDER);

		CHECK(stack);
		stack[0] = STACK_CANARY;
		cpus[i].stack = stack;
		if (!machine_start_cpu(i, (char *)stack + STACK_SIZE,
				       start_page))
			boot_fail("CPU %u did not start", i);
	}
}

bool cpus_stacks_intact(void)
{
	for (unsigned i = 1; i < machine.nr_cpus; i++)
		if (cpus[i].stack[0] != STACK_CANARY)
			return false;
	return true;
}

/* ---- ticks ---- */

void cpus_on_tick(void (*fn)(void))
{
	kmem_store_release(&on_tick, fn);
}

void boot_tick(void)
{
	void (*fn)(void) = kmem_load_acquire(&on_tick);

	if (fn)
		fn();
}
