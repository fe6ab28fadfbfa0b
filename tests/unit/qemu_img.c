/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs of a stand-in for qemu-img: exits, words, progress, the end. */
#include "storage/qemu_img.h"

#include <string.h>

#include "base/mem.h"

#include "tests/unit/tap.h"

static struct {
	unsigned count;
	struct err err;
	char printed[64];
	uint64_t done, total;
} ended;

static void on_end(struct job *job, void *arg)
{
	struct qemu_img *run = qemu_img_of(job);
	struct err err = ERR_INIT;
	json_t *value = qemu_img_json(run, &err);

	(void)arg;
	ended.count++;
	ended.err = job->err;
	ended.done = job->progress.done;
	ended.total = job->progress.total;
	snprintf(ended.printed, sizeof(ended.printed), "%.63s",
		value ? str_or(json_string_value(
				       json_object_get(value, "format")),
				"?")
		      : err.text);
	json_decref(value);
}

/* A shell stands in; it sees "-p" as its own name. */
static struct qemu_img *start(const char *script, uint64_t fine)
{
	const char *const argv[] = { "sh", "-c", script, "-p", NULL };
	const char *const quiet[] = { "sh", "-c", script, NULL };
	const struct qemu_img_how how = { .what = "cannot do it",
		.hide = "/tmp/x.tmp",
		.fine = fine,
		.total = 1000 };

	memset(&ended, 0, sizeof(ended));
	return qemu_img_start(strstr(script, "100%") ? argv : quiet, &how, NULL,
		on_end, NULL);
}

static const char *run(const char *script, uint64_t fine)
{
	start(script, fine);
	loop_run();
	if (ended.count != 1)
		ok(false, "%s: ended %u times", script, ended.count);
	return ended.err.text;
}

static void percents(void)
{
	static const struct {
		const char *line;
		int value;
	} cases[] = {
		{ "    (12.34/100%)", 1234 },
		{ "    (100.00/100%)", 10000 },
		{ "(0.00/100%)", 0 },
		{ "    (100.01/100%)", -1 },
		{ "    (12.3/100%)", -1 },
		{ "    (12.34/10%)", -1 },
		{ "    (.34/100%)", -1 },
		{ "    (99999999999999.34/100%)", -1 },
		{ "", -1 },
		{ "(", -1 },
		{ "12.34/100%", -1 },
	};

	for (size_t i = 0; i < NELEMS(cases); i++)
		is_int(qemu_img_percent(cases[i].line), cases[i].value, "'%s'",
			cases[i].line);
}

static void ends(void)
{
	is_str(run("exit 0", 0), "", "exit 0 is well");
	is_str(run("exit 3", 1 << 3), "", "so is a fine exit");
	is_str(run("exit 3", 1 << 2), "cannot do it: qemu-img ended by exit 3",
		"another is not");
	is_int(ended.err.code, ERR_OS, "an error of the host");
	is_str(run("kill -9 $$", ~UINT64_C(0)),
		"cannot do it: qemu-img ended by signal 9",
		"a signal never is fine");
	is_str(run("echo 'qemu-img: it is broken' >&2; exit 1", 0),
		"cannot do it: it is broken", "its own words");
	is_str(run("printf 'n\\nqemu-img: /tmp/x.tmp: a\\nb\\n' >&2; exit 1",
		       0),
		"cannot do it: a b", "two lines, the hidden name left out");
	is_str(run("echo junk >&2; exit 0", 0), "",
		"words without a failure are none");
}

static void missing(void)
{
	const char *const argv[] = { "/nowhere/qemu-img", "info", NULL };

	memset(&ended, 0, sizeof(ended));
	qemu_img_start(argv, &(struct qemu_img_how){ .what = "cannot" }, NULL,
		on_end, NULL);
	loop_run();
	is_int(ended.count, 1, "a missing program ends it once");
	ok(ended.err.code, "with an error: %s", ended.err.text);
}

static void prints(void)
{
	run("echo '{\"format\": \"qcow2\"}'", 0);
	is_str(ended.printed, "qcow2", "JSON");
	run("echo '{'", 0);
	is_str(ended.printed, "cannot do it: qemu-img printed no JSON",
		"cut JSON");
	run(":", 0);
	is_str(ended.printed, "cannot do it: qemu-img printed no JSON",
		"nothing");
}

static void progress(void)
{
	run("printf '    (12.34/100%%)\\r    (50.00/100%%)\\r'", 0);
	is_int((int)ended.done, 500, "half of the bytes");
	is_int((int)ended.total, 1000, "of all");
}

static void cancelled(void)
{
	struct qemu_img *img = start("exec tail -f /dev/null", 0);

	job_cancel(&img->job);
	loop_run();
	is_int(ended.count, 1, "a cancelled run ends once");
	is_int(ended.err.code, ERR_CANCELLED, "and says so");
}

int main(void)
{
	struct err err = ERR_INIT;

	if (loop_init(&err) != 0)
		return 1;
	percents();
	ends();
	missing();
	prints();
	progress();
	cancelled();
	loop_fini();
	return done();
}
