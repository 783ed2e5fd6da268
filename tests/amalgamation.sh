#!/bin/sh
# SPDX-License-Identifier: MIT
#
# amalgamation.sh - kmem.c and kmem.h are the library: they compile with its
# warnings for each architecture, with both compilers, and pass the model and
# the stress test; kmem.h is C++ as well.
#
# Optimised is what is run: that others compile, shows without; or with OPT, if it
# is in the environment. gcc's warnings are the host's, clang's everywhere.

cd "$(dirname "$0")/.." || exit 1
MAKE="${MAKE:-make} -s"
dir=build/amalgamation
bad=0

fail() {
	echo "FAILED: $*"
	bad=1
}

# job ARCH CC OPT: the command that compiles it
job() {
	flags=$(CFLAGS=$3 $MAKE compiler ARCH="$1" CC="$2") || exit 1
	flags=$(echo "$flags" | sed "s| -Iinclude -Iarch/$1 | |")
	mkdir -p "$dir/$1-$2"
	echo "$flags -I$dir -I$dir/arch/$1 -c $dir/kmem.c" \
		"-o $dir/$1-$2/kmem.o || echo FAILED: $1, $2"
}

$MAKE amalgamation || exit 1
{
	job host gcc -O2
	for mk in arch/*/arch.mk; do
		job "$(basename "$(dirname "$mk")")" clang "${OPT:--O0}"
	done
} >"$dir/jobs" || exit 1
xargs -P 2 -d '\n' -n 1 sh -c <"$dir/jobs" >"$dir/out" 2>&1
cat "$dir/out"
[ "$(wc -l <"$dir/jobs")" -gt 2 ] && ! grep -q '^FAILED' "$dir/out" || exit 1
for cxx in g++ clang++; do
	echo '#include <kmem/linux.h>' | $cxx -x c++ -std=c++17 -Wall -Wextra \
		-Werror -I$dir -I$dir/arch/host -fsyntax-only - ||
		fail "kmem.h and linux.h with $cxx"
done
KMEM_OPS=${KMEM_OPS:-200000} KMEM_TEST_SCALE=${KMEM_TEST_SCALE:-10} OPT=-O1 \
	$MAKE -j2 check CC=gcc BUILD=$dir/host-gcc LIB_OBJ=$dir/host-gcc/kmem.o \
	TEST_SRC="tests/model/random.c tests/stress/cpus.c tests/stress/misuse.c" ||
	fail "tests with gcc"
exit $bad
