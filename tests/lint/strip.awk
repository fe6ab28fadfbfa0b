# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by the checks: code(line) is the line without strings, characters
# and comments.  Call it for every line of a file, in order.

function code(s,  out, c, two, i, n)
{
	if (FNR == 1)
		in_comment = 0
	n = length(s)
	out = ""
	for (i = 1; i <= n; i++) {
		c = substr(s, i, 1)
		two = substr(s, i, 2)
		if (in_comment) {
			if (two == "*/") {
				in_comment = 0
				i++
			}
		} else if (two == "/*") {
			in_comment = 1
			i++
		} else if (two == "//") {
			break
		} else if (c == "\"" || c == "'") {
			for (i++; i <= n && substr(s, i, 1) != c; i++)
				if (substr(s, i, 1) == "\\")
					i++
			out = out c c
		} else {
			out = out c
		}
	}
	return out
}

function complain(text)
{
	printf "%s:%d: %s\n", FILENAME, FNR, text
	bad = 1
}
