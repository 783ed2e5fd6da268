#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mutate.sh [PATTERN] - can the explorer fail? In a copy of the tree, one at a
# time, each lock is dropped, each barrier and busy flag removed, each release
# and acquire weakened where it is used, each masking of interrupts left out;
# then some scenario must fail, or tests/explore/redundant must say why none
# does. Prints for each mutant which scenario found it, after how many
# schedules, and how. The last line is "N passed, N failed".
#
#	JOBS=n		compilers, and processes of the explorer
#	SCHEDULES=n	of each scenario, by their order; RANDOM_SCHEDULES=n more

cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tree=$dir/tree
mkdir "$tree"
cp -r Makefile src include arch tests linker "$tree"
only=${1:-.}
jobs=${JOBS:-2}
passed=0
failed=0

# A mutant: a file, the number of a line, and what is done there, which sed
# and awk programs below know by name.
list() {
	for f in src/*.[ch]; do
		awk -v f="$f" '
			/^[ *\/]/ || /^KMEM_INLINE/ || /^static.*;$/ { next }
			/kmem_(load|exchange)_acquire\(/ ||
			/kmem_store_(release|exchange)\(/ || /kmem_fetch_add\(/ {
				print f, NR, "weaken" }
			/^\t+kmem_barrier\(\);/ { print f, NR, "remove" }
			/^\t+kmem_store_(plain|relaxed)\(&c->busy, 1\);/ {
				print f, NR, "remove" }
			/kmem_load_(plain|relaxed)\(&c->busy\)/ {
				print f, NR, "never-busy" }
			/^\t+lock_take\(/ { print f, NR, "remove" }
			/lock_try\(&/ { print f, NR, "always" }
			/lock_try_irq\(&/ { print f, NR, "unlock" }
			/[^n]lock_irq\(/ { print f, NR, "unlock" }
			/= kmem_arch_irq_save\(\)/ { print f, NR, "unmask" }
		' "$f"
	done
}

weaken='s/kmem_load_acquire/kmem_load_relaxed/
	s/kmem_store_(release|exchange)/kmem_store_relaxed/
	s/kmem_exchange_acquire\((.*), ([01])\)/__atomic_exchange_n(\1, \2, __ATOMIC_RELAXED)/
	s/kmem_fetch_add/kmem_add_relaxed/'

mutate() {
	case $3 in
	weaken)	sed -E "$2{$weaken
			}" "$1" ;;
	remove)	sed "$2s/.*//" "$1" ;;
	always)	sed -E "$2s/lock_try\([^)]*\)/true/" "$1" ;;
	unmask)	sed "$2s/kmem_arch_irq_save()/0/" "$1" ;;
	never-busy)
		sed -E "$2s/kmem_load_(plain|relaxed)\(&c->busy\)/false/" "$1" ;;
	# Masked, but not locked, up to the end of the function.
	unlock)	awk -v line="$2" '
		function unlocked(s) {
			gsub(/unlock_irq\([^;]*irq\)/,
			     "kmem_arch_irq_restore(irq)", s)
			return s
		}
		NR == line {
			sub(/lock_try_irq\([^)]*\)/,
			    "(irq = kmem_arch_irq_save(), true)")
			sub(/lock_irq\((pool_lock\()?[^)]*\)+/,
			    "kmem_arch_irq_save()")
			if (!/;$/) $0 = $0 ";"
			dropped = 1 }
		dropped && NR != line { $0 = unlocked($0) }
		/^}/ { dropped = 0 }
		{ print }' "$1" ;;
	esac
}

build() {
	make -s -j "$jobs" -C "$tree" ARCH=host CC=gcc \
		EXPLORE_CFLAGS="-std=c11 -O1 -g -fno-pie -w" \
		build/host/explore/explore >"$dir/out" 2>&1
}

# Whether some scenario fails; how, on standard output.
explorer_fails() {
	if ! build; then
		grep -m 1 error: "$dir/out"
		return 2
	fi
	timeout 300 "$tree/build/host/explore/explore" -f -j "$jobs" \
		-n "${SCHEDULES:-5000}" -r "${RANDOM_SCHEDULES:-200}" \
		>"$dir/out" 2>&1 && return 1
	awk '/^FAILED/ { name = $2; n = $6 + $7; getline; sub(/^\t/, "")
		sub(/ by context.*/, ""); sub(/ of 0x.*/, "")
		printf "%s after %d: %s\n", name, n, substr($0, 1, 40)
		exit }
		END { if (!name) print "it hangs or crashes" }' "$dir/out"
}

build || { cat "$dir/out"; exit 1; }
"$tree/build/host/explore/explore" -f -j "$jobs" -n 2000 -r 0 >"$dir/out" || {
	cat "$dir/out"
	echo "it fails as it is"
	exit 1
}
list | grep -e "$only" >"$dir/list"
while read -r file line how; do
	what=$(sed -n "${line}s/^[[:space:]]*//p" "$file")
	mutate "$file" "$line" "$how" >"$tree/$file"
	if cmp -s "$file" "$tree/$file"; then
		status=3
	else
		why=$(explorer_fails)
		status=$?
	fi
	word=FAILED
	case $status in
	0)	word=ok ;;
	1)	why="not found: $file|$how|$what|"
		grep -qF "$file|$how|$what|" tests/explore/redundant &&
			{ word=ok; why="not found, as stated"; } ;;
	2)	why="does not build: $why" ;;
	3)	why="nothing changed: $what" ;;
	esac
	[ $word = ok ] && passed=$((passed + 1)) || failed=$((failed + 1))
	printf '%-6s %-28s %-10s %s\n' $word "$file:$line" "$how" "$why"
	cp "$file" "$tree/$file"
done <"$dir/list"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
