/* SPDX-License-Identifier: MIT */
/*
 * arch/arm/pl011.c - the console: a PL011, polled, as the loader left it.
 *
 * What is said before the devicetree told where it is goes to the emulator's
 * own output, by semihosting.
 */
#include "arm_boot.h"

#define UART_DATA	(0x00 / 4)
#define UART_FLAGS	(0x18 / 4)
#define UART_CONTROL	(0x30 / 4)
#define FLAGS_TX_FULL	0x20
#define CONTROL_ON	0x101		/* transmitter, UART */

static volatile uint32_t *uart;

void pl011_init(void)
{
	struct kmem_fdt_node node;
	volatile uint32_t *reg;
	uint64_t phys;

	if (!devicetree_device("arm,pl011", &node, &phys))
		boot_fail("devicetree: no PL011");
	reg = paging_map_device(phys);
	reg[UART_CONTROL] |= CONTROL_ON;
	uart = reg;
}

static void pl011_putc(char c)
{
	while (uart[UART_FLAGS] & FLAGS_TX_FULL)
		kmem_arch_relax();
	uart[UART_DATA] = (unsigned char)c;
}

void machine_write(const char *text, size_t len)
{
	if (!uart) {
		semihosting_write(text, len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		pl011_putc(text[i]);
}
