#!/bin/sh
# SPDX-License-Identifier: MIT
#
# coverage.sh - which lines and branches of the library the host tests reach:
# `make coverage`; MCDC=1: and which conditions they show to matter (mcdc.sh).
#
# The unit, model, stress and injection tests run shortly, in four builds: as it
# comes, hardened by words, small for an architecture that can do nothing, and for a
# machine of 32 bits, since a branch on a constant of <kmem/config.h>, or on the
# size of a pointer, is in no build but one. What only CPUs that race bring about
# is reached by the explorer's schedules, in a fifth. Without KMEM_DEBUG: an assertion has a branch that nobody wants taken.
#
# What is counted, so that it is the source's and nothing else's:
#	a function of a header	once, not for each caller (source.h); and as the
#				tests call it, if it is a public one
#	KMEM_NEVER(condition)	not at all; a test that takes it dies (source.h)
#	a branch that a choice of <kmem/config.h> decides
#				in the builds that have it (missed.py)
#
# With nothing inlined and no tail calls, a report names as its caller some
# function of kmem's: the cases that look at that, `callers` below, fail here.
#
# Each line and branch that is missing is printed, and the sums;
# build/coverage/html/index.html shows all. The exit status is 0 if all tests
# passed and no less is covered than these, in percent. (All of both is reached; but
# of a few branches chance may miss one, where CPUs are threads.)
lines=100
branches=99.9

cd "$(dirname "$0")/../.." || exit 1
MAKE=${MAKE:-make}
unset MAKEFLAGS MAKELEVEL MFLAGS CC SAN DEBUG ARCH
command -v gcovr >/dev/null || { echo "gcovr is not installed"; exit 1; }
[ -z "$MCDC" ] || exec sh tests/coverage/mcdc.sh
export KMEM_OPS="${KMEM_OPS:-20000}"
export KMEM_TEST_SCALE="${KMEM_TEST_SCALE:-3}"
export KMEM_SEED="${KMEM_SEED:-1}"	# the same figures each time
out=build/coverage
status=0
counted="-O0 -g --coverage -fprofile-update=atomic -include tests/coverage/source.h"

callers="test_traces test_callers test_caller_is_named test_report_names_the_caller"

# judge DIR: of what run.sh has printed; no other case may have failed
judge() {
	sed -n 's/^FAILED ([0-9]*) [^:]*: \([^ ]*\).*/\1/p' "$1/log" |
	while read -r program; do
		cases=$(sed -n 's/.*\[  \(FAILED\|ERROR \)  \] \(test_[a-z0-9_]*\)$/\2/p' \
			"$1"/tests/*/"$program.log" | sort -u)
		for case in ${cases:-everything}; do
			case " $callers " in
			*" $case "*) echo "as it must: $program, $case" ;;
			*) echo "not as it must: $program, $case" ;;
			esac
		done
	done >"$1/judged"
	cat "$1/judged"
	! grep -q '^not' "$1/judged" && grep -q '^[1-9][0-9]* passed' "$1/log"
}

# figures NAME DIR...: what programs left there, each directory on its own: it has
# choices of its own
figures() {
	name=$1
	shift
	for dir; do
		[ -d "$dir" ] || continue
		gcovr -r . --filter src/ --filter include/kmem/ \
			--exclude-branches-by-pattern '.*KMEM_NEVER\(.*' \
			--json "$out/json/$name-$(basename "$dir").json" "$dir" ||
			status=1
	done
}

# SAN names no sanitizer: what can't be built with one is left out.
# build NAME FLAGS [MAKE-ARGUMENT...]
build() {
	dir=$out/$1
	name=$1
	flags=$2
	shift 2
	mkdir -p "$dir"
	find "$dir" -name '*.gcda' -delete
	$MAKE -s -j2 check CC=gcc SAN=gcov BUILD="$dir" INJECT_FLAGS=-DKMEM_INJECT=1 \
		CPPFLAGS="-Iinclude -Iarch/host -Itests/host $flags" \
		CFLAGS="$counted" HOST_CFLAGS="-std=gnu11 -pthread $counted \
			-fprofile-filter-files='(include/kmem|src)/'" \
		LDFLAGS=--coverage "$@" >"$dir/log" 2>&1
	grep -E '^(ok|FAILED) |error:' "$dir/log"
	judge "$dir" || status=1
	figures "$name" "$dir/src" "$dir/inject" "$dir/tests"
}

# The explorer's model sees each access of src/, and none of the counters. Schedules
# at random, after the first: those in order end where another one has been, in
# the middle of a function, and then gcov's counts don't add up.
explored() {
	dir=$out/explore
	mkdir -p "$dir"
	find "$dir" -name '*.gcda' -delete
	$MAKE -s -j2 explore CC="gcc --coverage" BUILD="$dir" \
		SCHEDULES=1 EXPLORE_FLAGS="-r ${SCHEDULES:-200}" \
		EXPLORE_CFLAGS="-std=c11 -fno-pie -ffunction-sections $counted" \
		>"$dir/log" 2>&1 || status=1
	tail -n 1 "$dir/log"
	figures explored "$dir/explore/src"
}

rm -rf $out/json
mkdir -p $out/json $out/html
build default ''
build hardened "-DKMEM_HARDEN=1 -DKMEM_ARCH_VECTOR_BYTES=__SIZEOF_POINTER__" \
	TEST_SRC="tests/model/random.c \
	$(printf 'tests/unit/%s_test.c ' harden cache cache_args cache_merge \
		cache_node cache_walk debug kmalloc kmalloc_node late magazine \
		misuse nolock page_alloc rare rcu report reserve semantics \
		slab trim wait)"
build small "-DKMEM_CONFIG_FILE=\<kmem/config_small.h\> -DKMEM_MAX_CPUS=240 \
	-DKMEM_MAX_ORDER=10 -DKMEM_MAX_REGIONS=512 -DKMEM_NAME_BYTES=48 \
	-DKMEM_ARCH_HAS_CLZ=0 -DKMEM_ARCH_HAS_DIV=0 -DKMEM_ARCH_HAS_UMULL=0" \
	TEST_SRC="tests/model/random.c tests/stress/cpus.c \
	tests/unit/config_test.c tests/unit/race_test.c"
build i686 '' HOST_TARGET=i686 LDFLAGS='--coverage -static' \
	TEST_SRC="$(printf 'tests/unit/%s_test.c ' boot check hotplug late map_efi \
		map_limine map_multiboot memmap page staged vm_space)"
explored
python3 tests/coverage/missed.py $lines $branches $out/json/*.json || status=1
gcovr -r . $(printf -- '-a %s ' $out/json/*.json) \
	--html-details $out/html/index.html || status=1
exit $status
