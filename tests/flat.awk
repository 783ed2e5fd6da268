# SPDX-License-Identifier: MIT
#
# flat.awk - a file, and in place of each #include "../other.h" that other: so
# that arch/<arch>/kmem_arch.h can be put elsewhere.

/^#include "\.\.\// {
	other = $2
	gsub(/"/, "", other)
	dir = FILENAME
	sub(/[^\/]*$/, "", dir)
	while ((getline line < (dir other)) > 0)
		print line
	next
}

{ print }
