# SPDX-License-Identifier: MIT
#
# tests/points/points.mk - the library with a call before each memory access,
# and the program that makes use of it. For the machine itself, not an emulated
# one, without other tools that watch memory, and by gcc: clang's points are others
# only where its code is.

ifeq ($(HOST_TARGET)$(SAN)$(CLANG),)
POINTS := $(BUILD)/points
POINTS_BIN := $(POINTS)/nmi
POINTS_LIB_OBJ := $(LIB_SRC:%.c=$(POINTS)/%.o)
POINTS_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/points/*.c))
# Whoever names the tests does not mean it.
ifneq ($(origin TEST_SRC),command line)
TEST_BIN += $(POINTS_BIN)
endif

$(POINTS_LIB_OBJ): $(POINTS)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=thread -MMD -MP -c $< -o $@

$(POINTS_OBJ): $(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Isrc $(HOST_CFLAGS) -MMD -MP -c $< -o $@

$(POINTS_BIN): $(POINTS_OBJ) $(POINTS_LIB_OBJ) $(TEST_LIB_OBJ)
	$(Q)$(CC) $(HOST_CFLAGS) $(LDFLAGS) $^ -o $@

-include $(POINTS_LIB_OBJ:.o=.d) $(POINTS_OBJ:.o=.d)
endif
