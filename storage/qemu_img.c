/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run of qemu-img as a job; see qemu_img.h. */
#include "storage/qemu_img.h"

#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

enum { FULL = 10000 }; /* 100.00 % */

struct qemu_img *qemu_img_of(struct job *job)
{
	return container_of(job, struct qemu_img, job);
}

int qemu_img_percent(const char *line)
{
	int value = 0;

	line += strspn(line, " ");
	if (*line++ != '(' || *line < '0' || *line > '9')
		return -1;
	for (; *line >= '0' && *line <= '9' && value <= FULL; line++)
		value = value * 10 + (*line - '0');
	if (line[0] != '.' || line[1] < '0' || line[1] > '9' || line[2] < '0' ||
		line[2] > '9' || !str_starts(line + 3, "/100%)"))
		return -1;
	value = value * 100 + (line[1] - '0') * 10 + (line[2] - '0');
	return value <= FULL ? value : -1;
}

static void on_line(struct spawn_tool *tool, const char *line)
{
	struct qemu_img *run = container_of(tool, struct qemu_img, tool);
	struct job_progress *to = &run->job.progress;
	int percent = qemu_img_percent(line);

	if (percent < 0) {
		if (run->on_words)
			run->on_words(run->arg, line);
		return;
	}
	for (struct job *job = run->job.parent; job; job = job->parent)
		to = &job->progress; /* who shows it is at the top */
	to->total = run->total ? run->total : FULL;
	to->done = to->total / FULL * (unsigned)percent +
		   to->total % FULL * (unsigned)percent / FULL;
}

static void on_end(struct spawn_tool *tool)
{
	struct qemu_img *run = container_of(tool, struct qemu_img, tool);

	run->ended = true;
	job_wake(&run->job);
}

/*
 * stderr from its last "qemu-img: " on, which may be two lines, as one line
 * without that mark and the hidden name; NULL if it is empty.
 */
static const char *last_words(struct qemu_img *run)
{
	static const char said[] = "qemu-img: ";
	char *text = run->tool.errors.data;
	size_t len = run->tool.errors.len;
	size_t hide = run->hide ? strlen(run->hide) : 0;
	const char *words = text;

	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	if (len == 0)
		return NULL;
	for (char *at = text; at; at = strchr(at, '\n')) {
		if (*at == '\n')
			*at++ = ' ';
		if (str_starts(at, said))
			words = at + strlen(said);
	}
	if (hide && str_starts(words, run->hide) && words[hide] == ':')
		words += hide + strspn(words + hide, ": ");
	return words;
}

static bool did_well(struct qemu_img *run)
{
	const struct sys_exit *how = &run->tool.exit;
	const char *words;

	if (how->known && !how->signalled &&
		(how->code == 0 || (how->code > 0 && how->code < 64 &&
					   run->fine >> how->code & 1)))
		return true;
	words = last_words(run);
	if (words)
		job_fail(&run->job, ERR_OS, "%s: %s", run->what, words);
	else
		job_fail(&run->job, ERR_OS, "%s: qemu-img ended by %s %d",
			run->what, how->signalled ? "signal" : "exit",
			how->code);
	return false;
}

/* Starts the tool, which gets what is given; our ends are closed. */
static int start_tool(struct qemu_img *run, struct err *err)
{
	struct spawn_fd fds[NELEMS(run->given)];
	int rc;

	run->tool.fds = fds;
	run->tool.nfds = 0;
	for (size_t i = 0; i < NELEMS(run->given); i++)
		if (run->given[i] >= 0)
			fds[run->tool.nfds++] =
				(struct spawn_fd){ run->given[i], 3 + (int)i };
	rc = spawn_tool_start(&run->tool, (const char *const *)run->argv, err);
	run->tool.fds = NULL;
	run->tool.nfds = 0;
	for (size_t i = 0; i < NELEMS(run->given); i++)
		fd_close(&run->given[i]);
	return rc;
}

static bool begin(struct qemu_img *run)
{
	struct err err = ERR_INIT;

	run->tool.on_end = on_end;
	if (run->on_words)
		run->tool.on_line = on_line;
	for (char **at = run->argv; *at; at++)
		if (str_eq(*at, "-p"))
			run->tool.on_line = on_line;
	if (!start_tool(run, &err))
		return true;
	err_wrap(&err, "%s: ", run->what);
	job_fail_err(&run->job, &err);
	return false;
}

static enum job_state img_run(struct job *job)
{
	struct qemu_img *run = container_of(job, struct qemu_img, job);

	JOB_BEGIN(job);
	if (!begin(run))
		return JOB_ENDS;
	/* as long as it takes: a terabyte may be on a slow disk */
	JOB_AWAIT(job, run->ended, JOB_FOREVER);
	if (!did_well(run))
		return JOB_ENDS;
	JOB_END(job);
}

static void img_cleanup(struct job *job)
{
	struct qemu_img *run = qemu_img_of(job);

	spawn_tool_stop(&run->tool);
	for (size_t i = 0; i < NELEMS(run->given); i++)
		fd_close(&run->given[i]);
	for (char **at = run->argv; *at; at++)
		free(*at);
	free(run->argv);
	free(run->what);
	free(run->hide);
	free(run);
}

static const struct job_kind img_kind = {
	.name = "qemu-img",
	.run = img_run,
	.cleanup = img_cleanup,
};

static bool has_secret(const struct secret *secret)
{
	return secret && secret->bytes;
}

struct qemu_img *qemu_img_start(const char *const *argv,
	const struct qemu_img_how *how, struct job *parent,
	void (*on_end_hook)(struct job *job, void *arg), void *arg)
{
	struct qemu_img *run = NEW(struct qemu_img);
	size_t n = 0;

	while (argv[n])
		n++;
	run->argv = xcalloc(n + 1, sizeof(*run->argv));
	for (size_t i = 0; i < n; i++)
		run->argv[i] = xstrdup(argv[i]);
	run->what = xstrdup(how->what);
	run->hide = how->hide ? xstrdup(how->hide) : NULL;
	run->fine = how->fine;
	run->total = how->total;
	run->on_words = how->on_words;
	run->arg = how->arg;
	run->given[0] = has_secret(how->secret) ? secret_pipe(how->secret) : -1;
	run->given[1] =
		has_secret(how->new_secret) ? secret_pipe(how->new_secret) : -1;
	run->given[2] = how->source > 0 ? sys_dup(how->source) : -1;
	job_start(&run->job, &img_kind, parent ? parent->target : NULL,
		on_end_hook, arg);
	run->job.parent = parent;
	return run;
}

char *qemu_img_opts(const char *path, const char *format)
{
	AUTO_STR struct str opts = STR_INIT;

	str_addf(&opts,
		"driver=%s,encrypt.key-secret=key,file.filename=", format);
	for (; *path; path++) {
		str_addc(&opts, *path);
		if (*path == ',')
			str_addc(&opts, ',');
	}
	return str_take(&opts);
}

json_t *qemu_img_json(const struct qemu_img *run, struct err *err)
{
	json_t *value =
		json_loadb(run->tool.out.data, run->tool.out.len, 0, NULL);

	if (!value)
		err_set(err, ERR_OS, "%s: qemu-img printed no JSON%s",
			run->what, run->tool.truncated ? ", but too much" : "");
	return value;
}
