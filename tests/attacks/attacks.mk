# SPDX-License-Identifier: MIT
#
# make attacks [RUNS=n] [ROW=text]	the table of what misuse is found, measured;
#					ROW: one row, each run told
# make attacks HOST_TARGET=s390x	the same on an emulated CPU
#
# README.md says how to read it. Two programs: what is hardened is compiled in;
# the other has the library as it is.

ATTACKS := $(BUILD)/attacks
RUNS	?= 100
ATTACKS_SRC := $(wildcard tests/attacks/*.c) tests/host/testlib.c \
	arch/host/host.c arch/host/vm.c \
	$(if $(EMULATOR),$(wildcard tests/cross/$(HOST_TARGET).c))

# attacks-program NAME FLAGS
define attacks-program
ATTACKS_OBJ_$(1) := $$(patsubst %.c,$(ATTACKS)/$(1)/%.o,\
	$$(if $(2),$$(LIB_SRC)) $$(ATTACKS_SRC)) $$(if $(2),,$$(LIB_OBJ))

$(ATTACKS)/$(1)/src/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CPPFLAGS) $(2) $$(CFLAGS) -MMD -MP -c $$< -o $$@

$(ATTACKS)/$(1)/%.o: %.c $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CPPFLAGS) $(2) -Itests/attacks $$(TEST_CPPFLAGS) \
		$$(HOST_CFLAGS) -MMD -MP -c $$< -o $$@

$(ATTACKS)/$(1)/attacks: $$(ATTACKS_OBJ_$(1))
	$$(Q)$$(CC) $$(HOST_CFLAGS) $$(LDFLAGS) \
		$$(TEST_LDFLAGS_$$(HOST_TARGET)) $$^ -o $$@

-include $$(patsubst %.o,%.d,$$(filter $(ATTACKS)/%,$$(ATTACKS_OBJ_$(1))))
endef
$(eval $(call attacks-program,default,))
$(eval $(call attacks-program,hardened,-DKMEM_HARDEN=1))

.PHONY: attacks
attacks: $(ATTACKS)/default/attacks $(ATTACKS)/hardened/attacks
	@RUN_WITH='$(EMULATOR)' sh tests/attacks/run.sh $(ATTACKS) $(RUNS) \
		$(if $(ROW),'$(ROW)')
