/* SPDX-License-Identifier: MIT */
/*
 * arch/x86/serial.c - the console, and the way out.
 *
 * COM1, a 16550, polled: no interrupt, so that it works in every context.
 * QEMU's isa-debug-exit device ends the emulator with status 2 * value + 1.
 */
#include "x86_boot.h"

#define COM1		0x3f8
#define UART_DATA	(COM1 + 0)
#define UART_IER	(COM1 + 1)
#define UART_FCR	(COM1 + 2)
#define UART_LCR	(COM1 + 3)
#define UART_MCR	(COM1 + 4)
#define UART_LSR	(COM1 + 5)
#define LCR_8N1		0x03
#define LCR_DLAB	0x80	/* DATA and IER are the divisor */
#define LSR_THR_EMPTY	0x20

#define DEBUG_EXIT	0xf4
#define EXIT_SUCCESS	0x10	/* status 33 */
#define EXIT_FAILURE	0x11	/* status 35 */

void serial_init(void)
{
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_DLAB);
	outb(UART_DATA, 1);		/* 115200 baud */
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_8N1);
	outb(UART_FCR, 0x07);		/* FIFOs on and empty */
	outb(UART_MCR, 0x03);		/* DTR, RTS */
}

static void serial_putc(char c)
{
	while (!(inb(UART_LSR) & LSR_THR_EMPTY))
		kmem_arch_relax();
	outb(UART_DATA, (uint8_t)c);
}

void machine_write(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		serial_putc(text[i]);
}

_Noreturn void machine_exit(bool success)
{
	outl(DEBUG_EXIT, success ? EXIT_SUCCESS : EXIT_FAILURE);
	for (;;)			/* no such device: stop here */
		__asm__ __volatile__("cli; hlt");
}
