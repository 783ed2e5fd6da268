# SPDX-License-Identifier: MIT
#
# modules.awk - bytes of the library by group of modules, from the map that GNU
# ld writes of a linked program; -v label=, the first column.

function hex(s,    i, n)
{
	s = tolower(s)
	for (i = 3; i <= length(s); i++)
		n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
	return n
}

function group(file)
{
	sub(/.*\//, "", file)
	sub(/\.o$/, "", file)
	if (file ~ /^(page|buddy|mobility|zone|page_alloc|page_reclaim|page_ref|page_bulk|contig|shrinker|mempool)$/)
		return "pages"
	# slab_check.c has what slabs hold as well, which is needed at run time.
	if (file ~ /^(slab|slab_make|slab_repair|slab_check|slots)$/)
		return "slabs"
	if (file ~ /^(magazine|magazine_(make|drain|try)|depot|deferred|nolock|grace|rcu)$/)
		return "magazines"
	if (file ~ /^(cache|caches|cache_trim|trim|cache_limit|sheaf)$/)
		return "caches"
	if (file ~ /^(kmalloc|bits)$/)
		return "kmalloc"
	# Linked only with kmem_vmalloc_init().
	if (file ~ /^(kvmalloc|vmalloc|vm_ops|vm_space|vm_area|vm_check)$/)
		return "vmalloc"
	if (file ~ /^(debug|track|guard|cache_debug|debug_options|inject)$/)
		return "reports"
	if (file ~ /^(boot|plan|account|regions|hotplug|zone_range)$/)
		return "boot"
	if (file ~ /^(report|usage|check|cache_check|magazine_check|format|hooks|invariant)$/)
		return "reports"
	if (file ~ /^(node|cache_(args|merge|node|walk)|kmalloc_(node|dup)|obj_info)$/)
		return "caches"
	print "modules.awk: of which group is " file "?" | "cat >&2"
	unknown = 1
}

function add(section, size, file)
{
	if (file !~ /\/src\//)
		return
	if (section ~ /^\.bss/ || section == "COMMON")
		bss += size
	else if (section ~ /^\.data/)
		data += size
	else if (label != "bss only")
		text[group(file)] += size
}

/^Linker script and memory map/ { on = 1 }
!on { next }
/^ (\.(text|rodata|data|bss)|COMMON)[^ ]*$/ {
	section = $1
	getline
	add(section, hex($2), $3)
	next
}
/^ (\.(text|rodata|data|bss)|COMMON)[^ ]* +0x/ { add($1, hex($3), $4) }

END {
	if (unknown)
		exit 1
	if (label == "bss only") {
		print bss + 0
		exit
	}
	n = split("pages slabs magazines caches kmalloc vmalloc boot reports", name, " ")
	printf "%-22s", label
	for (i = 1; i <= n; i++) {
		printf " %9d", text[name[i]]
		all += text[name[i]]
	}
	core = all - text["boot"] - text["reports"] - text["vmalloc"]
	printf " %6d %6d %5d %6d\n", core, all, data, bss
}
