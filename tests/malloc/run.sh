#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh LIBRARY PROGRAM... - the tests of libkmem-malloc.so, a line each; the
# last line is "N passed, N failed". The programs are run a second time with
# few CPUs and a small arena, so that threads share and mappings step in. With
# KMEM_QUICK set, real programs are left out.

library=$(realpath "$1") || exit 1
shift
dir=$(dirname "$0")
passed=0
failed=0

# one WHAT COMMAND...: what it prints is shown if it fails
one() {
	what=$1
	shift
	log=$(mktemp)
	start=$(date +%s)
	if timeout "${KMEM_TEST_SECONDS:-300}" "$@" >"$log" 2>&1; then
		passed=$((passed + 1))
		echo "ok $what: $(tail -n 1 "$log") $(($(date +%s) - start))s"
	else
		failed=$((failed + 1))
		echo "FAILED ($?) $what"
		tail -n 40 "$log" | sed 's/^/    /'
	fi
	rm -f "$log"
}

for program; do
	one "malloc: $(basename "$program")" \
		env LD_PRELOAD="$library" "$program"
	one "malloc, 3 CPUs, 16 MiB: $(basename "$program")" \
		env KMEM_MALLOC_CPUS=3 KMEM_MALLOC_BYTES=16M \
		LD_PRELOAD="$library" "$program"
done
[ "$KMEM_QUICK" ] || one "malloc: real programs" sh "$dir/programs.sh" "$library"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
