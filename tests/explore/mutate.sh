#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mutate.sh [PATTERN] - can the explorer fail? In a copy of the tree, one at a
# time, each lock is dropped, each barrier and busy flag removed, each release
# and acquire weakened where it is used, each masking of interrupts left out;
# then some scenario must fail, or tests/explore/redundant must say why none
# does: lines "file|function|what is done|line of code|reason".
#
# Prints for each mutant which scenario found it, after how many schedules, and
# how. It is a failure if none does ("not found") without a reason, or one does
# in spite of a reason; if the mutant does not build, or changes nothing; and if
# a reason is of no mutant any more. The last line is "N passed, N failed".
#
#	JOBS=n		compilers, and processes of the explorer
#	LIMIT=n		seconds that the explorer may take; more if others are at work
#	SCHEDULES=n	of each scenario, by their order; RANDOM_SCHEDULES=n more

cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tree=$dir/tree
mkdir "$tree"
cp -r Makefile src include arch tests linker "$tree"
cp -r src tests "$dir"			# as they are now, whatever happens here
cd "$dir" || exit 1
only=${1:-.}
jobs=${JOBS:-2}
limit=${LIMIT:-300}
schedules=${SCHEDULES:-2000}
random=${RANDOM_SCHEDULES:-200}
passed=0 failed=0 caught=0 stated=0 open=0 unbuilt=0

# A mutant: a file, the number of a line, the function it is in, and what is
# done there, which sed and awk programs below know by name.
list() {
	for f in src/*.[ch]; do
		awk -v f="$f" '
			function mutant(how) { print f, NR, name, how }
			/^[a-zA-Z].*\(/ && !/;$/ {
				name = $0
				sub(/\(.*/, "", name)
				sub(/.*[ *]/, "", name) }
			/^[ *\/]/ || /^KMEM_INLINE/ || /^static.*;$/ { next }
			/kmem_(load|exchange)_acquire\(/ ||
			/kmem_store_(release|exchange)\(/ ||
			/kmem_fetch_add\(/ { mutant("weaken") }
			/^\t+kmem_barrier\(\);/ { mutant("remove") }
			/^\t+kmem_store_(plain|relaxed)\(&c->busy, 1\);/ {
				mutant("remove") }
			/kmem_load_(plain|relaxed)\(&c->busy\)/ {
				mutant("never-busy") }
			/^\t+lock_take\(/ { mutant("remove") }
			/lock_try\(&/ { mutant("always") }
			/lock_try_irq\(&/ { mutant("unlock") }
			/[^n]lock_irq\(/ { mutant("unlock") }
			/= kmem_arch_irq_save\(\)/ { mutant("unmask") }
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
	remove)	sed "$2s/.*/;/" "$1" ;;
	always)	sed -E "$2s/lock_try\([^)]*\)/true/" "$1" ;;
	unmask)	sed "$2s/kmem_arch_irq_save()/0/" "$1" ;;
	never-busy)
		sed -E "$2s/kmem_load_(plain|relaxed)\(&c->busy\)/false/" "$1" ;;
	# Masked, but not locked, up to the next lock or the end of the function.
	unlock)	awk -v line="$2" '
		# Each call of fn, with its argument, becomes `instead`.
		function replace(s, fn, instead,	at, i, depth) {
			if (!(at = index(s, fn "(")))
				return s
			i = at + length(fn)
			do {
				depth += substr(s, i, 1) == "("
				depth -= substr(s, i, 1) == ")"
			} while (++i <= length(s) && depth)
			return substr(s, 1, at - 1) instead \
			       replace(substr(s, i), fn, instead)
		}
		NR == line {
			$0 = replace($0, "lock_try_irq",
				     "(irq = kmem_arch_irq_save(), true)")
			$0 = replace($0, "lock_irq", "kmem_arch_irq_save()")
			dropped = 1 }
		NR != line && (/^}/ || /[^n]lock_irq\(/) { dropped = 0 }
		dropped && NR != line {
			$0 = replace($0, "unlock_irq",
				     "kmem_arch_irq_restore(irq)") }
		{ print }' "$1" ;;
	esac
}

build() {
	make -s -j "$jobs" -C "$tree" ARCH=host CC=gcc \
		EXPLORE_CFLAGS="-std=c11 -O1 -g -fno-pie -w" \
		build/host/explore/explore >"$dir/out" 2>&1
}

# What is executed, without line numbers.
code() {
	strip -o "$dir/$1" "$tree/build/host/explore/explore"
}

# Whether some scenario fails; how, on standard output. First those that found
# the last mutants of this file, then a few schedules of each: most mutants need
# no more. What compiles to the same need not be explored.
explorer_fails() {
	if ! build; then
		grep -m 1 error: "$dir/out"
		return 2
	fi
	code mutant
	cmp -s "$dir/mutant" "$dir/original" && return 1
	# shellcheck disable=SC2046
	{ ! [ -s "$dir/found.${1##*/}" ] ||
	  explore "$schedules" "$random" $(sort -u "$dir/found.${1##*/}"); } &&
		explore 100 50 && explore "$schedules" "$random" && return 1
	awk '/^FAILED/ { print $2 }' "$dir/out" >>"$dir/found.${1##*/}"
	awk '/^FAILED/ { name = $2; n = $6 + $7; getline; sub(/^\t/, "")
		sub(/ by context.*/, ""); sub(/ of 0x.*/, "")
		printf "%s after %d: %s\n", name, n, substr($0, 1, 40)
		exit }
		END { if (!name) print "it hangs or crashes" }' "$dir/out"
}

explore() {
	n=$1 r=$2
	shift 2
	timeout "$limit" "$tree/build/host/explore/explore" -f -j "$jobs" \
		-n "$n" -r "$r" "$@" >"$dir/out" 2>&1
}

build || { cat "$dir/out"; exit 1; }
explore 100 50 || {
	cat "$dir/out"
	echo "it fails as it is"
	exit 1
}
code original
list | grep -e "$only" >"$dir/list"
while read -r file line name how; do
	what=$(sed -n "${line}s/^[[:space:]]*//p" "$file")
	key="$file|$name|$how|$what|"
	reason=$(grep -F "$key" tests/explore/redundant)
	mutate "$file" "$line" "$how" >"$tree/$file"
	if cmp -s "$file" "$tree/$file"; then
		status=3
	else
		why=$(explorer_fails "$file")
		status=$?
	fi
	word=FAILED
	case $status$reason in
	0)	word=ok; caught=$((caught + 1)) ;;
	0*)	why="found, in spite of its reason: $why" ;;
	1)	open=$((open + 1)); why="not found: $key" ;;
	1*)	word=ok; stated=$((stated + 1)); why="not found: ${reason##*|}" ;;
	2*)	unbuilt=$((unbuilt + 1)); why="does not build: $why" ;;
	3*)	why="nothing changed: $what" ;;
	esac
	[ $word = ok ] && passed=$((passed + 1)) || failed=$((failed + 1))
	printf '%-6s %-24s %-10s %s\n' $word "$file:$line" "$how" "$why"
	printf '%s\n' "$key" >>"$dir/keys"
	cp "$file" "$tree/$file"
done <"$dir/list"
while IFS= read -r reason; do
	[ "$only" != . ] || grep -qxF "${reason%|*}|" "$dir/keys" && continue
	echo "FAILED no such mutant: $reason"
	failed=$((failed + 1))
done <tests/explore/redundant
echo "$caught caught, $stated redundant for a reason, $open not found," \
	"$unbuilt not built"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
