#!/bin/sh
# SPDX-License-Identifier: MIT
#
# trace.sh PROGRAM - what a replay prints, with the function and the line of
# each access in place of its address.

lines=$(mktemp)
trap 'rm -f "$lines" "$lines.pc"' EXIT
cat >"$lines"
sed -n 's/.* pc \(0x[0-9a-f]*\)$/\1/p' "$lines" |
	addr2line -fse "$1" | paste -d ' ' - - >"$lines.pc"
awk -v places="$lines.pc" '
	/ pc 0x[0-9a-f]*$/ {
		getline place <places
		sub(/ pc 0x[0-9a-f]*$/, "")
		printf "%-44s %s\n", $0, place
		next
	}
	{ print }' "$lines"
