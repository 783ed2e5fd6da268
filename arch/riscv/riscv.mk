# SPDX-License-Identifier: MIT
#
# arch/riscv/riscv.mk - what the arch.mk of riscv32 and riscv64 share.
#
# They have said XLEN, 64 or 32; CLANG_TARGET and BOOTS; and for a way to boot
# with memory of another kind than one node, QEMU_MEMORY_<way>.
#
# The user may set:
#
#	QEMU_CPUS	how many harts; the kernel fails if it finds others
#	QEMU_MEM	how much memory

CROSS		:= riscv64-linux-gnu-

# gcc wants the instructions for control registers named; clang 14 has them
# always, and does not know the name.
RISCV_CSR	= $(if $(CLANG),,_zicsr)

# Debian's gcc has a C library for another ABI only, and its <limits.h> would
# go on to that: not if it believes to have come from there.
RISCV_LIMITS	= $(if $(CLANG),,-D_LIBC_LIMITS_H_)

CFLAGS_ARCH	= -march=rv$(XLEN)imac$(RISCV_CSR) -mcmodel=medany \
	$(RISCV_LIMITS) $(CFLAGS_KERNEL)

# clang looks for a linker by the target's name; one does for both widths.
LDFLAGS_ARCH	= $(if $(CLANG),--ld-path=$(shell command -v $(CROSS)ld))

# The library for a kernel in machine mode is another one.
CFLAGS_BOOT_mmode := -DKMEM_RISCV_M_MODE=1

# How the kernel gets to where it is: with SBI firmware, or alone.
BOOT_BELOW	= $(if $(filter mmode,$(BOOT)),mmode,sbi)
BOOT_DIRS	= arch/devicetree arch/riscv arch/riscv/$(BOOT_BELOW)
BOOT_LD		:= linker/riscv.ld
BOOT_LDFLAGS	= -Wl,--defsym=LOAD_BASE=$(LOAD_BASE_$(BOOT_BELOW)) \
	-Wl,--defsym=DIRECT_BASE=$(DIRECT_BASE_$(BOOT_BELOW))

# Machine mode begins where the memory does; firmware takes the first 2 MiB.
LOAD_BASE_mmode	:= 0x80000000
DIRECT_BASE_mmode := 0
LOAD_BASE_sbi	:= 0x80200000
DIRECT_BASE_sbi	:= 0xffffffc000000000

QEMU_PACKAGE	:= qemu-system-misc
QEMU_STATUS	:= 0

# reserve=off: the host need not have as much memory as the machine pretends
# to have.
QEMU_MEMORY = -machine virt,memory-backend=ram -m $(QEMU_MEM) \
	-object memory-backend-ram,id=ram,size=$(QEMU_MEM),reserve=off

QEMU_RUN = qemu-system-riscv$(XLEN) -accel tcg \
	$(or $(QEMU_MEMORY_$(BOOT)),$(QEMU_MEMORY)) -smp $(QEMU_CPUS) \
	-bios $(if $(filter mmode,$(BOOT)),none,default) \
	-nodefaults -display none -serial stdio -no-reboot \
	-kernel $(BOOT_KERNEL) -append "cpus=$(QEMU_CPUS) $(QEMU_ARGS)"
