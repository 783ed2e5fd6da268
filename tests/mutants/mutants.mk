# SPDX-License-Identifier: MIT
#
# make mutants [FILE=src/x.c] [EACH=n] [COUNT=n] [SEED=n] [JOBS=n] [ONLY=regexp]
#	does a test notice when src/ is changed? README.md here says how
#
# The host tests in four builds, each linked to the library as a shared object,
# which is what is rebuilt for a mutant. Without -g: objects of two sources that
# mean the same are the same.

MUTANTS := $(BUILD)/mutants
MUTANTS_CFLAGS = -Iinclude -Iarch/host -Itests/host -O2 -std=c11 \
	-ffreestanding -w -fPIC -fno-semantic-interposition
MUTANTS_BUILDS := default hardened inject small
MUTANTS_hardened := -DKMEM_HARDEN=1 -DKMEM_DEBUG=1
MUTANTS_inject := -DKMEM_INJECT=1 -DKMEM_DEBUG=1
MUTANTS_small := "-DKMEM_CONFIG_FILE=<kmem/config_small.h>" \
	-DKMEM_MAX_CPUS=240 -DKMEM_MAX_ORDER=10 -DKMEM_MAX_REGIONS=512 \
	-DKMEM_NAME_BYTES=48 -DKMEM_ARCH_HAS_CLZ=0 -DKMEM_ARCH_HAS_DIV=0 \
	-DKMEM_ARCH_HAS_UMULL=0
# The readers of boot maps (map_*, memmap) are headers: none of src/.
MUTANTS_TESTS_default := $(filter-out tests/unit/map_% tests/unit/memmap%,\
	$(wildcard tests/unit/*.c tests/model/*.c tests/stress/*.c))
MUTANTS_TESTS_hardened := $(patsubst %,tests/unit/%_test.c,harden cache \
	cache_args cache_merge cache_node cache_walk debug kmalloc \
	kmalloc_node late magazine misuse page_alloc rcu report reserve \
	semantics slab trim) tests/model/random.c
MUTANTS_TESTS_inject := tests/inject/fail_each.c tests/inject/inject_test.c
MUTANTS_TESTS_small := tests/model/random.c tests/stress/cpus.c

# FILE=core: what gives pages and objects, and where memory comes from
MUTANTS_CORE := $(patsubst %,src/%.c,buddy zone page_alloc slab magazine depot \
	cache kmalloc caches mobility page_ref contig guard debug track trim \
	shrinker mempool regions plan)

# mutants-build NAME
define mutants-build
MUTANTS_LIB_$(1) := $$(LIB_SRC:%.c=$(MUTANTS)/$(1)/%.o)
MUTANTS_BIN_$(1) := $$(MUTANTS_TESTS_$(1):%.c=$(MUTANTS)/$(1)/%)
MUTANTS_HOST_$(1) := $$(TEST_LIB_SRC:%.c=$(MUTANTS)/$(1)/%.o)

$$(MUTANTS_LIB_$(1)): $(MUTANTS)/$(1)/%.o: %.c $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(MUTANTS_CFLAGS) $$(MUTANTS_$(1)) -MMD -MP -c $$< -o $$@

$(MUTANTS)/$(1)/tests/%.o $(MUTANTS)/$(1)/arch/%.o: CPPFLAGS += $$(MUTANTS_$(1))
$(MUTANTS)/$(1)/tests/%.o: tests/%.c $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CPPFLAGS) -Isrc $$(HOST_CFLAGS) -MMD -MP -c $$< -o $$@
$(MUTANTS)/$(1)/arch/%.o: arch/%.c $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CPPFLAGS) -Isrc $$(HOST_CFLAGS) -MMD -MP -c $$< -o $$@

$(MUTANTS)/$(1)/libkmem.so: $$(MUTANTS_LIB_$(1))
	$$(Q)$$(CC) -shared -Wl,-soname,libkmem.so $$^ -o $$@

$$(MUTANTS_BIN_$(1)): %: %.o $$(MUTANTS_HOST_$(1)) $(MUTANTS)/$(1)/libkmem.so
	$$(Q)$$(CC) $$(HOST_CFLAGS) $$^ -lcmocka -o $$@

mutants-programs: $$(MUTANTS_BIN_$(1))
MUTANTS_ARGS += "$(1): $$(subst ",,$$(MUTANTS_$(1)))"
-include $$(MUTANTS_LIB_$(1):.o=.d) $$(MUTANTS_HOST_$(1):.o=.d) \
	$$(MUTANTS_BIN_$(1):%=%.d)
endef
$(foreach build,$(MUTANTS_BUILDS),$(eval $(call mutants-build,$(build))))
$(MUTANTS)/inject/tests/inject/fail_each: $(patsubst %.c,$(MUTANTS)/inject/%.o,\
	$(wildcard tests/inject/scenarios*.c))

.PHONY: mutants mutants-programs
mutants: mutants-programs
	@python3 tests/mutants/run.py -d $(MUTANTS) -c '$(CC) $(MUTANTS_CFLAGS)' \
		$(if $(EACH),-e $(EACH)) $(if $(COUNT),-n $(COUNT)) $(if $(SEED),-s $(SEED)) \
		$(if $(JOBS),-j $(JOBS)) $(if $(ONLY),-o '$(ONLY)') \
		$(MUTANTS_ARGS) -- $(if $(filter core,$(FILE)),$(MUTANTS_CORE),$(FILE))
