# SPDX-License-Identifier: GPL-2.0-or-later
# Every function of a header has a comment: right above it, behind it, or
# above the first of the group of lines that it stands in.
# awk -f strip.awk -f comments.awk HEADERS

FNR == 1 {
	commented = 0
	depth = 0
}
{ line = code($0) }
/^[ \t]*$/ {
	commented = 0
	next
}
/^[ \t]*\/?\*/ {
	commented = 1
	next
}
line ~ /^#/ { next }
depth == 0 && line ~ /^[A-Za-z_].*[A-Za-z_0-9]\(/ && \
		line !~ /^(typedef|enum)/ && !commented && !/\/\*/ {
	complain("no comment says what this function does")
}
line ~ /}/ && depth == 1 { commented = 0 }
{
	depth += gsub(/{/, "", line) - gsub(/}/, "", line)
}

END { exit bad }
