#!/bin/sh
# SPDX-License-Identifier: MIT
#
# configs.sh [NAME...] - the model and the stress test with other choices of
# <kmem/config.h> than the usual ones; configs.sh list - their names.
#
# What could go wrong: a size or a shift that is right for pages of 4 KiB, four
# classes a doubling and many CPUs only. Each configuration is built with
# KMEM_DEBUG=1 in a directory of its own, build/configs/NAME, and runs
# shortly; one line each. The exit status is 0 if all passed.

cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make}
export KMEM_OPS="${KMEM_OPS:-100000}"
export KMEM_TEST_SCALE="${KMEM_TEST_SCALE:-5}"
export CFLAGS="${CFLAGS:--O1 -foptimize-sibling-calls}"
export OPT="${OPT:--O1}"
all="page-256 page-16k page-64k no-magazines no-mobility no-nesting small hardened
	hardened-words"
# The last is what the hardened build of `make coverage` has.
[ "$1" = list ] && { printf '%s\n' ${all%hardened-words}; exit; }
failed=0
ran=0

# config NAME FLAGS [TEST...]: build with these, then run both programs, and
# those unit tests too
config() {
	name=$1
	ran=$((ran + 1))
	dir=build/configs/$name
	start=$(date +%s)
	mkdir -p "$dir"
	log=$dir/log
	status=ok
	$MAKE -s -j2 check CC="${CC:-gcc}" BUILD="$dir" \
		CPPFLAGS="-Iinclude -Iarch/host -Itests/host -DKMEM_DEBUG=1 $2" \
		TEST_SRC="tests/model/random.c tests/stress/cpus.c \
			${3:+$(printf "tests/unit/%s_test.c " $3)}" \
		>"$log" 2>&1 || status=FAILED
	grep -qE '^([2-9]|[1-9][0-9]) passed, 0 failed$' "$log" || status=FAILED
	[ $status = ok ] || { tail -n 30 "$log"; failed=1; }
	echo "$status $name ($2): $(($(date +%s) - start))s"
}

# The choices of a small machine, but for the size of the test's, and a CPU's
# instructions left out.
small='-DKMEM_CONFIG_FILE=\<kmem/config_small.h\> -DKMEM_MAX_CPUS=240'
small="$small -DKMEM_MAX_ORDER=10 -DKMEM_MAX_REGIONS=512 -DKMEM_NAME_BYTES=48"
small="$small -DKMEM_ARCH_HAS_CLZ=0 -DKMEM_ARCH_HAS_DIV=0"
small="$small -DKMEM_ARCH_HAS_UMULL=0"

# As kernels have it, which leave vector registers alone.
words='-DKMEM_HARDEN=1 -DKMEM_ARCH_VECTOR_BYTES=__SIZEOF_POINTER__'

wanted=" ${*:-$(echo $all)} "
case $wanted in *" page-256 "*)
	config page-256 -DKMEM_PAGE_SHIFT=8 ;; esac
# With classes of kmalloc() as Linux has them.
case $wanted in *" page-16k "*)
	config page-16k "-DKMEM_PAGE_SHIFT=14 -DKMEM_KMALLOC_STEPS=1 \
		-DKMEM_LARGE_SLABS_BYTES=65536" ;; esac
case $wanted in *" page-64k "*)
	config page-64k -DKMEM_PAGE_SHIFT=16 ;; esac
case $wanted in *" no-magazines "*)
	# The other unit tests look into magazines.
	config no-magazines -DKMEM_MAGAZINE_ROUNDS=0 \
		"kmalloc boot late page memmap" ;; esac
case $wanted in *" no-mobility "*)
	config no-mobility "-DKMEM_MOBILITY=0 \
		-DKMEM_LARGE_SLABS_BYTES=65536" "page_ref slab" ;; esac
case $wanted in *" no-nesting "*)
	config no-nesting -DKMEM_ARCH_NESTS=0 "slab kmalloc cache trim" ;; esac
case $wanted in *" small "*)
	config small "$small" ;; esac
case $wanted in *" hardened "*)
	config hardened -DKMEM_HARDEN=1 "harden cache cache_args cache_merge \
		cache_node cache_walk debug kmalloc kmalloc_node late magazine \
		misuse page_alloc rcu report reserve semantics slab trim" ;; esac
case $wanted in *" hardened-words "*)
	config hardened-words "$words" harden ;; esac
set -- $wanted
[ $failed -eq 0 ] && [ $ran -eq $# ]
