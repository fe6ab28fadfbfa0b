# SPDX-License-Identifier: GPL-2.0-or-later
# A job body runs from the top at every wake: nothing on its stack survives a
# yield.  So before JOB_BEGIN only pointers found by container_of may be
# declared, in the body nothing, and no switch (it would swallow the case
# labels of the yields).  awk -f strip.awk -f jobs.awk FILES

BEGIN {
	type = "(const|static|struct|enum|union|unsigned|signed|bool|char|" \
		"short|int|long|float|double|void|size_t|ssize_t|off_t|pid_t|" \
		"json_t|json_int_t|u?int[0-9]+_t|AUTO_[A-Z]+|__typeof__)"
}

{ line = code($0) }

FNR == 1 {
	body = 0
	locals = 0
}
line ~ /^[ \t]*#/ { next }
line ~ /^{/ {
	body = 0
	locals = 0
}
line ~ /^}/ { body = 0 }

# "type name", "type *name" at the start of a statement or of a for
line ~ "^[ \t]+(for *\\()?" type "[ \t]+[^;=]*[A-Za-z_][A-Za-z_0-9]*" && \
		line !~ /^[ \t]+(return|sizeof)/ {
	if (body)
		complain("a local in a job body does not survive its yields")
	else if ($0 !~ /container_of *\(/)
		where[locals++] = FNR
}
line ~ /(^|[^A-Za-z_])JOB_BEGIN *\(/ {
	for (i = 0; i < locals; i++) {
		printf "%s:%d: a local of a job does not survive its yields\n", \
			FILENAME, where[i]
		bad = 1
	}
	body = 1
}
line ~ /(^|[^A-Za-z_])JOB_END *\(/ { body = 0 }
body && line ~ /(^|[^A-Za-z_])switch *\(/ {
	complain("a switch in a job body swallows the labels of the yields")
}

END { exit bad }
