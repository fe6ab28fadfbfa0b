/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `vmward run FILE`; see run.h. */
#include "supervisor/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/config.h"
#include "supervisor/console.h"
#include "supervisor/notify.h"
#include "supervisor/remove.h"
#include "supervisor/run_exec.h"
#include "supervisor/service.h"
#include "supervisor/tty.h"

struct run {
	const struct run_options *options;
	struct service service;
	struct vm *vm;
	struct vm_watch watch;
	struct tty *tty;
	struct loop_timer timeout;
	struct run_exec *exec; /* --exec, once it began; or NULL */
	struct loop_kick over; /* its end ends the VM */
	char *name;
	char *temporary; /* --rm: removed at the end */
	bool started;    /* it ran at least once */
	bool notified;
	bool timed_out;
	bool unready;    /* --exec: the guest never got ready */
	unsigned orders; /* to stop: the second one kills */
	int64_t began_ms;
	int status;
};

static void say(struct run *run, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* One line of ours on stderr; raw terminals need the carriage return. */
static void say(struct run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	AUTO_FREE char *text = xvasprintf(fmt, ap);
	va_end(ap);
	dprintf(STDERR_FILENO, "%s: %s%s\n", run->name, text,
		run->tty && tty_is_terminal(run->tty) ? "\r" : "");
}

/* ---- stopping ---- */

static void order_stop(struct run *run)
{
	struct vm *vm = run->vm;

	if (run->exec) /* the stop needs the agent */
		run_exec_lose(run->exec);
	if (!vm_is_up(vm)) {
		vm_post(vm, EV_STOP);
		loop_stop();
		return;
	}
	if (run->orders++ == 0) {
		say(run, "stopping (again: kill)");
		vm_post(vm, EV_STOP);
	} else {
		say(run, "killing");
		vm_post(vm, EV_KILL);
	}
}

static void on_signal(struct loop_signal *watcher, int signal UNUSED)
{
	order_stop(container_of(watcher, struct run, service.term));
}

static void on_intr(struct loop_signal *watcher, int signal UNUSED)
{
	order_stop(container_of(watcher, struct run, service.intr));
}

static void on_hup(struct loop_signal *watcher, int signal UNUSED)
{
	order_stop(container_of(watcher, struct run, service.hup));
}

static void on_timeout(struct loop_timer *timer)
{
	struct run *run = container_of(timer, struct run, timeout);

	run->timed_out = true;
	say(run, "the time limit passed");
	order_stop(run);
}

/* ---- the terminal ---- */

static void on_input(void *arg, const char *bytes, size_t len)
{
	struct run *run = arg;
	struct console *c = vm_console(run->vm, NULL);

	if (c)
		console_input(c, bytes, len);
}

static void on_escape(void *arg)
{
	order_stop(arg);
}

static void on_tee(void *arg, const char *bytes, size_t len)
{
	tty_write(((struct run *)arg)->tty, bytes, len);
}

static void tee_console(struct run *run)
{
	struct console *c = vm_console(run->vm, NULL);

	if (!c || c->tee || !run->tty)
		return;
	c->tee = on_tee;
	c->tee_arg = run;
}

/* ---- --exec: a command in the guest, then the end ---- */

static void on_over(struct loop_kick *kick)
{
	struct run *run = container_of(kick, struct run, over);

	if (run->orders++ == 0)
		vm_post(run->vm, EV_STOP);
}

static void on_exec_end(void *arg)
{
	struct run *run = arg;

	loop_kick(&run->over, on_over); /* we may be in a cell of the matrix */
}

static void begin_exec(struct run *run)
{
	struct vm *vm = run->vm;

	if (vm->ready == VM_READY_YES) {
		run->exec = run_exec_begin(
			vm, run->options->exec, on_exec_end, run);
	} else if (vm->ready == VM_READY_NO && !vm->probe && !run->unready) {
		run->unready = true;
		say(run, "%s: the command never ran", vm->note);
		on_exec_end(run);
	}
}

/* What runs is lost with the guest that it runs in. */
static void follow_exec(struct run *run)
{
	bool runs = run->vm->state == VM_RUNNING;

	if (!run->options->exec || run->orders)
		return;
	if (run->exec && !runs)
		run_exec_lose(run->exec);
	else if (!run->exec && runs)
		begin_exec(run);
}

/* ---- the VM's life ---- */

static void say_end(struct run *run)
{
	const struct vm *vm = run->vm;
	AUTO_STR struct str line = STR_INIT;
	unsigned restarts = vm->record.history.restarts;

	str_addf(&line, "ended: %s%s%s", cause_name(vm->last.cause),
		*vm->last.detail ? " " : "", vm->last.detail);
	if (restarts) {
		str_addf(&line, " (after %u restart%s in ", restarts,
			restarts == 1 ? "" : "s");
		str_add_duration(&line, loop_now_ms() - run->began_ms);
		str_add(&line, ")");
	}
	if (vm->start_err)
		say(run, "%s", vm->start_err->text);
	say(run, "%s", str_text(&line));
}

static void finish(struct run *run)
{
	const struct vm *vm = run->vm;

	run->status = run->timed_out ? 5 : cause_exit_status(vm->last.cause);
	if (run->options->exec && !run->timed_out)
		run->status = run_exec_status(run->exec, run->status);
	if (!run->options->exec || !run->options->quiet)
		say_end(run);
	loop_stop();
}

static void on_change(struct vm_watch *watch, struct vm *vm)
{
	struct run *run = container_of(watch, struct run, watch);
	char warning[160];

	tee_console(run);
	follow_exec(run);
	if (!run->started &&
		(vm->state == VM_RUNNING || vm->state == VM_PAUSED)) {
		run->started = true;
		if (!run->options->quiet && accel_warning(&vm->accel, warning))
			say(run, "warning: %s", warning);
	}
	if (vm->ready == VM_READY_YES && !run->notified) {
		run->notified = true;
		notify_ready(run->options->notify_fd);
	}
	if ((vm->state == VM_STOPPED || vm->state == VM_FAILED ||
		    vm->state == VM_SAVED) &&
		!vm->order_pending) /* who asked for it is answered too */
		finish(run);
}

/* ---- putting it together ---- */

static void print_findings(const struct findings *findings)
{
	list_each(&findings->list, it, next) {
		const struct finding *f = list_entry(it, struct finding, link);

		fprintf(stderr, f->line ? "%s:%u: %s%s\n" : "%s%.0u: %s%s\n",
			f->file, f->line,
			f->level == FINDING_NOTE ? "note: " : "", f->text);
	}
}

/* A file that is missing or broken leaves nothing behind. */
static int check_file(const struct run *run)
{
	const char *file = run->options->file;
	struct findings f;
	bool missing = false;
	struct vm_spec *spec;
	int status = 0;

	findings_init(&f);
	spec = config_load(
		&run->service.env.paths, run->name, file, &f, &missing);
	if (missing) {
		fprintf(stderr, "vmward: %s: %s\n", file, strerror(ENOENT));
		status = err_code_status(ERR_NOT_FOUND);
	} else if (!spec) {
		print_findings(&f);
		status = 1;
	}
	spec_free(spec);
	findings_fini(&f);
	return status;
}

static void name_it(struct run *run)
{
	const struct run_options *o = run->options;
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	unsigned char random[4];
	char suffix[6] = "-";

	run->name = o->name ? xstrdup(o->name) : paths_vm_name(o->file);
	if (!run->name || !o->remove)
		return;
	if (sys_random(random, sizeof(random)) < 0)
		memcpy(random, &run, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		suffix[i + 1] = letters[random[i] % (sizeof(letters) - 1)];
	suffix[5] = '\0';
	AUTO_FREE char *plain = run->name;
	run->name = xasprintf("%.20s%s", plain, suffix);
}

static int find_paths(struct run *run, struct err *err)
{
	const struct run_options *o = run->options;
	const char *state = o->state;

	if (o->remove) {
		const char *tmp = getenv("TMPDIR");

		run->temporary = xasprintf("%s/vmward-rm-%s",
			tmp && *tmp == '/' ? tmp : "/tmp", run->name);
		if (sys_mkdirat(AT_FDCWD, run->temporary, 0700)) {
			err_os(err, "cannot make '%s'", run->temporary);
			free(TAKE(run->temporary)); /* it is another's */
			return -1;
		}
		state = run->temporary;
	}
	return paths_init_file(&run->service.env.paths, o->file, run->name,
		state, o->root, err);
}

/* "web is already run by pid 812; look at it with ..." */
static int say_held(struct run *run)
{
	AUTO_FREE char *path = xasprintf("%s/pid", run->service.env.paths.run);
	AUTO_STR struct str pid = STR_INIT;
	struct err err = ERR_INIT;

	if (fd_read_file(AT_FDCWD, path, 32, &pid, &err))
		str_add(&pid, "?");
	fprintf(stderr,
		"vmward: %s is already run by pid %.*s; look at it with "
		"\"vmward -f %s status\"\n",
		run->name, (int)strcspn(str_text(&pid), "\n"), str_text(&pid),
		run->options->file);
	return 3;
}

static void write_pid(const struct run *run)
{
	AUTO_FREE char *path = xasprintf("%s/pid", run->service.env.paths.run);
	AUTO_FREE char *text = xasprintf("%d\n", (int)getpid());
	struct err err = ERR_INIT;

	if (fd_write_file(
		    AT_FDCWD, path, text, strlen(text), 0644, false, &err))
		log_warn(NULL, "%s", err.text);
}

static int open_service(struct run *run, struct err *err)
{
	if (service_open(&run->service, err))
		return err->code == ERR_EXISTS ? say_held(run) : 1;
	write_pid(run);
	run->service.env.confinement_given = run->options->confinement;
	run->service.env.file = run->options->file;
	run->service.env.ephemeral = run->options->remove;
	run->vm = registry_start_file(run->service.registry, run->name);
	print_findings(&run->vm->findings);
	if (run->vm->findings.errors || !run->vm->spec)
		return 1;
	if (service_listen(&run->service, err))
		return 1;
	return 0;
}

static void begin(struct run *run)
{
	struct service *s = &run->service;
	struct vm *vm = run->vm;

	run->began_ms = loop_now_ms();
	if (!run->options->quiet && !run->options->exec)
		run->tty = tty_open(on_input, on_escape, run);
	if (run->tty && tty_is_terminal(run->tty))
		say(run, "escape is ^] (stop; twice: kill)");
	loop_signal_start(&s->term, SIGTERM, on_signal);
	loop_signal_start(&s->intr, SIGINT, on_intr);
	loop_signal_start(&s->hup, SIGHUP, on_hup);
	if (run->options->timeout_ms > 0)
		loop_timer_start(
			&run->timeout, run->options->timeout_ms, on_timeout);
	vm_watch(vm, &run->watch, on_change);
	if (vm_is_up(vm)) {
		on_change(&run->watch, vm);
		return; /* a guest that outlived its supervisor */
	}
	vm->ordered = true;
	vm_post(vm, EV_START);
}

static void drop_temporary(struct run *run)
{
	struct err err = ERR_INIT;

	if (run->temporary && remove_tree(run->temporary, &err))
		log_warn(NULL, "%s", err.text);
	free(TAKE(run->temporary));
}

static void end(struct run *run)
{
	AUTO_FREE char *dir = run->service.env.paths.run
				      ? xstrdup(run->service.env.paths.run)
				      : NULL;
	struct console *c = vm_console(run->vm, NULL);
	struct err err = ERR_INIT;

	loop_timer_stop(&run->timeout);
	loop_kick_stop(&run->over);
	run_exec_free(run->exec);
	vm_unwatch(&run->watch);
	if (c)
		c->tee = NULL;
	tty_close(run->tty);
	service_close(&run->service);
	if (run->vm && dir && remove_tree(dir, &err))
		log_debug(NULL, "%s", err.text);
	drop_temporary(run);
	free(run->name);
}

/* Its own files of the run directory, and that where nothing else is in it. */
static void clear_run_dir(const struct run *run)
{
	static const char *const names[] = { "supervisor.lock", "pid" };
	const struct service *s = &run->service;

	if (!s->env.lock_key || s->lock.file_fd < 0)
		return; /* it is another's, or was never made */
	for (size_t i = 0; i < NELEMS(names); i++) {
		AUTO_FREE char *path =
			xasprintf("%s/%s", s->env.paths.run, names[i]);

		sys_unlinkat(AT_FDCWD, path, 0);
	}
	sys_unlinkat(AT_FDCWD, s->env.paths.run, AT_REMOVEDIR);
}

/* It did not get as far as to begin. */
static int give_up(struct run *run, int status)
{
	clear_run_dir(run);
	if (run->service.registry)
		service_close(&run->service);
	else
		paths_fini(&run->service.env.paths);
	drop_temporary(run);
	free(run->name);
	return status;
}

static const char *elsewhere(const struct err *err)
{
	return err->os == EACCES || err->os == EROFS
		       ? "; keep its things elsewhere with --state DIR, or "
			 "nowhere with --rm"
		       : "";
}

int run_file(const struct run_options *options)
{
	struct run run = { .options = options, .status = 1 };
	struct err err = ERR_INIT;
	int rc;

	name_it(&run);
	if (!run.name) {
		fprintf(stderr,
			"vmward: '%s' gives no name for a VM; use --name\n",
			options->file);
		return 2;
	}
	if (find_paths(&run, &err)) {
		fprintf(stderr, "vmward: %s: %s\n", run.name, err.text);
		return give_up(&run, 1);
	}
	rc = check_file(&run);
	if (!rc)
		rc = open_service(&run, &err);
	if (rc) {
		if (err.code && err.code != ERR_EXISTS)
			fprintf(stderr, "vmward: %s: %s%s\n", run.name,
				err.text, elsewhere(&err));
		return give_up(&run, rc);
	}
	begin(&run);
	loop_run();
	rc = run.status;
	end(&run);
	return rc;
}
