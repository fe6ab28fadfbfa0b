/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The live QEMU of one VM; see supervisor/machine.h. */
#include "supervisor/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sock.h"
#include "base/sys.h"
#include "qmp/handover.h"
#include "supervisor/console.h"
#include "supervisor/host.h"
#include "supervisor/recorder.h"

#define START_MS 60000 /* to the greeting of a QEMU that starts */
#define ADOPT_MS 2000  /* of one that runs: else it is stuck or squatted */
#define DRAIN_MS 250   /* for the EOF of a dead QEMU's monitor */
#define LOST_MS  50    /* an EOF is mostly a death: wait for its pidfd */

static void host_fill(const struct machine *m, struct host_request *rq,
	enum host_verb verb, const char *leaf)
{
	*rq = (struct host_request){ .verb = verb };
	snprintf(rq->run_dir, sizeof(rq->run_dir), "%s", m->env->paths.run);
	snprintf(rq->vm, sizeof(rq->vm), "%s", m->name);
	snprintf(rq->leaf, sizeof(rq->leaf), "%s%s", m->side, leaf);
}

char *machine_priv_path(const struct machine *m, const char *leaf)
{
	return xasprintf(
		"%s/%s/priv/%s%s", m->env->paths.run, m->name, m->side, leaf);
}

static void on_wire(
	const struct qmp_client *client, const char *sent, json_t *received)
{
	const struct machine *m = client->owner;

	if (!m->log->recorder)
		return;
	if (sent)
		recorder_sent(m->log->recorder, sent);
	else
		recorder_received(m->log->recorder, received);
}

void machine_init(struct machine *m, const struct env *env, const char *name,
	struct vmlog *log, const struct machine_hooks *hooks, void *owner)
{
	*m = (struct machine){ .env = env,
		.hooks = hooks,
		.owner = owner,
		.log = log,
		.name = name,
		.side = "",
		.pid = -1,
		.pidfd = -1,
		.yank_fd = -1,
		.errors = { .fd = -1 } };
	if (log->recorder)
		qmp_client_set_tap(on_wire);
	list_init(&m->consoles);
	for (size_t i = 0; i < NELEMS(m->listen_fd); i++)
		m->listen_fd[i] = -1;
}

static void close_listeners(struct machine *m)
{
	for (size_t i = 0; i < NELEMS(m->listen_fd); i++)
		fd_close(&m->listen_fd[i]);
}

static void close_monitor(struct machine *m)
{
	if (!m->attached)
		return;
	qmp_unsubscribe(&m->sub);
	qmp_client_abandon(&m->qmp);
	m->attached = m->ready = false;
}

/* Forgets the process; consoles stay, with their readers. */
static void forget(struct machine *m)
{
	close_monitor(m);
	loop_timer_stop(&m->drain_timer);
	loop_child_stop(&m->child);
	fd_close(&m->pidfd);
	fd_close(&m->yank_fd);
	stderr_close(&m->errors);
	close_listeners(m);
	m->pid = -1;
}

void machine_fini(struct machine *m)
{
	forget(m);
	str_fini(&m->errors.last_words);
	oom_end(&m->oom);
	free(TAKE(m->lost_err));
	list_each(&m->consoles, it, next)
		console_free(list_entry(it, struct console, link));
}

int machine_clean(struct machine *m, struct err *err)
{
	struct host_request rq;
	struct host_reply reply;

	BUG_ON(m->pid > 0);
	forget(m); /* what a failed start left open */
	list_each(&m->consoles, it, next)
		console_free(list_entry(it, struct console, link));
	host_fill(m, &rq, HOST_REMOVE, "");
	return host_call(&rq, &reply, err);
}

struct qmp_client *machine_qmp(struct machine *m)
{
	return m->attached ? &m->qmp : NULL;
}

bool machine_is_alive(const struct machine *m)
{
	return m->pid > 0;
}

bool machine_is_ended(const struct machine *m)
{
	return m->dead && m->pid <= 0;
}

/* ---- the end ---- */

void machine_sweep(const struct machine *m)
{
	struct host_request rq;
	struct host_reply reply;
	struct err err = ERR_INIT;

	host_fill(m, &rq, HOST_CLEAN, "");
	if (host_call(&rq, &reply, &err))
		vmlog_line(m->log, LOG_WARN, "%s", err.text);
}

static void finish(struct machine *m)
{
	stderr_drain(&m->errors);
	list_each(&m->consoles, it, next)
		console_detach(list_entry(it, struct console, link));
	forget(m);
	machine_sweep(m);
	m->hooks->on_end(m);
}

static void on_drain_timer(struct loop_timer *timer)
{
	finish(container_of(timer, struct machine, drain_timer));
}

static void on_exit_(struct loop_child *child, const struct sys_exit *how)
{
	struct machine *m = container_of(child, struct machine, child);

	m->dead = true;
	cause_note_exit(&m->seen, how, oom_moved(&m->oom));
	m->seen.adopted = m->adopted;
	if (!m->attached)
		finish(m);
	else /* its last events are still in the socket */
		loop_timer_start(&m->drain_timer, DRAIN_MS, on_drain_timer);
}

static void on_lost_timer(struct loop_timer *timer)
{
	struct machine *m = container_of(timer, struct machine, drain_timer);

	AUTO_FREE struct err *err = TAKE(m->lost_err);

	m->hooks->on_lost(m, err);
}

static void on_qmp_lost(struct qmp_client *client, const struct err *err)
{
	struct machine *m = container_of(client, struct machine, qmp);

	close_monitor(m);
	if (m->dead) {
		finish(m);
		return;
	}
	if (!m->lost_err)
		m->lost_err = NEW(struct err);
	*m->lost_err = *err;
	loop_timer_start(&m->drain_timer, LOST_MS, on_lost_timer);
}

static void on_qmp_ready(struct qmp_client *client)
{
	struct machine *m = container_of(client, struct machine, qmp);

	m->ready = true;
	fd_close(&m->yank_fd);
	m->hooks->on_ready(m);
}

static const struct qmp_hooks qmp_hooks = { on_qmp_ready, on_qmp_lost };

static void on_qmp_event(struct qmp_sub *sub, const struct qmp_event *ev)
{
	struct machine *m = container_of(sub, struct machine, sub);

	cause_note_event(&m->seen, ev);
	m->hooks->on_event(m, ev);
}

static void attach_monitor(struct machine *m, int fd, int64_t greeting_ms)
{
	BUG_ON(m->attached);
	m->attached = true;
	m->ready = false;
	qmp_client_open(&m->qmp, fd, greeting_ms, &qmp_hooks, m);
	qmp_subscribe(&m->qmp, &m->sub, on_qmp_event);
}

/* ---- start ---- */

static int listen_leaf(
	struct machine *m, const char *leaf, int slot, struct err *err)
{
	struct host_request rq;
	struct host_reply reply;

	host_fill(m, &rq, HOST_LISTEN, leaf);
	if (host_call(&rq, &reply, err))
		return -1;
	fd_close(&m->listen_fd[slot]);
	m->listen_fd[slot] = reply.fd;
	return 0;
}

int machine_listen_display(struct machine *m, struct err *err)
{
	struct host_request rq;
	struct host_reply reply;

	host_fill(m, &rq, HOST_LISTEN, "vnc");
	return host_call(&rq, &reply, err) ? -1 : reply.fd;
}

static int open_fifo(struct machine *m, struct err *err)
{
	struct host_request rq;
	struct host_reply reply;

	host_fill(m, &rq, HOST_FIFO, "stderr");
	if (host_call(&rq, &reply, err))
		return -1;
	stderr_open(&m->errors, reply.fd, &m->seen, m->log);
	return 0;
}

int machine_listen(
	struct machine *m, unsigned nserials, bool agent, struct err *err)
{
	struct host_request rq;
	struct host_reply reply;
	char leaf[24];

	host_fill(m, &rq, HOST_MAKE_DIRS, "");
	if (host_call(&rq, &reply, err))
		return -1;
	if (listen_leaf(m, "monitor", ARGV_FD_MONITOR, err) ||
		listen_leaf(m, "yank", ARGV_FD_YANK, err) ||
		(agent && listen_leaf(m, "agent", ARGV_FD_AGENT, err)))
		return -1;
	for (unsigned i = 0; i < nserials && i < MACHINE_SERIALS; i++) {
		snprintf(leaf, sizeof(leaf), "serial%u", i);
		if (listen_leaf(m, leaf, (int)(ARGV_FD_SERIAL + i), err))
			return -1;
	}
	str_fini(&m->errors.last_words);
	return open_fifo(m, err);
}

/* Connects every console to its chardev; a failure is only logged. */
static void connect_consoles(struct machine *m)
{
	unsigned i = 0;
	char leaf[24];

	list_each(&m->consoles, it, next) {
		struct console *c = list_entry(it, struct console, link);
		struct err err = ERR_INIT;

		snprintf(leaf, sizeof(leaf), "serial%u", i++);
		AUTO_FREE char *path = machine_priv_path(m, leaf);
		int fd = sock_connect(path, &err);
		if (fd < 0)
			vmlog_line(m->log, LOG_WARN, "console %s: %s", c->name,
				err.text);
		else
			console_attach(c, fd);
	}
}

static void add_fd(struct host_request *rq, int from, int to)
{
	if (from >= 0)
		rq->fds[rq->nfds++] = (struct spawn_fd){ from, to };
}

/* For an incident: /proc has it no more then.  A word a line. */
static void keep_argv(const struct machine *m, char **argv)
{
	AUTO_FREE char *path = machine_priv_path(m, "argv");
	AUTO_STR struct str text = STR_INIT;

	for (; *argv; argv++)
		str_addf(&text, "%s\n", *argv);
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (fd < 0 || sys_write(fd, str_text(&text), text.len) < 0)
		vmlog_line(m->log, LOG_DEBUG, "argv is not kept: %s",
			strerror(errno));
}

int machine_spawn(
	struct machine *m, struct machine_start *start, struct err *err)
{
	struct host_request rq;
	struct host_reply reply;
	AUTO_FREE char *monitor = machine_priv_path(m, "monitor");
	AUTO_CLOSE int fd = sock_connect(monitor, err);

	if (fd < 0)
		return -1;
	connect_consoles(m);
	host_fill(m, &rq, HOST_RUN_QEMU, "");
	rq.argv = (const char *const *)start->argv;
	rq.confine = start->confine;
	rq.group = start->group;
	add_fd(&rq, m->errors.fd, 1);
	add_fd(&rq, m->errors.fd, 2);
	add_fd(&rq, start->lock_fd, ARGV_FD_LOCK);
	add_fd(&rq, start->name_fd, ARGV_FD_NAME);
	for (size_t i = 0; i < NELEMS(m->listen_fd); i++)
		add_fd(&rq, m->listen_fd[i], (int)i);
	for (size_t i = 0; i < start->nfiles; i++)
		add_fd(&rq, start->files[i].from, start->files[i].to);
	keep_argv(m, start->argv);
	m->spawned_us = sys_now_us();
	m->generation = start->generation;
	m->seen = (struct cause_inputs){ 0 };
	m->dead = m->adopted = false;
	if (host_call(&rq, &reply, err))
		return -1;
	close_listeners(m); /* so that its death is an EOF */
	m->pid = reply.pid;
	start->parts = reply.parts;
	oom_begin(&m->oom, m->pid);
	m->pidfd = reply.fd;
	loop_child_start(&m->child, m->pidfd, on_exit_);
	attach_monitor(m, TAKE_FD(fd), START_MS);
	return 0;
}

/* ---- adoption ---- */

void machine_know_pid(struct machine *m, pid_t pid, int pidfd)
{
	if (m->pidfd >= 0) {
		sys_close(pidfd);
		return;
	}
	m->pid = pid;
	m->pidfd = pidfd;
	m->adopted = true;
	m->dead = false;
	oom_begin(&m->oom, pid);
	loop_child_start(&m->child, m->pidfd, on_exit_);
}

/* By the peer of a connection: who listens, though he may never accept. */
static bool know_peer(struct machine *m, int fd)
{
	pid_t pid;
	int pidfd = sock_peer_pidfd(fd, &pid);

	if (pidfd < 0)
		return false;
	if (!machine_pid_generation(pid, &m->generation)) {
		sys_close(pidfd);
		return false;
	}
	m->seen = (struct cause_inputs){ .started = true };
	machine_know_pid(m, pid, pidfd);
	return true;
}

bool machine_find(struct machine *m)
{
	static const char *const leaves[] = { "yank", "monitor", "agent" };

	for (size_t i = 0; i < NELEMS(leaves) && m->pid < 0; i++) {
		AUTO_FREE char *path = machine_priv_path(m, leaves[i]);
		struct err err = ERR_INIT;
		AUTO_CLOSE int fd = sock_connect(path, &err);

		if (fd >= 0)
			know_peer(m, fd);
	}
	return m->pid > 0;
}

int machine_adopt(struct machine *m, struct err *err)
{
	AUTO_FREE char *monitor = machine_priv_path(m, "monitor");
	AUTO_CLOSE int fd = -1;

	close_monitor(m); /* of a try that had no answer */
	fd = sock_connect(monitor, err);
	if (fd < 0)
		return -1;
	if (m->pid < 0 && !know_peer(m, fd))
		return err_set(err, ERR_UNREACHABLE,
			"the monitor is not QEMU's (yet)");
	if (m->errors.fd < 0 && !*m->side && open_fifo(m, err))
		return -1;
	connect_consoles(m);
	attach_monitor(m, TAKE_FD(fd), ADOPT_MS);
	return 0;
}

void machine_hang_up(struct machine *m)
{
	if (m->ready && !m->dead)
		close_monitor(m);
}

int machine_let_go(struct machine *m)
{
	int pidfd = TAKE_FD(m->pidfd);

	list_each(&m->consoles, it, next)
		console_detach(list_entry(it, struct console, link));
	forget(m);
	return pidfd;
}

int machine_signal(struct machine *m, int signal, struct err *err)
{
	struct host_request rq;
	struct host_reply reply;

	if (m->pidfd < 0)
		return err_set(
			err, ERR_UNREACHABLE, "QEMU's process is not known");
	host_fill(m, &rq, HOST_KILL, "");
	rq.signal = signal;
	rq.pidfd = m->pidfd;
	return host_call(&rq, &reply, err);
}

void machine_yank(struct machine *m)
{
	AUTO_FREE char *path = machine_priv_path(m, "yank");
	struct err err = ERR_INIT;
	char text[256];

	fd_close(&m->yank_fd);
	m->yank_fd = sock_connect(path, &err);
	if (m->yank_fd < 0)
		return;
	snprintf(text, sizeof(text),
		"{\"execute\":\"qmp_capabilities\"}"
		"{\"execute\":\"yank\",\"arguments\":{\"instances\":"
		"[{\"type\":\"chardev\",\"id\":\"mon-g%llu\"}]}}",
		(unsigned long long)m->generation);
	/* open until it worked: QEMU may not read from one who has left */
	if (sys_write(m->yank_fd, text, strlen(text)) < 0)
		vmlog_line(m->log, LOG_DEBUG, "yank: %s", strerror(errno));
}

/* ---- to the next image of this process ---- */

static const struct handover_field fields[] = {
	HAND(HAND_INT, struct machine, pid),
	HAND(HAND_FD, struct machine, pidfd),
	HAND(HAND_BOOL, struct machine, adopted),
	HAND(HAND_I64, struct machine, generation),
	HAND(HAND_I64, struct machine, spawned_us),
};

static const struct handover_field stderr_fields[] = {
	HAND(HAND_FD, struct stderr_pipe, fd),
	HAND(HAND_BYTES, struct stderr_pipe, line),
	HAND(HAND_BYTES, struct stderr_pipe, last_words),
};

static const struct handover_field seen_fields[] = {
	HAND(HAND_BOOL, struct cause_inputs, started),
	HAND(HAND_BOOL, struct cause_inputs, shutdown_seen),
	HAND(HAND_BOOL, struct cause_inputs, shutdown_silent),
	HAND(HAND_TEXT, struct cause_inputs, shutdown_reason),
	HAND(HAND_BOOL, struct cause_inputs, panicked),
	HAND(HAND_BOOL, struct cause_inputs, watchdog),
	HAND(HAND_BOOL, struct cause_inputs, io_error),
	HAND(HAND_BOOL, struct cause_inputs, oom_killed),
	HAND(HAND_BOOL, struct cause_inputs, hang),
};

static const struct handover_field oom_fields[] = {
	HAND(HAND_ATOM, struct oom, path),
	HAND(HAND_I64, struct oom, kills),
};

bool machine_can_move(const struct machine *m)
{
	return m->attached && m->ready && !m->dead && m->yank_fd < 0 &&
	       !loop_timer_is_active(&m->drain_timer) && qmp_can_move(&m->qmp);
}

void machine_put(struct handover *h, json_t *to, const struct machine *m)
{
	json_t *qmp = json_object();
	json_t *errors = json_object();
	json_t *seen = json_object();
	json_t *oom = json_object();

	handover_put(h, to, fields, NELEMS(fields), m);
	handover_put(
		h, errors, stderr_fields, NELEMS(stderr_fields), &m->errors);
	handover_put(h, seen, seen_fields, NELEMS(seen_fields), &m->seen);
	handover_put(h, oom, oom_fields, NELEMS(oom_fields), &m->oom);
	qmp_put(h, qmp, &m->qmp);
	json_object_set_new(to, "qmp", qmp);
	json_object_set_new(to, "stderr", errors);
	json_object_set_new(to, "seen", seen);
	json_object_set_new(to, "oom", oom);
}

static int check(const json_t *from, struct err *err)
{
	const json_t *qmp = handover_need(from, "qmp", false, err);
	const json_t *errors = handover_need(from, "stderr", false, err);
	const json_t *seen = handover_need(from, "seen", false, err);
	const json_t *oom = handover_need(from, "oom", false, err);

	if (!qmp || !errors || !seen || !oom ||
		handover_get(oom, oom_fields, NELEMS(oom_fields), NULL, err) ||
		handover_get(from, fields, NELEMS(fields), NULL, err) ||
		handover_get(errors, stderr_fields, NELEMS(stderr_fields), NULL,
			err) ||
		handover_get(
			seen, seen_fields, NELEMS(seen_fields), NULL, err) ||
		qmp_get(qmp, NULL, &qmp_hooks, NULL, err))
		return -1;
	return 0;
}

int machine_get(const json_t *from, struct machine *m, struct err *err)
{
	struct stderr_pipe moved = { .fd = -1 };

	if (check(from, err))
		return -1;
	if (!m)
		return 0;
	if (handover_get(from, fields, NELEMS(fields), m, err) ||
		handover_get(json_object_get(from, "stderr"), stderr_fields,
			NELEMS(stderr_fields), &moved, err) ||
		handover_get(json_object_get(from, "seen"), seen_fields,
			NELEMS(seen_fields), &m->seen, err) ||
		handover_get(json_object_get(from, "oom"), oom_fields,
			NELEMS(oom_fields), &m->oom, err) ||
		qmp_get(json_object_get(from, "qmp"), &m->qmp, &qmp_hooks, m,
			err))
		return -1;
	qmp_subscribe(&m->qmp, &m->sub, on_qmp_event);
	m->attached = m->ready = true;
	if (moved.fd >= 0)
		stderr_open(&m->errors, moved.fd, &m->seen, m->log);
	m->errors.line = moved.line;
	m->errors.last_words = moved.last_words;
	loop_child_start(&m->child, m->pidfd, on_exit_);
	return 0;
}
