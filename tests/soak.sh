#!/bin/sh
# SPDX-License-Identifier: MIT
#
# soak.sh [PART...] - what takes longer than `make test` may: the same programs
# for long, and optimised as they are used. Parts: lint amalgamation host
# emulated model stress malloc explore fuzz attacks boots; all of them by
# default, an hour or two on two cores. The last line is "N passed, N failed".

cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make}
passed=0
failed=0

# part NAME COMMAND...
part() {
	name=$1
	shift
	case " $wanted " in *" $name "*) ;; *) return ;; esac
	start=$(date +%s)
	mkdir -p build/soak
	if "$@" >build/soak/$name.log 2>&1; then
		status=ok
		passed=$((passed + 1))
	else
		status=FAILED
		failed=$((failed + 1))
		tail -n 40 build/soak/$name.log
	fi
	echo "$status $name: $(($(date +%s) - start)) s;" \
		"$(tail -n 1 build/soak/$name.log)"
}

wanted=${*:-lint amalgamation host emulated model stress malloc explore fuzz attacks boots}

part lint sh tests/lint.sh
part amalgamation env OPT=-O1 sh tests/amalgamation.sh
# all loops by gcc; a part of them where the tool is slow
host() {
	$MAKE -s -j2 check CC=gcc &&
		KMEM_TEST_SCALE=30 $MAKE -s -j2 check CC=clang &&
		KMEM_TEST_SCALE=30 $MAKE -s -j2 check CC=gcc DEBUG=1 &&
		KMEM_TEST_SCALE=20 $MAKE -s -j2 check CC=gcc SAN=asan &&
		KMEM_TEST_SCALE=10 $MAKE -s -j2 check CC=gcc SAN=tsan
}
part host host
# each instruction set, both byte orders
emulated() {
	for target in i686 armhf powerpc aarch64 riscv64 s390x; do
		$MAKE -s -j2 check HOST_TARGET=$target &&
			$MAKE -s -j2 attacks HOST_TARGET=$target RUNS=10 ||
			return 1
	done
}
part emulated emulated
# 50 million calls, everything checked after each 1,000
part model env KMEM_OPS=50000000 KMEM_TEST_SECONDS=7200 $MAKE -s check \
	TEST_SRC=tests/model/random.c
part stress env KMEM_TEST_SCALE=1000 KMEM_TEST_SECONDS=7200 $MAKE -s check \
	TEST_SRC="tests/stress/cpus.c tests/stress/nmi.c tests/stress/misuse.c"
part malloc $MAKE -s -j2 check-malloc
# a million schedules and more
part explore $MAKE -s explore SCHEDULES=40000 EXPLORE_FLAGS="-j 2 -r 20000"
part fuzz $MAKE -s fuzz SECONDS=60
part attacks $MAKE -s attacks RUNS=100
part boots $MAKE -s qemu QEMU_ARGS="steps=4000000 ticks=20000"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
