# SPDX-License-Identifier: GPL-2.0-or-later
# Sizes of functions and files, against the gates of STYLE section 11.
# Prints every function and file over a gate, then one line of figures.
# -v gates=all|max: medians and percentiles too, or only the maxima.

BEGIN {
	max_lines = 80
	max_complexity = 20
	max_params = 6
	max_nesting = 4
	max_file = 600
}

FNR == 1 { close_file() }
{
	file = FILENAME
	file_lines = FNR
	if (/clang-format off/)
		table = 1
	if (/clang-format on/)
		table = 0
	width($0)
	line = code($0)
}
/^[ \t]*#/ {
	signature = ""
	next
}
!inside && line ~ /^{/ {
	inside = 1
	start = FNR
	complexity = 1
	depth = 0
	nesting = 0
	deepest = 0
	name = signature
	params = parameters(signature)
	sub(/\(.*/, "", name)
	sub(/.*[ *]/, "", name)
	next
}
inside && line ~ /^}/ {
	inside = 0
	signature = ""
	function_ends(FNR - start + 1)
	next
}
inside { body(line) }
!inside {
	if (line ~ /^[A-Za-z_]/)
		signature = line
	else if (line ~ /^[ \t]+[^ \t]/)
		signature = signature " " line
	if (line ~ /[;{}]/ || line ~ /^$/)
		signature = ""
}

function width(s,  i, n)
{
	for (i = 1; i <= length(s); i++)
		n = substr(s, i, 1) == "\t" ? n + 8 - n % 8 : n + 1
	if (n > 80 && !table && s !~ /https?:/ && s !~ /^[ \t]*"/)
		complain("line of " n " columns")
}

# How many parameters besides the error; what follows the list is not
# looked at.
function parameters(s,  i, c, level, commas, text)
{
	s = substr(s, index(s, "("))
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "(")
			level++
		else if (c == ")" && --level == 0)
			break
		else if (c == "," && level == 1)
			commas++
	}
	text = substr(s, 2, i - 2)
	if (text ~ /,[ \t]*struct err \*err[ \t]*$/)
		commas--
	return text ~ /^[ \t]*(void)?[ \t]*$/ ? 0 : commas + 1
}

function count(s, what,  n)
{
	n = gsub(what, "", s)
	return n
}

function body(s,  i, c, control)
{
	complexity += count(s, "(^|[^A-Za-z_])(if|for|while|case)[^A-Za-z_]") + \
		count(s, "&&|\\|\\||\\?")
	control = s ~ /(^|[^A-Za-z_])(if|else|for|while|switch|do|list_each)([^A-Za-z_]|$)/
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "{") {
			kind[++depth] = control
			nesting += control
			if (nesting > deepest)
				deepest = nesting
		} else if (c == "}" && depth > 0) {
			nesting -= kind[depth--]
		}
	}
}

function over(value, limit, what)
{
	if (value <= limit)
		return
	printf "%s:%d: %s has %d %s (at most %d)\n", file, start, name, value, \
		what, limit
	bad = 1
}

function function_ends(lines)
{
	functions++
	of_lines[lines]++
	of_complexity[complexity]++
	if (lines > longest) {
		longest = lines
		longest_name = name
	}
	if (complexity > hardest)
		hardest = complexity
	over(lines, max_lines, "lines")
	over(complexity, max_complexity, "branches")
	over(params, max_params, "parameters")
	over(deepest, max_nesting, "levels of nesting")
}

function close_file()
{
	table = 0
	inside = 0
	signature = ""
	if (!file)
		return
	files++
	of_file[file_lines]++
	if (file_lines > largest) {
		largest = file_lines
		largest_name = file
	}
	start = 1
	name = "the file"
	# a table is read by its rows: it may be as long as they are
	if (file !~ /_table\.c$/)
		over(file_lines, max_file, "lines")
}

# The value below which a share of all lies.
function share(of, total, part,  i, seen)
{
	for (i = 0; i < 100000; i++) {
		seen += of[i]
		if (seen >= total * part)
			return i
	}
	return 0
}

function gate(value, limit, what)
{
	if (gates != "all" || value <= limit)
		return
	printf "%s is %d (at most %d)\n", what, value, limit
	bad = 1
}

END {
	close_file()
	gate(share(of_lines, functions, 0.5), 15, "the median function")
	gate(share(of_lines, functions, 0.95), 50, "the function at 95 %")
	gate(share(of_complexity, functions, 0.95), 10, "the complexity at 95 %")
	gate(share(of_file, files, 0.5), 250, "the median file")
	printf "# %d functions: median %d, 95 %% %d, max %d (%s); ", functions, \
		share(of_lines, functions, 0.5), share(of_lines, functions, 0.95), \
		longest, longest_name
	printf "branches 95 %% %d, max %d; ", \
		share(of_complexity, functions, 0.95), hardest
	printf "%d files: median %d, max %d (%s)\n", files, \
		share(of_file, files, 0.5), largest, largest_name
	exit bad
}
