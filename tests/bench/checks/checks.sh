#!/bin/sh
# SPDX-License-Identifier: MIT
#
# checks.sh FOLDER ROUNDS - run the three programs in turn, ROUNDS times, and
# print medians, their spread (least to most), and what they are to one another;
# and instructions, if there is valgrind.

dir=$1 rounds=$2
builds="unchecked default hardened"
few=2000 many=22000

round=0
: >"$dir/times"
while [ $round -lt "$rounds" ]; do
	for build in $builds; do
		"$dir/$build/checks" | sed "s/^/$build|/" >>"$dir/times" || exit
	done
	# Next time in another order, so that none is always first.
	builds="${builds#* } ${builds%% *}"
	round=$((round + 1))
done

instructions() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null \
		"$1" "$2" "$3" 2>&1 | sed -n 's/.*Collected : //p'
}

: >"$dir/instructions"
if command -v valgrind >/dev/null; then
	for build in $builds; do
		"$dir/$build/checks" rows | while read -r row; do
			a=$(instructions "$dir/$build/checks" "$row" $few)
			b=$(instructions "$dir/$build/checks" "$row" $many)
			echo "$build|$row|$(((b - a) / (many - few)))"
		done
	done >"$dir/instructions"
else
	echo 'missing: valgrind, so instructions are not counted'
fi
awk -F'|' -v rounds="$rounds" -f "$(dirname "$0")/checks.awk" \
	"$dir/times" "$dir/instructions"
