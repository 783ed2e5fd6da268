# SPDX-License-Identifier: MIT
#
# arch/x86/qemu.mk - how x86_64 and i386 boot, in QEMU's q35 machine.
#
# The user may set:
#
#	QEMU_CPUS	how many CPUs; the kernel fails if it finds others
#	QEMU_MEM	how much memory; about 2 GiB of it are below 4 GiB
#	QEMU_CPU	qemu64, for instance: no 1 GiB pages; i386 needs 4 MiB
#			pages and a local APIC: pentium3 and later

BOOTS		:= pvh multiboot
BOOT_DIRS	:= arch/x86 arch/$(ARCH)

# One kernel (arch/x86/header.S): QEMU takes it for Multiboot where it can.
BOOT_OBJCOPY	:= --remove-section=.multiboot
QEMU_KERNEL_pvh	= $(BOOT_IMAGE)
QEMU_KERNEL_multiboot = $(BOOT_KERNEL)

QEMU_PACKAGE	:= qemu-system-x86
QEMU_STATUS	:= 33

# reserve=off: the host need not have as much memory as the machine pretends
# to have.
QEMU_RUN = qemu-system-$(ARCH) -machine q35,memory-backend=ram -accel tcg \
	-object memory-backend-ram,id=ram,size=$(QEMU_MEM),reserve=off \
	-m $(QEMU_MEM) -smp $(QEMU_CPUS) -cpu $(QEMU_CPU) \
	-nodefaults -display none -serial stdio -no-reboot \
	-device isa-debug-exit,iobase=0xf4,iosize=4 \
	-kernel $(QEMU_KERNEL_$(BOOT)) -append "cpus=$(QEMU_CPUS) $(QEMU_ARGS)"
