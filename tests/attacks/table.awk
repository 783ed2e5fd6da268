# SPDX-License-Identifier: MIT
#
# table.awk - the table, from the lines that the programs print for its cells:
#
#	row|kind|column|promise|runs|detected|wrong|unsound|crashed|when|text
#
# A cell passes if it had all its runs, none of them crashed or left anything
# broken, no report was wrong, and, where something is promised, all runs were
# detected.

function cell(row, col,    f, n, text) {
	if (!((row, col) in line))
		return "not measured"
	split(line[row, col], f, "|")
	n = f[6]
	if (f[4] == "nothing" && n == 0)
		text = "-"
	else if (f[10] == "")
		text = n " of " f[5]
	else
		text = f[10]
	if (n < f[5] && f[4] != "nothing" && f[10] != "")
		text = text " of " f[5]
	if (f[7])
		text = text ", " f[7] " wrong"
	if (f[8])
		text = text ", " f[8] " unsound"
	if (f[9])
		text = text ", " f[9] " crashed"
	return text
}

function well(row, col,    f) {
	if (!((row, col) in line))
		return 0
	split(line[row, col], f, "|")
	return f[5] == runs && !f[7] && !f[8] && !f[9] &&
	       (f[4] == "nothing" || f[6] == f[5])
}

BEGIN { FS = "|" }

NF >= 11 {
	row = $1 "|" $2
	if (!(row in seen)) {
		seen[row] = 1
		rows[++nr] = row
	}
	line[row, $3] = $0
}

END {
	split("default hardened debug", column, " ")
	format = "%-56s %-15s %-22s %-22s %s\n"
	head = "hardened"
	if (hardening == "")
		head = "hardened (not there)"
	printf format, "misuse", "of", "default", head, "debug"
	for (i = 1; i <= nr; i++) {
		split(rows[i], name, "|")
		for (c = 1; c <= 3; c++) {
			text[c] = cell(rows[i], column[c])
			if (well(rows[i], column[c])) {
				passed++
				continue
			}
			split(line[rows[i], column[c]], f, "|")
			if (f[4] == "later" || (c == 2 && hardening == "")) {
				missing++
				text[c] = text[c] " ?"
				continue
			}
			failed++
			text[c] = text[c] " !"
			if (!((rows[i], column[c]) in line))
				f[11] = "not measured"
			else if (f[11] == "")
				f[11] = f[5] < runs ? \
					"came to nothing too often" : \
					"not always found"
			why[++nr_why] = column[c] ", " name[1] ", " name[2] ": " f[11]
		}
		shown = name[1]
		if (shown == last)
			shown = ""
		last = name[1]
		printf format, shown, name[2], text[1], text[2], text[3]
	}
	for (i = 1; i <= nr_why; i++)
		print "! " why[i]
	if (missing)
		print missing " cells (?) are promised for later: with " \
		      "KMEM_HARDEN, or by what it brings"
	print passed + 0 " passed, " failed + 0 " failed"
	exit failed > 0 || passed == 0
}
