/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An abnormal end makes an incident; see incident.h. */
#include "supervisor/incident.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/config.h"
#include "supervisor/console.h"
#include "supervisor/explain.h"
#include "supervisor/hook.h"
#include "supervisor/incidents.h"
#include "supervisor/mask.h"
#include "supervisor/pool.h"
#include "supervisor/remove.h"

#define AT_ONCE      4   /* being written at a time, of all VMs */
#define LATER_MS     300 /* a successor comes first */
#define TURN_MS      2   /* between two files */
#define RECORDER_MAX ((size_t)64 * 1024)
#define TAIL_MAX     ((size_t)16 * 1024)
#define FILE_MAX     ((size_t)64 * 1024)

struct incident {
	struct job job;
	struct list link; /* running, below */
	const struct env *env;
	char *vm;
	char id[INCIDENT_ID_SIZE];
	json_t *facts;
	char *recorder, *words, *config, *argv, *explain;
	char *consoles[MACHINE_SERIALS]; /* paths of their logs */
	char *console_names[MACHINE_SERIALS];
	char *log;         /* path of its log */
	char *beside;      /* the directory while it is written */
	struct hook *hook; /* to be run at the end; or NULL */
	unsigned next;     /* step */
};

/* Those that are being written. */
static struct list running = { &running, &running };

void incident_forget_all(void)
{
	list_init(&running);
}

bool incident_is_one(enum cause cause)
{
	return cause_is_failure(cause) && cause != CAUSE_GUEST_REBOOT;
}

/* False while as many are being written as may be, or one of this VM is. */
static bool has_room(const char *vm)
{
	unsigned n = 0;

	list_each(&running, it, next) {
		if (str_eq(list_entry(it, struct incident, link)->vm, vm))
			return false;
		n++;
	}
	return n < AT_ONCE;
}

/* ---- what will be gone ---- */

static char *masked(const char *text)
{
	AUTO_STR struct str out = STR_INIT;

	mask_secrets(text, strlen(text), &out);
	return xstrdup(str_text(&out));
}

static char *take_config(const struct vm *vm)
{
	const struct vm_spec *spec = vm_spec_now(vm);
	AUTO_STR struct str text = STR_INIT;

	if (spec)
		config_show(spec, false, NULL, &text);
	return xstrdup(str_text(&text));
}

static char *take_argv(const struct vm *vm)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "argv");
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	return fd_read_file(AT_FDCWD, path, FILE_MAX, &text, &err)
		       ? xstrdup("")
		       : xstrdup(str_text(&text));
}

static void take_consoles(struct incident *in, const struct vm *vm)
{
	unsigned n = 0;

	list_each(&vm->machine.consoles, it, next) {
		const struct console *c = list_entry(it, struct console, link);

		if (n == MACHINE_SERIALS)
			return;
		in->console_names[n] = xasprintf("console-%s.txt", c->name);
		in->consoles[n++] = xstrdup(c->log_path);
	}
}

static json_t *take_facts(const struct vm *vm, const char *id)
{
	int64_t lived = vm_uptime_ms(vm);
	char time[32];

	vmlog_time(vm->record.last_end_real_us, time);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:f,s:I,s:I,s:s,s:s?}", "vm",
		vm->name, "id", id, "cause", cause_name(vm->last.cause),
		"detail", vm->last.detail, "time", time, "lived",
		lived > 0 ? (double)lived / 1000 : 0.0, "generation",
		(json_int_t)vm->record.generation, "restarts",
		(json_int_t)vm->record.history.restarts, "accel",
		vm->accel.kvm ? "kvm" : "tcg", "start_error",
		vm->start_err ? vm->start_err->text : NULL);
}

struct incident *incident_take(struct vm *vm)
{
	struct incident *in;

	if (!incident_is_one(vm->last.cause) || !has_room(vm->name))
		return NULL;
	in = NEW(struct incident);
	list_add(&running, &in->link);
	in->env = vm->env;
	in->vm = xstrdup(vm->name);
	incidents_id(vm->record.last_end_real_us, vm->last.cause, in->id);
	in->facts = take_facts(vm, in->id);
	in->recorder = recorder_tail(&vm->recorder, RECORDER_MAX);
	in->words = xstrdup(str_text(&vm->machine.errors.last_words));
	in->config = take_config(vm);
	in->argv = take_argv(vm);
	in->log = xstrdup(vm->log.path);
	take_consoles(in, vm);
	in->hook = hook_prepare(vm, HOOK_INCIDENT);
	snprintf(
		vm->record.incident, sizeof(vm->record.incident), "%s", in->id);
	return in;
}

/* ---- the files ---- */

/* What is in them is sent over JSON: made UTF-8, line ends kept. */
static void add_clean(struct str *out, const char *text, size_t len)
{
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		str_add_visible(out, text, n);
		if (end)
			str_addc(out, '\n');
		n += end != NULL;
		text += n;
		len -= n;
	}
}

static void put(struct incident *in, const char *name, const char *text)
{
	AUTO_FREE char *path = xasprintf("%s/%s", in->beside, name);
	AUTO_STR struct str clean = STR_INIT;
	size_t len = strlen(text);
	AUTO_CLOSE int fd = -1;

	if (!len || in->job.err.code)
		return;
	add_clean(&clean, text, len < FILE_MAX ? len : FILE_MAX);
	fd = sys_openat(
		AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0 ||
		sys_write(fd, clean.data, clean.len) != (ssize_t)clean.len)
		err_os(&in->job.err, "cannot write '%s'", path);
}

/* The end of a log. */
static void put_tail(struct incident *in, const char *name, const char *path)
{
	AUTO_CLOSE int fd = sys_openat(
		AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	AUTO_FREE char *text = xmalloc(TAIL_MAX + 1);
	struct stat st;
	ssize_t got;

	if (fd < 0 || sys_fstat(fd, &st) || !S_ISREG(st.st_mode))
		return;
	got = sys_pread(fd, text, TAIL_MAX,
		st.st_size > (off_t)TAIL_MAX ? st.st_size - (off_t)TAIL_MAX
					     : 0);
	for (ssize_t i = 0; i < got; i++)
		if (!text[i])
			text[i] = '?';
	text[got > 0 ? got : 0] = '\0';
	put(in, name, text);
}

static void add_proc(struct str *out, const char *path, unsigned lines)
{
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
	char text[512];
	ssize_t got = fd < 0 ? -1 : sys_read(fd, text, sizeof(text) - 1);
	char *at = text;

	if (got <= 0)
		return;
	text[got] = '\0';
	for (; lines > 0 && *at; lines--)
		at += strcspn(at, "\n") + (strchr(at, '\n') != NULL);
	str_addf(out, "%s:\n%.*s", path, (int)(at - text), text);
}

static void add_space(struct str *text, const char *dir)
{
	uint64_t space;

	if (!sys_free_space(dir, &space))
		str_addf(text, "free in %s: %llu bytes\n", dir,
			(unsigned long long)space);
}

static void put_host(struct incident *in)
{
	const struct paths *paths = &in->env->paths;
	const char *const dirs[] = { paths->state, paths->run };
	AUTO_STR struct str text = STR_INIT;

	add_proc(&text, "/proc/version", 1);
	add_proc(&text, "/proc/loadavg", 1);
	add_proc(&text, "/proc/meminfo", 5);
	str_addf(&text, "qemu: %s\n", str_or(in->env->qemu, "none"));
	for (size_t i = 0; i < NELEMS(dirs); i++)
		add_space(&text, dirs[i]);
	list_each(pools_of(paths), it, next) {
		const struct pool *pool = list_entry(it, struct pool, link);

		if (pool->dir)
			add_space(&text, pool->dir);
	}
	put(in, "host.txt", str_text(&text));
}

static void put_facts(struct incident *in)
{
	AUTO_FREE char *text = jstream_text(in->facts, JSON_INDENT(1));

	put(in, "incident.json", text ? text : "{}");
}

static void put_masked(struct incident *in, const char *name, const char *text)
{
	AUTO_FREE char *clean = masked(text);

	put(in, name, clean);
}

/* One step; false when there is no more. */
static bool step(struct incident *in)
{
	unsigned n = in->next++;

	if (n == 0)
		put_facts(in);
	else if (n == 1)
		put(in, "explain.txt", in->explain);
	else if (n == 2)
		put(in, "recorder.txt", in->recorder);
	else if (n == 3)
		put(in, "stderr.txt", in->words);
	else if (n == 4)
		put_masked(in, "config.ini", in->config);
	else if (n == 5)
		put_masked(in, "argv.txt", in->argv);
	else if (n == 6)
		put_host(in);
	else if (n == 7)
		put_tail(in, "log.txt", in->log);
	else if (n - 8 < MACHINE_SERIALS && in->consoles[n - 8])
		put_tail(in, in->console_names[n - 8], in->consoles[n - 8]);
	else
		return false;
	return !in->job.err.code;
}

/* ---- the job ---- */

static int begin(struct incident *in, struct err *err)
{
	const char *state = in->env->paths.state;
	AUTO_FREE char *dir = incidents_dir(state, in->vm, NULL);

	if (fd_make_dirs(dir, 0700, err))
		return -1;
	/* what a crash of ours left goes, too */
	incidents_trim(state, in->vm, NULL);
	in->beside = xasprintf("%s/%s.tmp", dir, in->id);
	if (sys_mkdirat(AT_FDCWD, in->beside, 0700))
		return err_os(err, "cannot make '%s'", in->beside);
	return 0;
}

static int finish(struct incident *in, struct err *err)
{
	const char *state = in->env->paths.state;
	AUTO_FREE char *path = incidents_dir(state, in->vm, in->id);

	if (sys_renameat(AT_FDCWD, in->beside, AT_FDCWD, path))
		return err_os(err, "cannot rename '%s'", in->beside);
	free(TAKE(in->beside));
	hook_add(in->hook, "VMWARD_INCIDENT", path);
	hook_start(TAKE(in->hook));
	incidents_trim(state, in->vm, in->id);
	return 0;
}

static enum job_state incident_run(struct job *job)
{
	struct incident *in = container_of(job, struct incident, job);

	JOB_BEGIN(job);
	JOB_AWAIT_OR_TIMEOUT(job, false, LATER_MS);
	if (begin(in, &job->err))
		return JOB_ENDS;
	while (step(in))
		JOB_AWAIT_OR_TIMEOUT(job, false, TURN_MS);
	if (!job->err.code && finish(in, &job->err))
		return JOB_ENDS;
	JOB_END(job);
}

static void incident_cleanup(struct job *job)
{
	struct incident *in = container_of(job, struct incident, job);
	struct err err = ERR_INIT;

	if (job->err.code)
		log_warn(in->vm, "no incident: %s", job->err.text);
	if (in->beside && remove_tree(in->beside, &err))
		log_warn(in->vm, "%s", err.text);
	hook_free(in->hook);
	list_del(&in->link);
	json_decref(in->facts);
	for (size_t i = 0; i < MACHINE_SERIALS; i++) {
		free(in->consoles[i]);
		free(in->console_names[i]);
	}
	free(in->recorder);
	free(in->words);
	free(in->config);
	free(in->argv);
	free(in->explain);
	free(in->log);
	free(in->beside);
	free(in->vm);
	free(in);
}

static const struct job_kind incident_kind = { "incident", incident_run, NULL,
	incident_cleanup };

void incident_write(struct incident *in, const struct vm *vm)
{
	AUTO_STR struct str text = STR_INIT;

	if (!in)
		return;
	explain_vm(vm, &text);
	in->explain = xstrdup(str_text(&text));
	job_start(&in->job, &incident_kind, in->vm, NULL, NULL);
}
