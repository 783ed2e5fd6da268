# SPDX-License-Identifier: MIT
#
# doxygen.awk - a header's comments as Doxygen reads them.
#
#	/* text */ at the start of a line	documents what follows
#	code; /* text */			documents what precedes
#	kmem/x.h - text				the file
#	name - text				a function or macro
#	@size: text, or @fn, @ctx: text		parameters
#	Return: Context: Cost: Misuse: Locks:	a section

function words(text,   names) {
	sub(/kmem\/[a-z_]+\.h - /, "@file\n@brief ", text)
	sub(/\*[ \t][A-Za-z_]+ - /, "* @brief ", text)
	if (match(text, /(@[a-z_0-9]+, )*@[a-z_0-9]+:/)) {
		names = substr(text, RSTART, RLENGTH - 1)
		gsub(/[@ ]/, "", names)
		text = substr(text, 1, RSTART - 1) "@param " names \
		       substr(text, RSTART + RLENGTH)
	}
	sub(/Return:/, "@return", text)
	if (match(text, /(Context|Cost|Misuse|Locks):/))
		text = substr(text, 1, RSTART - 1) "@par " \
		       substr(text, RSTART, RLENGTH - 1) "\n" \
		       substr(text, RSTART + RLENGTH)
	gsub(/</, "\\<", text)
	return text
}

# These comments document nothing.
/SPDX-License-Identifier/ { print ""; next }
/^#(endif|else)/ { sub(/\/\*.*/, "") }

inside {
	inside = !/\*\//
	print words($0)
	next
}

/\/\*/ {
	before = substr($0, 1, index($0, "/*") - 1)
	text = substr($0, index($0, "/*") + 2)
	sub(/^\*/, "", text)
	inside = text !~ /\*\//
	mark = before ~ /[^ \t]/ ? "/**<" : "/**"
	print before mark substr(words("*" text), 2)
	next
}

{ print }
