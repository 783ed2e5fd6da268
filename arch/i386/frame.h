/* SPDX-License-Identifier: MIT */
/*
 * arch/i386/frame.h - the stack as vectors.S leaves it, lowest address first.
 */
#ifndef X86_FRAME_H
#define X86_FRAME_H

#include <stdint.h>

struct trap_frame {
	uint32_t edi, esi, ebp, frame_esp, ebx, edx, ecx, eax;
	uint32_t vector, error;
	uint32_t eip, cs, eflags;
	uint32_t stack[];		/* of what was interrupted */
};

#endif /* X86_FRAME_H */
