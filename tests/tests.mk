# SPDX-License-Identifier: MIT
#
# The host tests: each tests/{unit,model,stress}/X.c is a program of its own.
#
# make check            build and run them with $(CC) and $(SAN)
# make check HOST_TARGET=s390x	the same on an emulated CPU
# make test             set up the machine, then everything: tests/test.sh

TEST_SRC := $(sort $(wildcard tests/unit/*.c tests/model/*.c tests/stress/*.c))
# What has one thread can race with nobody.
ifeq ($(SAN),tsan)
TEST_SRC := $(shell grep -lE 'host_run_cpus|pthread_create' $(TEST_SRC))
endif
TEST_BIN := $(TEST_SRC:%.c=$(BUILD)/%)
TEST_LIB_SRC := $(sort $(wildcard tests/host/*.c)) arch/host/host.c \
	arch/host/vm.c

# Debian has cmocka for the machine itself; elsewhere a few macros stand in.
ifeq ($(HOST_TARGET),)
TEST_LDLIBS := -lcmocka
else
TEST_CPPFLAGS := -Itests/cross -D_FILE_OFFSET_BITS=64
ifneq ($(EMULATOR),)
TEST_LIB_SRC += $(wildcard tests/cross/$(HOST_TARGET).c)
TEST_LDFLAGS_i686 := -Wl,--wrap=pthread_create
endif
endif

TEST_LIB_OBJ := $(TEST_LIB_SRC:%.c=$(BUILD)/%.o)

$(TEST_LIB_OBJ) $(TEST_BIN:%=%.o): $(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Isrc $(TEST_CPPFLAGS) $(HOST_CFLAGS) \
		-MMD -MP -c $< -o $@

# The library's objects, not the library: tests look inside.
$(TEST_BIN): %: %.o $(TEST_LIB_OBJ) $(LIB_OBJ)
	$(Q)$(CC) $(HOST_CFLAGS) $(LDFLAGS) $(TEST_LDFLAGS_$(HOST_TARGET)) \
		$^ $(TEST_LDLIBS) -o $@

-include $(TEST_LIB_OBJ:.o=.d) $(TEST_BIN:%=%.d)

include tests/points/points.mk
include tests/inject/inject.mk
include tests/mutants/mutants.mk

.PHONY: check test soak
check: $(TEST_BIN)
	@RUN_WITH='$(EMULATOR)' sh tests/run.sh '$(notdir $(BUILD))' $(TEST_BIN)

test:
	@sh tests/test.sh

soak:
	@sh tests/soak.sh $(PARTS)
