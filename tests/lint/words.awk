# SPDX-License-Identifier: GPL-2.0-or-later
# Words that mark something unfinished, and calls that have a better wrapper.
# awk -f strip.awk -f words.awk FILES

{ line = code($0) }
/(^|[^A-Za-z_])(TODO|FIXME|XXX|HACK)([^A-Za-z_]|$)/ { complain("unfinished: " $0) }
tolower($0) ~ /not implemented|not yet implemented/ { complain("unfinished: " $0) }

FILENAME ~ /^tests\// { next }

line ~ /__func__|__FUNCTION__/ { complain("name the object, not the function") }
line ~ /!strcmp *\(/ { complain("use str_eq") }
line ~ /(^|[^A-Za-z_])(strto(l|ul|ll|ull|d|imax|umax)|atof|sscanf) *\(/ && \
		FILENAME !~ /^base\/str(_[a-z]+)?\.c$/ {
	complain("use the strict parsers of base/str")
}
line ~ /(^|[^A-Za-z_])(malloc|calloc|realloc|strdup|strndup|asprintf) *\(/ && \
		FILENAME !~ /^base\/mem\.[ch]$/ {
	complain("use the xmalloc family of base/mem")
}
line ~ /json_dumps *\(/ && FILENAME !~ /^ctl\// {
	complain("its text is not for free(): use jstream_text")
}

END { exit bad }
