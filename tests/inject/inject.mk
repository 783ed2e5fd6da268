# SPDX-License-Identifier: MIT
#
# tests/inject/inject.mk - the library with KMEM_INJECT and its own assertions,
# and the programs that make its allocations fail: each tests/inject/X.c but for
# scenarios*.c, which are what fail_each.c runs.

INJECT := $(BUILD)/inject
INJECT_FLAGS := -DKMEM_INJECT=1 $(if $(DEBUG),,-DKMEM_DEBUG=1)
INJECT_LIB_OBJ := $(LIB_SRC:%.c=$(INJECT)/%.o)
INJECT_SRC := $(sort $(wildcard tests/inject/*.c))
ifeq ($(SAN),tsan)
INJECT_SRC := $(shell grep -lE 'host_run_cpus' $(INJECT_SRC))
endif
INJECT_PARTS := $(patsubst %.c,$(BUILD)/%.o,$(filter \
	tests/inject/scenarios%,$(INJECT_SRC)))
INJECT_OBJ := $(INJECT_SRC:%.c=$(BUILD)/%.o)
INJECT_BIN := $(patsubst %.c,$(BUILD)/%,$(filter-out \
	tests/inject/scenarios%,$(INJECT_SRC)))
# Whoever names the tests does not mean these.
ifneq ($(origin TEST_SRC),command line)
TEST_BIN += $(INJECT_BIN)
endif

$(INJECT_LIB_OBJ): $(INJECT)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(INJECT_FLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(INJECT_OBJ): $(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(INJECT_FLAGS) -Isrc $(TEST_CPPFLAGS) \
		$(HOST_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/tests/inject/fail_each: $(INJECT_PARTS)
$(INJECT_BIN): %: %.o $(TEST_LIB_OBJ) $(INJECT_LIB_OBJ)
	$(Q)$(CC) $(HOST_CFLAGS) $(LDFLAGS) $(TEST_LDFLAGS_$(HOST_TARGET)) \
		$^ $(TEST_LDLIBS) -o $@

-include $(INJECT_LIB_OBJ:.o=.d) $(INJECT_OBJ:.o=.d)
