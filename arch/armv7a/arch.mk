# SPDX-License-Identifier: MIT
#
# arch/armv7a/arch.mk - the flags of a kernel for ARMv7-A, and how it boots.
#
# The ways: `image`, and `hyp`, which enters in the hypervisor's mode.
#
# The user may set:
#
#	QEMU_CPUS	how many CPUs, up to 8 (the GICv2's limit); the kernel
#			fails if it finds others
#	QEMU_MEM	up to 3G; the direct map reaches 1.75 GiB of it
#	QEMU_CPU	cortex-a7, for instance

CROSS		:= arm-none-eabi-
CLANG_TARGET	:= armv7a-none-eabi
CFLAGS_ARCH	:= -mcpu=cortex-a15 -marm -mfloat-abi=soft \
	-mno-unaligned-access $(if $(findstring clang,$(CC)),-meabi gnu) \
	$(CFLAGS_KERNEL)

BOOTS		:= image hyp
QEMU		:= qemu-system-arm
QEMU_CPUS	?= 2
QEMU_MEM	?= 1G
QEMU_CPU	?= cortex-a15

QEMU_MACHINE_hyp := ,virtualization=on

include arch/arm/arm.mk
