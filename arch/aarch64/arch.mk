# SPDX-License-Identifier: MIT
#
# arch/aarch64/arch.mk - the flags of a kernel for AArch64, and how it boots.
#
# The ways: `image` and `elf` are the two kinds of file that QEMU's -kernel
# takes (entry.S), `el2` enters at the hypervisor's level.
#
# The user may set:
#
#	QEMU_CPUS	how many CPUs, up to 8 (the GICv2's limit); the kernel
#			fails if it finds others
#	QEMU_MEM	above 3G there is memory in zone NORMAL: memory begins
#			at 1 GiB
#	QEMU_CPU	max, for instance: every extension QEMU knows

CROSS		:= aarch64-linux-gnu-
CLANG_TARGET	:= aarch64-none-elf
CFLAGS_ARCH	:= -mgeneral-regs-only -mstrict-align -mno-outline-atomics \
	$(CFLAGS_KERNEL)

BOOTS		:= image elf el2
QEMU		:= qemu-system-aarch64
QEMU_CPUS	?= 4
QEMU_MEM	?= 5G
QEMU_CPU	?= cortex-a72

QEMU_KERNEL_elf	= $(BOOT_KERNEL)
QEMU_MACHINE_el2 := ,virtualization=on

include arch/arm/arm.mk
