# SPDX-License-Identifier: MIT
#
# make bench [QUICK=1] [BENCH_LONG=1] [ROWS=text] [CONTENDERS=a,b] [ROUNDS=n]
#            [PEERS="some.so other.so"] [BENCH_TRACES="a.kat b.kat"]
# make bench-checks     what the checks of the default build and of KMEM_HARDEN
#                       cost: beside a build that has none; ROUNDS=n;
#			HARDENED: flags for the latter's src/, in a BUILD of
#			its own: as kernels have it, without vector registers,
#			BUILD=build/words HARDENED='-mgeneral-regs-only
#			-DKMEM_ARCH_VECTOR_BYTES=8'
# make bench-churn      what long use leaves of large blocks
# make bench-plot       draw what the last `make bench` has measured
#
# Included by the top-level Makefile, which sets BUILD, LIB, CC, CPPFLAGS and
# HOST_CFLAGS. Debian's packages: libmimalloc2.0 libjemalloc2
# libtcmalloc-minimal4 valgrind gnuplot-nox. What is missing is named, and
# nothing is installed.

BENCH_SRC := $(sort $(wildcard tests/bench/*.c)) tests/host/trace.c \
	tests/host/trace_check.c tests/host/trace_linux.c tests/host/slurp.c \
	arch/host/host.c
BENCH_OBJ := $(BENCH_SRC:%.c=$(BUILD)/bench/%.o)

# -fno-builtin: a compiler may leave out a malloc() and its free().
$(BUILD)/bench/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -Itests/host -Itests/bench $(HOST_CFLAGS) \
		-fno-builtin-malloc -fno-builtin-free -MMD -MP -c $< -o $@

$(BUILD)/kmem-bench: $(BENCH_OBJ) $(LIB)
	$(Q)$(CC) $(HOST_CFLAGS) $(LDFLAGS) $^ -lm -ldl -o $@

.PHONY: bench bench-plot bench-churn
$(BUILD)/kmem-churn: $(BUILD)/bench/tests/bench/churn/churn.o \
		$(BUILD)/bench/arch/host/host.o $(LIB)
	$(Q)$(CC) $(HOST_CFLAGS) $(LDFLAGS) $^ -o $@

bench-churn: $(BUILD)/kmem-churn
	@$(BUILD)/kmem-churn

# ---- what checks cost: three builds of the library, one program ----

CHECKS := $(BUILD)/bench-checks

# checks-program NAME FLAGS FLAGS-OF-SRC
define checks-program
CHECKS_OBJ_$(1) := $$(patsubst %.c,$(CHECKS)/$(1)/%.o,$$(LIB_SRC) \
	tests/bench/checks/checks.c tests/bench/machine.c arch/host/host.c)

$(CHECKS)/$(1)/src/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CPPFLAGS) $(2) $$(CFLAGS) $(3) -MMD -MP -c $$< -o $$@

$(CHECKS)/$(1)/%.o: %.c $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CPPFLAGS) $(2) -Itests/host -Itests/bench \
		$$(HOST_CFLAGS) -MMD -MP -c $$< -o $$@

$(CHECKS)/$(1)/checks: $$(CHECKS_OBJ_$(1))
	$$(Q)$$(CC) $$(HOST_CFLAGS) $$(LDFLAGS) $$^ -o $$@

-include $$(CHECKS_OBJ_$(1):.o=.d)
endef
$(eval $(call checks-program,unchecked,-DKMEM_UNCHECKED=1))
$(eval $(call checks-program,default,))
$(eval $(call checks-program,hardened,-DKMEM_HARDEN=1,$(HARDENED)))

.PHONY: bench-checks
bench-checks: $(CHECKS)/unchecked/checks $(CHECKS)/default/checks \
		$(CHECKS)/hardened/checks
	@sh tests/bench/checks/checks.sh $(CHECKS) $(or $(ROUNDS),11)

bench: $(BUILD)/kmem-bench
	@PEERS='$(PEERS)' $(BUILD)/kmem-bench \
		$(if $(QUICK),-q,-o $(BUILD)) $(if $(BENCH_LONG),-l) \
		$(if $(ROWS),-r '$(ROWS)') \
		$(if $(CONTENDERS),-c '$(CONTENDERS)') \
		$(if $(ROUNDS),-n '$(ROUNDS)')

bench-plot:
	@command -v gnuplot > /dev/null || { \
		echo 'missing: gnuplot (Debian: gnuplot-nox)'; exit 1; }
	@[ -f $(BUILD)/bench-wide.tsv ] || { \
		echo 'nothing measured yet: make bench'; exit 1; }
	@gnuplot -e "input='$(BUILD)/bench-wide.tsv'" \
		-e "output='$(BUILD)/bench.png'" tests/bench/plot.gp
	@echo $(BUILD)/bench.png

-include $(BENCH_OBJ:.o=.d) $(BUILD)/bench/tests/bench/churn/churn.d
