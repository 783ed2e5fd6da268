# SPDX-License-Identifier: MIT
#
# arch/host/arch.mk - threads stand for CPUs.
#
# HOST_TARGET=s390x builds programs for another Linux and runs them in QEMU's
# user-mode emulation: the same tests, with another byte order, word size or
# instruction set. Static, so that only compiler and emulator are needed.

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
LDFLAGS	+= -static
# as kernels are: what ends in a call to another function jumps there
CFLAGS_ARCH := -fno-pie
endif
