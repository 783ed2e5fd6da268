# SPDX-License-Identifier: MIT
#
# arch/x86_64/boot.mk - the test kernel for x86_64, and `make qemu` to run it.
#
# Included by the top-level Makefile, which supplies Q, CC, CPPFLAGS, CFLAGS,
# BUILD, LIB and a rule for $(BUILD)/flags. The user may set:
#
#	QEMU		the emulator
#	QEMU_CPUS	how many CPUs; the kernel fails if it finds others
#	QEMU_MEM	above 4G there is memory in zone NORMAL
#	QEMU_CPU	qemu64, for instance: no 1 GiB pages
#	QEMU_ARGS	arguments of the kernel: tests/boot/main.c
#	QEMU_SECONDS	after which the run has failed

QEMU		?= qemu-system-x86_64
QEMU_CPUS	?= 4
QEMU_MEM	?= 6G
QEMU_CPU	?= max
QEMU_ARGS	?=
QEMU_SECONDS	?= 120

BOOT_KERNEL	:= $(BUILD)/kmem-boot.elf
BOOT_SRC	:= $(wildcard arch/x86_64/*.c arch/x86_64/*.S tests/boot/*.c)
BOOT_OBJ	:= $(patsubst %,$(BUILD)/boot/%.o,$(BOOT_SRC))
BOOT_LD		:= linker/x86_64.ld

$(BUILD)/boot/%.o: % $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BOOT_KERNEL): $(BOOT_OBJ) $(LIB) $(BOOT_LD)
	$(Q)$(CC) $(CFLAGS) -nostdlib -static -Wl,-T,$(BOOT_LD) \
		-Wl,--build-id=none -Wl,-z,noexecstack \
		$(BOOT_OBJ) $(LIB) -o $@
	@echo '$@'

-include $(BOOT_OBJ:.o=.d)

# Emulation only: the same everywhere, and no privilege needed. reserve=off:
# the host need not have as much memory as the machine pretends to have.
.PHONY: qemu
qemu: $(BOOT_KERNEL)
	@sh tests/boot/run.sh x86_64 qemu-system-x86 33 $(QEMU_SECONDS) \
		$(BUILD)/qemu.log \
		$(QEMU) -machine q35,memory-backend=ram -accel tcg \
		-object memory-backend-ram,id=ram,size=$(QEMU_MEM),reserve=off \
		-m $(QEMU_MEM) -smp $(QEMU_CPUS) -cpu $(QEMU_CPU) \
		-nodefaults -display none -serial stdio -no-reboot \
		-device isa-debug-exit,iobase=0xf4,iosize=4 \
		-kernel $(BOOT_KERNEL) \
		-append "cpus=$(QEMU_CPUS) $(QEMU_ARGS)"
