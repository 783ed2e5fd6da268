#!/bin/sh
# SPDX-License-Identifier: MIT
#
# programs.sh LIBRARY [ROUNDS] - real programs on libkmem-malloc.so
#
# Each command line is run on the C library's malloc and on LIBRARY, and must
# print the same bytes and end with the same status. With ROUNDS, each is run
# that often on both in turn, and the medians of time (user + system) and of
# the largest resident set are shown. A program that is not installed is named.
# With KMEM_TEST_SCALE=percent they are given so much less to do.

library=$(realpath "$1") || exit 1
rounds=${2:-1}
lanes=$([ "$rounds" = 1 ] && echo 2 || echo 1)	# two at a time, if not measured
[ -x /usr/bin/time ] || { echo 'GNU time is needed: package time'; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export LC_ALL=C TZ=UTC PYTHONHASHSEED=0
unset MAKEFLAGS MAKELEVEL MFLAGS

# What to chew on: the same bytes each time.
scale=${KMEM_TEST_SCALE:-100}
tree=include
[ "$scale" -ge 100 ] || tree=include/linux
awk -v n=$((1000 * scale)) 'BEGIN { srand(1); for (i = 0; i < n; i++)
	printf "%d %.6f line %d of the input\n", rand() * 1e9, rand(), i }' \
	> lines
echo "N = $((1200 * scale))" > big.py
cat >> big.py <<'END'
import json, re, hashlib, collections
d = {}
for i in range(N):
    d["key%d" % i] = {"n": i, "l": list(range(i % 20)), "s": "x" * (i % 50)}
s = json.dumps(d)
e = json.loads(s)
c = collections.Counter(re.findall(r"[a-z0-9]+", s))
print(len(s), e == d, c.most_common(3), hashlib.md5(s.encode()).hexdigest())
END
cat > threads.py <<'END'
import threading
out = []
def f(n):
    a = [str(i) * (i % 9) for i in range(20000)]
    out.append(sum(map(len, a)) + n)
t = [threading.Thread(target=f, args=(i,)) for i in range(40)]
[x.start() for x in t]
[x.join() for x in t]
print(sorted(out))
END
cat > pool.py <<'END'
import multiprocessing
def f(n):
    return sum(len(str(i)) for i in range(n))
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(4) as p:
        print(p.map(f, range(1000, 40000, 1000)))
END
cat > words.pl <<'END'
my %h;
open(my $f, "<", "lines") or die;
while (<$f>) { $h{$_}++ for split; }
my @top = (sort { $h{$b} <=> $h{$a} || $a cmp $b } keys %h)[0..9];
print "$_ $h{$_}\n" for @top;
END
cat > tables.sql <<'END'
create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n
	where i < 150000)
insert into t select i, 'row ' || (i * 7919 % 150000), i * 0.5 from n;
create index tb on t(b);
select count(*), sum(a), max(b) from t where b like 'row 1%';
select x.a, y.b from t x join t y on x.a = y.a * 2 order by y.b limit 5;
END
cat > loop.sh <<'END'
for i in $(seq 1 3000); do a[$i]="value $i"; s="$s${a[$i]}"; done
echo ${#s} $(echo "$s" | cksum)
for i in 1 2 3 4 5 6 7 8 9 10; do (echo child $i) | cat; done
END
{
	echo '#include <stdio.h>'
	awk -v n=$((4 * scale)) 'BEGIN { for (i = 0; i < n; i++) printf \
		"int f%d(int a, const char *s) { int r = 0; for (int i = 0;" \
		" i < a; i++) { if (s[i %% 7] == %d) r += i * %d; else r ^=" \
		" a << (i & 7); } return r; }\n", i, i % 128, i }'
	echo 'int main(void) { printf("%d", f1(100, "abcdefgh")); }'
} > big.c
cat > big.cc <<'END'
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <unordered_map>
#include <vector>
int main() {
	std::map<std::string, std::vector<int>> m;
	std::unordered_map<int, std::shared_ptr<std::string>> u;
	for (int i = 0; i < 300000; i++) {
		m[std::to_string(i % 5000)].push_back(i);
		u[i] = std::make_shared<std::string>(i % 100, 'x');
		if (i > 1000)
			u.erase(i - 1000);
	}
	size_t n = 0;
	for (auto &e : m)
		n += e.second.size() * e.first.size();
	std::regex r("1.*2.*3");
	n += std::count_if(m.begin(), m.end(), [&](auto &e) {
		return std::regex_match(e.first, r); });
	std::cout << n << " " << u.size() << "\n";
}
END
if command -v git >/dev/null; then
	git init -q repo
	for i in $(seq 1 60); do
		head -n $((i * 300)) lines > repo/file$((i % 7))
		git -C repo add -A
		git -C repo -c user.name=a -c user.email=a@b commit -qm "$i" \
			--date="2020-01-01T00:00:00Z"
	done
fi
command -v g++ >/dev/null && g++ -O1 -o bigcc big.cc

median() {
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# once PRELOAD OUTPUT COMMAND: run it, add "seconds KiB" to OUTPUT.cost
once() {
	env LD_PRELOAD="$1" /usr/bin/time -q -f '%U %S %M' -o cost.$lane \
		sh -c "$3" > "$2" 2>&1
	echo "status $?" >> "$2"
	tail -n 1 cost.$lane | awk '{ print $1 + $2, $3 }' >> "$2.cost"
}

# try WHAT COMMAND: if it is this lane's turn
try() {
	nr=$((nr + 1))
	[ $((nr % lanes)) -eq "$lane" ] || return
	what=$1
	for word in $2; do break; done
	if ! command -v "$word" >/dev/null; then
		echo "not installed: $word ($what)"
		return
	fi
	ours=ours.$lane theirs=theirs.$lane
	rm -f $ours $theirs $ours.cost $theirs.cost
	for round in $(seq "$rounds"); do
		once "" $theirs "$2"
		once "$library" $ours "$2"
		cmp -s $ours $theirs || break
	done
	if ! cmp -s $ours $theirs || ! grep -q 'status 0' $ours; then
		echo "FAILED $what: $2"
		diff $theirs $ours | head -n 10 | sed 's/^/    /'
		return
	fi
	for side in theirs ours; do
		seconds=$(cut -d' ' -f1 $side.$lane.cost | median)
		kib=$(cut -d' ' -f2 $side.$lane.cost | median)
		eval "${side}_s=$seconds ${side}_k=$kib"
	done
	printf 'ok %-28s %6.2f s %6.2f s %8d KiB %8d KiB\n' "$what" \
		"$theirs_s" "$ours_s" "$theirs_k" "$ours_k"
}

# No two of them write the same file; git's are in one lane.
tries() {
	nr=0
	try 'nothing at all' 'env true'
	try 'bash' 'bash loop.sh'
	try 'ls -lR' 'ls -lR --time-style=+ /usr/include | cksum'
	try 'python3: json, re' 'python3 big.py'
	try 'python3: json, re, malloc' 'env PYTHONMALLOC=malloc python3 big.py'
	try 'python3: 40 threads' 'python3 threads.py'
	try 'python3: a pool by fork' 'python3 pool.py'
	try 'perl: a hash of words' 'perl words.pl'
	try 'sort --parallel=2' 'sort --parallel=2 -S 64M lines | cksum'
	try 'sort -n' 'sort -n lines | cksum'
	try 'awk' "awk '{ n[\$1 % 50000] = n[\$1 % 50000] \$2 } END { for (i in n)
		s += length(n[i]); print s }' lines"
	try 'xz -T2' 'xz -T2 --block-size=2MiB -c lines | xz -T2 -dc | cksum'
	try 'git log -p' 'git -C repo log -p | cksum'
	try 'sqlite3' 'sqlite3 :memory: < tables.sql'
	try 'git gc' 'git -C repo -c gc.auto=0 gc -q --aggressive; echo $?;
		git -C repo fsck 2>&1'
	try 'gcc -O2, a large file' 'gcc -O2 -S -o big.s big.c && cksum big.s'
	try 'g++ -O2, templates' 'g++ -O2 -S -o bigcc.s big.cc && cksum bigcc.s'
	try 'clang -O1, a large file' 'clang -O1 -S -o clang.s big.c && cksum clang.s'
	[ -x bigcc ] && try 'C++: maps, strings' './bigcc'
	try 'tar, gzip' 'tar cf - -C /usr '"$tree"' 2>/dev/null | gzip -1 | wc -c'
	touch "ended.$lane"
}

printf '%-31s %8s %8s %12s %12s\n' '' libc kmem 'libc, peak' 'kmem, peak'
for lane in $(seq 0 $((lanes - 1))); do
	tries >lane.$lane 2>&1 &
done
wait
cat lane.*
passed=$(cat lane.* | grep -c '^ok ')
failed=$(cat lane.* | grep -c '^FAILED')
[ "$(ls ended.* | wc -l)" -eq "$lanes" ] || failed=$((failed + 1))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
