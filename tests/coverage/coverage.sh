#!/bin/sh
# SPDX-License-Identifier: MIT
#
# coverage.sh - which lines and branches of the library the host tests reach:
# `make coverage`; MCDC=1: and which conditions they show to matter (mcdc.sh).
#
# The unit, model, stress and injection tests run shortly, in three builds: as it
# comes, hardened, and small for an architecture that can do nothing, since a
# branch on a constant of <kmem/config.h> is in no build but one. Without
# KMEM_DEBUG: an assertion has a branch that nobody wants taken. Where
# KMEM_NEVER() says that a branch is not taken, it isn't counted, and a test that
# takes it dies (source.h).
#
# With nothing inlined and no tail calls, a report names as its caller some
# function of kmem's: the cases that look at that, `callers` below, fail here.
#
# Two tables are printed, lines and branches, each with the line numbers that
# are missing; build/coverage/html/index.html shows them. The exit status is 0 if
# all tests passed and no less is covered than these, in percent.
lines=98
branches=92

cd "$(dirname "$0")/../.." || exit 1
MAKE=${MAKE:-make}
unset MAKEFLAGS MAKELEVEL MFLAGS CC SAN DEBUG ARCH
command -v gcovr >/dev/null || { echo "gcovr is not installed"; exit 1; }
[ -z "$MCDC" ] || exec sh tests/coverage/mcdc.sh
export KMEM_OPS="${KMEM_OPS:-100000}"
export KMEM_TEST_SCALE="${KMEM_TEST_SCALE:-10}"
out=build/coverage
status=0

callers="test_traces test_callers test_caller_is_named"

# judge DIR: of what run.sh has printed; no other case may have failed
judge() {
	sed -n 's/^FAILED ([0-9]*) [^:]*: \([^ ]*\).*/\1/p' "$1/log" |
	while read -r program; do
		cases=$(sed -n 's/.*\[  \(FAILED\|ERROR \)  \] \(test_[a-z0-9_]*\)$/\2/p' \
			"$1"/tests/*/"$program.log" | sort -u)
		for case in ${cases:-all of it}; do
			case " $callers " in
			*" $case "*) echo "as it must: $program, $case" ;;
			*) echo "not as it must: $program, $case" ;;
			esac
		done
	done >"$1/judged"
	cat "$1/judged"
	! grep -q '^not' "$1/judged" && grep -q '^[1-9][0-9]* passed' "$1/log"
}

# SAN names no sanitizer: what can't be built with one is left out.
# build NAME FLAGS [MAKE-ARGUMENT...]
build() {
	dir=$out/$1
	flags=$2
	shift 2
	mkdir -p "$dir"
	find "$dir" -name '*.gcda' -delete
	$MAKE -s -j2 check CC=gcc SAN=gcov BUILD="$dir" INJECT_FLAGS=-DKMEM_INJECT=1 \
		CPPFLAGS="-Iinclude -Iarch/host -Itests/host $flags" \
		CFLAGS="-O0 -g --coverage -fprofile-update=prefer-atomic \
			-include tests/coverage/source.h" \
		LDFLAGS=--coverage "$@" >"$dir/log" 2>&1
	grep -E '^(ok|FAILED) |error:' "$dir/log"
	judge "$dir" || status=1
	gcovr -r . --filter src/ --filter include/kmem/ \
		--exclude-branches-by-pattern '.*KMEM_NEVER\(.*' \
		--json "$dir/coverage.json" "$dir/src" $(ls -d "$dir/inject" 2>/dev/null) ||
		status=1
}

# table [OPTION...]: of all builds
table() {
	gcovr -r . -a "$out/default/coverage.json" -a "$out/hardened/coverage.json" \
		-a "$out/small/coverage.json" "$@" || status=1
}

build default ''
build hardened -DKMEM_HARDEN=1 \
	TEST_SRC="tests/model/random.c \
	$(printf 'tests/unit/%s_test.c ' harden cache cache_args cache_merge \
		cache_node cache_walk debug kmalloc kmalloc_node late magazine \
		misuse page_alloc rcu report reserve semantics slab trim)"
build small "-DKMEM_CONFIG_FILE=\<kmem/config_small.h\> -DKMEM_MAX_CPUS=240 \
	-DKMEM_MAX_ORDER=10 -DKMEM_MAX_REGIONS=512 -DKMEM_NAME_BYTES=48 \
	-DKMEM_ARCH_HAS_CLZ=0 -DKMEM_ARCH_HAS_DIV=0 -DKMEM_ARCH_HAS_UMULL=0" \
	TEST_SRC="tests/model/random.c tests/stress/cpus.c"
mkdir -p $out/html
table --fail-under-line $lines
table -b --fail-under-branch $branches
table --html-details $out/html/index.html
exit $status
