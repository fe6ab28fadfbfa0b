/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readiness probes; see supervisor/ready.h. */
#include "supervisor/ready.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/atom.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "base/sys.h"
#include "supervisor/addresses.h"
#include "supervisor/console.h"
#include "supervisor/forward.h"
#include "supervisor/lastgood.h"
#include "supervisor/nets.h"
#include "supervisor/sdnotify.h"

#define TCP_EVERY_MS    200
#define TCP_OPEN_MS     300
#define AGENT_EVERY_MS  500
#define AGENT_MS        5000
#define EXEC_EVERY_MS   1000
#define LEASE_EVERY_MS  100
#define NOTIFY_EVERY_MS 1000
#define LINE_MAX_BYTES  4096

struct probe {
	struct vm *vm;
	struct spec_ready_probe spec; /* a copy: the VM's may be replaced */
	int64_t began_ms;
	int64_t timeout_ms;
	struct loop_timer limit;
	struct loop_timer again;
	regex_t regex;
	bool has_regex;
	struct str line;
	int fd;             /* tcp */
	uint16_t host_port; /* 0: the guest's own, no forward's */
	struct loop_io io;
	struct qmp_slot slot; /* what slirp says of the connection */
	struct spawn_tool tool;
	bool tool_runs;
	struct sdnotify_ear ear;
	char status[128]; /* what the guest says it is at */
};

static void try_tcp(struct probe *p);
static void try_agent(struct probe *p);
static void try_exec(struct probe *p);
static void try_notify(struct probe *p);
static void try_lease(struct probe *p);

/* ---- passed, or out of time ---- */

static char *mark_path(const struct vm *vm)
{
	return machine_priv_path(&vm->machine, "ready");
}

static void mark(const struct vm *vm)
{
	AUTO_FREE char *path = mark_path(vm);
	char text[64];
	struct err err = ERR_INIT;

	snprintf(text, sizeof(text), "%llu\n%lld\n",
		(unsigned long long)vm->record.generation,
		(long long)loop_now_ms());
	if (fd_write_file(
		    AT_FDCWD, path, text, strlen(text), 0600, false, &err))
		log_debug(vm->log.object, "%s", err.text);
}

/*
 * True if this generation of the VM was ready before we were restarted; then
 * it is known since when.
 */
static bool was_ready(struct vm *vm)
{
	AUTO_FREE char *path = mark_path(vm);
	AUTO_STR struct str text = STR_INIT;
	const char *line;
	struct err err = ERR_INIT;

	if (fd_read_file(AT_FDCWD, path, 64, &text, &err))
		return false;
	line = strchr(str_text(&text), '\n');
	if (str_digits(str_text(&text)) != vm->record.generation)
		return false;
	vm->ready_ms = line ? (int64_t)str_digits(line + 1) : 0;
	return true;
}

static void pass(struct probe *p)
{
	struct vm *vm = p->vm;

	ready_stop(vm);
	mark(vm);
	lastgood_keep(vm);
	vm_set_ready(vm, VM_READY_YES);
}

static void on_limit(struct loop_timer *timer)
{
	struct probe *p = container_of(timer, struct probe, limit);
	struct vm *vm = p->vm;
	AUTO_STR struct str limit = STR_INIT;

	str_add_duration(&limit, p->timeout_ms);
	vmlog_line(&vm->log, LOG_WARN, "not ready after %s", str_text(&limit));
	vm_set_note(vm, "not ready after %s", str_text(&limit));
	ready_stop(vm);
	vm_changed(vm);
}

/* ---- serial:REGEX ---- */

static void on_output(struct console *c, const char *bytes, size_t len)
{
	struct vm *vm = c->owner;
	struct probe *p = vm->probe;

	for (size_t i = 0; p && i < len; i++) {
		bool end = bytes[i] == '\n' || p->line.len >= LINE_MAX_BYTES;

		if (!end && bytes[i] && bytes[i] != '\r')
			str_addc(&p->line, bytes[i]);
		if (!end && i + 1 < len)
			continue;
		if (!regexec(&p->regex, str_text(&p->line), 0, NULL, 0)) {
			pass(p);
			return;
		}
		if (end)
			str_cut(&p->line, 0);
	}
}

static void begin_serial(struct probe *p)
{
	struct console *c = vm_console(p->vm, NULL);

	if (regcomp(&p->regex, p->spec.text, REG_EXTENDED | REG_NOSUB)) {
		vm_set_note(p->vm, "bad regex: %s", p->spec.text);
		return;
	}
	p->has_regex = true;
	if (c)
		c->on_output = on_output;
}

/* ---- tcp:PORT through the VM's own forward ---- */

/* Where on the host a guest port is; false: nowhere. */
static bool find_forward(
	const struct vm_spec *spec, uint16_t guest, struct sockaddr_in *out)
{
	list_each(&spec->nics, it, next) {
		const struct spec_nic *nic =
			list_entry(it, struct spec_nic, link);

		for (unsigned i = 0; i < nic->forward.n; i++) {
			const struct spec_forward *f = &nic->forward.at[i];
			int at = guest - f->guest_first;

			if (f->udp || at < 0 ||
				at > f->host_last - f->host_first)
				continue;
			*out = (struct sockaddr_in){ .sin_family = AF_INET,
				.sin_port =
					htons((uint16_t)(f->host_first + at)) };
			return inet_pton(AF_INET, forward_addr(f),
				       &out->sin_addr) == 1;
		}
	}
	return false;
}

static void drop_tcp(struct probe *p)
{
	qmp_cancel(&p->slot);
	loop_io_stop(&p->io);
	fd_close(&p->fd);
}

static void on_tcp_again(struct loop_timer *timer)
{
	try_tcp(container_of(timer, struct probe, again));
}

static void tcp_later(struct probe *p)
{
	drop_tcp(p);
	loop_timer_start(&p->again, TCP_EVERY_MS, on_tcp_again);
}

/* A line of the table that is about connections to this port of ours. */
static bool is_about(const char *line, size_t len, uint16_t host_port)
{
	char port[16];

	snprintf(port, sizeof(port), " %u ", host_port);
	return memmem(line, len, port, strlen(port)) &&
	       !memmem(line, len, "[HOST_FORWARD]", 14);
}

bool ready_waits_for_guest(const char *usernet, uint16_t host_port)
{
	bool waits = false;

	for (const char *line = usernet; *line;) {
		size_t len = strcspn(line, "\n");

		if (is_about(line, len, host_port)) {
			if (memmem(line, len, "TCP[ESTABLISHED]", 16))
				return false;
			waits |= memmem(line, len, "TCP[SYN_SENT]", 13) != NULL;
		}
		line += len + (line[len] != '\0');
	}
	return waits;
}

static void on_usernet(
	struct qmp_slot *slot, json_t *result, const struct err *err)
{
	struct probe *p = container_of(slot, struct probe, slot);
	const char *text = json_string_value(result);

	if (!result && err->code != ERR_QMP)
		tcp_later(p);
	else if (text && ready_waits_for_guest(text, p->host_port))
		tcp_later(p);
	else
		pass(p);
}

/*
 * Open for a while: slirp accepts before the guest does, and holds the
 * connection for as long as nobody answers there.
 */
static void on_tcp_stayed(struct loop_timer *timer)
{
	struct probe *p = container_of(timer, struct probe, again);

	if (!p->vm->machine.ready || !p->host_port) {
		pass(p);
		return;
	}
	qmp_send_steal(&p->vm->machine.qmp, &p->slot,
		QMP_COMMAND("human-monitor-command",
			json_pack("{s:s}", "command-line", "info usernet")),
		on_usernet);
}

/* Readable: data is a pass, a close is the guest's refusal. */
static void on_tcp(struct loop_io *io, int events)
{
	struct probe *p = container_of(io, struct probe, io);
	char byte;
	ssize_t got;

	if (events & LOOP_READ) {
		got = sys_read(p->fd, &byte, 1);
		if (got > 0)
			pass(p);
		else if (got == 0 || errno != EAGAIN)
			tcp_later(p);
		return;
	}
	loop_io_start(&p->io, p->fd, LOOP_READ, on_tcp);
	loop_timer_start(&p->again, TCP_OPEN_MS, on_tcp_stayed);
}

/* On a network the guest itself is asked. */
static bool find_guest(const struct probe *p, struct sockaddr_in *out)
{
	const struct net_state *state = nets_state();

	list_each(&p->vm->running->nics, it, next) {
		const struct spec_nic *nic =
			list_entry(it, struct spec_nic, link);
		const struct net_port *port =
			state && !nic->user
				? net_port_find(state, p->vm->name, nic->name)
				: NULL;

		if (!port || port->address.family != AF_INET)
			continue;
		*out = (struct sockaddr_in){ .sin_family = AF_INET,
			.sin_port = htons(p->spec.port) };
		memcpy(&out->sin_addr, port->address.at, sizeof(out->sin_addr));
		return true;
	}
	return false;
}

static void try_tcp(struct probe *p)
{
	struct sockaddr_in addr;

	p->host_port = 0;
	if (!find_guest(p, &addr)) {
		if (!find_forward(p->vm->running, p->spec.port, &addr)) {
			tcp_later(p);
			return;
		}
		p->host_port = ntohs(addr.sin_port);
	}
	p->fd = sys_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (p->fd < 0 || (sys_connect(p->fd, (const struct sockaddr *)&addr,
				  sizeof(addr)) &&
				 errno != EINPROGRESS)) {
		tcp_later(p);
		return;
	}
	loop_io_start(&p->io, p->fd, LOOP_WRITE, on_tcp);
}

/* ---- lease ---- */

static void on_lease_again(struct loop_timer *timer)
{
	try_lease(container_of(timer, struct probe, again));
}

static void try_lease(struct probe *p)
{
	if (addresses_has_lease(p->vm))
		pass(p);
	else
		loop_timer_start(&p->again, LEASE_EVERY_MS, on_lease_again);
}

/* ---- agent ---- */

static void on_agent_again(struct loop_timer *timer)
{
	try_agent(container_of(timer, struct probe, again));
}

static void on_agent(
	struct agent *agent, json_t *result UNUSED, const struct err *err)
{
	struct probe *p = agent->owner;

	if (!err)
		pass(p);
	else
		loop_timer_start(&p->again, AGENT_EVERY_MS, on_agent_again);
}

static void try_agent(struct probe *p)
{
	static const struct agent_command ping = {
		"{\"execute\":\"guest-ping\"}", false, AGENT_MS
	};
	struct vm *vm = p->vm;
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "agent");
	struct err err = ERR_INIT;

	if (agent_call(&vm->agent, path, &ping, on_agent, p, &err))
		loop_timer_start(&p->again, AGENT_EVERY_MS, on_agent_again);
}

/* ---- exec:PATH ARGS ---- */

static void on_exec_again(struct loop_timer *timer)
{
	try_exec(container_of(timer, struct probe, again));
}

static void on_exec_end(struct spawn_tool *tool)
{
	struct probe *p = container_of(tool, struct probe, tool);
	bool passed = tool->exit.known && !tool->exit.signalled &&
		      tool->exit.code == 0;

	p->tool_runs = false;
	spawn_tool_stop(tool); /* frees what it said */
	if (passed)
		pass(p);
	else
		loop_timer_start(&p->again, EXEC_EVERY_MS, on_exec_again);
}

/* Words split at blanks; no shell. */
static void try_exec(struct probe *p)
{
	AUTO_FREE char *text = xstrdup(p->spec.text);
	const char *argv[32] = { NULL };
	size_t n = 0;
	struct err err = ERR_INIT;
	char *rest = text;

	for (char *word;
		n < NELEMS(argv) - 1 && (word = strsep(&rest, " \t")) != NULL;)
		if (*word)
			argv[n++] = word;
	p->tool = (struct spawn_tool){ .on_end = on_exec_end };
	if (spawn_tool_start(&p->tool, argv, &err)) {
		vm_set_note(p->vm, "ready: %s", err.text);
		loop_timer_start(&p->again, EXEC_EVERY_MS, on_exec_again);
		return;
	}
	p->tool_runs = true;
}

/* ---- notify: the guest's systemd says so ---- */

static void on_notify_again(struct loop_timer *timer)
{
	try_notify(container_of(timer, struct probe, again));
}

/* More time is asked for from now on; a day is the most. */
static void extend(struct probe *p, int64_t ms)
{
	if (p->timeout_ms <= 0 || p->timeout_ms == STR_FOREVER)
		return;
	if (loop_now_ms() - p->began_ms + ms > p->timeout_ms)
		p->timeout_ms = loop_now_ms() - p->began_ms + ms;
	loop_timer_start(&p->limit,
		p->timeout_ms - (loop_now_ms() - p->began_ms), on_limit);
}

static void on_said(struct sdnotify_ear *ear, const struct sdnotify *said)
{
	struct probe *p = container_of(ear, struct probe, ear);

	if (said->ready) {
		pass(p);
		return;
	}
	if (said->extend_ms > 0)
		extend(p, said->extend_ms);
	if (str_eq(p->status, said->status))
		return;
	snprintf(p->status, sizeof(p->status), "%s", said->status);
	vm_changed(p->vm);
}

static void try_notify(struct probe *p)
{
	struct err err = ERR_INIT;

	if (!sdnotify_listen(&p->ear, p->vm->running->uuid, on_said, &err))
		return;
	vm_set_note(p->vm, "ready: %s", err.text);
	loop_timer_start(&p->again, NOTIFY_EVERY_MS, on_notify_again);
}

/* ---- all kinds ---- */

static void begin_probe(struct vm *vm, const struct vm_spec *spec)
{
	static void (*const begin[])(struct probe * p) = {
		[READY_AGENT] = try_agent,
		[READY_TCP] = try_tcp,
		[READY_LEASE] = try_lease,
		[READY_SERIAL] = begin_serial,
		[READY_EXEC] = try_exec,
		[READY_NOTIFY] = try_notify,
	};
	struct probe *p = NEW(struct probe);

	vm->probe = p;
	p->vm = vm;
	p->spec = spec->start.ready;
	p->spec.text = atom_get(str_or(spec->start.ready.text, ""));
	p->fd = p->ear.fd = -1;
	p->began_ms = loop_now_ms();
	p->timeout_ms = spec->start.ready_timeout_ms;
	if (p->timeout_ms > 0 && p->timeout_ms != STR_FOREVER)
		loop_timer_start(&p->limit, p->timeout_ms, on_limit);
	begin[spec->start.ready.kind](p);
}

void ready_begin(struct vm *vm)
{
	const struct vm_spec *spec = vm_spec_now(vm);
	enum spec_ready kind = spec ? spec->start.ready.kind : READY_RUNNING;

	if (vm->probe || vm->ready == VM_READY_YES)
		return;
	if (kind == READY_RUNNING || was_ready(vm)) {
		if (!vm->asked_ms && !vm->ready_ms) /* adopted */
			vm->ready_ms = vm->record.started_mono_ms;
		vm_set_ready(vm, VM_READY_YES);
		return;
	}
	begin_probe(vm, spec);
	vm_set_ready(vm, VM_READY_NO);
}

void ready_stop(struct vm *vm)
{
	struct probe *p = vm->probe;
	struct console *c = vm_console(vm, NULL);

	if (!p)
		return;
	vm->probe = NULL;
	loop_timer_stop(&p->limit);
	loop_timer_stop(&p->again);
	drop_tcp(p);
	sdnotify_stop(&p->ear);
	if (vm->agent.busy && vm->agent.owner == p)
		agent_cancel(&vm->agent);
	if (p->tool_runs)
		spawn_tool_stop(&p->tool);
	if (p->has_regex) {
		regfree(&p->regex);
		if (c && c->on_output == on_output)
			c->on_output = NULL;
	}
	str_fini(&p->line);
	atom_drop(p->spec.text);
	free(p);
}

/* ---- to the next image of this process ---- */

static const struct handover_field fields[] = {
	HAND(HAND_I64, struct probe, began_ms),
	HAND(HAND_BYTES, struct probe, line),
};

bool ready_can_move(const struct vm *vm)
{
	return !vm->agent.busy && (!vm->probe || !vm->probe->tool_runs);
}

json_t *ready_save(struct handover *h, const struct vm *vm)
{
	json_t *to;

	if (!vm->probe)
		return NULL;
	to = json_object();
	handover_put(h, to, fields, NELEMS(fields), vm->probe);
	return to;
}

int ready_restore(const json_t *from, struct vm *vm, struct err *err)
{
	struct probe *p;
	int64_t left;

	if (handover_get(from, fields, NELEMS(fields), NULL, err))
		return -1;
	if (!vm)
		return 0;
	ready_begin(vm);
	p = vm->probe;
	if (!p)
		return 0;
	str_fini(&p->line);
	if (handover_get(from, fields, NELEMS(fields), p, err))
		return -1;
	left = p->timeout_ms - (loop_now_ms() - p->began_ms);
	if (loop_timer_is_active(&p->limit))
		loop_timer_start(&p->limit, left > 0 ? left : 0, on_limit);
	return 0;
}

void ready_describe(const struct vm *vm, struct str *out)
{
	static const char *const words[] = { "", "agent", "lease", "notify",
		"tcp", "serial", "exec" };
	const struct probe *p = vm->probe;

	if (!p)
		return;
	str_addf(out, "waiting for %s, ", words[p->spec.kind]);
	str_add_duration(out, (loop_now_ms() - p->began_ms) / 1000 * 1000);
	if (p->timeout_ms > 0 && p->timeout_ms != STR_FOREVER) {
		str_add(out, " of ");
		str_add_duration(out, p->timeout_ms);
	}
	if (p->status[0])
		str_addf(out, " (it says: %s)", p->status);
}
