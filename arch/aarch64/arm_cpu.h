/* SPDX-License-Identifier: MIT */
/*
 * arch/aarch64/arm_cpu.h - instructions that C has no words for.
 *
 * arch/armv7a has a header of this name with the same functions, so that
 * arch/arm is written once for both.
 */
#ifndef AARCH64_ARM_CPU_H
#define AARCH64_ARM_CPU_H

#include <kmem/compiler.h>

#include "layout.h"

#define ARM_NAME		"aarch64"
#define ARM_VIRT_OFFSET		DIRECT_BASE

/* An address of the direct map, and back. */
KMEM_INLINE void *direct(uint64_t phys)
{
	return (void *)(uintptr_t)(DIRECT_BASE + phys);
}

KMEM_INLINE uint64_t direct_phys(const void *p)
{
	return (uint64_t)(uintptr_t)p - DIRECT_BASE;
}

/* What kmem_arch.h finds the CPU's number in. */
KMEM_INLINE void cpu_set_self(void *self)
{
	__asm__ __volatile__("msr tpidr_el1, %0" : : "r" (self) : "memory");
}

/* What the firmware and the devicetree call this CPU. */
KMEM_INLINE uint64_t cpu_affinity(void)
{
	uint64_t mpidr;

	__asm__ __volatile__("mrs %0, mpidr_el1" : "=r" (mpidr));
	return mpidr & 0xff00ffffff;
}

/* What was written is seen by whoever a following write to a device, or a
 * call of the firmware, sets going. */
KMEM_INLINE void cpu_publish(void)
{
	__asm__ __volatile__("dsb sy" : : : "memory");
}

/* After new entries in the page tables, where there was none. */
KMEM_INLINE void cpu_use_new_mappings(void)
{
	__asm__ __volatile__("dsb ishst\n\tisb" : : : "memory");
}

/* ---- interrupts ---- */

KMEM_INLINE void cpu_irq_enable(void)
{
	__asm__ __volatile__("msr daifclr, #2" : : : "memory");
}

/* An interrupt ends the wait although it is masked. */
KMEM_INLINE void cpu_wait_for_interrupt(void)
{
	__asm__ __volatile__("dsb sy\n\twfi" : : : "memory");
}

/* ---- the generic timer: the virtual one of each CPU ---- */

KMEM_INLINE uint64_t timer_count(void)
{
	uint64_t count;

	__asm__ __volatile__("isb\n\tmrs %0, cntvct_el0"
			     : "=r" (count) : : "memory");
	return count;
}

KMEM_INLINE uint32_t timer_hz(void)
{
	uint64_t hz;

	__asm__ __volatile__("mrs %0, cntfrq_el0" : "=r" (hz));
	return (uint32_t)hz;
}

KMEM_INLINE void timer_set_distance(uint32_t counts)
{
	__asm__ __volatile__("msr cntv_tval_el0, %0"
			     : : "r" ((uint64_t)counts) : "memory");
}

/* Bit 0: on; bit 1: without interrupt. */
KMEM_INLINE void timer_control(uint32_t control)
{
	__asm__ __volatile__("msr cntv_ctl_el0, %0\n\tisb"
			     : : "r" ((uint64_t)control) : "memory");
}

/* ---- calls to what is beneath the kernel ---- */

/* PSCI, by the SMC calling convention: x0 - x3 in, x0 out, up to x17 lost. */
KMEM_INLINE int64_t firmware_call(bool smc, uint64_t function, uint64_t a,
				  uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	if (smc)
		__asm__ __volatile__("smc #0" : "+r" (x0), "+r" (x1),
				     "+r" (x2), "+r" (x3) : :
				     "x4", "x5", "x6", "x7", "x8", "x9", "x10",
				     "x11", "x12", "x13", "x14", "x15", "x16",
				     "x17", "memory");
	else
		__asm__ __volatile__("hvc #0" : "+r" (x0), "+r" (x1),
				     "+r" (x2), "+r" (x3) : :
				     "x4", "x5", "x6", "x7", "x8", "x9", "x10",
				     "x11", "x12", "x13", "x14", "x15", "x16",
				     "x17", "memory");
	return (int64_t)x0;
}

KMEM_INLINE uintptr_t semihosting_call(uintptr_t operation, const void *block)
{
	register uintptr_t x0 __asm__("x0") = operation;
	register const void *x1 __asm__("x1") = block;

	__asm__ __volatile__("hlt #0xf000" : "+r" (x0) : "r" (x1) : "memory");
	return x0;
}

#endif /* AARCH64_ARM_CPU_H */
