#!/bin/sh
# SPDX-License-Identifier: MIT
#
# all.sh ARCH... - boot the test kernel on each, in each of its ways; then a
# table. CC, if it is in the environment, is the kind of compiler. The exit
# status is 0 if every boot passed, and there was one.

MAKE=${MAKE:-make}
unset MAKEFLAGS MAKELEVEL MFLAGS
table=$(mktemp)
trap 'rm -f "$table"' EXIT

for arch; do
	for boot in $($MAKE -s boots ARCH="$arch"); do
		start=$(date +%s)
		outcome=passed
		$MAKE -s -j2 qemu-one ARCH="$arch" BOOT="$boot" \
			${CC:+CC="$CC"} || outcome=FAILED
		printf '%-10s %-12s %6d s  %s\n' "$arch" "$boot" \
			$(($(date +%s) - start)) $outcome >>"$table"
	done
done
echo
echo 'machine    boot            time  outcome'
cat "$table"
grep -q passed "$table" && ! grep -q FAILED "$table"
