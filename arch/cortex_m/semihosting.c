/* SPDX-License-Identifier: MIT */
/*
 * arch/cortex_m/semihosting.c - console, clock and exit, by asking whoever
 * emulates or debugs this CPU.
 *
 * A breakpoint with a number of its own stops the CPU; r0 says what is wanted,
 * r1 is an argument or the address of several; r0 is the answer.
 *
 * Facts: ARM, "Semihosting for AArch32 and AArch64".
 */
#include "cortex_m.h"

#define SYS_OPEN		0x01
#define SYS_WRITE		0x05
#define SYS_GET_CMDLINE		0x15
#define SYS_EXIT_EXTENDED	0x20
#define SYS_ELAPSED		0x30

#define OPEN_WRITE		4	/* of the file ":tt": the console */
#define ADP_APPLICATION_EXIT	0x20026

#define EXIT_SUCCESS	33		/* statuses that no accident has */
#define EXIT_FAILURE	35

#define NSEC_PER_USEC	1000

static uintptr_t semihosting(uintptr_t operation, const void *block)
{
	register uintptr_t r0 __asm__("r0") = operation;
	register const void *r1 __asm__("r1") = block;

	__asm__ __volatile__("bkpt #0xab" : "+r" (r0) : "r" (r1) : "memory");
	return r0;
}

static uintptr_t console(void)
{
	static const char name[] = ":tt";
	static uintptr_t handle;

	if (!handle)
		handle = semihosting(SYS_OPEN, (uintptr_t[]){
			(uintptr_t)name, OPEN_WRITE, sizeof(name) - 1 });
	return handle;
}

void machine_write(const char *text, size_t len)
{
	semihosting(SYS_WRITE, (uintptr_t[]){
		console(), (uintptr_t)text, len });
}

_Noreturn void machine_exit(bool success)
{
	semihosting(SYS_EXIT_EXTENDED, (uintptr_t[]){
		ADP_APPLICATION_EXIT, success ? EXIT_SUCCESS : EXIT_FAILURE });
	for (;;)			/* nobody listens: stop here */
		kmem_arch_relax();
}

/* Of the emulator's own clock, which counts nanoseconds. */
uint64_t machine_usec(void)
{
	uint32_t elapsed[2];

	semihosting(SYS_ELAPSED, elapsed);
	return divide((uint64_t)elapsed[1] << 32 | elapsed[0], NSEC_PER_USEC,
		      NULL);
}

const char *semihosting_arguments(void)
{
	static char line[128];
	const char *s = line;

	if (semihosting(SYS_GET_CMDLINE, (uintptr_t[]){
			(uintptr_t)line, sizeof(line) }))
		return "";
	while (*s && *s != ' ')
		s++;
	while (*s == ' ')
		s++;
	return s;
}
