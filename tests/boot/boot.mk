# SPDX-License-Identifier: MIT
#
# tests/boot/boot.mk - the test kernel for any architecture, and `make qemu`.
#
# make qemu ARCH=x86_64		each way in which it boots
# make qemu ARCH=x86_64 BOOT=pvh	one of them
# make qemu			every architecture, and a table at the end
#
# Included by the top-level Makefile. arch/$(ARCH)/arch.mk has said:
#
#	BOOTS		the ways to boot, the usual one first
#	BOOT_DIRS	folders of start-up code; default arch/$(ARCH)
#	BOOT_LD		the linker's script; default linker/$(ARCH).ld
#	BOOT_LDFLAGS	more flags for linking
#	QEMU_RUN	the emulator's command line; it may use BOOT,
#			BOOT_KERNEL (the ELF file), BOOT_IMAGE (made of it by
#			objcopy), QEMU_CPUS and QEMU_ARGS
#	BOOT_OBJCOPY	how BOOT_IMAGE is made; default: a flat image
#	QEMU_PACKAGE	Debian's package of the emulator
#	QEMU_STATUS	the emulator's exit status on success
#
# and the user may set:
#
#	QEMU_ARGS	arguments of the kernel: tests/boot/main.c
#	QEMU_SECONDS	after which the run has failed

QEMU_ARGS	?=
QEMU_SECONDS	?= 240

BOOT_DIRS	?= arch/$(ARCH)
BOOT_LD		?= linker/$(ARCH).ld
BOOT_KERNEL	:= $(BUILD)/kmem-boot.elf
BOOT_IMAGE	:= $(BUILD)/kmem-boot.bin
BOOT_OBJCOPY	?= -O binary
BOOT_SRC	:= $(foreach d,$(BOOT_DIRS),$(wildcard $(d)/*.c $(d)/*.S)) \
	$(wildcard tests/boot/*.c)
BOOT_OBJ	:= $(patsubst %,$(BUILD)/boot/%.o,$(BOOT_SRC))

$(BUILD)/boot/%.o: % $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BOOT_KERNEL): $(BOOT_OBJ) $(LIB) $(BOOT_LD)
	$(Q)$(CC) $(CFLAGS) -nostdlib -static -Wl,-T,$(BOOT_LD) \
		-Wl,--build-id=none -Wl,-z,noexecstack \
		$(LDFLAGS_ARCH) $(BOOT_LDFLAGS) \
		$(BOOT_OBJ) $(LIB) -o $@
	@echo '$@'

$(BOOT_IMAGE): $(BOOT_KERNEL)
	$(Q)$(OBJCOPY) $(BOOT_OBJCOPY) $< $@

-include $(BOOT_OBJ:.o=.d)

# Emulation only: the same everywhere, and no privilege needed.
.PHONY: qemu qemu-one kernel
kernel: $(BOOT_KERNEL)
qemu-one: $(BOOT_KERNEL) $(BOOT_IMAGE)
	@sh tests/boot/run.sh $(ARCH)-$(BOOT) $(QEMU_PACKAGE) $(QEMU_STATUS) \
		$(QEMU_SECONDS) $(BUILD)/qemu-$(BOOT).log $(QEMU_RUN)

ifeq ($(ARCH_ASKED),)
qemu:
	@CC='$(CC_ASKED)' sh tests/boot/all.sh $(filter-out host,$(ARCHES))
else ifeq ($(origin BOOT),command line)
qemu: qemu-one
else
qemu:
	@CC='$(CC_ASKED)' sh tests/boot/all.sh $(ARCH)
endif

# For all.sh: the ways to boot, one a line.
.PHONY: boots
boots:
	@printf '%s\n' $(BOOTS)
