# SPDX-License-Identifier: GPL-2.0-or-later
# Who may include whom: layers across directories, no cycle of modules, and
# which library belongs to which module.  awk -f strip.awk -f layers.awk FILES

BEGIN {
	may["base"] = " base "
	may["qmp"] = " base qmp "
	may["storage"] = " base storage "
	may["net"] = " base net "
	may["supervisor"] = " base qmp storage net supervisor "
	may["ctl"] = " base ctl "
	may["tests"] = " base qmp storage net supervisor ctl tests "
	# base modules that do without JSON
	plain = " err mem log str list fd spawn keys ini finding prescan paths "
	evers = " base/ qmp/client supervisor/control supervisor/main net/link "
}

FNR == 1 {
	split(FILENAME, part, "/")
	here = part[1]
	module = FILENAME
	sub(/\.[ch]$/, "", module)
	name = module
	sub(/.*\//, "", name)
}

/^#[ \t]*include[ \t]*</ {
	header = $0
	sub(/^[^<]*</, "", header)
	sub(/>.*/, "", header)
	if (here == "tests")
		next
	if (header ~ /iniparser/ && module !~ /^base\/(keys|ini)$/)
		complain("only base/keys and base/ini know iniparser")
	if (header == "jansson.h" && here == "base" && index(plain, " " name " "))
		complain(module " does without jansson")
	if (header == "ev.h" && here != "base" && !index(evers, " " module " "))
		complain(module " has no business with ev.h; use base/loop")
}

/^#[ \t]*include[ \t]*"/ {
	split($0, quote, "\"")
	target = quote[2]
	if (target !~ /\//) {
		complain("include \"" target "\" with its directory")
		next
	}
	split(target, part, "/")
	if (!index(may[here], " " part[1] " "))
		complain(here " must not include " target)
	sub(/\.h$/, "", target)
	if (target != module && here != "tests" && !((module, target) in edge)) {
		edge[module, target] = FILENAME ":" FNR
		to[module] = to[module] " " target
		nodes[module] = 1
	}
}

# Depth first; a module met again on the way down closes a cycle.
function visit(m, path,  list, n, i)
{
	colour[m] = 1
	n = split(to[m], list, " ")
	for (i = 1; i <= n; i++) {
		if (colour[list[i]] == 1) {
			path = path " " m " "
			printf "%s: cycle: %s%s\n", edge[m, list[i]], \
				substr(path, index(path, " " list[i] " ") + 1), list[i]
			bad = 1
		} else if (!colour[list[i]]) {
			visit(list[i], path " " m)
		}
	}
	colour[m] = 2
}

END {
	for (m in nodes)
		if (!colour[m])
			visit(m, "")
	exit bad
}
