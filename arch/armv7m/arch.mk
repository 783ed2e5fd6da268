# SPDX-License-Identifier: MIT
#
# arch/armv7m/arch.mk - the flags of a program for a Cortex-M3, and how it
# boots: on the MPS2 board with image AN385, which has 20 MiB of RAM.

CROSS		:= arm-none-eabi-
CLANG_TARGET	:= thumbv7m-none-eabi

# With -meabi gnu, clang calls memcpy() by that name, as gcc does.
CFLAGS_ARCH := -mcpu=cortex-m3 -mthumb -mno-unaligned-access \
	$(if $(findstring clang,$(CC)),-meabi gnu) $(CFLAGS_KERNEL) \
	-DKMEM_MAX_CPUS=1 -DKMEM_MAX_NODES=1 -DKMEM_PAGE_SHIFT=10 \
	-DKMEM_MAX_REGIONS=16 -DKMEM_CACHE_LINE=32

BOOTS		:= mps2-an385
BOOT_DIRS	:= arch/cortex_m
QEMU_PACKAGE	:= qemu-system-arm
QEMU_STATUS	:= 33

QEMU_RUN = qemu-system-arm -machine mps2-an385 -accel tcg \
	-nodefaults -display none -no-reboot \
	-semihosting-config enable=on,target=native \
	-kernel $(BOOT_KERNEL) -append "$(QEMU_ARGS)"
