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

#include "tests/sim/asks.h"
#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

enum { OPEN_MAX_ = 3, ANSWER_US = 300 * 1000000, RETRY_US = 2 * 1000000 };

static struct client_conn {
	int fd; /* -1: not connected */
	struct str in;
	struct asks open[OPEN_MAX_ + 1];
} clients[SIM_CLIENTS + 1]; /* the last one only waits */

static pid_t pid;
static json_int_t last_id;
static bool cancel_unread; /* a job-cancel, of whatever VM */

pid_t client_pid(void)
{
	return pid;
}

/* ---- the open requests ---- */

static struct asks *find_rq(struct client_conn *c, json_int_t id)
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

static void rq_lost(struct asks *rq)
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
	for (size_t i = 0; i < NELEMS(clients); i++) {
		clients[i].fd = -1;
		str_cut(&clients[i].in, 0);
		memset(clients[i].open, 0, sizeof(clients[i].open));
	}
	pid = birth_stranger(0);
}

void client_leave(void)
{
	for (size_t i = 0; i < NELEMS(clients); i++)
		drop(&clients[i]);
}

/* ---- sending ---- */

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
static void note_order(struct asks *rq)
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
	if (rq->kind->flags & CLONES)
		vm->cloned = true;
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

static void send_rq(struct client_conn *c, const struct asks_kind *kind,
	struct sim_vm *vm, bool must)
{
	struct asks *rq = find_rq(c, 0);

	if (((kind->flags & CLONES) && !twin_may_be(vm)) ||
		((kind->flags & STARTUP) && vm->cloned))
		return;
	BUG_ON(!rq);
	*rq = (struct asks){ .id = ++last_id,
		.kind = kind,
		.vm = vm,
		.sent_us = (int64_t)loop_sim_now_us(),
		.must = must };
	json_t *message = json_pack("{s:s,s:o,s:I}", "execute", kind->wire,
		"arguments", asks_arguments(rq), "id", rq->id);
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
	send_rq(c, asks_named("qmp_capabilities"), NULL, false);
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
		send_rq(c, asks_any(), &sim.vms[world_random(sim.nvms)], false);
}

/* ---- answers ---- */

static bool was_recorded(const json_t *result)
{
	return !json_is_false(json_object_get(result, "recorded"));
}

static void succeeded(struct asks *rq, const json_t *result)
{
	struct sim_vm *vm = rq->vm;

	if (rq->kind->flags & CLONES)
		vm->twin_promised = true;
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
	struct asks *rq = id ? find_rq(c, json_integer_value(id)) : NULL;
	struct asks copy;

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

	for (size_t i = 0; i < NELEMS(clients); i++)
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
static int64_t patience_us(const struct asks *rq)
{
	if (!sim.on[SIM_FILES])
		return 0;
	if (!sim.healed)
		return INT64_MAX;
	return rq->sent_us > sim.healed_us
		       ? RETRY_US
		       : sim.healed_us - rq->sent_us + RETRY_US;
}

static void check_rq(const struct asks *rq, bool at_end)
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
	for (size_t i = 0; i < NELEMS(clients); i++)
		for (size_t k = 0; k < NELEMS(clients[i].open); k++)
			check_rq(&clients[i].open[k], at_end);
}

void client_say(struct sim_vm *vm, const char *wire)
{
	if (clients[1].fd < 0 && !reach(&clients[1]))
		sim_breach("I8", "no supervisor to talk to");
	send_rq(&clients[1], asks_named(wire), vm, false);
}

void client_wait(struct sim_vm *vm)
{
	struct client_conn *c = &clients[SIM_CLIENTS];

	if (c->fd < 0 && !reach(c))
		sim_breach("I8", "no supervisor to talk to");
	send_rq(c, asks_named("vm-wait"), vm, false);
}

void client_check_wait(void)
{
	if (count_open(&clients[SIM_CLIENTS]) > 0)
		sim_breach("replies", "somebody waits for one that is gone");
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
	send_rq(c, asks_named(wire), vm, true);
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
