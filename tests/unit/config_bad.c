/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every message about a bad file, word for word and with its line: the cases
 * are in tests/golden/config-bad.txt.  With GOLDEN=write in the environment
 * the messages are written anew, to be read as a diff.
 */
#include "tests/unit/confdir.h"
#include "tests/unit/tap.h"

#define GOLDEN "tests/golden/config-bad.txt"

enum { CASES_MIN = 120 };

/* One case: the lines of a file and what is expected. */
struct one {
	struct str file;
	struct str want;
};

static void one_fini(struct one *one)
{
	str_fini(&one->file);
	str_fini(&one->want);
}

/* What is found in the file, each line after "=> ". */
static char *messages(const struct one *one)
{
	AUTO_STR struct str out = STR_INIT;

	conf_put("vms/x.ini", str_text(&one->file));
	AUTO_FREE char *found = conf_findings("x");
	for (const char *at = found; *at;) {
		size_t len = strcspn(at, "\n") + 1;
		str_add(&out, "=> ");
		str_addn(&out, at, len);
		at += len;
	}
	return str_take(&out);
}

static void run(struct one *one, struct str *rewritten, unsigned number)
{
	AUTO_STR struct str name = STR_INIT;
	AUTO_FREE char *got = messages(one);

	str_add_visible(&name, str_text(&one->file), one->file.len);
	ok(strstr(got, "=> x.ini"), "%u is refused: %s", number,
		str_text(&name));
	is_str(got, str_text(&one->want), "%u has its message", number);
	str_addf(rewritten, "\n%s%s", str_text(&one->file), got);
	one_fini(one);
}

/* Goes through the file; the number of cases. */
static unsigned run_all(const char *text, struct str *rewritten)
{
	struct one one = { STR_INIT, STR_INIT };
	unsigned n = 0;

	for (const char *at = text; *at;) {
		size_t len = strcspn(at, "\n") + 1;
		if (*at == '#')
			str_addn(rewritten, at, len);
		else if (str_starts(at, "=> "))
			str_addn(&one.want, at, len);
		else if (*at != '\n')
			str_addn(&one.file, at, len);
		at += len;
		if (one.want.len > 0 && (*at == '\n' || !*at))
			run(&one, rewritten, ++n);
	}
	one_fini(&one);
	return n;
}

int main(void)
{
	AUTO_STR struct str text = STR_INIT;
	AUTO_STR struct str rewritten = STR_INIT;
	struct err err = ERR_INIT;
	const char *mode = getenv("GOLDEN");

	conf_start(PATHS_SYSTEM);
	ok(fd_read_file(AT_FDCWD, GOLDEN, 1 << 20, &text, &err) == 0,
		"read the cases %s", err.text);
	unsigned n = run_all(str_text(&text), &rewritten);
	ok(n >= CASES_MIN, "%u cases", n);
	if (mode && str_eq(mode, "write"))
		ok(fd_write_file(AT_FDCWD, GOLDEN, str_text(&rewritten),
			   rewritten.len, 0644, false, &err) == 0,
			"written %s", err.text);
	conf_end();
	return done();
}
