# SPDX-License-Identifier: MIT
#
# arch/x86_64/arch.mk - the flags of a kernel for x86_64, and how it boots.

CFLAGS_ARCH := -mno-red-zone -mgeneral-regs-only -mcmodel=kernel \
	$(CFLAGS_KERNEL)

QEMU_CPUS	?= 4
# With memory in zone NORMAL.
QEMU_MEM	?= 6G
QEMU_CPU	?= max
include arch/x86/qemu.mk
