# SPDX-License-Identifier: MIT
#
# arch/arm/arm.mk - what AArch64 and ARMv7-A have in common: QEMU's virt
# machine. Their arch.mk sets QEMU and the defaults of the user's variables,
# and may set, for a way to boot:
#
#	QEMU_MACHINE_<way>	more properties of the machine, each after a
#				comma
#	QEMU_KERNEL_<way>	the file that is loaded; default BOOT_IMAGE

BOOT_DIRS	:= arch/devicetree arch/arm arch/$(ARCH)
QEMU_PACKAGE	:= qemu-system-arm
QEMU_STATUS	:= 33

# reserve=off: the host need not have as much memory as the machine pretends
# to have.
QEMU_RUN = $(QEMU) -accel tcg \
	-machine virt,gic-version=2,memory-backend=ram$(QEMU_MACHINE_$(BOOT)) \
	-object memory-backend-ram,id=ram,size=$(QEMU_MEM),reserve=off \
	-m $(QEMU_MEM) -smp $(QEMU_CPUS) -cpu $(QEMU_CPU) \
	-nodefaults -display none -serial stdio -no-reboot \
	-semihosting-config enable=on,target=native \
	-kernel $(or $(QEMU_KERNEL_$(BOOT)),$(BOOT_IMAGE)) \
	-append "cpus=$(QEMU_CPUS) $(QEMU_ARGS)"
