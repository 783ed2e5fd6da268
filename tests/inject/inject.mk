# SPDX-License-Identifier: MIT
#
# tests/inject/inject.mk - the library with KMEM_INJECT and its own assertions,
# and the programs that make its allocations fail: each tests/inject/X.c but for
# scenarios*.c, which are what fail_each.c runs; and tests of others with
# ambient.c. Not with DEBUG=1: they would be the same programs as without.

INJECT := $(BUILD)/inject
INJECT_FLAGS := -DKMEM_INJECT=1 -DKMEM_DEBUG=1
INJECT_LIB_OBJ := $(LIB_SRC:%.c=$(INJECT)/%.o)
INJECT_SRC := $(filter-out tests/inject/ambient.c,$(sort $(wildcard \
	tests/inject/*.c)))
ifeq ($(SAN),tsan)
INJECT_SRC := $(shell grep -lE 'host_run_cpus' $(INJECT_SRC))
endif
INJECT_PARTS := $(patsubst %.c,$(BUILD)/%.o,$(filter \
	tests/inject/scenarios%,$(INJECT_SRC)))
INJECT_OBJ := $(INJECT_SRC:%.c=$(BUILD)/%.o)
INJECT_BIN := $(patsubst %.c,$(BUILD)/%,$(filter-out \
	tests/inject/scenarios%,$(INJECT_SRC)))
# Failures under other tests: once, where it is fast.
ifeq ($(HOST_TARGET)$(SAN),)
AMBIENT := $(INJECT)/random_inner $(INJECT)/cpus_objects $(INJECT)/nmi_objects
$(INJECT)/random_inner: $(BUILD)/tests/model/random.o $(INJECT)/ambient_inner.o
$(INJECT)/cpus_objects: $(BUILD)/tests/stress/cpus.o $(INJECT)/ambient_objects.o
$(INJECT)/nmi_objects: $(BUILD)/tests/stress/nmi.o $(INJECT)/ambient_objects.o
endif

# Whoever names the tests does not mean these.
ifeq ($(filter command line,$(origin TEST_SRC))$(DEBUG),)
TEST_BIN += $(INJECT_BIN) $(AMBIENT)
endif

$(INJECT_LIB_OBJ): $(INJECT)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(INJECT_FLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(INJECT_OBJ): $(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(INJECT_FLAGS) -Isrc $(TEST_CPPFLAGS) \
		$(HOST_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/tests/inject/fail_each: $(INJECT_PARTS)
$(INJECT_BIN): %: %.o
$(INJECT)/ambient_%.o: tests/inject/ambient.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(INJECT_FLAGS) $(if $(filter inner,$*),-DAMBIENT_INNER) \
		$(HOST_CFLAGS) -MMD -MP -c $< -o $@

$(INJECT_BIN) $(AMBIENT): $(TEST_LIB_OBJ) $(INJECT_LIB_OBJ)
	$(Q)$(CC) $(HOST_CFLAGS) $(LDFLAGS) $(TEST_LDFLAGS_$(HOST_TARGET)) \
		$^ $(TEST_LDLIBS) -o $@

-include $(INJECT_LIB_OBJ:.o=.d) $(INJECT_OBJ:.o=.d)
