/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SHA-256 of a file by sha256sum; see sum.h. */
#include "supervisor/sum.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/spawn.h"
#include "storage/qemu_img.h"

/* "SUM  PATH"; with a backslash in front where the path has one. */
static void on_words(void *arg, const char *line)
{
	char *out = arg;

	line += *line == '\\';
	if (strspn(line, "0123456789abcdef") == SUM_SIZE - 1)
		snprintf(out, SUM_SIZE, "%.64s", line);
}

struct job *sum_begin(const char *path, char out[SUM_SIZE], struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg, struct err *err)
{
	AUTO_FREE char *program = spawn_find("sha256sum");
	AUTO_FREE char *what = xasprintf("cannot sum up '%s'", path);
	const char *const argv[] = { program, path, NULL };
	const struct qemu_img_how how = {
		.what = what, .on_words = on_words, .arg = out
	};

	if (!program) {
		err_set(err, ERR_UNSUPPORTED,
			"sha256sum is not installed or not on PATH");
		return NULL;
	}
	out[0] = '\0';
	return &qemu_img_start(argv, &how, parent, on_end, arg)->job;
}
