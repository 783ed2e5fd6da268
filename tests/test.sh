#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - everything that `make test` does, set-up included.
#
# On Debian and its kin, as root or with sudo, packages that are missing are
# installed. Elsewhere the list of what to install is printed, and nothing is
# skipped: what can't be run counts as failed.

cd "$(dirname "$0")/.." || exit 1
MAKE=${MAKE:-make}
unset MAKEFLAGS MAKELEVEL MFLAGS CC SAN DEBUG ARCH CFLAGS OPT
# Lines in reports of sanitizers, no more: it is a fifth of what compiling costs.
export INFO=-g1
passed=0
failed=0
start=$(date +%s)

say() {
	printf '\n== %s\n' "$*"
}

# result STATUS WHAT
result() {
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
		echo "ok $2"
	else
		failed=$((failed + 1))
		echo "FAILED $2"
	fi
}

# step WHAT COMMAND...: its output is shown if it fails
step() {
	what=$1
	shift
	log=$(mktemp)
	"$@" >"$log" 2>&1
	status=$?
	[ $status -eq 0 ] || tail -n 60 "$log"
	rm -f "$log"
	result $status "$what"
	return $status
}

# suite WHAT TARGET MAKE-ARGUMENT...: a run of test programs, each counted
suite() {
	what=$1
	shift
	log=$(mktemp)
	{ $MAKE -s -j2 "$@" 2>&1 || echo "not all passed"; } | tee "$log"
	p=$(sed -n 's/^\([0-9]*\) passed, [0-9]* failed$/\1/p' "$log" | tail -n 1)
	f=$(sed -n 's/^[0-9]* passed, \([0-9]*\) failed$/\1/p' "$log" | tail -n 1)
	if [ -z "$p" ] || [ "$p" = 0 ]; then
		result 1 "$what: did not run"
	else
		passed=$((passed + p))
		failed=$((failed + f))
		[ "$f" -eq 0 ] && grep -q 'not all passed' "$log" &&
			result 1 "$what"
	fi
	rm -f "$log"
}

# host_tests WITH PERCENT MAKE-ARGUMENT...: of the loops, this much
host_tests() {
	say "tests with $1"
	what="tests, $1" percent=$2
	shift 2
	KMEM_TEST_SCALE=${KMEM_TEST_SCALE:-$percent} suite "$what" check "$@"
}

# units LIST: of each line, a function below and what it is given, its steps;
# two units at a time. What has not come to its end counts as failed.
units() {
	UNITS=$(mktemp)
	export UNITS
	echo "$1" | xargs -P 2 -L 1 sh tests/test.sh --unit
	passed=$((passed + $(awk '{ n += $1 } END { print n + 0 }' "$UNITS")))
	failed=$((failed + $(awk '{ n += $2 } END { print n + 0 }' "$UNITS")))
	[ "$(wc -l <"$UNITS")" -eq "$(echo "$1" | wc -l)" ] ||
		result 1 "not all of them ran"
	rm -f "$UNITS"
}

# ---- units ----

# library ARCH CC
library() {
	step "$1, $2: libkmem.a" $MAKE -s -j2 ARCH="$1" CC="$2"
	step "$1, $2: undefined symbols" $MAKE -s symbols ARCH="$1" CC="$2"
}

# script FILE ARGUMENT WHAT...; the argument may be -
script() {
	file=$1 argument=$2
	shift 2
	[ "$argument" = - ] && argument=
	step "$*" sh "tests/$file.sh" $argument
}

docs() {
	step "make docs" $MAKE -s docs
}

demo() {
	step "make demo" $MAKE -s demo CC=gcc
	step "make demo, another map and trace" $MAKE -s demo CC=gcc \
		MAP=tests/data/memmaps/x86-12t-uv-16node.map \
		TRACE=tests/data/boot-head.kat CPUS=3
}

# for correctness only
bench() {
	step "make bench QUICK=1" $MAKE -s -j2 bench QUICK=1 CC=gcc
}

if [ "$1" = --unit ]; then
	shift
	out=$(mktemp)
	"$@" >"$out" 2>&1
	cat "$out"
	rm -f "$out"
	[ $((passed + failed)) -gt 0 ] || result 1 "$*"
	echo "$passed $failed" >>"$UNITS"
	exit 0
fi

# ---- set-up ----

missing() {
	command -v gcc >/dev/null || echo gcc
	command -v g++ >/dev/null || echo g++
	command -v clang >/dev/null || echo clang
	command -v qemu-system-x86_64 >/dev/null || echo qemu-system-x86
	command -v qemu-system-riscv64 >/dev/null || echo qemu-system-misc
	command -v qemu-system-aarch64 >/dev/null || echo qemu-system-arm
	command -v arm-none-eabi-gcc >/dev/null || echo gcc-arm-none-eabi
	command -v ld.lld >/dev/null || echo lld
	command -v rustc >/dev/null || echo rustc
	command -v qemu-s390x-static >/dev/null || echo qemu-user-static
	for tuple in i686-linux-gnu:i386 arm-linux-gnueabihf:armhf \
		aarch64-linux-gnu:arm64 riscv64-linux-gnu:riscv64 \
		powerpc-linux-gnu:powerpc s390x-linux-gnu:s390x; do
		command -v ${tuple%:*}-gcc >/dev/null || echo gcc-${tuple%:*}
		[ -d /usr/${tuple%:*}/include ] ||
			echo libc6-dev-${tuple#*:}-cross
	done
	command -v clang-tidy >/dev/null || echo clang-tidy
	command -v cppcheck >/dev/null || echo cppcheck
	clang -fsanitize=fuzzer -x c - -o /dev/null >/dev/null 2>&1 <<C ||
int LLVMFuzzerTestOneInput(const char *p, unsigned long n);
int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return !p && n; }
C
		echo libclang-rt-14-dev
	command -v xz >/dev/null || echo xz-utils
	command -v zstd >/dev/null || echo zstd
	[ -x /usr/bin/time ] || echo time
	command -v python3 >/dev/null || echo python3
	command -v cmake >/dev/null || echo cmake
	command -v meson >/dev/null || echo meson
	command -v doxygen >/dev/null || echo doxygen
	command -v pkg-config >/dev/null || echo pkg-config
	command -v git >/dev/null || echo git
	echo '#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>' | ${CC:-cc} -E -x c - >/dev/null 2>&1 ||
		echo libcmocka-dev
}

set_up() {
	need=$(missing | tr '\n' ' ')
	[ -n "$need" ] || return 0
	echo "missing: $need"
	if ! command -v apt-get >/dev/null; then
		echo "install the equivalents of these Debian packages: $need"
		return 1
	fi
	sudo=
	if [ "$(id -u)" -ne 0 ]; then
		sudo="sudo -n"
		if ! $sudo true 2>/dev/null; then
			echo "not root, and no sudo; run: apt-get install $need"
			return 1
		fi
	fi
	echo "installing: $need"
	$sudo apt-get update -q >/dev/null &&
		$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
			--no-install-recommends $need >/dev/null
	need=$(missing | tr '\n' ' ')
	[ -z "$need" ] || echo "still missing: $need"
	[ -z "$need" ]
}

say "set-up"
set_up
result $? "set-up: compilers, cmocka, QEMU"

say "builds"
units "$(
	echo script amalgamation - one kmem.c and one kmem.h
	for arch in $($MAKE -s arches); do
		echo library $arch gcc
	done
	echo library x86_64 clang
	echo library armv6m clang
	echo script incremental - incremental builds
	echo script embed - in projects of make, cmake and meson
	echo script headers - public headers, alone and together, C11 to C2x and C++17
	echo docs
	echo script layers - layers)"
say "with the libraries"
units "$(
	echo bench
	echo demo
	for cc in gcc clang; do
		echo script up $cc one CPU: no atomic operation, $cc
		echo script prefix $cc x86_64, $cc: with KMEM_PREFIX_NAMES
		echo script unlinked $cc what is not called is not linked, $cc
	done
	echo script samples - C++ and Rust on kmem
	echo script install - make install
	echo script readme - the README)"

say "other configurations"
units "$(for config in $(sh tests/configs.sh list); do
	echo script configs $config configuration $config
done)"

# Of random loops, so many percent. Loops over all of something are complete, but
# below 30 percent they take steps. tests/soak.sh has more, and -O2.
# What callers see of -O2, at the price of -O1: that calls at an end are jumps.
light="-O1 -foptimize-sibling-calls"
host_tests gcc 15 CC=gcc
# All sizes, and all states of a small zone, are in the whole of these loops.
host_tests "gcc: every size, every state" 100 CC=gcc TEST_SRC="\
	tests/unit/slab_test.c tests/unit/kmalloc_test.c \
	tests/unit/cache_test.c tests/unit/debug_test.c tests/model/exhaustive.c"
host_tests clang 10 CC=clang
host_tests "kmem's own assertions, AddressSanitizer and UndefinedBehaviorSanitizer" \
	10 CC=gcc DEBUG=1 SAN=asan OPT="$light"
host_tests ThreadSanitizer 5 CC=gcc SAN=tsan OPT="$light"
host_tests "words of 32 bits" 10 CC=gcc HOST_TARGET=i686 OPT="$light"

say "every schedule of a few CPUs, within bounds: a million"
suite "schedules" explore CC=gcc SCHEDULES=12000 EXPLORE_FLAGS="-j 2 -r 8100"
say "what is found of each kind of misuse"
suite "attacks" attacks CC=gcc RUNS=4
say "fuzzing: a minute in all"
suite "fuzzing" fuzz SECONDS=15 OPT="$light"

say "libkmem-malloc.so"
KMEM_TEST_SCALE=${KMEM_TEST_SCALE:-25} suite "malloc" check-malloc CC=gcc

say "boots in QEMU, every machine in each of its ways"
WAYS=first QEMU_ARGS="steps=50000 ticks=500" suite "boots" qemu CC=gcc
WAYS=rest QEMU_ARGS="steps=20000 ticks=200" suite "boots, other ways" qemu CC=gcc

echo
echo "$(($(date +%s) - start)) seconds"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
