/* SPDX-License-Identifier: MIT */
/*
 * arch/x86_64/frame.h - the stack as vectors.S leaves it, lowest address first.
 */
#ifndef X86_FRAME_H
#define X86_FRAME_H

#include <stdint.h>

struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

#endif /* X86_FRAME_H */
