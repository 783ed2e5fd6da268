/* SPDX-License-Identifier: MIT */
/*
 * arch/x86/x86.h - instructions that C has no words for.
 */
#ifndef X86_X86_H
#define X86_X86_H

#include <kmem/compiler.h>

#include <layout.h>

KMEM_INLINE void outb(uint16_t port, uint8_t value)
{
	__asm__ __volatile__("outb %0, %1" : : "a" (value), "Nd" (port));
}

KMEM_INLINE void outl(uint16_t port, uint32_t value)
{
	__asm__ __volatile__("outl %0, %1" : : "a" (value), "Nd" (port));
}

KMEM_INLINE uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ __volatile__("inb %1, %0" : "=a" (value) : "Nd" (port));
	return value;
}

KMEM_INLINE uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ __volatile__("rdmsr" : "=a" (low), "=d" (high) : "c" (msr));
	return (uint64_t)high << 32 | low;
}

KMEM_INLINE void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ __volatile__("wrmsr"
			     : : "c" (msr), "a" ((uint32_t)value),
				 "d" ((uint32_t)(value >> 32)) : "memory");
}

KMEM_INLINE uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ __volatile__("rdtsc" : "=a" (low), "=d" (high));
	return (uint64_t)high << 32 | low;
}

KMEM_INLINE uintptr_t read_cr2(void)
{
	uintptr_t value;

	__asm__ __volatile__("mov %%cr2, %0" : "=r" (value));
	return value;
}

KMEM_INLINE void cpuid(uint32_t leaf, uint32_t reg[4])
{
	__asm__ __volatile__("cpuid"
			     : "=a" (reg[0]), "=b" (reg[1]), "=c" (reg[2]),
			       "=d" (reg[3])
			     : "a" (leaf), "c" (0));
}

/* An address of the image, and one of the direct map. */
KMEM_INLINE uint64_t image_phys(const void *p)
{
	return (uintptr_t)p - KERNEL_BASE;
}

KMEM_INLINE void *direct(uint64_t phys)
{
	return (void *)(DIRECT_BASE + (uintptr_t)phys);
}

#endif /* X86_X86_H */
