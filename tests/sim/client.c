/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated clients of the control socket, all in one process of the
 * world.  They send what comes into their heads, some leave in the middle,
 * and they count: each request has one answer or a closed connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/un.h>

#include "base/log.h"
#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

enum { OPEN_MAX_ = 3, ANSWER_US = 300 * 1000000, RETRY_US = 2 * 1000000 };

enum kind_flags {
	ORDERS = 1,  /* changes what the record says */
	STOPS = 2,   /* may end a QEMU */
	STARTS = 4,  /* may start one */
	AT_ONCE = 8, /* is answered before time passes */
	LONG = 16,   /* may wait for ever */
	SETS = 32,
	STARTUP = 64, /* changes what is started with the supervisor */
	CANCELS = 128,
	PLUGS = 256,
	RARE = 512, /* in some seeds only */
	DELETES = 1024,
};

static const struct verb_kind {
	const char *wire;
	unsigned weight;
	unsigned flags;
	enum sim_promise promise;
} kinds[] = {
	{ "vm-start", 30, ORDERS | STARTS, PROMISED_UP },
	{ "vm-stop", 16, ORDERS | STOPS, PROMISED_DOWN },
	{ "vm-kill", 5, ORDERS | STOPS, PROMISED_DOWN },
	{ "vm-restart", 8, ORDERS | STOPS | STARTS, PROMISED_UP },
	{ "vm-pause", 6, 0, 0 },
	{ "vm-resume", 6, 0, 0 },
	{ "vm-status", 8, AT_ONCE, 0 },
	{ "vm-list", 8, AT_ONCE, 0 },
	{ "vm-explain", 2, AT_ONCE, 0 },
	{ "vm-set", 6, SETS, 0 },
	{ "vm-unset", 2, SETS, 0 },
	{ "vm-enable", 1, STARTUP, 0 },
	{ "vm-disable", 1, STARTUP, 0 },
	{ "vm-disk-attach", 5, PLUGS, 0 },
	{ "vm-disk-detach", 5, PLUGS, 0 },
	{ "vm-reboot", 3, 0, 0 },
	{ "vm-reset", 3, 0, 0 },
	{ "vm-qmp", 2, 0, 0 },
	{ "vm-wait", 3, LONG, 0 },
	{ "vm-reset-failed", 3, AT_ONCE, 0 },
	{ "vm-show", 2, AT_ONCE, 0 },
	{ "vm-plan", 2, 0, 0 }, /* asks QEMU */
	{ "vm-log", 2, AT_ONCE, 0 },
	{ "vm-disk-list", 2, AT_ONCE, 0 },
	{ "job-list", 2, AT_ONCE, 0 },
	{ "job-cancel", 3, CANCELS, 0 },
	{ "query-version", 1, AT_ONCE, 0 },
	{ "reload", 3, AT_ONCE, 0 },
	{ "qmp_capabilities", 0, AT_ONCE, 0 },
	{ "host-shutdown", 0, LONG, 0 },
	{ "vm-delete", 3, DELETES | RARE, 0 },
	{ "upgrade", 8, RARE, 0 },
};

struct rq {
	json_int_t id; /* 0: free */
	const struct verb_kind *kind;
	struct sim_vm *vm;
	unsigned order; /* its number among the VM's */
	char value[40];
	int64_t sent_us;
	bool must; /* succeed */
};

static struct client_conn {
	int fd; /* -1: not connected */
	struct str in;
	struct rq open[OPEN_MAX_ + 1];
} clients[SIM_CLIENTS];

static pid_t pid;
static json_int_t last_id;
static bool cancel_unread; /* a job-cancel, of whatever VM */

pid_t client_pid(void)
{
	return pid;
}

/* ---- the open requests ---- */

static struct rq *find_rq(struct client_conn *c, json_int_t id)
{
	for (size_t i = 0; i < NELEMS(c->open); i++)
		if (c->open[i].id == id)
			return &c->open[i];
	return NULL;
}

static unsigned count_open(const struct client_conn *c)
{
	unsigned n = 0;

	for (size_t i = 0; i < NELEMS(c->open); i++)
		n += c->open[i].id != 0;
	return n;
}

static void rq_lost(struct rq *rq)
{
	if (rq->id && rq->must)
		sim_breach("I3", "%s: no answer to %s", rq->vm->name,
			rq->kind->wire);
	if (rq->id && (rq->kind->flags & ORDERS)) {
		rq->vm->open--;
		rq->vm->unread++;
	}
	if (rq->id && (rq->kind->flags & SETS)) {
		rq->vm->open_sets--;
		rq->vm->lost_sets++;
	}
	rq->id = 0;
}

/* The client's side of the end; whatever was open is lost. */
static void drop(struct client_conn *c)
{
	if (c->fd < 0)
		return;
	pid_t before = world_as(pid);
	world_close(c->fd);
	world_as(before);
	c->fd = -1;
	str_cut(&c->in, 0);
	for (size_t i = 0; i < NELEMS(c->open); i++)
		rq_lost(&c->open[i]);
}

void client_start(void)
{
	for (unsigned i = 0; i < SIM_CLIENTS; i++) {
		clients[i].fd = -1;
		str_cut(&clients[i].in, 0);
		memset(clients[i].open, 0, sizeof(clients[i].open));
	}
	pid = birth_stranger(0);
}

void client_leave(void)
{
	for (unsigned i = 0; i < SIM_CLIENTS; i++)
		drop(&clients[i]);
}

/* ---- sending ---- */

static unsigned weight_of(const struct verb_kind *kind)
{
	return (kind->flags & RARE) && !sim.upgrades ? 0 : kind->weight;
}

static const struct verb_kind *any_kind(void)
{
	unsigned sum = 0;

	for (size_t i = 0; i < NELEMS(kinds); i++)
		sum += weight_of(&kinds[i]);
	unsigned at = world_random(sum);
	for (size_t i = 0;; i++) {
		if (at < weight_of(&kinds[i]))
			return &kinds[i];
		at -= weight_of(&kinds[i]);
	}
}

static const struct verb_kind *kind_named(const char *wire)
{
	for (size_t i = 0; i < NELEMS(kinds); i++)
		if (str_eq(kinds[i].wire, wire))
			return &kinds[i];
	log_bug(__FILE__, __LINE__, wire);
}

static bool takes_vm(const struct verb_kind *kind)
{
	return str_starts(kind->wire, "vm-") && !str_eq(kind->wire, "vm-list");
}

static void add_change(struct rq *rq, json_t *args)
{
	rq->order = ++rq->vm->sets;
	if (str_eq(rq->kind->wire, "vm-unset")) {
		json_object_set_new(
			args, "keys", json_pack("[s]", "vm.description"));
		return;
	}
	const char *key = rq->must ? "vm.memory" : "vm.description";
	if (rq->must) /* what waits for a new QEMU */
		snprintf(rq->value, sizeof(rq->value), "%uM",
			65 + rq->order % 63);
	else
		snprintf(rq->value, sizeof(rq->value), "text-%s-%u",
			rq->vm->name, rq->order);
	json_object_set_new(args, "pairs", json_pack("{s:s}", key, rq->value));
}

/* What else the request says. */
static json_t *arguments_of(struct rq *rq)
{
	json_t *args = json_object();

	if (takes_vm(rq->kind))
		json_object_set_new(args, "vm", json_string(rq->vm->name));
	if (rq->kind->flags & SETS)
		add_change(rq, args);
	if (rq->kind->flags & PLUGS)
		json_object_set_new(args, "disk", json_string("data"));
	if (str_eq(rq->kind->wire, "vm-disk-attach"))
		json_object_set_new(args, "pairs",
			json_pack("{s:o}", "image",
				json_sprintf("%s-data.raw", rq->vm->name)));
	if (str_eq(rq->kind->wire, "vm-qmp"))
		json_object_set_new(
			args, "execute", json_string("query-status"));
	if (rq->kind->flags & CANCELS)
		json_object_set_new(
			args, "job", json_sprintf("j%u", 1 + world_random(40)));
	if (str_eq(rq->kind->wire, "vm-wait"))
		json_object_set_new(args, "state",
			json_string(world_random(2) ? "running" : "stopped"));
	if (rq->must || sim.diamond || sim.slow_births)
		return args;
	if (str_eq(rq->kind->wire, "vm-start") && world_random(6) == 0)
		json_object_set_new(args, "paused", json_true());
	if (str_eq(rq->kind->wire, "vm-stop") && world_random(4) == 0)
		json_object_set_new(args, "now", json_true());
	if (str_starts(rq->kind->wire, "vm-st") && world_random(4) == 0 &&
		(rq->kind->flags & ORDERS))
		json_object_set_new(
			args, "timeout", json_integer(1 + world_random(20)));
	return args;
}

/* A job of any VM may end early, and what it was to bring does not come. */
static void note_cancel(void)
{
	cancel_unread = true;
	for (unsigned i = 0; i < sim.nvms; i++)
		sim.vms[i].promise = PROMISED_NOTHING;
}

/* It may be gone at any time from now on, and made again by the chaos. */
static void note_delete(struct sim_vm *vm)
{
	vm->deleted = vm->gone = true;
	vm->promise = PROMISED_NOTHING;
	vm->value[0] = '\0';
	if (vm->autostart == SIM_YES)
		vm->wanted = true;
}

/* What an order may bring about from now on. */
static void note_order(struct rq *rq)
{
	struct sim_vm *vm = rq->vm;

	if (rq->kind->flags & SETS) {
		vm->value[0] = '\0';
		vm->open_sets++;
	}
	if (rq->kind->flags & STARTUP) { /* from now on it may be, or not */
		vm->autostart = SIM_YES;
		vm->wanted = true;
		vm->promise = PROMISED_NOTHING;
	}
	if (rq->kind->flags & CANCELS)
		note_cancel();
	if ((rq->kind->flags & DELETES) && !sim.healed)
		note_delete(vm);
	if (!(rq->kind->flags & ORDERS))
		return;
	rq->order = ++vm->orders;
	vm->open++;
	vm->promise = PROMISED_NOTHING;
	if (rq->kind->flags & STARTS)
		vm->wanted = true;
	if (!(rq->kind->flags & STOPS))
		return;
	vm->stop_is_open = true;
	for (unsigned i = 0; i < SIM_QEMUS; i++)
		if (sim.qemus[i].pid && sim.qemus[i].vm == vm)
			sim.qemus[i].asked = true;
}

static void send_text(struct client_conn *c, const char *text)
{
	pid_t before = world_as(pid);
	ssize_t n = world_write(c->fd, text, strlen(text));

	world_as(before);
	if (n < 0)
		drop(c);
}

static void send_rq(struct client_conn *c, const struct verb_kind *kind,
	struct sim_vm *vm, bool must)
{
	struct rq *rq = find_rq(c, 0);

	BUG_ON(!rq);
	*rq = (struct rq){ .id = ++last_id,
		.kind = kind,
		.vm = vm,
		.sent_us = (int64_t)loop_sim_now_us(),
		.must = must };
	json_t *message = json_pack("{s:s,s:o,s:I}", "execute", kind->wire,
		"arguments", arguments_of(rq), "id", rq->id);
	if (str_eq(kind->wire, "qmp_capabilities"))
		json_object_del(message, "arguments");
	AUTO_FREE char *text = json_dumps(message, JSON_COMPACT);
	AUTO_FREE char *line = xasprintf("%s\n", text);
	json_decref(message);
	sim_note("client: %s", text);
	note_order(rq);
	send_text(c, line);
}

/* As the current process; -1: nobody is there. */
static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = world_socket(AF_UNIX, SOCK_STREAM, 0);

	BUG_ON(fd < 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (world_connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		world_close(fd);
		fd = -1;
	}
	return fd;
}

static bool reach(struct client_conn *c)
{
	pid_t before = world_as(pid);
	int fd = connect_to(sim.paths.control);

	world_as(before);
	c->fd = fd;
	if (fd < 0)
		return false;
	send_rq(c, kind_named("qmp_capabilities"), NULL, false);
	return c->fd >= 0;
}

void client_act(void)
{
	struct client_conn *c = &clients[world_random(SIM_CLIENTS)];

	if (c->fd >= 0 && sim_chance(SIM_HANGUP, 60)) {
		sim_note("a client leaves");
		drop(c);
		return;
	}
	if (c->fd < 0 && !reach(c))
		return;
	if (count_open(c) < OPEN_MAX_)
		send_rq(c, any_kind(), &sim.vms[world_random(sim.nvms)], false);
}

/* ---- answers ---- */

static bool was_recorded(const json_t *result)
{
	return !json_is_false(json_object_get(result, "recorded"));
}

static void succeeded(struct rq *rq, const json_t *result)
{
	struct sim_vm *vm = rq->vm;

	if (vm && vm->deleted)
		return;
	if ((rq->kind->flags & SETS) && vm->open_sets + vm->lost_sets == 0 &&
		rq->order == vm->sets)
		snprintf(vm->value, sizeof(vm->value), "%s", rq->value);
	if (!(rq->kind->flags & ORDERS) || cancel_unread || vm->open > 0 ||
		vm->unread > 0 || rq->order != vm->orders || vm->gone ||
		!was_recorded(result))
		return;
	const struct sim_qemu *q = qemu_of_vm(vm);
	if (rq->kind->promise == PROMISED_UP && (!q || q->off))
		return; /* it ended since */
	vm->promise = rq->kind->promise;
	if (vm->promise == PROMISED_DOWN)
		vm->wanted = false;
}

static void answered(struct client_conn *c, const json_t *message)
{
	json_t *id = json_object_get(message, "id");
	const json_t *result = json_object_get(message, "return");
	struct rq *rq = id ? find_rq(c, json_integer_value(id)) : NULL;
	struct rq copy;

	if (!rq || !rq->id)
		sim_breach("replies", "an answer to nothing");
	copy = *rq;
	rq->id = 0;
	if (copy.kind->flags & SETS)
		copy.vm->open_sets--;
	if (copy.kind->flags & ORDERS) {
		copy.vm->open--;
		if (copy.vm->open == 0)
			copy.vm->stop_is_open = false;
	}
	if (result)
		succeeded(&copy, result);
	else if (copy.must)
		sim_breach(
			"I3", "%s: %s fails", copy.vm->name, copy.kind->wire);
}

static void take_line(struct client_conn *c, const char *line)
{
	json_t *message = json_loads(line, 0, NULL);

	if (!message)
		sim_breach("replies", "a line that is no JSON: %s", line);
	sim_note("answer: %.300s", line);
	if (!json_object_get(message, "QMP") &&
		!json_object_get(message, "event"))
		answered(c, message);
	json_decref(message);
}

static void take_lines(struct client_conn *c)
{
	char *end;

	while (c->fd >= 0 && c->in.len > 0 &&
		(end = memchr(c->in.data, '\n', c->in.len)) != NULL) {
		size_t len = (size_t)(end - c->in.data) + 1;
		AUTO_FREE char *line = xstrndup(c->in.data, len - 1);
		memmove(c->in.data, c->in.data + len, c->in.len - len);
		str_cut(&c->in, c->in.len - len);
		take_line(c, line);
	}
}

static bool pump(struct client_conn *c)
{
	static char buf[8192];
	bool did = false;
	ssize_t n;

	if (c->fd < 0)
		return false;
	pid_t before = world_as(pid);
	while ((n = world_read(c->fd, buf, sizeof(buf))) > 0) {
		str_addn(&c->in, buf, (size_t)n);
		did = true;
	}
	bool over = n == 0 || errno != EAGAIN;
	world_as(before);
	take_lines(c);
	if (over) {
		sim_note("a client is cut off");
		drop(c);
	}
	return did || over;
}

bool client_pump(void)
{
	bool did = false;

	for (unsigned i = 0; i < SIM_CLIENTS; i++)
		did |= pump(&clients[i]);
	return did;
}

/* Out of descriptors, the supervisor lets clients wait, also those that left
 * meanwhile: what they sent is read later. */
static bool may_wait_at_door(void)
{
	return sim.on[SIM_FILES] &&
	       (!sim.healed ||
		       (int64_t)loop_sim_now_us() - sim.healed_us <= RETRY_US);
}

void client_all_read(void)
{
	if (may_wait_at_door())
		return;
	cancel_unread = false;
	for (unsigned i = 0; i < sim.nvms; i++)
		sim.vms[i].unread = sim.vms[i].lost_sets = 0;
}

/* ---- what must be ---- */

/* A supervisor out of descriptors lets clients wait at the door. */
static int64_t patience_us(const struct rq *rq)
{
	if (!sim.on[SIM_FILES])
		return 0;
	if (!sim.healed)
		return INT64_MAX;
	return rq->sent_us > sim.healed_us
		       ? RETRY_US
		       : sim.healed_us - rq->sent_us + RETRY_US;
}

static void check_rq(const struct rq *rq, bool at_end)
{
	int64_t age = (int64_t)loop_sim_now_us() - rq->sent_us;

	if (rq->id && sim.up && (rq->kind->flags & AT_ONCE) &&
		age >= patience_us(rq))
		sim_breach("I8", "no answer to %s at once", rq->kind->wire);
	if (rq->id && at_end && age >= ANSWER_US && !(rq->kind->flags & LONG))
		sim_breach("replies", "no answer to %s of %s in %d s",
			rq->kind->wire, rq->vm->name, (int)(age / 1000000));
}

void client_check(bool at_end)
{
	for (unsigned i = 0; i < SIM_CLIENTS; i++)
		for (size_t k = 0; k < NELEMS(clients[i].open); k++)
			check_rq(&clients[i].open[k], at_end);
}

void client_say(struct sim_vm *vm, const char *wire)
{
	if (!reach(&clients[1]))
		sim_breach("I8", "no supervisor to talk to");
	send_rq(&clients[1], kind_named(wire), vm, false);
}

void client_ask(struct sim_vm *vm, const char *wire)
{
	struct client_conn *c = &clients[0];

	for (unsigned i = 1; i < SIM_CLIENTS; i++)
		drop(&clients[i]);
	if (c->fd < 0 || count_open(c) > 0) {
		drop(c);
		if (!reach(c))
			sim_breach("I8", "no supervisor to talk to");
	}
	send_rq(c, kind_named(wire), vm, true);
	for (unsigned s = 0; s < 120 && count_open(c); s++)
		life_sleep(1000);
	if (count_open(c) > 0)
		sim_breach("I3", "%s: no answer to %s", vm->name, wire);
}

int client_squat(const struct sim_vm *vm)
{
	AUTO_FREE char *path =
		life_path("%s/%s/priv/monitor", sim.paths.run, vm->name);
	pid_t before = world_as(pid);
	int fd = connect_to(path);

	world_as(before);
	return fd;
}

int client_lock(const struct sim_vm *vm)
{
	AUTO_FREE char *path =
		life_path("%s/%s/priv/lock", sim.paths.run, vm->name);
	pid_t before = world_as(pid);
	int fd = world_openat(AT_FDCWD, path, O_RDWR, 0);

	if (fd >= 0 && world_flock(fd, LOCK_EX | LOCK_NB))
		BUG_ON(world_close(fd) == 0); /* nobody else may have it */
	world_as(before);
	return fd;
}

void client_let_go(int fd)
{
	pid_t before = world_as(pid);

	if (fd >= 0)
		world_close(fd);
	world_as(before);
}
