#!/bin/sh
# SPDX-License-Identifier: MIT
#
# amalgamate.sh DIR - the library as two files, DIR/kmem.h and DIR/kmem.c.
#
# kmem.h is every public header, kmem.c every module, in the order of the
# layers (include/kmem/kmem.h); an #include of a file that is part of them
# becomes that file the first time and nothing later. What an architecture
# supplies stays apart, to be chosen or replaced: DIR/arch/*/kmem_arch.h; and
# so do the choices of a small machine, and kmem/linux.h, which is not for all.

cd "$(dirname "$0")/.." || exit 1
out=${1:-build/amalgamation}
layers=$(sed -n 's/.*layers: //p' include/kmem/kmem.h |
	grep -vx -e config_small -e linux)
mkdir -p "$out/kmem" || exit 1
cp include/kmem/config_small.h "$out/kmem" || exit 1
sed 's|<kmem/kmem.h>|<kmem.h>|' include/kmem/linux.h >"$out/kmem/linux.h" ||
	exit 1

# each PREFIX SUFFIX: the files of that kind which exist, lower layers first
each() {
	for layer in $layers; do
		[ ! -e "$1$layer$2" ] || echo "$1$layer$2"
	done
}

# join KIND FILE...: KIND is "public" or "private", which may include what
join() {
	kind=$1
	shift
	awk -v kind="$kind" '
	# The file that an #include line names, if it is one to be put there.
	function named(line) {
		if (line !~ /^#[ \t]*include[ \t]*["<]/)
			return ""
		if (line ~ /<kmem\//)
			sub(/^.*<kmem/, "include/kmem", line)
		else if (line ~ /"/)
			sub(/^[^"]*"/, "src/", line)
		else
			return ""
		sub(/[">].*/, "", line)
		return line
	}

	function expand(file,   line, other) {
		if (file in seen)
			return
		seen[file] = 1
		while ((getline line < file) > 0) {
			other = named(line)
			if (other == "") {
				if (line !~ /SPDX-License-Identifier/)
					print line
			} else if (kind == "public" || other ~ /^src/)
				expand(other)
		}
		close(file)
	}

	BEGIN {
		for (i = 1; i < ARGC; i++)
			expand(ARGV[i])
	}' "$@"
}

notice() {
	printf '/* SPDX-License-Identifier: MIT\n *\n'
	sed 's/^/ * /; s/ *$//' LICENSE
	printf ' */\n'
}

{ notice; join public $(each include/kmem/ .h); } >"$out/kmem.h" || exit 1
{
	notice
	echo '#include "kmem.h"'
	join private $(each src/ .c)
} >"$out/kmem.c" || exit 1
for header in arch/*/kmem_arch.h; do
	mkdir -p "$out/${header%/*}"
	awk -f tests/flat.awk "$header" | grep -v '^#include <kmem/' \
		>"$out/$header" || exit 1
done
wc -l "$out/kmem.h" "$out/kmem.c"
