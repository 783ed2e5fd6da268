#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh LABEL PROGRAM... - run test programs, one line each, and count them.
#
# A program passes if it exits with 0 within KMEM_TEST_SECONDS. What it printed
# is kept beside it (PROGRAM.log) and shown if it failed. The last line is
# "N passed, N failed"; the exit status is 0 if none failed and some ran.
# RUN_WITH may name the emulator that runs them.

label=$1
shift
: "${KMEM_TEST_SECONDS:=300}"
export KMEM_TEST_SECONDS RUN_WITH label

one() {
	start=$(date +%s)
	if timeout "$KMEM_TEST_SECONDS" $RUN_WITH "$1" >"$1.log" 2>&1; then
		status=ok
	else
		status="FAILED ($?)"
	fi
	seconds=$(($(date +%s) - start))
	cases=$(sed -n 's/.*\[  PASSED  \] \([0-9]*\) test.*/ \1 cases/p' "$1.log")
	echo "$status $label: ${1##*/}$cases ${seconds}s"
	[ "$status" = ok ] || sed 's/^/    /' "$1.log" | tail -n 40
}

if [ "$label" = --one ]; then
	label=$LABEL
	one "$1"
	exit 0
fi

results=$(mktemp)
trap 'rm -f "$results"' EXIT
# Two at a time; but one whose threads call one another waits for each thread of
# the other: these run alone.
alone='/stress/\|_objects$'
# Those that may take long begin first, so that nothing waits for one at the end.
long='/points/nmi$\|/model/\|/staged_test$\|/debug_test$\|/contig_test$\|/map_'
{
	{
		printf '%s\n' "$@" | grep "$long"
		printf '%s\n' "$@" | grep -v "$long"
	} | grep -v "$alone" |
		LABEL=$label xargs -r -P 2 -n 1 sh "$0" --one
	printf '%s\n' "$@" | grep "$alone" |
		LABEL=$label xargs -r -n 1 sh "$0" --one
} | tee "$results"
passed=$(grep -c '^ok ' "$results")
failed=$(grep -c '^FAILED' "$results")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -eq $# ]
