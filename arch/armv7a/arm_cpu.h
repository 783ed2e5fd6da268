/* SPDX-License-Identifier: MIT */
/*
 * arch/armv7a/arm_cpu.h - instructions that C has no words for.
 *
 * arch/aarch64 has a header of this name with the same functions, so that
 * arch/arm is written once for both.
 */
#ifndef ARMV7A_ARM_CPU_H
#define ARMV7A_ARM_CPU_H

#include <kmem/compiler.h>

#include "layout.h"

#define ARM_NAME		"armv7a"
#define ARM_VIRT_OFFSET		VIRT_OFFSET

/* An address of the direct map, and back. */
KMEM_INLINE void *direct(uint64_t phys)
{
	return (void *)((uintptr_t)phys + VIRT_OFFSET);
}

KMEM_INLINE uint64_t direct_phys(const void *p)
{
	return (uintptr_t)p - VIRT_OFFSET;
}

/* What kmem_arch.h finds the CPU's number in: TPIDRPRW. */
KMEM_INLINE void cpu_set_self(void *self)
{
	__asm__ __volatile__("mcr p15, 0, %0, c13, c0, 4"
			     : : "r" (self) : "memory");
}

/* What the firmware and the devicetree call this CPU: of MPIDR. */
KMEM_INLINE uint64_t cpu_affinity(void)
{
	uint32_t mpidr;

	__asm__ __volatile__("mrc p15, 0, %0, c0, c0, 5" : "=r" (mpidr));
	return mpidr & 0xffffff;
}

/* What was written is seen by whoever a following write to a device, or a
 * call of the firmware, sets going. */
KMEM_INLINE void cpu_publish(void)
{
	__asm__ __volatile__("dsb" : : : "memory");
}

/* After new entries in the page tables, where there was none. */
KMEM_INLINE void cpu_use_new_mappings(void)
{
	__asm__ __volatile__("dsb ishst\n\tisb" : : : "memory");
}

/* ---- interrupts ---- */

KMEM_INLINE void cpu_irq_enable(void)
{
	__asm__ __volatile__("cpsie i" : : : "memory");
}

/* An interrupt ends the wait although it is masked. */
KMEM_INLINE void cpu_wait_for_interrupt(void)
{
	__asm__ __volatile__("dsb\n\twfi" : : : "memory");
}

/* ---- the generic timer: the virtual one of each CPU ---- */

/* CNTVCT */
KMEM_INLINE uint64_t timer_count(void)
{
	uint32_t low, high;

	__asm__ __volatile__("isb\n\tmrrc p15, 1, %0, %1, c14"
			     : "=r" (low), "=r" (high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* CNTFRQ */
KMEM_INLINE uint32_t timer_hz(void)
{
	uint32_t hz;

	__asm__ __volatile__("mrc p15, 0, %0, c14, c0, 0" : "=r" (hz));
	return hz;
}

/* CNTV_TVAL */
KMEM_INLINE void timer_set_distance(uint32_t counts)
{
	__asm__ __volatile__("mcr p15, 0, %0, c14, c3, 0"
			     : : "r" (counts) : "memory");
}

/* CNTV_CTL. Bit 0: on; bit 1: without interrupt. */
KMEM_INLINE void timer_control(uint32_t control)
{
	__asm__ __volatile__("mcr p15, 0, %0, c14, c3, 1\n\tisb"
			     : : "r" (control) : "memory");
}

/* ---- calls to what is beneath the kernel ---- */

/* PSCI, by the SMC calling convention: r0 - r3 in, r0 out. */
KMEM_INLINE int64_t firmware_call(bool smc, uintptr_t function, uintptr_t a,
				  uintptr_t b, uintptr_t c)
{
	register uintptr_t r0 __asm__("r0") = function;
	register uintptr_t r1 __asm__("r1") = a;
	register uintptr_t r2 __asm__("r2") = b;
	register uintptr_t r3 __asm__("r3") = c;

	if (smc)
		__asm__ __volatile__(".arch_extension sec\n\tsmc #0"
				     : "+r" (r0), "+r" (r1), "+r" (r2),
				       "+r" (r3) : : "memory");
	else
		__asm__ __volatile__(".arch_extension virt\n\thvc #0"
				     : "+r" (r0), "+r" (r1), "+r" (r2),
				       "+r" (r3) : : "memory");
	return (int32_t)r0;
}

/* In SVC mode, where the call itself overwrites lr. */
KMEM_INLINE uintptr_t semihosting_call(uintptr_t operation, const void *block)
{
	register uintptr_t r0 __asm__("r0") = operation;
	register const void *r1 __asm__("r1") = block;

	__asm__ __volatile__("svc #0x123456"
			     : "+r" (r0) : "r" (r1) : "lr", "memory");
	return r0;
}

#endif /* ARMV7A_ARM_CPU_H */
