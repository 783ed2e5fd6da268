#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# alike.py FILE.json... - make gcovr's figures of several builds such that gcovr
# can add them up. Rewrites the files.
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

builds = {name: json.load(open(name)) for name in sys.argv[1:]}


def lines():
    for build in builds.values():
        for f in build["files"]:
            for line in f["lines"]:
                yield (f["file"], line["line_number"]), line


sums = collections.defaultdict(dict)
for where, line in lines():
    counts = [b["count"] for b in line["branches"]]
    before = sums[where].get(len(counts), [0] * len(counts))
    sums[where][len(counts)] = [a + b for a, b in zip(before, counts)]
kept = {
    where: max((sum(c > 0 for c in counts), n) for n, counts in forms.items())[1]
    for where, forms in sums.items()
}
for where, line in lines():
    if len(line["branches"]) != kept[where]:
        line["branches"] = []
for name, build in builds.items():
    with open(name, "w") as f:
        json.dump(build, f)
