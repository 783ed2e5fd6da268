#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mcdc.sh - modified condition/decision coverage of the library by the host tests:
# `make coverage MCDC=1`. A condition counts if two runs of its decision differ
# in it alone, of those that matter, and in what is decided.
#
# clang 19 counts it, in the source, so everything is inlined as ever. Prints a
# line a file: functions, lines, branches, conditions. Unlike coverage.sh it
# counts what other choices of <kmem/config.h> would compile, KMEM_NEVER() too.
cd "$(dirname "$0")/../.." || exit 1
MAKE=${MAKE:-make}
unset MAKEFLAGS MAKELEVEL MFLAGS CC SAN DEBUG ARCH
for tool in clang llvm-profdata llvm-cov; do
	command -v $tool-19 >/dev/null && continue
	echo "$tool-19 is not installed: apt-get install clang-19"
	exit 1
done
export KMEM_OPS="${KMEM_OPS:-100000}"
export KMEM_TEST_SCALE="${KMEM_TEST_SCALE:-10}"
dir=build/coverage/mcdc
mkdir -p $dir
rm -rf $dir/raw
export LLVM_PROFILE_FILE="$PWD/$dir/raw/%4m.profraw"
status=0
$MAKE -s -j2 check CC=clang-19 SAN=mcdc BUILD=$dir INJECT_FLAGS=-DKMEM_INJECT=1 \
	CFLAGS="-O1 -g -fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc \
		-fprofile-update=atomic" LDFLAGS=-fprofile-instr-generate \
	>$dir/log 2>&1 || status=1
grep -E '^(ok|FAILED) |error:' $dir/log
llvm-profdata-19 merge -o $dir/all.profdata $dir/raw || exit 1
programs=$(find $dir/tests -type f -perm -u+x | sed 's/^/-object /')
llvm-cov-19 report -show-mcdc-summary -show-region-summary=false \
	-instr-profile=$dir/all.profdata $programs \
	-ignore-filename-regex='(^|/)(tests|arch)/' || status=1
exit $status
