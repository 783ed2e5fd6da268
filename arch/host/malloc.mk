# SPDX-License-Identifier: MIT
#
# build/host/libkmem-malloc.so: kmem as the malloc of any program
#
#	LD_PRELOAD=build/host/libkmem-malloc.so program
#
# make check-malloc     its tests: conformance, threads, fork, real programs
#
# Included by the top-level Makefile for ARCH=host. The library's sources are
# compiled once more, with the port of arch/host/malloc.

MALLOC_SO := $(BUILD)/libkmem-malloc.so
MALLOC_DIR := arch/host/malloc
MALLOC_OBJ := $(patsubst %.c,$(BUILD)/malloc/%.o,$(LIB_SRC) \
	$(sort $(wildcard $(MALLOC_DIR)/*.c)))

MALLOC_CPPFLAGS := -Iinclude -I$(MALLOC_DIR) -Isrc $(if $(DEBUG),-DKMEM_DEBUG=1) \
	-DKMEM_MAX_NODES=1
MALLOC_CFLAGS := $(OPT) $(INFO) $(WARN) -fPIC -ftls-model=initial-exec \
	-fvisibility=hidden -fno-builtin-malloc -fno-semantic-interposition \
	-pthread
# initfirst: its handlers of fork() are to be the first, if possible.
MALLOC_LDFLAGS := -shared -pthread -Wl,-z,nodelete,-z,initfirst,-z,now \
	-Wl,--version-script=$(MALLOC_DIR)/exports.map -Wl,-z,defs

# Not with a sanitizer, which replaces malloc() itself, and for nobody but the
# programs of this machine.
ifeq ($(SAN)$(HOST_TARGET),)
all: $(MALLOC_SO)
endif

# Changes when the compiler or the flags do.
MALLOC_FLAGS_NOW = $(CC) $(MALLOC_CPPFLAGS) $(MALLOC_CFLAGS)
$(BUILD)/malloc/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(MALLOC_FLAGS_NOW)' | cmp -s - $@ || \
		echo '$(MALLOC_FLAGS_NOW)' > $@

$(BUILD)/malloc/src/%.o: src/%.c $(BUILD)/malloc/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(MALLOC_CPPFLAGS) -std=c11 -ffreestanding $(MALLOC_CFLAGS) \
		-MMD -MP -c $< -o $@

$(BUILD)/malloc/$(MALLOC_DIR)/%.o: $(MALLOC_DIR)/%.c $(BUILD)/malloc/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(MALLOC_CPPFLAGS) -std=gnu11 $(MALLOC_CFLAGS) \
		-MMD -MP -c $< -o $@

$(MALLOC_SO): $(MALLOC_OBJ) $(MALLOC_DIR)/exports.map
	$(Q)$(CC) $(MALLOC_CFLAGS) $(MALLOC_LDFLAGS) $(MALLOC_OBJ) -o $@
	@echo '$@'

-include $(MALLOC_OBJ:.o=.d)

# ---- its tests ----

MALLOC_TESTS := conform threads fork misuse
MALLOC_TEST_BIN := $(MALLOC_TESTS:%=$(BUILD)/malloc/tests/%)

$(MALLOC_TEST_BIN): $(BUILD)/malloc/tests/%: tests/malloc/%.c \
		tests/malloc/check.h $(BUILD)/malloc/flags
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O1 -g -Wall -Wextra -Werror \
		-Wno-unknown-warning-option -Wno-use-after-free \
		-Wno-free-nonheap-object -fno-builtin -pthread $< -ldl -o $@

.PHONY: check-malloc
check-malloc: $(MALLOC_SO) $(MALLOC_TEST_BIN)
	@sh tests/malloc/run.sh $(MALLOC_SO) $(MALLOC_TEST_BIN)
