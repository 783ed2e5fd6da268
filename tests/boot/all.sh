#!/bin/sh
# SPDX-License-Identifier: MIT
#
# all.sh ARCH... - boot the test kernel on each, in each of its ways; then a
# table, and a last line "N passed, N failed".
#
# CC, if it is in the environment, is the kind of compiler; with WAYS=first
# only the usual way of each is tried, with WAYS=rest only the others. What the
# kernel of one architecture prints is shown as it comes; of several, only if it
# failed. The exit status is 0 if every boot passed, and there was one.

MAKE=${MAKE:-make}
unset MAKEFLAGS MAKELEVEL MFLAGS
table=$(mktemp)
log=$(mktemp)
trap 'rm -f "$table" "$log"' EXIT

[ $# -gt 1 ] && quiet=1

# boot ARCH WAY: its output, and its status as that of the function
boot()
{
	$MAKE -s -j2 qemu-one ARCH="$1" BOOT="$2" ${CC:+CC="$CC"} 2>&1
}

for arch; do
	ways=$($MAKE -s boots ARCH="$arch")
	first=${ways%%[!a-z0-9-]*}
	case $WAYS in
	first)	ways=$first ;;
	rest)	ways=${ways#"$first"} ;;
	esac
	for way in $ways; do
		start=$(date +%s)
		outcome=passed
		if [ -n "$quiet" ]; then
			boot "$arch" "$way" >"$log" || outcome=FAILED
			[ $outcome = passed ] || cat "$log"
			echo "$outcome $arch, $way"
		else
			boot "$arch" "$way" || outcome=FAILED
		fi
		printf '%-10s %-12s %6d s  %s\n' "$arch" "$way" \
			$(($(date +%s) - start)) $outcome >>"$table"
	done
done
echo
echo 'machine    boot            time  outcome'
cat "$table"
passed=$(grep -c 'passed$' "$table")
failed=$(grep -c 'FAILED$' "$table")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
