#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh - boot the test kernel in an emulator and judge the outcome.
#
#	run.sh ARCH PACKAGE STATUS SECONDS LOG EMULATOR [ARGUMENT...]
#
# Passed means: the emulator ended in time, with STATUS, which the kernel asked
# for, and the kernel's last word was its success token. PACKAGE is Debian's
# name of what contains EMULATOR. The output is shown, and kept in LOG.

arch=$1 package=$2 want=$3 seconds=$4 log=$5
shift 5

token='^kmem: self-test passed'

failed()
{
	# The machine may have ended in the middle of a line.
	[ -s "$log" ] && [ -n "$(tail -c 1 "$log")" ] && echo
	echo "qemu $arch: failed: $1"
	exit 1
}

rm -f "$log" "$log.status"
command -v "$1" >/dev/null 2>&1 ||
	failed "$1 is not installed (Debian: apt-get install $package)"

# A pipe has only its last command's status: the emulator's goes to a file.
{
	timeout "$seconds" "$@" </dev/null 2>&1
	echo $? >"$log.status"
} | tee "$log"
status=$(cat "$log.status")
rm -f "$log.status"

if [ "$status" = "$want" ]; then
	tail -n 1 "$log" | grep -q "$token" ||
		failed "ended with success, but did not say so last"
	echo "qemu $arch: passed"
	exit 0
fi
case $status in
124)	failed "still running after $seconds s" ;;
0)	failed "the machine reset itself, or was switched off" ;;
*)	reason=$(sed -n 's/^kmem: self-test FAILED: //p' "$log" | tail -n 1)
	failed "${reason:-the emulator ended with status $status}" ;;
esac
