# SPDX-License-Identifier: MIT
#
# arch/i386/arch.mk - the flags of a kernel for 32-bit x86, and how it boots.

CROSS		:= i686-linux-gnu-
CLANG_TARGET	:= i686-linux-gnu
CFLAGS_ARCH	:= -march=i686 -mgeneral-regs-only $(CFLAGS_KERNEL)

QEMU_CPUS	?= 2
# With memory above the direct map, and above 4 GiB.
QEMU_MEM	?= 6G
QEMU_CPU	?= max
include arch/x86/qemu.mk
