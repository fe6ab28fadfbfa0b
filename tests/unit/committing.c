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

struct seen {
	char *image;
	unsigned n, kept;
};

static void see(void *arg, const struct committing *c)
{
	struct seen *seen = arg;

	free(seen->image);
	seen->image = xstrdup(c->image);
	seen->n++;
	seen->kept += c->keep;
}

static struct seen look(const struct paths *paths)
{
	struct seen seen = { NULL };

	committing_each(paths, see, &seen);
	return seen;
}

/* A qcow2 header of version 2: on top of base. */
static void write_overlay(const char *path, const char *base)
{
	unsigned char head[72] = { 'Q', 'F', 'I', 0xfb, [7] = 2, [15] = 72 };
	FILE *file = fopen(path, "w");

	head[19] = (unsigned char)strlen(base);
	head[23] = 16; /* clusters of 64k */
	head[30] = 1;  /* 64k in all */
	if (!file || fwrite(head, sizeof(head), 1, file) != 1 ||
		fputs(base, file) < 0 || fclose(file))
		abort();
}

/* Before it is moved, and what a next start is told of. */
static void test_next_start(struct paths *paths)
{
	AUTO_FREE char *base = xstrdup(temp_path("below"));
	AUTO_FREE char *top = xstrdup(temp_path("above"));
	AUTO_FREE char *record = committing_path(paths, base);
	struct err err = ERR_INIT;
	struct seen seen;

	write_file(base, "x");
	write_overlay(top, base);
	ok(!committing_write(paths, base, top, true, &err), "of an overlay");
	ok(!committing_check_moves(paths, top, &err), "nothing is written");
	seen = look(paths);
	is_int(seen.n, 0, "so a next start has nothing to do");
	ok(!committing_write(paths, base, top, true, &err), "once more");
	write_to(base);
	ok(committing_check_moves(paths, top, &err) && err.code == ERR_STATE &&
			strstr(err.text, "say vmward image commit"),
		"half is below: it stays: %s", err.text);
	ok(!committing_check_moves(paths, base, &err), "that moves nothing");
	ok(!committing_check_chain(paths, top, &err), "but it may be read");
	seen = look(paths);
	ok(seen.n == 1 && seen.kept == 1 && str_eq(seen.image, top),
		"the next start is told, and how");
	free(seen.image);
	unlink(top);
	ok(committing_check(paths, base, &err) && strstr(err.text, "is gone"),
		"nothing can finish it: %s", err.text);
	unlink(base);
	seen = look(paths);
	is_int(seen.n, 0, "no base, nothing to finish");
	ok(access(record, F_OK), "and no record");
}

int main(void)
{
	struct err err = ERR_INIT;
	struct paths paths = { .state = NULL };
	AUTO_FREE char *base = NULL;
	AUTO_FREE char *other = NULL;
	AUTO_FREE char *top = NULL;
	AUTO_FREE char *record = NULL;

	temp_make();
	base = xstrdup(temp_path("base"));
	other = xstrdup(temp_path("other"));
	write_file(base, "x");
	write_file(other, "x");
	top = xstrdup(temp_path("top"));
	write_file(top, "x");
	ok(!committing_check(&paths, base, &err), "without a directory");
	paths.state = xstrdup(temp_path("state"));
	ok(!committing_check(&paths, base, &err), "none is known");
	ok(!committing_write(&paths, base, top, false, &err), "one is");
	ok(!committing_check(&paths, base, &err), "of no harm before a write");
	write_to(base);
	ok(committing_check(&paths, base, &err) && err.code == ERR_STATE &&
			strstr(err.text, "say vmward image commit /"),
		"and refused: %s", err.text);
	ok(committing_check_chain(&paths, base, &err), "read by itself, too");
	ok(!committing_check(&paths, other, &err), "not another one");
	if (rename(other, base))
		abort();
	ok(!committing_check(&paths, base, &err), "nor a new file of its name");
	ok(!committing_write(&paths, base, top, false, &err), "the same again");
	record = committing_path(&paths, base);
	write_file(record, "{\"base\": 1");
	ok(!committing_check(&paths, base, &err), "a record that is none");
	ok(!committing_write(&paths, base, top, false, &err), "is replaced");
	write_to(base);
	ok(committing_check(&paths, base, &err), "refused again");
	committing_forget(&paths, base);
	ok(!committing_check(&paths, base, &err), "until it is forgotten");
	ok(committing_write(&paths, "/nonexistent/x", top, false, &err),
		"a base that is not there");
	test_next_start(&paths);
	free(TAKE(paths.state));
	return done();
}
