# SPDX-License-Identifier: MIT
#
# arch/riscv32/arch.mk - the flags of a kernel for riscv32, and how it boots:
# in machine mode, as Debian has no OpenSBI for it. So this is the mode that
# `make ARCH=riscv32` builds the library for; for one in supervisor mode, say
# BOOT= in addition.

XLEN		:= 32
CLANG_TARGET	:= riscv32-linux-gnu
BOOTS		:= mmode
QEMU_CPUS	?= 2
QEMU_MEM	?= 512M

include arch/riscv/riscv.mk
CFLAGS_ARCH	+= -mabi=ilp32
