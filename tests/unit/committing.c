/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bases that image commit writes to: who is told, and until when. */
#include "supervisor/committing.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}

/* A write, at another time than the last. */
static void write_to(const char *path)
{
	static time_t now = 1000;
	const struct timespec times[2] = { { .tv_sec = now },
		{ .tv_sec = now } };

	now++;
	if (utimensat(AT_FDCWD, path, times, 0))
		abort();
}

int main(void)
{
	struct err err = ERR_INIT;
	struct paths paths = { .state = NULL };
	AUTO_FREE char *base = NULL;
	AUTO_FREE char *other = NULL;
	AUTO_FREE char *record = NULL;

	temp_make();
	base = xstrdup(temp_path("base"));
	other = xstrdup(temp_path("other"));
	write_file(base, "x");
	write_file(other, "x");
	ok(!committing_check(&paths, base, &err), "without a directory");
	paths.state = xstrdup(temp_path("state"));
	ok(!committing_check(&paths, base, &err), "none is known");
	ok(!committing_write(&paths, base, "/top", &err), "one is");
	ok(!committing_check(&paths, base, &err), "of no harm before a write");
	write_to(base);
	ok(committing_check(&paths, base, &err) && err.code == ERR_STATE &&
			strstr(err.text, "image commit /top"),
		"and refused: %s", err.text);
	ok(committing_check_chain(&paths, base, &err), "read by itself, too");
	ok(!committing_check(&paths, other, &err), "not another one");
	if (rename(other, base))
		abort();
	ok(!committing_check(&paths, base, &err), "nor a new file of its name");
	ok(!committing_write(&paths, base, "/top", &err), "the same again");
	record = committing_path(&paths, base);
	write_file(record, "{\"base\": 1");
	ok(!committing_check(&paths, base, &err), "a record that is none");
	ok(!committing_write(&paths, base, "/top", &err), "is replaced");
	write_to(base);
	ok(committing_check(&paths, base, &err), "refused again");
	committing_forget(&paths, base);
	ok(!committing_check(&paths, base, &err), "until it is forgotten");
	ok(committing_write(&paths, "/nonexistent/x", "/top", &err),
		"a base that is not there");
	free(TAKE(paths.state));
	return done();
}
