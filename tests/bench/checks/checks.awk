# SPDX-License-Identifier: MIT
#
# checks.awk - the table, from lines "build|row|ns" of all rounds and
# "build|row|instructions", which are in the second file.

FNR == 1 { file++ }
file == 1 {
	if (!($2 in seen)) {
		seen[$2] = 1
		rows[++nr] = $2
	}
	n = ++count[$1, $2]
	# insert, sorted
	for (; n > 1 && value[$1, $2, n - 1] > $3; n--)
		value[$1, $2, n] = value[$1, $2, n - 1]
	value[$1, $2, n] = $3 + 0
}
file == 2 { instructions[$1, $2] = $3 }

function median(build, row,    n) {
	n = count[build, row]
	if (n % 2)
		return value[build, row, (n + 1) / 2]
	return (value[build, row, n / 2] + value[build, row, n / 2 + 1]) / 2
}

function cell(build, row) {
	return sprintf("%6.2f (%.2f-%.2f)", median(build, row),
		       value[build, row, 1], value[build, row, count[build, row]])
}

END {
	split("unchecked default hardened", build, " ")
	print "ns of an allocation and its free: median (least-most) of " \
	      rounds " interleaved rounds; instructions by callgrind"
	format = "%-24s %-22s %-22s %-22s %6s %6s   %s\n"
	printf format, "pair", "unchecked", "default", "hardened", "d/u",
	       "h/u", "instructions"
	for (i = 1; i <= nr; i++) {
		row = rows[i]
		u = median("unchecked", row)
		d = median("default", row)
		h = median("hardened", row)
		text = ""
		for (k = 1; k <= 3; k++)
			text = text sprintf(" %5s",
					    instructions[build[k], row])
		printf format, row, cell("unchecked", row),
		       cell("default", row), cell("hardened", row),
		       sprintf("%.2f", d / u), sprintf("%.2f", h / u), text
		worst_d = d / u > worst_d ? d / u : worst_d
		worst_h = h / u > worst_h ? h / u : worst_h
	}
	printf "worst: default %.2f (target 1.4), hardened %.2f (target 3) " \
	       "of unchecked\n", worst_d, worst_h
}
