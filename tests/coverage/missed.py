#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# missed.py LINES BRANCHES FILE.json... - what gcovr found in several builds,
# added up: prints each line that none has run, each branch that none has taken,
# and the sums. Fails if these are below LINES or BRANCHES, in percent. Rewrites
# the files so that gcovr, too, can add them up.
#
# gcovr adds branches of a line by their number. Where a choice of
# <kmem/config.h> is a constant, a build has other branches on a line than
# another, and the first of its own may be the third of the other's. So of a line
# those builds are added up that have as many branches; of the sums, that one is
# kept of which most are taken, or which has most. The other builds say that the
# line was run, and no more.
import collections
import json
import sys

floors = [float(percent) for percent in sys.argv[1:3]]
builds = {name: json.load(open(name)) for name in sys.argv[3:]}


def lines():
    for build in builds.values():
        for f in build["files"]:
            for line in f["lines"]:
                if not line.get("gcovr/noncode"):
                    yield (f["file"], line["line_number"]), line


def taken(counts):
    return sum(count > 0 for count in counts)


runs = collections.Counter()
sums = collections.defaultdict(dict)
for where, line in lines():
    runs[where] += line["count"]
    counts = [b["count"] for b in line["branches"]]
    before = sums[where].get(len(counts), [0] * len(counts))
    sums[where][len(counts)] = [a + b for a, b in zip(before, counts)]
kept = {
    where: max(forms.values(), key=lambda counts: (taken(counts), len(counts)))
    for where, forms in sums.items()
}

for where, line in lines():
    if len(line["branches"]) != len(kept[where]):
        line["branches"] = []
for name, build in builds.items():
    with open(name, "w") as f:
        json.dump(build, f)

for (name, number), counts in sorted(kept.items()):
    missing = [str(i) for i, count in enumerate(counts) if not count]
    if not runs[name, number]:
        what = "not run"
    elif missing:
        what = f"branch {', '.join(missing)} of {len(counts)} not taken"
    else:
        continue
    text = open(name).read().split("\n")[number - 1].strip()
    print(f"{name}:{number}: {what}: {text}")

status = 0
for what, done, total, floor in (
    ("lines", taken(runs.values()), len(runs), floors[0]),
    ("branches", sum(map(taken, kept.values())), sum(map(len, kept.values())),
     floors[1]),
):
    percent = 100 * done / max(total, 1)
    print(f"{what}: {done} of {total}, {percent:.2f} %", end="")
    if percent < floor:
        print(f": less than {floor:g} %", end="")
        status = 1
    print()
sys.exit(status)
