#!/bin/sh
# SPDX-License-Identifier: MIT
#
# soak.sh [PART...] - what takes longer than `make test` may: the same programs
# for long, and optimised as they are used; and what that has nothing of. All
# parts by default, two or three hours on two cores. The last line is "N passed,
# N failed".
#
#	JOBS=n		parts at a time; 1 by default
#	TARGETS=list	of the emulated; all by default

cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make}
unset MAKEFLAGS MAKELEVEL MFLAGS
all="lint coverage clang amalgamation host emulated model stress malloc explore
	fuzz attacks boots mutants explore_mutants"
wanted=${*:-$all}

# ---- parts ----

lint() {
	sh tests/lint.sh
}

coverage() {
	KMEM_TEST_SCALE= sh tests/coverage/coverage.sh
}

# for each architecture; make test has gcc's
clang() {
	for arch in $($MAKE -s arches); do
		$MAKE -s -j2 ARCH=$arch CC=clang &&
			$MAKE -s symbols ARCH=$arch CC=clang || return 1
	done
	WAYS=first QEMU_ARGS="steps=50000 ticks=500" $MAKE -s -j2 qemu CC=clang
}

amalgamation() {
	OPT=-O1 sh tests/amalgamation.sh
}

# all loops by gcc; a part of them where the tool is slow
host() {
	$MAKE -s -j2 check CC=gcc &&
		KMEM_TEST_SCALE=30 $MAKE -s -j2 check CC=clang &&
		KMEM_TEST_SCALE=30 $MAKE -s -j2 check CC=gcc DEBUG=1 &&
		KMEM_TEST_SCALE=20 $MAKE -s -j2 check CC=gcc SAN=asan &&
		KMEM_TEST_SCALE=10 $MAKE -s -j2 check CC=gcc SAN=tsan
}

# each instruction set, both byte orders, 32 bits and 64
emulated() {
	for target in ${TARGETS:-i686 armhf powerpc aarch64 riscv64 s390x}; do
		$MAKE -s -j2 check HOST_TARGET=$target &&
			$MAKE -s -j2 attacks HOST_TARGET=$target RUNS=${RUNS:-10} ||
			return 1
	done
}

# 50 million calls, everything checked after each 1,000
model() {
	KMEM_OPS=50000000 KMEM_TEST_SCALE=100 KMEM_TEST_SECONDS=7200 \
		$MAKE -s check TEST_SRC=tests/model/random.c
}

stress() {
	KMEM_TEST_SCALE=1000 KMEM_TEST_SECONDS=7200 $MAKE -s check \
		TEST_SRC="tests/stress/cpus.c tests/stress/nmi.c \
		tests/stress/misuse.c"
}

malloc() {
	$MAKE -s -j2 check-malloc
}

explore() {
	$MAKE -s explore SCHEDULES=40000 EXPLORE_FLAGS="-j 2 -r 20000"
}

fuzz() {
	$MAKE -s fuzz SECONDS=60
}

attacks() {
	$MAKE -s attacks RUNS=100
}

boots() {
	$MAKE -s qemu QEMU_ARGS="steps=4000000 ticks=20000"
}

mutants() {
	$MAKE -s mutants EACH=6
}

explore_mutants() {
	$MAKE -s explore-mutants
}

# ---- all of them ----

if [ "$1" = --part ]; then
	"$2"
	exit
fi

# part NAME: one line, and all that it printed if it failed
part() {
	start=$(date +%s)
	status=ok
	sh "$0" --part "$1" >build/soak/$1.log 2>&1 || status=FAILED
	line="$status $1: $(($(date +%s) - start)) s; $(tail -n 1 build/soak/$1.log)"
	[ $status = ok ] || tail -n 60 build/soak/$1.log
	echo "$line" | tee -a build/soak/results
}

if [ "$1" = --one ]; then
	part "$2"
	exit 0
fi

mkdir -p build/soak
rm -f build/soak/results
for one in $wanted; do
	case " $(echo $all) " in
	*" $one "*) ;;
	*)	echo "no such part: $one; there are: $(echo $all)"
		exit 1 ;;
	esac
done
echo $wanted | tr ' ' '\n' | xargs -P "${JOBS:-1}" -n 1 sh "$0" --one
passed=$(grep -c '^ok ' build/soak/results)
failed=$(($(echo $wanted | wc -w) - passed))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
