#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh FOLDER RUNS [ROW] - measure the three columns, then print the table;
# or what each run of a row had to say. RUN_WITH may name an emulator.

default=$1/default/attacks hardened=$1/hardened/attacks
runs=$2

if [ $# -gt 2 ]; then
	for column in default debug; do
		$RUN_WITH "$default" $column "$runs" "$3"
	done
	$RUN_WITH "$hardened" hardened "$runs" "$3"
	exit
fi

hardening=$($RUN_WITH "$default" rows)
{
	$RUN_WITH "$default" default "$runs" &&
	$RUN_WITH "$hardened" hardened "$runs"
} >"$1/measured.1" &
$RUN_WITH "$default" debug "$runs" >"$1/measured.2"
status=$?
wait $! && [ $status -eq 0 ] || echo "a column was not measured"
awk -v hardening="$hardening" -v runs="$runs" -f "$(dirname "$0")/table.awk" \
	"$1/measured.1" "$1/measured.2"
