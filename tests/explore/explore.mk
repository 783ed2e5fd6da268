# SPDX-License-Identifier: MIT
#
# make explore [SCHEDULES=n] [SCENARIO=name] [REPLAY=decisions]
#	every order in which a few CPUs can do a few things: explore.h
# make explore-mutants	can it fail? tests/explore/mutate.sh
#
# src/ is compiled as for the thread sanitizer, which then is not linked: the
# explorer takes the calls. Small limits, so that much happens in few steps.

EXPLORE := $(BUILD)/explore
EXPLORE_CONFIG := -DKMEM_MAX_CPUS=3 -DKMEM_MAX_NODES=1 -DKMEM_ZONES=1 \
	-DKMEM_MAGAZINE_ROUNDS=6 -DKMEM_MAX_ORDER=4 -DKMEM_MAX_REGIONS=16
EXPLORE_CPPFLAGS := -Itests/explore -Iinclude $(EXPLORE_CONFIG)
EXPLORE_CFLAGS := -std=c11 -O1 -g -fno-pie -Wall -Wextra -Werror \
	-ffunction-sections
# What compilers make of it calls these.
EXPLORE_RENAME := -Dmemset=explore_memset -Dmemcpy=explore_memcpy \
	-Dmemmove=explore_memmove
EXPLORE_OBJ := $(patsubst %.c,$(EXPLORE)/%.o,$(wildcard tests/explore/*.c) \
	$(LIB_SRC))

$(EXPLORE)/src/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(EXPLORE_CPPFLAGS) $(EXPLORE_CFLAGS) -ffreestanding \
		-fsanitize=thread -fno-builtin \
		-include tests/explore/barrier.h $(EXPLORE_RENAME) \
		-MMD -MP -c $< -o $@

$(EXPLORE)/tests/explore/%.o: tests/explore/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(EXPLORE_CPPFLAGS) $(EXPLORE_CFLAGS) -O2 -D_GNU_SOURCE \
		-MMD -MP -c $< -o $@

$(EXPLORE)/explore: $(EXPLORE_OBJ)
	$(Q)$(CC) -no-pie $^ -o $@

.PHONY: explore explore-mutants
explore: $(EXPLORE)/explore
	@$< $(EXPLORE_FLAGS) $(if $(SCHEDULES),-n $(SCHEDULES)) $(if $(REPLAY),-s $(REPLAY)) \
		$(SCENARIO) $(if $(REPLAY),2>&1 | sh tests/explore/trace.sh $<)

explore-mutants:
	@sh tests/explore/mutate.sh

-include $(EXPLORE_OBJ:.o=.d)
