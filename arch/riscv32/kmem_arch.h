/* SPDX-License-Identifier: MIT */
/*
 * arch/riscv32/kmem_arch.h - a RISC-V hart of 32 bits: what is true of those
 * of 64 bits, in the same words. To make your own, copy that file.
 */
#include "../riscv64/kmem_arch.h"
