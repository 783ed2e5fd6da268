#!/bin/sh
# SPDX-License-Identifier: MIT
#
# samples.sh - kmem as the heap of C++ and of Rust: tests/samples is compiled
# and run. What a kernel copies of it is compiled freestanding, too.

cd "$(dirname "$0")/.." || exit 1
${MAKE:-make} -s -j2 ARCH=host >/dev/null || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
lib=build/host/libkmem.a
inc="-Iinclude -Iarch/host"
warn="-Wall -Wextra -Werror -O2"
bad=0

# run WHAT COMMAND...
run() {
	what=$1
	shift
	"$@" || { echo "FAILED: $what"; bad=1; }
}

cc $warn -std=gnu11 $inc -c arch/host/host.c -o "$dir/host.o" || exit 1
for cxx in g++ clang++; do
	$cxx $warn -std=c++17 $inc -fsized-deallocation -ffreestanding -fno-exceptions \
		-c tests/samples/cxx/operator_new.cc -o "$dir/new.o" &&
		$cxx $warn -std=c++17 -fsized-deallocation $inc tests/samples/cxx/main.cc \
			"$dir/new.o" "$dir/host.o" $lib -pthread \
			-o "$dir/cxx" || { bad=1; continue; }
	run "C++ by $cxx" "$dir/cxx"
done

# Debian's rustc, or whichever is the machine's.
for rustc in /usr/bin/rustc rustc; do
	command -v $rustc >/dev/null || continue
	$rustc --edition 2021 -O --crate-type staticlib -D warnings \
		tests/samples/rust/main.rs -o "$dir/librust.a" &&
		cc $warn $inc tests/samples/rust/machine.c "$dir/host.o" \
			"$dir/librust.a" $lib -pthread -ldl -lm \
			-o "$dir/rust" || { bad=1; continue; }
	run "Rust by $($rustc --version)" "$dir/rust"
	rust=1
done
[ -n "$rust" ] || { echo "FAILED: no rustc"; bad=1; }
exit $bad
