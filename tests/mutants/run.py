# SPDX-License-Identifier: MIT
"""run.py - are the mutants of src/ (mutate.py) found by the tests?

Called by `make mutants`, which has built the tests: mutants.mk. For each mutant
and each build (default, hardened, ...) the object of its file, of a header all
that include it, is compiled in a private copy of the tree. If no build has
another object than before, the mutant is none; if it does not compile, neither.
Otherwise the library is linked again and the programs of the build run until
one fails, those first that found other mutants of the file, or have its name.

Prints a line for each mutant and a table; the last line is "N passed, N
failed", where what nobody found fails, unless the file `survivors` says why.
"""
import argparse
import collections
import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
import time

import mutate

HERE = os.path.dirname(os.path.relpath(__file__))
# Short, since it is done often. What has a seed has always the same.
ENV = dict(os.environ, KMEM_OPS='30000', KMEM_TEST_SCALE='10', KMEM_SEED='1')
ENV.pop('MAKEFLAGS', None)


def quiet(command, seconds=120, **how):
    """Run it: its exit status, or None if it doesn't end. The time is the
    program's own, since others may be busy; one that waits has longer."""
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         start_new_session=True, **how)
    try:
        resource.prlimit(p.pid, resource.RLIMIT_CPU,
                         (int(seconds) + 1, int(seconds) + 2))
        load = os.getloadavg()[0] / os.cpu_count()
        return p.wait(seconds * max(1, 3 * load))
    except subprocess.TimeoutExpired:
        return None
    finally:
        try:
            os.killpg(p.pid, 9)
        except ProcessLookupError:
            pass
        p.wait()


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def key_of(m):
    return f'{m.file}|{m.function}|{m.text}|{m.what}|'


def sources():
    return sorted('src/' + f for f in os.listdir('src')
                  if f.endswith(('.c', '.h')))


class Build:
    """One way to compile the library, and the programs that test it so."""

    def __init__(self, top, name, compiler, flags):
        self.name = name
        self.dir = os.path.join(os.path.abspath(top), name)
        self.compile = compiler.split() + flags.split()
        self.objects = {}		# of each source
        self.users = collections.defaultdict(list)	# of each header
        for dep in sorted(os.listdir(self.dir + '/src')):
            if not dep.endswith('.d'):
                continue
            source = 'src/' + dep[:-2] + '.c'
            self.objects[source] = f'{self.dir}/src/{dep[:-2]}.o'
            for h in set(re.findall(r'\bsrc/\w+\.h\b',
                                    read(f'{self.dir}/src/{dep}').decode())):
                self.users[h].append(source)
        self.programs = [os.path.join(path, f)
                         for path, _, files in os.walk(self.dir + '/tests')
                         for f in sorted(files) if '.' not in f]
        self.seconds = {}

    def run(self, program, libs, limit):
        env = dict(ENV, LD_LIBRARY_PATH=libs)
        return quiet([program], limit, env=env)

    def measure(self, known):
        """Every program, with the library as it is. True if all passed."""
        good = True
        for p in self.programs:
            built = os.stat(p).st_mtime_ns
            if known.get(p, [0])[0] == built:
                self.seconds[p] = known[p][1]
                continue
            start = time.time()
            status = self.run(p, self.dir, 300)
            self.seconds[p] = time.time() - start
            if status == 0:
                known[p] = [built, self.seconds[p]]
            else:
                print(f'{self.name}: {os.path.basename(p)} fails as it is')
                good = False
        return good

    def limit(self, program):
        return 5 + 10 * self.seconds[program]


class Tree:
    """A copy of the sources, for one job."""

    def __init__(self, path):
        self.dir = os.path.abspath(path)
        shutil.rmtree(path, ignore_errors=True)
        for d in ('src', 'include', 'arch/host', 'tests/host'):
            shutil.copytree(d, f'{path}/{d}')

    def write(self, mutant):
        path = f'{self.dir}/{mutant.file}'
        text = read(path).decode()
        self.restore(mutant, text[:mutant.start] + mutant.instead +
                     text[mutant.end:])
        return text

    def restore(self, mutant, text):
        with open(f'{self.dir}/{mutant.file}', 'w', encoding='utf-8') as f:
            f.write(text)

    def library(self, build, mutant):
        """Where the mutant's is; '' if it is the same; None: no such C."""
        out = f'{self.dir}/{build.name}'
        os.makedirs(out, exist_ok=True)
        objects = dict(build.objects)
        for source in build.users.get(mutant.file, [mutant.file]):
            o = f'{out}/{os.path.basename(source)}.o'
            if quiet(build.compile + ['-c', source, '-o', o], cwd=self.dir):
                return None
            if read(o) != read(objects[source]):
                objects[source] = o
        if objects == build.objects:
            return ''
        if quiet([build.compile[0], '-shared', '-Wl,-soname,libkmem.so',
                  *objects.values(), '-o', out + '/libkmem.so']):
            return None
        return out


class Run:
    def __init__(self, args):
        self.builds = [Build(args.dir, name, args.compiler, flags)
                       for name, flags in (b.split(':', 1) for b in args.build)]
        self.kills = collections.Counter()	# (file, program)
        self.killers = {}			# of each mutant, of runs before
        self.noted = args.dir + '/killers'
        self.reasons = []
        with open(HERE + '/survivors', encoding='utf-8') as f:
            self.reasons = [r.rstrip('\n') for r in f if r.strip()]
        self.each = args.each
        self.count = args.each or args.count or sys.maxsize
        self.lock = threading.Condition()
        self.counted = collections.Counter()	# of each file, or of all
        self.running = collections.Counter()
        self.tally = collections.defaultdict(collections.Counter)
        self.wrong = 0

    def stale(self, files):
        keys = [key_of(m) for file in files for m in file]
        return [r for r in self.reasons
                if not any(r.startswith(k) for k in keys)]

    def measure(self, path):
        known = {}
        if os.path.exists(path):
            with open(path, encoding='utf-8') as f:
                known = json.load(f)
        good = all([b.measure(known) for b in self.builds])
        with open(path, 'w', encoding='utf-8') as f:
            json.dump(known, f)
        return good

    def note_killers(self):
        with open(self.noted + '.new', 'w', encoding='utf-8') as f:
            json.dump(dict(self.killers), f)
        os.replace(self.noted + '.new', self.noted)

    def remember_killers(self):
        """Who found what in runs before, to ask those first."""
        if os.path.exists(self.noted):
            with open(self.noted, encoding='utf-8') as f:
                self.killers = json.load(f)
        for key, name in self.killers.items():
            self.kills[key.split('|')[0], name] += 1

    def in_order(self, build, mutant):
        stem = os.path.basename(mutant.file)[:-2]
        known = self.killers.get(key_of(mutant))

        def key(p):
            name = os.path.basename(p)
            return (name != known, not name.startswith(stem + '_'),
                    -self.kills[mutant.file, name], build.seconds[p])
        return sorted(build.programs, key=key)

    def judge(self, tree, mutant):
        """same, unbuilt, killed or survived; and by whom."""
        text = tree.write(mutant)
        same = True
        try:
            for b in self.builds:
                libs = tree.library(b, mutant)
                if libs is None:
                    return 'unbuilt', ''
                if not libs:
                    continue
                same = False
                for p in self.in_order(b, mutant):
                    status = b.run(p, libs, b.limit(p))
                    if status == 0:
                        continue
                    name = os.path.basename(p)
                    with self.lock:
                        self.kills[mutant.file, name] += 1
                        self.killers[key_of(mutant)] = name
                        self.note_killers()
                    return 'killed', name + (' hangs' if status is None else '')
            return ('same' if same else 'survived'), ''
        finally:
            tree.restore(mutant, text)

    def tell(self, m, verdict, by):
        key = key_of(m)
        reason = next((r[len(key):] for r in self.reasons
                       if r.startswith(key)), None)
        if verdict in ('same', 'unbuilt'):
            self.tally[m.file][verdict] += 1
            return
        if verdict == 'survived' and reason:
            verdict = 'stated'
        self.tally[m.file][verdict] += 1
        word = {'killed': 'ok', 'stated': 'ok'}.get(verdict, 'FAILED')
        if verdict == 'killed' and reason:
            word, by = 'FAILED', f'{by}, in spite of its reason: {reason}'
        self.wrong += word == 'FAILED'
        why = {'killed': by, 'stated': f'not found: {reason}',
               'survived': f'not found: {key}'}[verdict]
        print(f'{word:6} {m.file + ":" + str(m.line):24} {m.what:14} {why}',
              flush=True)

    def sample(self, m):
        return m.file if self.each else ''

    def take(self, todo):
        """The next mutant of a sample that is not complete; None: no more.
        Which a sample has doesn't depend on the number of jobs."""
        while True:
            i = len(todo)
            while i > 0:
                i -= 1
                of = self.sample(todo[i])
                if self.counted[of] >= self.count:
                    todo.pop(i)
                elif self.counted[of] + self.running[of] < self.count:
                    self.running[of] += 1
                    return todo.pop(i)
            if not todo:
                return None
            self.lock.wait()

    def work(self, tree, todo):
        while True:
            with self.lock:
                m = self.take(todo)
            if not m:
                return
            verdict, by = 'unbuilt', ''
            try:
                verdict, by = self.judge(tree, m)
            finally:
                with self.lock:
                    self.running[self.sample(m)] -= 1
                    self.counted[self.sample(m)] += \
                        verdict in ('killed', 'survived')
                    self.tell(m, verdict, by)
                    self.lock.notify_all()

    def table(self):
        total = collections.Counter()
        print(f'{"":24} killed stated open    same unbuilt')

        def row(name, c):
            print(f'{name:24} {c["killed"]:6} {c["stated"]:6} '
                  f'{c["survived"]:4}  {c["same"]:6} {c["unbuilt"]:7}')
        for file in sorted(self.tally):
            row(file, self.tally[file])
            total += self.tally[file]
        row('all', total)
        all_ = total['killed'] + total['stated'] + total['survived']
        if all_:
            real = all_ - total['stated']
            print(f'killed {total["killed"]} of {all_}: '
                  f'{100 * total["killed"] / all_:.1f} %; of those without a '
                  f'reason to live {100 * total["killed"] / max(real, 1):.1f} %')
        return all_


def main():
    a = argparse.ArgumentParser()
    a.add_argument('-d', dest='dir')
    a.add_argument('-c', dest='compiler')
    a.add_argument('-n', dest='count', type=int, default=0)
    a.add_argument('-e', dest='each', type=int, default=0)
    a.add_argument('-s', dest='seed', type=int, default=1)
    a.add_argument('-j', dest='jobs', type=int, default=1)
    a.add_argument('-o', dest='only', default='')
    a.add_argument('build', nargs='+')
    a.add_argument('file', nargs='*')
    cut = sys.argv.index('--')
    args = a.parse_args(sys.argv[1:cut])
    files = sys.argv[cut + 1:] or sources()
    todo = [m for f in files for m in mutate.mutants(f)
            if re.search(args.only, key_of(m))]
    if args.each or args.count or len(files) > 1:
        todo.sort(key=lambda m: hashlib.sha1(
            f'{args.seed} {key_of(m)}'.encode()).digest())
        if args.each:			# one of each file, another of each, ...
            rank = collections.Counter()
            order = {}
            for m in reversed(todo):
                rank[m.file] += 1
                order[m] = rank[m.file]
            todo.sort(key=lambda m: -order[m])
    else:
        todo.reverse()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    run = Run(args)
    sys.stdout.reconfigure(line_buffering=True)
    for r in run.stale(mutate.mutants(f) for f in sources()):
        run.wrong += 1
        print(f'FAILED no such mutant: {r}')
    print(f'{len(todo)} mutants, seed {args.seed}', flush=True)
    if not run.measure(args.dir + '/seconds'):
        return 1
    run.remember_killers()
    trees = [Tree(f'{args.dir}/tree{i}') for i in range(args.jobs)]
    threads = [threading.Thread(target=run.work, args=(t, todo))
               for t in trees]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    counted = run.table()
    print(f'{max(counted - run.wrong, 0)} passed, {run.wrong} failed')
    return run.wrong > 0 or counted == 0


if __name__ == '__main__':
    sys.exit(main())
