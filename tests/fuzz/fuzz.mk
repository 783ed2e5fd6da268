# SPDX-License-Identifier: MIT
#
# make fuzz [SECONDS=n] [FUZZ=map]	clang's libFuzzer on each program of this
#					folder, or on the one named
#
# Each begins with what is in corpus/NAME and, of tests/data, what it can read.
# What it finds new is kept in build/fuzz/NAME; an input that fails is
# build/fuzz/NAME.crash-…, and is run again by giving the program its name.
#
# make fuzz-corpus	corpus/NAME again, from all that was found: the fewest
#			files that reach as much

FUZZ_SRC := $(filter tests/fuzz/$(or $(FUZZ),%).c,$(wildcard tests/fuzz/*.c))
FUZZ_BIN := $(FUZZ_SRC:%.c=$(BUILD)/%)

.PHONY: fuzz fuzz-corpus fuzz-run
fuzz fuzz-corpus:
	@$(MAKE) ARCH=host CC=clang SAN=fuzz fuzz-run \
		FUZZ_DO=$(if $(findstring corpus,$@),merge,run)

fuzz-run: $(FUZZ_BIN)
	@sh tests/fuzz/run.sh $(or $(FUZZ_DO),run) '$(or $(SECONDS),15)' \
		$(FUZZ_BIN)

$(FUZZ_SRC:%.c=$(BUILD)/%.o): $(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Isrc $(HOST_CFLAGS) -MMD -MP -c $< -o $@

$(FUZZ_BIN): %: %.o $(TEST_LIB_OBJ) $(LIB_OBJ)
	$(Q)$(CC) $(HOST_CFLAGS) -fsanitize=fuzzer $(LDFLAGS) $^ -o $@

-include $(FUZZ_SRC:%.c=$(BUILD)/%.d)
