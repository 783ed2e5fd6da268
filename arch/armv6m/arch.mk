# SPDX-License-Identifier: MIT
#
# arch/armv6m/arch.mk - the flags of a program for a Cortex-M0, and how it
# boots: on the BBC micro:bit, which has 16 KiB of RAM.

CROSS		:= arm-none-eabi-
CLANG_TARGET	:= thumbv6m-none-eabi

# With -meabi gnu, clang calls memcpy() by that name, as gcc does.
CFLAGS_ARCH := -mcpu=cortex-m0 -mthumb -fno-jump-tables \
	$(if $(findstring clang,$(CC)),-meabi gnu) $(CFLAGS_KERNEL) \
	-include kmem/config_small.h
CFLAGS		?= -Os $(INFO)

BOOTS		:= microbit
BOOT_DIRS	:= arch/cortex_m
BOOT_LDFLAGS	:= -Wl,--gc-sections
QEMU_PACKAGE	:= qemu-system-arm
QEMU_STATUS	:= 33

QEMU_RUN = qemu-system-arm -machine microbit -accel tcg \
	-nodefaults -display none -no-reboot \
	-semihosting-config enable=on,target=native \
	-kernel $(BOOT_KERNEL) -append "$(QEMU_ARGS)"
