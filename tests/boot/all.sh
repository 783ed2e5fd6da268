#!/bin/sh
# SPDX-License-Identifier: MIT
#
# all.sh ARCH... - boot the test kernel on each, in each of its ways; then a
# table, and a last line "N passed, N failed".
#
# CC, if it is in the environment, is the kind of compiler; with WAYS=first
# only the usual way of each is tried, with WAYS=rest only the others. What the
# kernel of one architecture prints is shown as it comes; of several, which are
# tried two at a time, only if it failed. The exit status is 0 if every boot
# passed, and there was one.

MAKE=${MAKE:-make}
unset MAKEFLAGS MAKELEVEL MFLAGS

# boot ARCH WAY: its output, and its status as that of the function
boot()
{
	$MAKE -s -j2 qemu-one ARCH="$1" BOOT="$2" ${CC:+CC="$CC"} 2>&1
}

# one ARCH: in each of its ways, which share its files; a line of the table for
# each, with the outcome as its last word
one()
{
	ways=$($MAKE -s boots ARCH="$1")
	first=${ways%%[!a-z0-9-]*}
	case $WAYS in
	first)	ways=$first ;;
	rest)	ways=${ways#"$first"} ;;
	esac
	log=$dir/$1
	for way in $ways; do
		start=$(date +%s)
		outcome=passed
		if [ "$quiet" ]; then
			boot "$1" "$way" >"$log" || outcome=FAILED
			[ $outcome = passed ] || cat "$log"
			echo "$outcome $1, $way"
		else
			boot "$1" "$way" || outcome=FAILED
		fi
		printf '%-10s %-12s %6d s  %s\n' "$1" "$way" \
			$(($(date +%s) - start)) $outcome >>"$dir/table"
	done
	echo "$1" >>"$dir/done"
}

if [ "$1" = --one ]; then
	one "$2"
	exit 0
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
quiet=
[ $# -gt 1 ] && quiet=1
export dir quiet
: >"$dir/table"
: >"$dir/done"
printf '%s\n' "$@" | xargs -P 2 -n 1 sh "$0" --one
echo
echo 'machine    boot            time  outcome'
sort "$dir/table"
passed=$(grep -c 'passed$' "$dir/table")
failed=$(($(grep -c 'FAILED$' "$dir/table") + $# - $(wc -l <"$dir/done")))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
