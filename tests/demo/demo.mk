# SPDX-License-Identifier: MIT
#
# make demo [MAP=file] [TRACE=file] [CPUS=n] [VERBOSE=1]
#
# Included by the top-level Makefile, which sets BUILD, LIB, CC, CPPFLAGS and
# HOST_CFLAGS.

DEMO_SRC := tests/demo/demo.c tests/demo/machine.c tests/demo/measure.c \
	tests/host/memmap.c tests/host/trace.c tests/host/trace_check.c \
	tests/host/trace_linux.c tests/host/slurp.c tests/host/replay.c \
	tests/host/replay_prepare.c arch/host/host.c
DEMO_OBJ := $(DEMO_SRC:%.c=$(BUILD)/demo/%.o)

$(BUILD)/demo/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests/demo $(HOST_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/kmem-demo: $(DEMO_OBJ) $(LIB)
	$(Q)$(CC) $(HOST_CFLAGS) $(LDFLAGS) $^ -o $@

# A file name, whatever is in it, as one word for the shell.
demo_quote = '$(subst ','\'',$(1))'

.PHONY: demo
demo: $(BUILD)/kmem-demo
	@$(BUILD)/kmem-demo $(if $(MAP),-m $(call demo_quote,$(MAP))) \
		$(if $(TRACE),-t $(call demo_quote,$(TRACE))) \
		$(if $(CPUS),-c $(call demo_quote,$(CPUS))) $(if $(VERBOSE),-v)

-include $(DEMO_OBJ:.o=.d)
