# SPDX-License-Identifier: MIT
#
# The host tests: each tests/{unit,model,stress}/X.c is a program of its own.
#
# make check            build and run them with $(CC) and $(SAN)
# make test             set up the machine, then everything: tests/test.sh

TEST_SRC := $(sort $(wildcard tests/unit/*.c tests/model/*.c tests/stress/*.c))
TEST_BIN := $(TEST_SRC:%.c=$(BUILD)/%)
TEST_LIB_SRC := $(sort $(wildcard tests/host/*.c)) arch/host/host.c
TEST_LIB_OBJ := $(TEST_LIB_SRC:%.c=$(BUILD)/%.o)

$(TEST_LIB_OBJ) $(TEST_BIN:%=%.o): $(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Isrc $(HOST_CFLAGS) -MMD -MP -c $< -o $@

# The library's objects, not the library: tests look inside.
$(TEST_BIN): %: %.o $(TEST_LIB_OBJ) $(LIB_OBJ)
	$(Q)$(CC) $(HOST_CFLAGS) $(LDFLAGS) $^ -lcmocka -o $@

-include $(TEST_LIB_OBJ:.o=.d) $(TEST_BIN:%=%.d)

.PHONY: check test
check: $(TEST_BIN)
	@sh tests/run.sh '$(notdir $(BUILD))' $(TEST_BIN)

test:
	@sh tests/test.sh
