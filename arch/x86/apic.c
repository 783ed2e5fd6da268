/* SPDX-License-Identifier: MIT */
/*
 * arch/x86/apic.c - each CPU's local APIC: its timer, and interrupts from
 * CPU to CPU, those that can't be masked included.
 *
 * Registers are 32 bits wide, 16 bytes apart, at the same address on every
 * CPU, each of which sees its own. The timer counts down once for each
 * machine_timer() and is armed anew by whoever handles the tick: so ticks
 * come at any distance wanted, and never faster than they are handled.
 */
#include "x86_boot.h"

#define MSR_APIC_BASE		0x1b
#define APIC_BASE_ADDR		0x000ffffffffff000
#define APIC_BASE_X2APIC	0x400
#define APIC_BASE_ENABLE	0x800

#define APIC_ID			0x20
#define APIC_TPR		0x80
#define APIC_EOI		0xb0
#define APIC_SPURIOUS		0xf0
#define APIC_ICR_LOW		0x300
#define APIC_ICR_HIGH		0x310
#define APIC_LVT_TIMER		0x320
#define APIC_LVT_LINT0		0x350
#define APIC_LVT_LINT1		0x360
#define APIC_TIMER_INITIAL	0x380
#define APIC_TIMER_CURRENT	0x390
#define APIC_TIMER_DIVIDE	0x3e0

#define SPURIOUS_ENABLE		0x100
#define LVT_MASKED		0x10000
#define TIMER_DIVIDE_BY_1	0xb
#define ICR_PENDING		0x1000
#define ICR_NMI			0x4400
#define ICR_FIXED		0x4000	/* level asserted, physical number */
#define ICR_INIT		0x4500
#define ICR_STARTUP		0x4600	/* + page number of the entry */

static volatile uint32_t *apic;
static uint32_t timer_per_msec;

static uint32_t apic_read(unsigned reg)
{
	return apic[reg / 4];
}

static void apic_write(unsigned reg, uint32_t value)
{
	apic[reg / 4] = value;
}

uint32_t apic_id(void)
{
	return apic_read(APIC_ID) >> 24;
}

void apic_cpu_init(void)
{
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_MASKED);
	apic_write(APIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	apic_write(APIC_TIMER_INITIAL, 0);
	apic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
}

/* The two halves of a command must not be torn apart by an interrupt. */
static void apic_command(uint32_t id, uint32_t command)
{
	uintptr_t state = kmem_arch_irq_save();

	apic_write(APIC_ICR_HIGH, id << 24);
	apic_write(APIC_ICR_LOW, command);
	while (apic_read(APIC_ICR_LOW) & ICR_PENDING)
		kmem_arch_relax();
	kmem_arch_irq_restore(state);
}

static void send_nmi(unsigned cpu)
{
	apic_command(x86_cpus[cpu].apic_id, ICR_NMI);
}

static void calibrate_timer(void)
{
	uint32_t start = ~(uint32_t)0;

	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(APIC_TIMER_INITIAL, start);
	clock_pit_wait();
	timer_per_msec = (start - apic_read(APIC_TIMER_CURRENT)) /
			 (CLOCK_CALIBRATE_USEC / 1000);
	apic_write(APIC_TIMER_INITIAL, 0);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	if (!timer_per_msec)
		boot_fail("the local APIC's timer stands still");
}

void apic_init(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);
	uint64_t phys = base & APIC_BASE_ADDR;

	if (!(base & APIC_BASE_ENABLE) || (base & APIC_BASE_X2APIC))
		boot_fail("local APIC off, or in x2APIC mode: base %#llx",
			  (unsigned long long)base);
	apic = paging_map_device(phys);
	apic_cpu_init();
	calibrate_timer();
	machine.nmi = send_nmi;
}

/* Intel's sequence: INIT, 10 ms, start-up, 200 us, start-up. */
void apic_start(uint32_t id, uint64_t page)
{
	uint32_t startup = ICR_STARTUP | (uint32_t)(page >> 12);

	apic_command(id, ICR_INIT);
	clock_delay(10000);
	apic_command(id, startup);
	clock_delay(200);
	apic_command(id, startup);
}

void machine_ipi(unsigned cpu)
{
	apic_command(x86_cpus[cpu].apic_id, ICR_FIXED | VECTOR_IPI);
}

void machine_timer(unsigned usec)
{
	apic_write(APIC_TIMER_INITIAL, (uint32_t)divide(
		   (uint64_t)usec * timer_per_msec, 1000, NULL));
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}
