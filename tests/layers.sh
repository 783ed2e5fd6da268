#!/bin/sh
# SPDX-License-Identifier: MIT
#
# layers.sh - no file names a file of a higher layer.
#
# The order is the one stated in include/kmem/kmem.h, in the lines "layers:",
# lower first. A layer's files are those of that name: foo.c, foo.h and
# kmem/foo.h. Names in one line may include one another.

cd "$(dirname "$0")/.." || exit 1
sed -n 's/.*layers: //p' include/kmem/kmem.h |
awk '
	{ for (i = 1; i <= NF; i++) level[$i] = NR }
	END {
		while (("ls src/*.[ch] include/kmem/*.h" | getline file) > 0) {
			name = file
			sub(/.*\//, "", name)
			sub(/\..*/, "", name)
			if (!(name in level)) {
				print file ": in no layer of kmem.h"
				bad++
				continue
			}
			while ((getline line < file) > 0) {
				if (line !~ /^#[ \t]*include[ \t]*["<]/)
					continue
				inc = line
				sub(/^[^"<]*["<]/, "", inc)
				sub(/[">].*/, "", inc)
				quoted = line ~ /"/ || inc ~ /^kmem/
				sub(/.*\//, "", inc)
				sub(/\.h$/, "", inc)
				n++
				if (!(inc in level)) {
					if (quoted) {
						print file ": " line \
						      ": in no layer"
						bad++
					}
				} else if (level[inc] > level[name]) {
					print file ": includes the higher " \
					      "layer " inc
					bad++
				}
			}
			close(file)
			files++
		}
		print files " files, " n " includes, " bad + 0 " violations"
		exit bad > 0 || files == 0
	}'
