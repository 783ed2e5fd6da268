# SPDX-License-Identifier: MIT
#
# arch/host/arch.mk - threads stand for CPUs.
#
# HOST_TARGET=s390x builds programs for another Linux and runs them in QEMU's
# user-mode emulation, or as they are where the machine can: the same tests, with
# another byte order, word size or instruction set. Static, so that only compiler
# and emulator are needed.

CFLAGS_ARCH := -fPIE

# name:prefix of the tools:emulator
HOST_TARGETS := \
	i686:i686-linux-gnu:i386 \
	armhf:arm-linux-gnueabihf:arm \
	aarch64:aarch64-linux-gnu:aarch64 \
	riscv64:riscv64-linux-gnu:riscv64 \
	powerpc:powerpc-linux-gnu:ppc \
	s390x:s390x-linux-gnu:s390x

ifneq ($(HOST_TARGET),)
HOST_TUPLE := $(subst :, ,$(filter $(HOST_TARGET):%,$(HOST_TARGETS)))
ifeq ($(HOST_TUPLE),)
$(error HOST_TARGET is one of: $(foreach t,$(HOST_TARGETS),$(firstword \
	$(subst :, ,$(t)))))
endif
CLANG_TARGET := $(word 2,$(HOST_TUPLE))
CROSS	:= $(CLANG_TARGET)-
EMULATOR := qemu-$(word 3,$(HOST_TUPLE))-static
# Most machines of 64 bits run programs of 32: what then starts needs no emulator.
NATIVE_i686 := /usr/i686-linux-gnu/lib/ld-linux.so.2
ifneq ($(shell $(NATIVE_$(HOST_TARGET)) --version 2>/dev/null),)
EMULATOR :=
endif
LDFLAGS	+= -static
# as kernels are: what ends in a call to another function jumps there
CFLAGS_ARCH := -fno-pie
endif
