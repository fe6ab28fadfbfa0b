/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks: programs of the admin's; see hook.h. */
#include "supervisor/hook.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "base/sys.h"
#include "supervisor/hook_file.h"

#define AT_ONCE   4
#define WORDS_MAX 32
#define LINES_MAX 20
#define LINE_LEN  512
#define BUDGET    16384 /* bytes read in one turn */
#define PAUSE_MS  50    /* after that */

struct hook {
	struct list link; /* running, or waiting */
	enum hook_event event;
	char *vm;
	struct vmlog log;
	char *command; /* words parted by blanks */
	char **env;
	size_t nenv;
	int64_t timeout_ms;
	pid_t pid;
	int pidfd;
	int out_fd;
	struct loop_io exit_io; /* before it is reaped: its pid is still its */
	struct loop_child child;
	struct loop_io out_io;
	struct loop_timer deadline;
	struct loop_timer pause; /* of reading what it says */
	struct str line;
	unsigned lines;
	bool late;
};

static struct list running = { &running, &running };
static struct list waiting = { &waiting, &waiting };

static const char *const names[] = { "started", "stopped", "incident",
	"crash-loop" };

void hook_forget_all(void)
{
	list_init(&running);
	list_init(&waiting);
}

/* ---- one run ---- */

void hook_add(struct hook *hook, const char *name, const char *value)
{
	if (!hook)
		return;
	hook->env = xreallocarray(hook->env, hook->nenv + 2, sizeof(char *));
	hook->env[hook->nenv++] = xasprintf("%s=%s", name, value);
	hook->env[hook->nenv] = NULL;
}

static void add_number(struct hook *hook, const char *name, long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", value);
	hook_add(hook, name, text);
}

static const char *command_of(const struct vm_spec *spec, enum hook_event event)
{
	switch (event) {
	case HOOK_STARTED:
		return spec->hooks.started;
	case HOOK_STOPPED:
		return spec->hooks.stopped;
	case HOOK_INCIDENT:
		return spec->hooks.incident;
	case HOOK_CRASH_LOOP:
		return spec->restart.on_crash_loop.kind == CRASH_LOOP_EXEC
			       ? spec->restart.on_crash_loop.text
			       : NULL;
	}
	return NULL;
}

static void add_facts(struct hook *hook, const struct vm *vm)
{
	hook_add(hook, "PATH", CHILD_PATH);
	hook_add(hook, "LANG", CHILD_LANG);
	hook_add(hook, "VMWARD_EVENT", names[hook->event]);
	hook_add(hook, "VMWARD_VM", vm->name);
	hook_add(hook, "VMWARD_STATE", vm_state_word(vm));
	hook_add(hook, "VMWARD_CAUSE",
		vm->last.cause ? cause_name(vm->last.cause) : "");
	hook_add(hook, "VMWARD_DETAIL", vm->last.detail);
	add_number(hook, "VMWARD_RESTARTS", vm->record.history.restarts);
	add_number(
		hook, "VMWARD_PID", vm->machine.pid > 0 ? vm->machine.pid : 0);
	hook_add(hook, "VMWARD_UUID", vm->record.uuid);
}

struct hook *hook_prepare(const struct vm *vm, enum hook_event event)
{
	const struct vm_spec *spec = vm->spec ? vm->spec : vm->running;
	const char *command = spec ? command_of(spec, event) : NULL;
	struct hook *hook;

	if (!command || !*command)
		return NULL;
	hook = NEW(struct hook);
	list_init(&hook->link);
	hook->event = event;
	hook->vm = xstrdup(vm->name);
	hook->command = xstrdup(command);
	hook->timeout_ms = spec->hooks.timeout_ms;
	hook->pidfd = hook->out_fd = -1;
	vmlog_init(&hook->log, vm->env->paths.log, vm->name);
	add_facts(hook, vm);
	return hook;
}

void hook_free(struct hook *hook)
{
	if (!hook)
		return;
	list_del(&hook->link);
	loop_timer_stop(&hook->deadline);
	loop_timer_stop(&hook->pause);
	loop_io_stop(&hook->exit_io);
	loop_io_stop(&hook->out_io);
	loop_child_stop(&hook->child);
	fd_close(&hook->pidfd);
	fd_close(&hook->out_fd);
	str_fini(&hook->line);
	for (size_t i = 0; i < hook->nenv; i++)
		free(hook->env[i]);
	free(hook->env);
	vmlog_fini(&hook->log);
	free(hook->command);
	free(hook->vm);
	free(hook);
}

/* ---- what it says ---- */

static void take_line(struct hook *hook)
{
	if (hook->line.len && ++hook->lines <= LINES_MAX)
		vmlog_line(&hook->log, LOG_INFO, "hook %s: %s",
			names[hook->event], str_text(&hook->line));
	str_cut(&hook->line, 0);
}

/* True: there is more than is read at a time. */
static bool take_output(struct hook *hook)
{
	char chunk[1024];

	for (size_t taken = 0; taken < BUDGET && hook->out_fd >= 0;) {
		ssize_t got = sys_read(hook->out_fd, chunk, sizeof(chunk));

		if (got == 0) {
			loop_io_stop(&hook->out_io);
			fd_close(&hook->out_fd);
		}
		if (got <= 0)
			return false;
		taken += (size_t)got;
		for (ssize_t i = 0; i < got; i++) {
			if (chunk[i] == '\n' || hook->line.len >= LINE_LEN)
				take_line(hook);
			if (chunk[i] != '\n')
				str_addc(
					&hook->line, chunk[i] ? chunk[i] : '?');
		}
	}
	return true;
}

static void on_output(struct loop_io *io, int events);

static void on_pause_over(struct loop_timer *timer)
{
	struct hook *hook = container_of(timer, struct hook, pause);

	loop_io_start(&hook->out_io, hook->out_fd, LOOP_READ, on_output);
}

/* One that talks without end waits for its pipe, not we for it. */
static void on_output(struct loop_io *io, int events UNUSED)
{
	struct hook *hook = container_of(io, struct hook, out_io);

	if (!take_output(hook))
		return;
	loop_io_stop(io);
	loop_timer_start(&hook->pause, PAUSE_MS, on_pause_over);
}

/* ---- how it ends ---- */

static void start_next(void);

static void tell_end(struct hook *hook, const struct sys_exit *how)
{
	if (hook->lines > LINES_MAX)
		vmlog_line(&hook->log, LOG_WARN, "hook %s: %u more lines",
			names[hook->event], hook->lines - LINES_MAX);
	if (how->known && how->code && !hook->late)
		vmlog_line(&hook->log, LOG_WARN,
			"hook %s: '%s' ended with "
			"%s %d",
			names[hook->event], hook->command,
			how->signalled ? "signal" : "status", how->code);
}

static void on_reaped(struct loop_child *child, const struct sys_exit *how)
{
	struct hook *hook = container_of(child, struct hook, child);

	take_output(hook);
	take_line(hook);
	tell_end(hook, how);
	hook_free(hook);
	start_next();
}

/* Dead, not reaped: its number is still its group's; the rest goes now. */
static void on_exit_(struct loop_io *io, int events UNUSED)
{
	struct hook *hook = container_of(io, struct hook, exit_io);

	loop_io_stop(io);
	loop_timer_stop(&hook->deadline);
	sys_kill_group(hook->pid);
	loop_child_start(&hook->child, hook->pidfd, on_reaped);
}

static void on_deadline(struct loop_timer *timer)
{
	struct hook *hook = container_of(timer, struct hook, deadline);
	AUTO_STR struct str limit = STR_INIT;

	str_add_duration(&limit, hook->timeout_ms);
	vmlog_line(&hook->log, LOG_WARN,
		"hook %s: killed, it took longer than "
		"%s",
		names[hook->event], str_text(&limit));
	hook->late = true;
	sys_kill_group(hook->pid);
}

/* ---- how it begins ---- */

static int start(struct hook *hook, struct err *err)
{
	AUTO_FREE char *text = xstrdup(hook->command);
	const char *argv[WORDS_MAX + 1] = { NULL };
	char *rest = text;
	size_t n = 0;
	int pipe[2] = { -1, -1 };
	int rc;

	for (char *word; n < WORDS_MAX && (word = strsep(&rest, " \t"));)
		if (*word)
			argv[n++] = word;
	if (!n)
		return err_set(err, ERR_CONFIG, "there is no program");
	if (hook_file_check(argv[0], err))
		return -1;
	if (sys_pipe(pipe) < 0)
		return err_os(err, "cannot make a pipe");
	const struct spawn_fd fds[] = { { pipe[1], 1 }, { pipe[1], 2 } };
	const struct spawn_plan plan = { .path = argv[0],
		.argv = argv,
		.env = (const char *const *)hook->env,
		.fds = fds,
		.nfds = NELEMS(fds),
		.new_session = true,
		.die_with_us = true,
		.as_admin = true };
	rc = spawn(&plan, &hook->pid, &hook->pidfd, err);
	fd_close(&pipe[1]);
	hook->out_fd = pipe[0];
	return rc;
}

static void run(struct hook *hook)
{
	struct err err = ERR_INIT;

	if (start(hook, &err)) {
		vmlog_line(&hook->log, LOG_ERROR, "hook %s: %s",
			names[hook->event], err.text);
		hook_free(hook);
		return;
	}
	list_add(&running, &hook->link);
	loop_io_start(&hook->out_io, hook->out_fd, LOOP_READ, on_output);
	loop_io_start(&hook->exit_io, hook->pidfd, LOOP_READ, on_exit_);
	loop_timer_start(&hook->deadline, hook->timeout_ms, on_deadline);
}

/* Room: fewer than there may be run, and none of the same VM. */
static bool may_run(const struct hook *hook)
{
	unsigned n = 0;

	list_each(&running, it, next) {
		if (str_eq(list_entry(it, struct hook, link)->vm, hook->vm))
			return false;
		n++;
	}
	return n < AT_ONCE;
}

static void start_next(void)
{
	list_each(&waiting, it, next) {
		struct hook *hook = list_entry(it, struct hook, link);

		if (!may_run(hook))
			continue;
		list_del(&hook->link);
		run(hook);
	}
}

/* The newest of its kind is the one that matters. */
static void drop_older(const struct hook *hook)
{
	list_each(&waiting, it, next) {
		struct hook *old = list_entry(it, struct hook, link);

		if (old->event == hook->event && str_eq(old->vm, hook->vm))
			hook_free(old);
	}
}

void hook_start(struct hook *hook)
{
	if (!hook)
		return;
	if (may_run(hook)) {
		run(hook);
		return;
	}
	drop_older(hook);
	list_add(&waiting, &hook->link);
}

const char *hook_busy_with(const char **event)
{
	const struct list *some = !list_is_empty(&running)   ? running.next
				  : !list_is_empty(&waiting) ? waiting.next
							     : NULL;
	const struct hook *hook =
		some ? list_entry(some, struct hook, link) : NULL;

	if (!hook)
		return NULL;
	*event = names[hook->event];
	return hook->vm;
}
