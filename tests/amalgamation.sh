#!/bin/sh
# SPDX-License-Identifier: MIT
#
# amalgamation.sh - kmem.c and kmem.h are the library: they compile with its
# warnings, for each architecture and with both compilers, ask for the same
# functions, and pass the model and the stress test; kmem.h is C++ as well.
#
# Optimised is what is run: that others compile, shows without; or with OPT, if it
# is in the environment.

cd "$(dirname "$0")/.." || exit 1
MAKE="${MAKE:-make} -s"
dir=build/amalgamation
bad=0

fail() {
	echo "FAILED: $*"
	bad=1
}

$MAKE amalgamation || exit 1
for mk in arch/*/arch.mk; do
	arch=$(basename "$(dirname "$mk")")
	for cc in gcc clang; do
		flags=$(CFLAGS=${OPT:--O0} $MAKE compiler ARCH="$arch" CC=$cc) || exit 1
		flags=$(echo "$flags" | sed "s| -Iinclude -Iarch/$arch | |")
		out=$dir/$arch-$cc
		mkdir -p "$out"
		echo "$flags -I$dir -I$dir/arch/$arch -c $dir/kmem.c" \
			"-o $out/kmem.o || echo FAILED: $arch, $cc"
	done
done >"$dir/jobs" || exit 1
xargs -P 2 -d '\n' -n 1 sh -c <"$dir/jobs" >"$dir/out" 2>&1
cat "$dir/out"
grep -q '^FAILED' "$dir/out" && exit 1
for cxx in g++ clang++; do
	echo '#include <kmem/linux.h>' | $cxx -x c++ -std=c++17 -Wall -Wextra \
		-Werror -I$dir -I$dir/arch/host -fsyntax-only - ||
		fail "kmem.h and linux.h with $cxx"
done
for cc in gcc clang; do
	KMEM_OPS=${KMEM_OPS:-200000} KMEM_TEST_SCALE=${KMEM_TEST_SCALE:-10} \
		OPT=-O2 $MAKE -j2 check CC=$cc BUILD=$dir/host-$cc \
		LIB_OBJ=$dir/host-$cc/kmem.o TEST_SRC="tests/model/random.c
		tests/stress/cpus.c tests/stress/misuse.c" ||
		fail "tests with $cc"
done
exit $bad
