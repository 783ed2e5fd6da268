# SPDX-License-Identifier: MIT
#
# make                  build/x86_64/libkmem.a, for a kernel
# make ARCH=host        build/host/libkmem.a, for programs and tests
# make demo             a real memory map and a real trace, on threads as CPUs
# make test             everything that can be tested, set-up included
# make soak             for long what that does shortly; PARTS=model, fuzz, …
# make check            the host tests alone, built once (no set-up)
# make fuzz             what no test thought of; SECONDS=n for each program
# make attacks          what is found of each kind of misuse, measured; RUNS=n
# make coverage         which lines and branches the tests reach; MCDC=1
# make mutants          do the tests notice when src/ is changed? COUNT=n
# make bench            kmem beside the allocators that this machine has
# make qemu             boot the self-test kernel on every machine there is;
#                       with ARCH=riscv64, on that one, in each of its ways
# make install          headers, library, pkg-config file: tests/install.mk
# make amalgamation     build/amalgamation/kmem.c and kmem.h, all of it
# make docs             build/docs/html: the reference, from the headers
# make size             bytes of code and of memory, on small machines above all
# make layers headers   the order of the layers; every header on its own
#
# Variables: ARCH, BOOT (a way to boot, see arch/$(ARCH)/arch.mk), CC (gcc or
# clang), DEBUG=1 (check kmem's invariants as it
# runs), SAN=asan or SAN=tsan, HOST_TARGET=s390x (host only, see
# arch/host/arch.mk), MAP, TRACE, CPUS (demo), V=1 (show the commands), OPT and
# INFO (-O2 and -g), or CFLAGS for the library alone.

VERSION	:= 0.1
Q	:= $(if $(V),,@)

ARCHES	:= $(patsubst arch/%/arch.mk,%,$(wildcard arch/*/arch.mk))
ARCH_ASKED := $(ARCH)
ARCH	?= x86_64

# What is about the host, whatever ARCH says.
HOST_GOALS := demo check test soak bench bench-plot bench-churn bench-checks \
	check-malloc fuzz fuzz-run fuzz-corpus explore explore-mutants attacks \
	coverage mutants
ifneq ($(filter $(HOST_GOALS),$(MAKECMDGOALS)),)
override ARCH := host
endif

ifeq ($(wildcard arch/$(ARCH)/kmem_arch.h),)
$(error There is no arch/$(ARCH)/kmem_arch.h; ARCH is one of: $(notdir \
$(patsubst %/,%,$(dir $(wildcard arch/*/kmem_arch.h)))))
endif

# What an architecture says of itself: its tools (CROSS, CLANG_TARGET), the
# flags its kernels need (CFLAGS_ARCH; LDFLAGS_ARCH where it is linked; and
# CFLAGS_BOOT_<way> where a way to boot needs the library compiled for it), and
# how it boots (BOOTS and tests/boot/boot.mk).
CROSS	:=
BOOTS	:=
CFLAGS_KERNEL := -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables
-include arch/$(ARCH)/arch.mk
BOOT	?= $(firstword $(BOOTS))

# CC=gcc and CC=clang name the kind: of a cross compiler, where one is needed.
CC_ASKED := $(if $(filter default,$(origin CC)),,$(CC))
CLANG	:= $(findstring clang,$(CC_ASKED))
ifeq ($(CC_ASKED),)
CC	:= $(if $(shell command -v $(CROSS)gcc),$(CROSS)gcc,$(CROSS)cc)
else ifneq ($(CROSS),)
override CC := $(if $(CLANG),$(CC) --target=$(CLANG_TARGET),$(if \
	$(filter gcc,$(CC)),$(CROSS)gcc,$(CC)))
endif
OBJCOPY	:= $(CROSS)objcopy
NM	:= $(CROSS)nm
SIZE	:= $(CROSS)size
AR	:= $(CROSS)ar

BUILD	:= build/$(ARCH)$(HOST_TARGET:%=-%)$(if $(CFLAGS_BOOT_$(BOOT)),-$(BOOT))$(if \
	$(SAN),-$(SAN))$(if $(CLANG),-clang)$(if $(DEBUG),-debug)
# The plain default has the plain name.
LIB	:= $(BUILD)/libkmem.a

WARN	:= -Wall -Wextra -Wpedantic -Wundef -Werror
# Kernels compile src/ with their own flags: what they may well be among.
WARN_SRC := -Wshadow -Wpointer-arith -Wwrite-strings -Wredundant-decls \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla
CPPFLAGS := -Iinclude -Iarch/$(ARCH) $(if $(DEBUG),-DKMEM_DEBUG=1)
OPT	?= -O2
INFO	?= -g
CFLAGS	?= $(OPT) $(INFO)
override CFLAGS += -std=c11 -ffreestanding $(WARN) \
	-fvisibility=hidden -ffunction-sections -fdata-sections

SAN_asan := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
SAN_tsan := -fsanitize=thread
SAN_fuzz := -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer
override CFLAGS += $(CFLAGS_ARCH) $(CFLAGS_BOOT_$(BOOT)) $(SAN_$(SAN))

LIB_SRC	:= $(sort $(wildcard src/*.c))
LIB_OBJ	:= $(LIB_SRC:%.c=$(BUILD)/%.o)

.PHONY: all
all: $(LIB)

# One object, in which everything but the public names is local.
$(LIB): $(LIB_OBJ)
	$(Q)rm -f $@
	$(Q)$(CC) $(CFLAGS_ARCH) $(LDFLAGS_ARCH) -r -nostdlib \
		-o $(BUILD)/kmem.o $(LIB_OBJ)
	$(Q)$(OBJCOPY) --localize-hidden $(BUILD)/kmem.o
	$(Q)$(AR) rcs $@ $(BUILD)/kmem.o
	@echo '$@' 

$(BUILD)/src/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN_SRC) -MMD -MP -c $< -o $@

# Changes when the compiler or the flags do, and then everything is rebuilt.
FLAGS_NOW = $(CC) $(CPPFLAGS) $(CFLAGS) $(WARN_SRC) $(OPT)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' > $@
FORCE:

-include $(LIB_OBJ:.o=.d)

# ---- what runs on the host ----

HOST_CFLAGS := -std=gnu11 $(OPT) $(INFO) -Wall -Wextra -Werror -pthread $(SAN_$(SAN))
ifeq ($(ARCH),host)
CPPFLAGS += -Itests/host
include tests/demo/demo.mk
include tests/bench/bench.mk
include tests/tests.mk
include tests/fuzz/fuzz.mk
include tests/explore/explore.mk
include tests/coverage/coverage.mk
include tests/attacks/attacks.mk
include arch/host/malloc.mk
else
include tests/boot/boot.mk
endif

include tests/install.mk

# What the library asks of the kernel: what port.h names, and no more.
PORT_SYMBOLS := kmem_panic memcpy memmove memset memcmp
PORT_SYMBOLS_host := kmem_host_cpu kmem_host_irq_run_pending kmem_host_yield \
	_GLOBAL_OFFSET_TABLE_ __stack_chk_fail

.PHONY: amalgamation docs
amalgamation:
	$(Q)sh tests/amalgamate.sh build/amalgamation

docs:
	@rm -rf build/docs && mkdir -p build/docs
	$(Q)doxygen tests/Doxyfile
	@! grep -vE '\((variable|macro definition)\) of .* is not documented' \
		build/docs/warnings
	@echo build/docs/html/index.html

.PHONY: arches
arches:
	@printf '%s\n' $(ARCHES)

.PHONY: symbols layers headers size
symbols: $(LIB)
	@$(NM) -u $(LIB) | awk '$$1 == "U" { print $$2 }' > $(BUILD)/undefined
	@extra=$$(grep -vxF "$$(printf '%s\n' $(PORT_SYMBOLS) \
		$(PORT_SYMBOLS_$(ARCH)))" $(BUILD)/undefined); \
	[ -z "$$extra" ] || { echo "not in port.h:" $$extra; exit 1; }
	@echo "asks for:" $$(cat $(BUILD)/undefined)

layers headers:
	@sh tests/$@.sh

size:
	@sh tests/size/size.sh

# For scripts: how a source file of the library is compiled.
.PHONY: compiler
compiler:
	@echo '$(CC) $(CPPFLAGS) $(CFLAGS)'

.PHONY: clean
clean:
	rm -rf build
