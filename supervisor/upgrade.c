/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This process becomes the program on disk; see upgrade.h. */
#include "supervisor/upgrade.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/spawn.h"
#include "base/sys.h"
#include "base/sys_exec.h"
#include "base/words.h"
#include "supervisor/control_handover.h"
#include "supervisor/events.h"
#include "supervisor/hang.h"
#include "supervisor/hook.h"
#include "supervisor/keeper_ask.h"
#include "supervisor/mounts.h"
#include "supervisor/nets.h"
#include "supervisor/notify.h"
#include "supervisor/vm_handover.h"

#define CHECK_MS   10000
#define PATIENCE_S 30
#define AGAIN_MS   10
#define FD_OPTION  "--upgrade-fd"
#define SERIAL     "--keeper-serial"

struct upgrade {
	struct job job;
	struct env *env;
	struct request *request;
	int state_fd; /* for the look that the new program takes */
	struct spawn_tool tool;
	bool checked;
	char *version; /* what it says it is */
	int64_t until_ms;
	char busy[160]; /* what has to end first */
};

static const struct handover_field lock_fields[] = {
	HAND(HAND_FD, struct vm_lock, file_fd),
	HAND(HAND_FD, struct vm_lock, name_fd),
};

/* ---- the state ---- */

static json_t *put_vms(struct handover *h, struct registry *registry)
{
	json_t *vms = json_object();

	list_each(registry_vms(registry), it, next) {
		const struct vm *vm = list_entry(it, struct vm, link);

		json_object_set_new(vms, vm->name, vm_put(h, vm));
	}
	return vms;
}

static void save(struct handover *h, const struct upgrade *op)
{
	const struct image *image = op->env->image;
	json_t *lock = json_object();

	handover_init(h);
	handover_put(h, lock, lock_fields, NELEMS(lock_fields), image->lock);
	json_object_set_new(h->root, "from", json_string(VMWARD_VERSION));
	json_object_set_new(
		h->root, "since", json_integer((json_int_t)sys_now_us()));
	json_object_set_new(h->root, "lock", lock);
	json_object_set_new(h->root, "jobs", json_integer(vm_job_last(0)));
	json_object_set_new(h->root, "events", events_save());
	json_object_set_new(
		h->root, "vms", put_vms(h, request_registry(op->request)));
	json_object_set_new(h->root, "control", control_put(h, image->control));
}

static int save_to_memory(
	struct handover *h, const struct upgrade *op, struct err *err)
{
	AUTO_FREE char *text = NULL;

	save(h, op);
	text = handover_text(h);
	return exec_memfd(text, strlen(text), err);
}

static int check_state(const struct handover *h, struct err *err)
{
	const json_t *lock = handover_need(h->root, "lock", false, err);
	json_t *vms = handover_need(h->root, "vms", false, err);
	const json_t *control = handover_need(h->root, "control", false, err);
	const char *name;
	json_t *vm;

	if (!lock || !vms || !control ||
		handover_get(
			lock, lock_fields, NELEMS(lock_fields), NULL, err) ||
		control_check(control, err))
		return -1;
	json_object_foreach(vms, name, vm)
	{
		if (vm_check_moved(vm, err))
			return err_wrap(err, "%s: ", name);
	}
	return 0;
}

/* A state that is good; else h is empty. */
static int read_state(struct handover *h, int fd, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;
	char chunk[16384];
	ssize_t got;

	for (off_t at = 0; (got = sys_pread(fd, chunk, sizeof(chunk), at)) > 0;
		at += got)
		str_addn(&text, chunk, (size_t)got);
	if (got < 0)
		return err_os(err, "cannot read the state");
	if (handover_parse(h, str_text(&text), text.len, err))
		return -1;
	if (!check_state(h, err))
		return 0;
	handover_fini(h);
	return -1;
}

int upgrade_check_file(const char *file)
{
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, file, O_RDONLY, 0);
	struct handover h;
	struct err err = ERR_INIT;

	if (fd < 0)
		err_os(&err, "cannot open '%s'", file);
	if (fd < 0 || read_state(&h, fd, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	handover_fini(&h);
	puts(VMWARD_VERSION);
	return 0;
}

/* ---- what has to end first ---- */

static bool is_quiet(struct upgrade *op)
{
	struct registry *registry = request_registry(op->request);
	AUTO_FREE char *request = control_busy_with(op->env->image->control);
	const struct job *job = job_any(&op->job);
	const char *event = NULL;
	const char *hooked = hook_busy_with(&event);

	list_each(registry_vms(registry), it, next) {
		struct vm *vm = list_entry(it, struct vm, link);
		const char *why;

		hang_hush(vm);
		why = vm_busy_with(vm);
		if (!why)
			continue;
		snprintf(op->busy, sizeof(op->busy), "%s: %s", vm->name, why);
		return false;
	}
	if (request)
		snprintf(op->busy, sizeof(op->busy), "%s", request);
	else if (job)
		snprintf(op->busy, sizeof(op->busy), "%s", job->kind->name);
	else if (hooked) /* the next image would not know of its deadline */
		snprintf(op->busy, sizeof(op->busy), "%s: hook %s", hooked,
			event);
	else if (!nets_is_quiet())
		snprintf(op->busy, sizeof(op->busy), "networks");
	else if (!store_is_idle(op->env->store))
		snprintf(op->busy, sizeof(op->busy), "a record");
	else
		return true;
	return false;
}

/* ---- the new program's look ---- */

static void on_tool_end(struct spawn_tool *tool)
{
	struct upgrade *op = container_of(tool, struct upgrade, tool);

	op->checked = true;
	job_wake(&op->job);
}

static int begin_check(struct upgrade *op, struct err *err)
{
	struct handover h;
	AUTO_FREE char *file = NULL;
	const char *argv[] = { op->env->image->path, "--check-upgrade", NULL,
		NULL };

	op->state_fd = save_to_memory(&h, op, err);
	handover_fini(&h);
	if (op->state_fd < 0)
		return -1;
	file = xasprintf("/proc/%d/fd/%d", (int)getpid(), op->state_fd);
	argv[2] = file;
	op->tool.on_end = on_tool_end;
	return spawn_tool_start(&op->tool, argv, err);
}

static enum job_state take_check(struct upgrade *op)
{
	const struct sys_exit *exit = &op->tool.exit;
	const char *said = str_text(&op->tool.errors);
	const char *out = str_text(&op->tool.out);

	op->version = xstrndup(out, strcspn(out, "\n"));
	if (exit->known && !exit->signalled && exit->code == 0 && *op->version)
		return JOB_SLEEPS;
	return job_fail(&op->job, ERR_UNSUPPORTED,
		"'%s' does not take over: %.*s; nothing was changed",
		op->env->image->path, (int)strcspn(said, "\n"),
		*said ? said : "it is no vmwardd that can");
}

/* ---- the step itself ---- */

/* Our own arguments again, but for what an earlier upgrade added. */
static char **argv_for(const struct image *image, int fd)
{
	static const char *const drop[] = { FD_OPTION, SERIAL, NULL };
	AUTO_FREE char *state = xasprintf("%d", fd);
	AUTO_FREE char *serial =
		xasprintf("%llu", (unsigned long long)keeper_ask_serial());
	const char *add[] = { FD_OPTION, state, NULL, serial, NULL };

	if (keeper_ask_is_on())
		add[2] = SERIAL;
	return words_anew(image->argv, drop, add);
}

/* Does not return, or with err and all as it was. */
static int become_new(struct upgrade *op, struct err *err)
{
	const struct image *image = op->env->image;
	struct handover h;
	int fd = save_to_memory(&h, op, err);
	int rc = -1;
	char **argv;

	if (fd >= 0) {
		argv = argv_for(image, fd);
		log_info(NULL, "becoming %s %s", image->path, op->version);
		notify_reloading();
		mounts_end_all();
		exec_hold_signals(true);
		handover_keep_fds(&h, true);
		exec_keep(fd, true);
		exec_keep(keeper_ask_fd(), true);
		rc = exec_over(image->path, argv, err);
		exec_keep(keeper_ask_fd(), false);
		handover_keep_fds(&h, false);
		exec_hold_signals(false);
		notify_again();
		free(argv);
		sys_close(fd);
	}
	handover_fini(&h);
	return rc;
}

static enum job_state upgrade_run(struct job *job)
{
	struct upgrade *op = container_of(job, struct upgrade, job);

	JOB_BEGIN(job);
	if (begin_check(op, &job->err))
		return JOB_ENDS;
	JOB_AWAIT(job, op->checked, CHECK_MS);
	if (take_check(op) == JOB_ENDS)
		return JOB_ENDS;
	while (!is_quiet(op)) {
		if (loop_now_ms() >= op->until_ms)
			return job_fail(job, ERR_BUSY,
				"this does not end: %s; nothing was changed",
				op->busy);
		JOB_AWAIT_OR_TIMEOUT(job, false, AGAIN_MS);
	}
	if (become_new(op, &job->err))
		return JOB_ENDS;
	JOB_END(job);
}

static void upgrade_cleanup(struct job *job)
{
	struct upgrade *op = container_of(job, struct upgrade, job);

	spawn_tool_stop(&op->tool);
	fd_close(&op->state_fd);
	free(op->version);
	free(op);
}

static const struct job_kind upgrade_kind = { "upgrade", upgrade_run, NULL,
	upgrade_cleanup };

static void on_upgrade_end(struct job *job, void *arg)
{
	struct upgrade *op = arg;
	struct request *rq = op->request;

	op->env->image->upgrading = false;
	rq->job = NULL;
	request_fail(rq, &job->err);
}

void command_upgrade(struct request *rq)
{
	struct env *env = registry_env(request_registry(rq));
	int64_t ms = request_ms(rq, "timeout");
	struct upgrade *op;

	if (!env->image || !env->image->path) {
		request_failf(rq, ERR_UNSUPPORTED,
			"only the supervisor vmwardd can be upgraded");
		return;
	}
	if (env->image->upgrading || env->stopping) {
		request_failf(rq, ERR_BUSY,
			env->stopping ? "all VMs are being stopped"
				      : "an upgrade is under way");
		return;
	}
	op = NEW(struct upgrade);
	op->env = env;
	op->request = rq;
	op->state_fd = -1;
	op->until_ms = loop_now_ms() + (ms ? ms : PATIENCE_S * 1000);
	env->image->upgrading = true;
	rq->job = &op->job;
	job_start(&op->job, &upgrade_kind, NULL, on_upgrade_end, op);
}

/* ---- the new image ---- */

int upgrade_load(struct handover *h, int fd, struct err *err)
{
	int rc = read_state(h, fd, err);

	sys_close(fd);
	if (rc) /* nothing else is open so early */
		exec_close_from(notify_listener(NULL) < 0 ? 3 : 4);
	return rc;
}

void upgrade_take_lock(const struct handover *h, struct vm_lock *lock)
{
	struct err checked = ERR_INIT;

	BUG_ON(handover_get(json_object_get(h->root, "lock"), lock_fields,
		NELEMS(lock_fields), lock, &checked));
}

static json_t *result_of(const struct handover *h)
{
	const char *from = json_string_value(json_object_get(h->root, "from"));
	json_int_t since =
		json_integer_value(json_object_get(h->root, "since"));
	size_t vms = json_object_size(json_object_get(h->root, "vms"));
	double ms = (double)((json_int_t)sys_now_us() - since) / 1000;
	AUTO_FREE char *text = NULL;

	text = xasprintf("%s -> " VMWARD_VERSION ": %zu VM%s in %.1f ms",
		str_or(from, "?"), vms, vms == 1 ? "" : "s", ms);
	log_info(NULL, "upgraded: %s", text);
	return json_pack("{s:b,s:s?,s:s,s:I,s:f,s:s}", "changed", true, "from",
		from, "version", VMWARD_VERSION, "vms", (json_int_t)vms, "gap",
		ms / 1000, "message", text);
}

void upgrade_resume(const struct handover *h, struct registry *registry,
	struct control *control)
{
	vm_job_last(
		(unsigned)json_integer_value(json_object_get(h->root, "jobs")));
	events_restore(json_object_get(h->root, "events"));
	registry_resume(registry, json_object_get(h->root, "vms"));
	control_get_steal(json_object_get(h->root, "control"), control,
		registry_env(registry)->paths.control, result_of(h));
}
