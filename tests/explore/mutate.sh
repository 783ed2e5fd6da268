#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mutate.sh [PATTERN] - can the explorer fail? In a copy of the tree, one at a
# time, each lock is dropped, each barrier and busy flag removed, each release
# and acquire weakened, each masking of interrupts left out; then some scenario
# must fail, or tests/explore/redundant must say why none does. The last line
# is "N passed, N failed".

cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tree=$dir/tree
mkdir "$tree"
cp -r Makefile src include arch tests linker "$tree"
rm -rf "$tree/build"
only=${1:-.}
passed=0
failed=0

# A mutant: a file, the number of a line, and what is done there, which awk
# programs below know by name.
list() {
	grep -n 'ATOMIC_ACQUIRE\|ATOMIC_RELEASE' include/kmem/atomic.h |
		sed 's|^\([0-9]*\):.*|include/kmem/atomic.h \1 weaken|'
	for f in src/*.[ch]; do
		awk -v f="$f" '
			/^\tkmem_barrier\(\);/ { print f, NR, "remove" }
			/^\t+kmem_store_(plain|relaxed)\(&c->busy, 1\);/ {
				print f, NR, "remove" }
			/kmem_load_(plain|relaxed)\(&c->busy\)/ {
				print f, NR, "never-busy" }
			/[^n]lock_irq\(&|= lock_irq\(/ { print f, NR, "unlock" }
			/= kmem_arch_irq_save\(\)/ { print f, NR, "unmask" }
		' "$f"
	done
}

mutate() {
	awk -v line="$2" -v how="$3" '
		NR == line && how == "weaken" {
			sub(/__ATOMIC_(ACQUIRE|RELEASE)/, "__ATOMIC_RELAXED") }
		NR == line && how == "remove" { $0 = "" }
		NR == line && how == "never-busy" {
			sub(/kmem_load_(plain|relaxed)\(&c->busy\)/, "false") }
		# Masked, but not locked, up to the end of the function.
		NR == line && how == "unlock" {
			sub(/lock_irq\([^)]*\)/, "kmem_arch_irq_save()")
			dropped = 1 }
		dropped { sub(/unlock_irq\(.*, irq\)/,
			      "kmem_arch_irq_restore(irq)") }
		NR == line && how == "unmask" {
			sub(/kmem_arch_irq_save\(\)/, "0") }
		/^}/ { dropped = 0 }
		{ print }' "$1"
}

# Whether some scenario fails; how, on standard output.
explorer_fails() {
	if ! make -s -C "$tree" ARCH=host CC=gcc explore \
		EXPLORE_CFLAGS="-std=c11 -O1 -g -fno-pie -w" \
		EXPLORE_FLAGS='-f -n 30000 -r 20000' >"$dir/out" 2>&1; then
		grep -m 1 -A 1 '^FAILED' "$dir/out" |
			sed -n 's/^FAILED \([^:]*\):.*/\1/p
				s/^\t\(.\{1,60\}\).*/\1/p' | tr '\n' ' '
		grep -q '^FAILED' "$dir/out" && return 0
		tail -n 5 "$dir/out"
		echo "(it does not build)"
	fi
	return 1
}

list | grep -e "$only" >"$dir/list"
while read -r file line how; do
	what=$(sed -n "${line}s/^[[:space:]]*//p" "$file")
	mutate "$file" "$line" "$how" >"$tree/$file"
	if cmp -s "$file" "$tree/$file"; then
		failed=$((failed + 1))
		echo "FAILED $file:$line $how: nothing changed: $what"
	elif why=$(explorer_fails); then
		passed=$((passed + 1))
		echo "ok $file:$line $how: $why"
	elif grep -qF "$file|$how|$what|" tests/explore/redundant; then
		passed=$((passed + 1))
		echo "ok $file:$line $how: not found, as stated"
	else
		failed=$((failed + 1))
		echo "FAILED $file:$line $how: not found: $file|$how|$what|"
		[ -z "$why" ] || echo "$why"
	fi
	cp "$file" "$tree/$file"
done <"$dir/list"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
