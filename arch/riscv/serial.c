/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv/serial.c - the console, and the way out.
 *
 * The console is a 16550, polled: no interrupt, so that it works in every
 * context. Its rate and format stay as whoever ran before has set them. The
 * test device of SiFive's ends the emulator with a status.
 *
 * Until the devicetree is read, both are where QEMU's machine virt has them, so
 * that a bad devicetree can be reported.
 */
#include "riscv_boot.h"

#define UART_PHYS	0x10000000
#define UART_DATA	0		/* registers; reg-shift spreads them */
#define UART_LSR	5
#define LSR_THR_EMPTY	0x20

#define TEST_PHYS	0x100000
#define TEST_PASS	0x5555		/* status 0 */
#define TEST_FAIL	0x3333		/* status in the upper half */
#define FAIL_STATUS	1

static uintptr_t uart = UART_PHYS + (uintptr_t)DIRECT_BASE;
static uintptr_t test = TEST_PHYS + (uintptr_t)DIRECT_BASE;
static unsigned uart_shift;

void serial_init(void)
{
	struct kmem_fdt_node node;
	uint64_t phys;

	if (!devicetree_device("sifive,test0", &node, &phys))
		boot_fail("devicetree: no device sifive,test0");
	test = (uintptr_t)direct(phys);
	if (!devicetree_device("ns16550a", &node, &phys))
		boot_fail("devicetree: no device ns16550a");
	uart = (uintptr_t)direct(phys);
	uart_shift = kmem_fdt_u32(&devicetree, &node, "reg-shift", 0);
}

static volatile uint8_t *uart_reg(unsigned reg)
{
	return (volatile uint8_t *)(uart + ((uintptr_t)reg << uart_shift));
}

void machine_write(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		while (!(*uart_reg(UART_LSR) & LSR_THR_EMPTY))
			kmem_arch_relax();
		*uart_reg(UART_DATA) = (uint8_t)text[i];
	}
}

_Noreturn void machine_exit(bool success)
{
	*(volatile uint32_t *)test = success ? TEST_PASS :
					TEST_FAIL | FAIL_STATUS << 16;
	for (;;)			/* no such device: stop here */
		__asm__ __volatile__("wfi");
}
