# SPDX-License-Identifier: MIT
#
# arch/x86_64/arch.mk - the flags of a kernel for x86_64, and how it boots.
#
# The user may set:
#
#	QEMU_CPUS	how many CPUs; the kernel fails if it finds others
#	QEMU_MEM	above 4G there is memory in zone NORMAL
#	QEMU_CPU	qemu64, for instance: no 1 GiB pages

CFLAGS_ARCH := -mno-red-zone -mgeneral-regs-only -mcmodel=kernel \
	$(CFLAGS_KERNEL)

BOOTS		:= pvh
QEMU_CPUS	?= 4
QEMU_MEM	?= 6G
QEMU_CPU	?= max

QEMU_PACKAGE	:= qemu-system-x86
QEMU_STATUS	:= 33

# reserve=off: the host need not have as much memory as the machine pretends
# to have.
QEMU_RUN = qemu-system-x86_64 -machine q35,memory-backend=ram -accel tcg \
	-object memory-backend-ram,id=ram,size=$(QEMU_MEM),reserve=off \
	-m $(QEMU_MEM) -smp $(QEMU_CPUS) -cpu $(QEMU_CPU) \
	-nodefaults -display none -serial stdio -no-reboot \
	-device isa-debug-exit,iobase=0xf4,iosize=4 \
	-kernel $(BOOT_KERNEL) -append "cpus=$(QEMU_CPUS) $(QEMU_ARGS)"
