/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated QEMUs: processes of the world that listen on the monitors
 * they inherited, hold the lock by their descriptors, and answer what the
 * supervisor asks; well, late, twice, never or wrongly, as the faults say.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "supervisor/argv.h"
#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

static const char greeting[] =
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, "
	"\"major\": 7}, \"package\": \"sim\"}, \"capabilities\": [\"oob\"]}}"
	"\r\n";

static int64_t now_us(void)
{
	return (int64_t)loop_sim_now_us();
}

static int64_t in_ms(uint32_t ms)
{
	return now_us() + (int64_t)ms * 1000;
}

struct sim_qemu *qemu_of_pid(pid_t pid)
{
	for (unsigned i = 0; i < SIM_QEMUS; i++)
		if (sim.qemus[i].pid == pid)
			return &sim.qemus[i];
	return NULL;
}

struct sim_qemu *qemu_of_vm(const struct sim_vm *vm)
{
	for (unsigned i = 0; i < SIM_QEMUS; i++)
		if (sim.qemus[i].pid && sim.qemus[i].vm == vm)
			return &sim.qemus[i];
	return NULL;
}

unsigned qemu_count(const struct sim_vm *vm)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SIM_QEMUS; i++)
		n += sim.qemus[i].pid && sim.qemus[i].vm == vm;
	return n;
}

/* ---- what it says ---- */

/* Queues a text (stolen; NULL: its end) behind what waits already. */
static void put_steal(struct sim_qemu *q, char *text, uint32_t delay_ms)
{
	int64_t due = in_ms(delay_ms);

	if (q->nqueue == SIM_QUEUE) { /* it says no more then */
		free(text);
		return;
	}
	if (q->nqueue > 0 && q->queue[q->nqueue - 1].due_us > due)
		due = q->queue[q->nqueue - 1].due_us;
	q->queue[q->nqueue++] = (struct sim_out){ due, text };
}

static uint32_t slowness(void)
{
	if (!sim_chance(SIM_LATE, 60))
		return 0;
	return world_random(4) ? world_random(3000) : world_random(120000);
}

void qemu_event(struct sim_qemu *q, const char *name, const char *data)
{
	if (q->mon < 0)
		return;
	put_steal(q,
		xasprintf("{\"timestamp\": {\"seconds\": 1, \"microseconds\": "
			  "0}, \"event\": \"%s\", \"data\": {%s}}\r\n",
			name, data),
		0);
}

static void reply_steal(struct sim_qemu *q, json_t *reply, const json_t *id)
{
	bool wrong = sim_chance(SIM_WRONG_ID, 15) || q->wrong > 0;
	json_t *said = wrong ? json_integer(world_random(1000000))
			     : json_deep_copy(id);

	q->wrong -= q->wrong > 0;
	if (said)
		json_object_set_new(reply, "id", said);
	AUTO_FREE char *text = json_dumps(reply, JSON_COMPACT);
	json_decref(reply);
	if (sim_chance(SIM_GARBAGE, 10))
		put_steal(q,
			xasprintf("{\"return\": %c\r\n",
				"}\"]\1"[world_random(4)]),
			0);
	if (q->silent || q->dumb || sim_chance(SIM_LOST, 15))
		return;
	put_steal(q, xasprintf("%s\r\n", text), slowness());
	if (sim_chance(SIM_TWICE, 30))
		put_steal(q, xasprintf("%s\r\n", text), 0);
}

/* ---- what it is asked ---- */

static json_t *refusal(const char *command)
{
	return json_pack("{s:{s:s,s:s}}", "error", "class", "CommandNotFound",
		"desc", command);
}

static void press_button(struct sim_qemu *q)
{
	oracle_told_to_end(q, "system_powerdown");
	qemu_event(q, "POWERDOWN", "");
	if (!q->deaf && !q->off && q->ran && !q->paused && !q->off_us)
		q->off_us = in_ms(world_random(sim.healed ? 1000 : 8000));
}

static void quit(struct sim_qemu *q)
{
	oracle_told_to_end(q, "quit");
	if (!q->off)
		qemu_event(q, "SHUTDOWN",
			"\"guest\": false, \"reason\": \"host-qmp-quit\"");
	put_steal(q, NULL, 0);
}

/* Does one command; its answer. */
static json_t *execute(
	struct sim_qemu *q, const char *command, const json_t *arguments)
{
	json_t *answer = plug_execute(q, command, arguments);

	if (answer)
		return answer;
	if (str_eq(command, "query-status"))
		return json_pack("{s:{s:s,s:b,s:b}}", "return", "status",
			guest_status(q), "running",
			str_eq(guest_status(q), "running"), "singlestep", 0);
	if (str_eq(command, "query-uuid"))
		return json_pack("{s:{s:s}}", "return", "UUID", q->uuid);
	if (str_eq(command, "query-chardev"))
		return json_pack("{s:[]}", "return");
	if (str_eq(command, "cont"))
		guest_go(q);
	else if (str_eq(command, "stop"))
		guest_pause(q);
	else if (str_eq(command, "system_powerdown"))
		press_button(q);
	else if (str_eq(command, "system_reset"))
		guest_reset(q, "host-qmp-system-reset");
	else if (str_eq(command, "set-action"))
		guest_set_action(q, arguments);
	else if (!str_eq(command, "qmp_capabilities") &&
		 !str_eq(command, "quit") && !str_eq(command, "send-key"))
		return refusal(command);
	return json_pack("{s:{}}", "return");
}

void qemu_hang_up(struct sim_qemu *q)
{
	if (q->mon >= 0)
		world_close(q->mon);
	q->mon = -1;
	q->dumb = false;
	str_cut(&q->in, 0);
	for (unsigned i = 0; i < q->nqueue; i++)
		free(q->queue[i].text);
	q->nqueue = 0;
}

static void die(struct sim_qemu *q, const char *when)
{
	sim_note("%s: QEMU dies %s", q->vm->name, when);
	if (world_random(2))
		world_die(q->pid, world_random(2) ? SIGSEGV : SIGABRT);
	else
		world_exit(q->pid, 1);
}

static void obey(struct sim_qemu *q, json_t *message)
{
	const char *command =
		json_string_value(json_object_get(message, "execute"));

	if (!command)
		command =
			json_string_value(json_object_get(message, "exec-oob"));
	command = str_or(command, "");
	sim_note("%s: QEMU is told %s", q->vm->name, command);
	if (sim_chance(SIM_DIES, 10)) {
		die(q, "of a command");
		return;
	}
	json_t *answer =
		execute(q, command, json_object_get(message, "arguments"));
	bool dumb = q->dumb;
	q->dumb = dumb && !str_eq(command, "qmp_capabilities");
	reply_steal(q, answer, json_object_get(message, "id"));
	q->dumb = dumb;
	if (str_eq(command, "quit"))
		quit(q);
	if (q->pid && sim_chance(SIM_STORM, 20))
		for (unsigned i = 0; i < 30; i++)
			qemu_event(q, "RESET", "\"guest\": true");
	if (q->pid && sim_chance(SIM_DIES, 10))
		die(q, "after a command");
}

/* Length of the first whole object in a buffer, or 0. */
static size_t object_len(const struct str *in)
{
	bool text = false;
	int depth = 0;

	for (size_t i = 0; i < in->len; i++) {
		char c = in->data[i];
		if (text && c == '\\')
			i++;
		else if (c == '"')
			text = !text;
		else if (!text && c == '{')
			depth++;
		else if (!text && c == '}' && --depth == 0)
			return i + 1;
	}
	return 0;
}

static void drop_front(struct str *in, size_t len)
{
	memmove(in->data, in->data + len, in->len - len);
	str_cut(in, in->len - len);
}

/* Reads what is there; false at the end of the stream. */
static bool take_in(int fd, struct str *in, bool *did)
{
	static char buf[4096];
	ssize_t n;

	while ((n = world_read(fd, buf, sizeof(buf))) > 0) {
		str_addn(in, buf, (size_t)n);
		*did = true;
	}
	return n < 0 && errno == EAGAIN;
}

static json_t *next_message(struct str *in)
{
	size_t len = object_len(in);
	json_t *message;

	if (len == 0)
		return NULL;
	message = json_loadb(in->data, len, JSON_DISABLE_EOF_CHECK, NULL);
	drop_front(in, len);
	return message ? message : json_object();
}

static void serve_monitor(struct sim_qemu *q, bool *did)
{
	json_t *message;

	if (q->mon < 0) {
		q->mon = world_accept(ARGV_FD_MONITOR);
		if (q->mon < 0)
			return;
		*did = true;
		if (!q->silent && !q->mute)
			put_steal(q, xstrdup(greeting), slowness());
		q->mute -= q->mute > 0;
	}
	bool open = take_in(q->mon, &q->in, did);
	while (q->pid && (message = next_message(&q->in)) != NULL) {
		obey(q, message);
		json_decref(message);
	}
	if (!open && q->pid && q->mon >= 0) {
		qemu_hang_up(q);
		*did = true;
	}
}

static void serve_yank(struct sim_qemu *q, bool *did)
{
	json_t *message;

	if (q->yank < 0)
		q->yank = world_accept(ARGV_FD_YANK);
	if (q->yank < 0)
		return;
	bool open = take_in(q->yank, &q->yank_in, did);
	while ((message = next_message(&q->yank_in)) != NULL) {
		AUTO_FREE char *text = json_dumps(message, 0);
		if (strstr(text, "\"yank\"") && strstr(text, q->chardev))
			qemu_hang_up(q);
		json_decref(message);
	}
	if (!open) {
		world_close(q->yank);
		q->yank = -1;
		str_cut(&q->yank_in, 0);
		*did = true;
	}
}

static void serve_serial(struct sim_qemu *q, bool *did)
{
	struct str typed = STR_INIT;

	if (q->serial < 0)
		q->serial = world_accept(ARGV_FD_SERIAL);
	if (q->serial < 0)
		return;
	if (!take_in(q->serial, &typed, did)) {
		world_close(q->serial);
		q->serial = -1;
		*did = true;
	}
	str_fini(&typed);
}

/* Says what is due; the end of it all is an entry without text. */
static void flush(struct sim_qemu *q, bool *did)
{
	while (q->pid && q->nqueue > 0 && q->queue[0].due_us <= now_us()) {
		char *text = q->queue[0].text;
		*did = true;
		q->nqueue--;
		memmove(q->queue, q->queue + 1,
			q->nqueue * sizeof(q->queue[0]));
		if (!text) {
			sim_note("%s: QEMU ends", q->vm->name);
			world_exit(q->pid, 0);
			return;
		}
		if (q->mon >= 0 &&
			world_write(q->mon, text, strlen(text)) < 0 &&
			errno != EAGAIN)
			sim_note("%s: nobody listens", q->vm->name);
		free(text);
	}
}

/* ---- its life ---- */

static void begin(struct sim_qemu *q)
{
	q->listens = true;
	if (q->bad) {
		sim_note("%s: QEMU does not start", q->vm->name);
		guest_trace("qemu-system-x86_64: no such luck\n");
		world_exit(q->pid, 1);
		return;
	}
	for (int fd = ARGV_FD_MONITOR; fd < ARGV_FD_SERIAL + 4; fd++)
		if (fd != ARGV_FD_LOCK && fd != ARGV_FD_NAME &&
			world.current->fds[fd])
			world_listen(fd, 8);
}

static void obey_term(struct sim_qemu *q)
{
	q->term = false;
	if (q->deaf && q->silent)
		return;
	qemu_event(
		q, "SHUTDOWN", "\"guest\": false, \"reason\": \"host-signal\"");
	put_steal(q, NULL, 0);
}

/* Of a diamond: its probe may pass from now on, or it crashes. */
static void pump_diamond(struct sim_qemu *q)
{
	if (q->pid && q->up_us && !q->said_up && q->up_us <= now_us() &&
		q->serial >= 0)
		q->said_up = world_write(q->serial, "up\n", 3) == 3;
	if (q->pid && q->crash_us && q->crash_us <= now_us()) {
		q->crash_us = 0;
		die(q, "of a plan");
	}
}

static int64_t diamond_next_us(const struct sim_qemu *q)
{
	int64_t next = q->crash_us ? q->crash_us : INT64_MAX;

	if (q->up_us && !q->said_up && q->up_us < next)
		next = q->up_us > now_us() ? q->up_us : now_us() + 1000;
	return next;
}

static bool pump(struct sim_qemu *q)
{
	bool did_something = false;

	if (!q->pid || q->stopped || now_us() < q->wake_us)
		return false;
	pid_t before = world_as(q->pid);
	if (!q->listens) {
		did_something = true;
		begin(q);
	}
	pump_diamond(q);
	if (q->pid && q->term)
		obey_term(q);
	if (q->pid && q->off_us && q->off_us <= now_us())
		guest_off(q, "guest-shutdown");
	did_something |= guest_pump(q);
	did_something |= plug_pump(q);
	if (q->pid)
		serve_yank(q, &did_something);
	if (q->pid)
		serve_serial(q, &did_something);
	if (q->pid)
		serve_monitor(q, &did_something);
	if (q->pid)
		flush(q, &did_something);
	world_as(before);
	return did_something;
}

bool qemu_pump(void)
{
	bool did_something = false;

	for (unsigned i = 0; i < SIM_QEMUS; i++)
		did_something |= pump(&sim.qemus[i]);
	return did_something;
}

int64_t qemu_next_us(void)
{
	int64_t next = INT64_MAX;

	for (unsigned i = 0; i < SIM_QEMUS; i++) {
		const struct sim_qemu *q = &sim.qemus[i];
		if (!q->pid || q->stopped)
			continue;
		if (q->wake_us > now_us()) {
			next = q->wake_us < next ? q->wake_us : next;
			continue;
		}
		if (q->off_us && q->off_us < next)
			next = q->off_us;
		if (diamond_next_us(q) < next)
			next = diamond_next_us(q);
		if (q->hello_us && q->hello_us < next)
			next = q->hello_us;
		if (q->write_us && q->write_us < next)
			next = q->write_us;
		if (q->disk.unplug_us && q->disk.unplug_us < next)
			next = q->disk.unplug_us;
		if (q->nqueue > 0 && q->queue[0].due_us < next)
			next = q->queue[0].due_us;
	}
	return next;
}

/* ---- surprises ---- */

static struct sim_qemu *any(void)
{
	unsigned first = world_random(SIM_QEMUS);

	for (unsigned i = 0; i < SIM_QEMUS; i++) {
		struct sim_qemu *q = &sim.qemus[(first + i) % SIM_QEMUS];
		if (q->pid)
			return q;
	}
	return NULL;
}

void qemu_surprise(void)
{
	struct sim_qemu *q = any();

	if (!q)
		return;
	if (sim_chance(SIM_DIES, 300)) {
		die(q, "by itself");
	} else if (sim_chance(SIM_STOPS, 400)) {
		q->stopped = !q->stopped;
		sim_note("%s: QEMU %s", q->vm->name,
			q->stopped ? "stops" : "goes on");
	} else if (world_random(4) == 0 && q->ran && !q->off && !q->paused &&
		   !q->off_us) {
		q->off_us = in_ms(world_random(1000));
	} else if (q->ran && !q->stopped && world_random(3) == 0) {
		guest_reset(q, "guest-reset");
	}
}

void qemu_heal(void)
{
	for (unsigned i = 0; i < SIM_QEMUS; i++) {
		struct sim_qemu *q = &sim.qemus[i];
		if (q->pid && q->silent) {
			pid_t before = world_as(q->pid);
			qemu_hang_up(q);
			world_as(before);
		}
		q->stopped = q->silent = q->bad = false;
	}
}
