/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One monitor connection: negotiation, commands by id, events, loss.  Owns
 * the stream; slots and subscribers belong to those who embed them, and are
 * looked up afresh for each message, because any callback may cancel others
 * or close the client.
 */
#include "qmp/client.h"

#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sys.h"

#define DEADLINE_MS 10000
#define FOREVER     (-1)
#define BIT(type)   (UINT64_C(1) << (type))

/* Events that say what is: never dropped. */
static const uint64_t bears_state =
	BIT(QMP_EV_SHUTDOWN) | BIT(QMP_EV_STOP) | BIT(QMP_EV_RESUME) |
	BIT(QMP_EV_GUEST_PANICKED) | BIT(QMP_EV_DEVICE_DELETED) |
	BIT(QMP_EV_JOB_STATUS_CHANGE) | BIT(QMP_EV_BLOCK_JOB_COMPLETED) |
	BIT(QMP_EV_MIGRATION);

static void (*tap)(
	const struct qmp_client *client, const char *sent, json_t *received);

void qmp_client_set_tap(void (*new_tap)(
	const struct qmp_client *client, const char *sent, json_t *received))
{
	tap = new_tap;
}

/* ---- slots ---- */

/* Makes a slot idle; its owner may reuse or free it from now on. */
static void release(struct qmp_slot *slot)
{
	list_del(&slot->link);
	loop_timer_stop(&slot->timer);
	free(TAKE(slot->text));
	fd_close(&slot->fd);
	slot->client = NULL;
}

static void fail(struct qmp_slot *slot, const struct err *err)
{
	release(slot);
	slot->on_reply(slot, NULL, err);
}

void qmp_cancel(struct qmp_slot *slot)
{
	if (slot->client)
		release(slot);
}

static void on_deadline(struct loop_timer *timer)
{
	struct qmp_slot *slot = container_of(timer, struct qmp_slot, timer);
	struct err err = ERR_INIT;

	err_set(&err, ERR_TIMEOUT, "QEMU did not answer in time");
	fail(slot, &err);
}

static const char *reason_of(enum err_code unsendable)
{
	if (unsendable == ERR_GONE)
		return "the monitor connection is closed";
	if (unsendable == ERR_LIMIT)
		return "QEMU does not read its monitor";
	if (unsendable == ERR_CONFIG)
		return "an argument is not valid UTF-8";
	return "the command cannot be sent";
}

/* Fails what could not be sent, one per turn: any callback may close us. */
static void on_failing(struct loop_kick *kick)
{
	struct qmp_client *client =
		container_of(kick, struct qmp_client, failing);
	struct qmp_slot *bad = NULL;
	struct err err = ERR_INIT;

	list_each(&client->pending, it, next) {
		struct qmp_slot *slot = list_entry(it, struct qmp_slot, link);

		if (!slot->unsendable)
			continue;
		if (bad) { /* another one: come again */
			loop_kick(&client->failing, on_failing);
			break;
		}
		bad = slot;
	}
	if (!bad)
		return;
	err_set(&err, bad->unsendable, "%s", reason_of(bad->unsendable));
	fail(bad, &err);
}

/* The slot fails from the loop. */
static void cannot_send(struct qmp_slot *slot, enum err_code why)
{
	slot->unsendable = why;
	loop_kick(&slot->client->failing, on_failing);
}

/* Sends what the slot holds. */
static void put(struct qmp_slot *slot)
{
	struct qmp_client *client = slot->client;
	struct err err = ERR_INIT;
	int rc = jstream_send_text(&client->stream, slot->text,
		strlen(slot->text), slot->fd, &err);

	if (rc < 0 && err.code != ERR_GONE)
		cannot_send(slot, err.code);
	if (rc <
		0) /* gone: the stream is about to end, and all slots with it */
		return;
	slot->sent = true;
	client->commands++;
	if (tap)
		tap(client, slot->text, NULL);
	free(TAKE(slot->text));
	fd_close(&slot->fd);
}

/* The command's line of text, new; NULL if it is no valid UTF-8. */
static char *write_command(const char *command, json_t *args, uint64_t id)
{
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	AUTO_JSON json_t *message = json_pack("{s:s, s:o*, s:I}", "execute",
		command, "arguments", args, "id", (json_int_t)id);

	if (!message || jstream_dump(message, &text, &err) < 0)
		return NULL;
	str_addc(&text, '\n');
	return str_take(&text);
}

/* Makes the lists of a client that was never opened usable. */
static void prepare(struct qmp_client *client)
{
	if (client->pending.next)
		return;
	list_init(&client->pending);
	list_init(&client->subs);
}

/* Queues a command; sends it at once if `now`. */
static void queue(struct qmp_client *client, struct qmp_slot *slot,
	const char *command, json_t *args, int fd, bool now)
{
	slot->client = client;
	slot->id = ++client->next_id;
	slot->sent = false;
	slot->unsendable = ERR_NONE;
	slot->fd = -1;
	list_add(&client->pending, &slot->link);
	slot->text = write_command(command, args, slot->id);
	if (!slot->text)
		cannot_send(slot, ERR_CONFIG);
	else if (!qmp_client_is_open(client))
		cannot_send(slot, ERR_GONE);
	else if (fd >= 0 && (slot->fd = sys_dup(fd)) < 0)
		cannot_send(slot, ERR_OS);
	else if (now)
		put(slot);
}

void qmp_send_steal(struct qmp_client *client, struct qmp_slot *slot,
	const struct qmp_command *command,
	void (*on_reply)(
		struct qmp_slot *slot, json_t *result, const struct err *err))
{
	BUG_ON(slot->client);
	prepare(client);
	slot->on_reply = on_reply;
	queue(client, slot, command->name, command->args, command->fd,
		client->open_gate);
	loop_timer_start(&slot->timer,
		command->deadline_ms ? command->deadline_ms : DEADLINE_MS,
		on_deadline);
}

/* Lets commands out, those held back first. */
static void open_gate(struct qmp_client *client)
{
	client->open_gate = true;
	list_each(&client->pending, it, next) {
		struct qmp_slot *slot = list_entry(it, struct qmp_slot, link);

		if (!slot->sent && !slot->unsendable)
			put(slot);
	}
}

/* ---- loss ---- */

/*
 * Ends the connection: all slots fail in order, then on_lost.  A slot of our
 * own at the end of the list says up to where: what callbacks send now fails
 * later.  A close inside a callback releases it like any other, and then the
 * client may be no more.
 */
static void lose(struct qmp_client *client, const struct err *err)
{
	AUTO_FREE struct qmp_slot *mark = NEW(struct qmp_slot);

	jstream_close(&client->stream);
	loop_timer_stop(&client->greeting_timer);
	client->ready = client->open_gate = false;
	mark->client = client;
	mark->fd = -1;
	list_add(&client->pending, &mark->link);
	while (mark->client && client->pending.next != &mark->link)
		fail(list_entry(client->pending.next, struct qmp_slot, link),
			err);
	if (!mark->client)
		return;
	release(mark);
	client->hooks->on_lost(client, err);
}

static void on_stream_end(struct jstream *js, const struct err *err)
{
	struct qmp_client *client = js->owner;
	struct err why = *err;

	if (why.code == ERR_NONE)
		err_set(&why, ERR_GONE, "QEMU closed the monitor connection");
	else
		err_wrap(&why, "QEMU's monitor: ");
	lose(client, &why);
}

static void on_greeting_late(struct loop_timer *timer)
{
	struct qmp_client *client =
		container_of(timer, struct qmp_client, greeting_timer);
	struct err err = ERR_INIT;

	err_set(&err, ERR_TIMEOUT, "QEMU's monitor did not %s in time",
		client->greeted ? "agree on capabilities" : "greet");
	lose(client, &err);
}

/* ---- negotiation ---- */

/* Greeted and negotiated, in whatever order; the owner may close us. */
static void settle(struct qmp_client *client)
{
	if (client->negotiated)
		open_gate(client);
	if (client->ready || !client->greeted || !client->negotiated)
		return;
	client->ready = true;
	loop_timer_stop(&client->greeting_timer);
	client->hooks->on_ready(client);
}

static void on_capabilities(
	struct qmp_slot *slot, json_t *result, const struct err *err)
{
	struct qmp_client *client = container_of(slot, struct qmp_client, caps);
	struct err why = *err;

	if (!qmp_client_is_open(client))
		return; /* lost: on_lost will say so */
	if (!result && client->oob) {
		client->oob = false;
		queue(client, slot, "qmp_capabilities", NULL, -1, true);
	} else if (!result) {
		err_wrap(&why, "qmp_capabilities: ");
		lose(client, &why);
	} else {
		client->negotiated = true;
		settle(client);
	}
}

static unsigned version_part(json_t *qemu, const char *name)
{
	json_int_t part = json_integer_value(json_object_get(qemu, name));

	return part > 0 && part < 100 ? (unsigned)part : 0;
}

static bool offers_oob(json_t *greeting)
{
	json_t *list = json_object_get(greeting, "capabilities");
	json_t *item;
	size_t i;

	json_array_foreach(list, i,
		item) if (json_is_string(item) &&
			  str_eq(json_string_value(item), "oob")) return true;
	return false;
}

/* A second greeting changes nothing. */
static void take_greeting(struct qmp_client *client, json_t *greeting)
{
	json_t *qemu =
		json_object_get(json_object_get(greeting, "version"), "qemu");

	if (client->greeted)
		return;
	client->greeted = true;
	client->version = version_part(qemu, "major") * 10000 +
			  version_part(qemu, "minor") * 100 +
			  version_part(qemu, "micro");
	if (client->oob && offers_oob(greeting))
		open_gate(client);
	settle(client);
}

/* ---- replies and events ---- */

static void describe(struct err *err, json_t *error)
{
	const char *class = json_string_value(json_object_get(error, "class"));
	const char *desc = json_string_value(json_object_get(error, "desc"));
	enum err_code code = ERR_QMP;
	AUTO_STR struct str text = STR_INIT;

	if (class && str_eq(class, "DeviceNotFound"))
		code = ERR_NOT_FOUND;
	if (class && str_eq(class, "CommandNotFound"))
		code = ERR_UNSUPPORTED;
	if (!desc || !*desc)
		desc = "QEMU refused without a reason";
	str_add_visible(&text, desc, strnlen(desc, sizeof(err->text)));
	err_set(err, code, "%s", str_text(&text));
}

static struct qmp_slot *slot_by_id(struct qmp_client *client, json_t *id)
{
	if (!json_is_integer(id))
		return NULL;
	list_each(&client->pending, it, next) {
		struct qmp_slot *slot = list_entry(it, struct qmp_slot, link);

		if (slot->sent &&
			(json_int_t)slot->id == json_integer_value(id))
			return slot;
	}
	return NULL;
}

static void take_reply(struct qmp_client *client, json_t *message)
{
	struct qmp_slot *slot =
		slot_by_id(client, json_object_get(message, "id"));
	json_t *error = json_object_get(message, "error");
	struct err err = ERR_INIT;

	if (!slot) {
		client->dropped++;
		return;
	}
	release(slot);
	if (error)
		describe(&err, error);
	slot->on_reply(
		slot, error ? NULL : json_object_get(message, "return"), &err);
}

/* True for an event of a storm that says nothing new. */
static bool is_storm(struct qmp_client *client, enum qmp_event_type type)
{
	int64_t now = loop_now_ms();

	if (now - client->storm.since_ms >= 1000) {
		client->storm.since_ms = now;
		client->storm.count = 0;
		client->storm.seen = 0;
	}
	if (client->storm.count++ < QMP_EVENTS_PER_S ||
		(bears_state & BIT(type)))
		return false;
	if (client->storm.seen & BIT(type))
		return true;
	client->storm.seen |= BIT(type);
	return false;
}

/*
 * Tells all subscribers.  A mark of ours in the list says where we are: a
 * callback may unsubscribe anybody, and a close takes the mark out as well.
 */
static void publish(struct qmp_client *client, const struct qmp_event *event)
{
	struct list mark;

	list_init(&mark);
	list_add(client->subs.next, &mark); /* in front of the first */
	while (mark.next != &client->subs) {
		struct list *link = mark.next;
		struct qmp_sub *sub = list_entry(link, struct qmp_sub, link);

		list_del(&mark);
		list_add(link->next, &mark); /* behind this one */
		sub->on_event(sub, event);
		if (list_is_empty(&mark))
			return; /* closed */
	}
	list_del(&mark);
}

/* QEMU's timestamp; 0 if it is none. */
static int64_t wall_us(json_t *stamp)
{
	int64_t s = json_integer_value(json_object_get(stamp, "seconds"));
	int64_t us = json_integer_value(json_object_get(stamp, "microseconds"));

	if (s < 0 || s > UINT32_MAX || us < 0 || us > 999999)
		return 0;
	return s * 1000000 + us;
}

static void take_event(struct qmp_client *client, json_t *message)
{
	struct qmp_event event = { .type = QMP_EV_OTHER };

	event.name = json_string_value(json_object_get(message, "event"));
	if (!event.name) {
		client->dropped++;
		return;
	}
	event.type = qmp_event_type_of(event.name);
	event.data = json_object_get(message, "data");
	event.time_us = wall_us(json_object_get(message, "timestamp"));
	client->events++;
	if (is_storm(client, event.type))
		client->coalesced++;
	else
		publish(client, &event);
}

static void on_message(
	struct jstream *js, json_t *message, const char *why UNUSED)
{
	struct qmp_client *client = js->owner;
	json_t *greeting = json_object_get(message, "QMP");

	if (tap)
		tap(client, NULL, message);
	if (greeting)
		take_greeting(client, greeting);
	else if (json_object_get(message, "event"))
		take_event(client, message);
	else if (json_object_get(message, "return") ||
		 json_object_get(message, "error"))
		take_reply(client, message);
	else
		client->dropped++;
}

void qmp_subscribe(struct qmp_client *client, struct qmp_sub *sub,
	void (*on_event)(struct qmp_sub *sub, const struct qmp_event *event))
{
	prepare(client);
	qmp_unsubscribe(sub);
	sub->on_event = on_event;
	list_add(&client->subs, &sub->link);
}

void qmp_unsubscribe(struct qmp_sub *sub)
{
	if (sub->link.next)
		list_del(&sub->link);
}

/* ---- the connection ---- */

static const struct jstream_hooks stream_hooks = {
	.on_message = on_message,
	.on_end = on_stream_end,
};

/* What was asked of the closed client and waits to fail does so now. */
static void forget_old(struct qmp_client *client)
{
	struct err err = ERR_INIT;

	prepare(client);
	loop_kick_stop(&client->failing);
	err_set(&err, ERR_GONE, "%s", reason_of(ERR_GONE));
	while (!list_is_empty(&client->pending))
		fail(list_entry(client->pending.next, struct qmp_slot, link),
			&err);
	while (!list_is_empty(&client->subs))
		list_del(client->subs.next);
}

void qmp_client_open(struct qmp_client *client, int fd, int64_t greeting_ms,
	const struct qmp_hooks *hooks, void *owner)
{
	json_t *oob = json_pack("{s:[s]}", "enable", "oob");

	BUG_ON(qmp_client_is_open(client));
	forget_old(client);
	*client = (struct qmp_client){ .hooks = hooks, .owner = owner };
	prepare(client);
	jstream_open(&client->stream, fd, &prescan_qmp, &stream_hooks, client);
	loop_timer_start(
		&client->greeting_timer, greeting_ms, on_greeting_late);
	client->oob = true;
	client->caps.on_reply = on_capabilities;
	queue(client, &client->caps, "qmp_capabilities", oob, -1, true);
}

void qmp_client_resume(struct qmp_client *client, int fd,
	const struct qmp_hooks *hooks, void *owner)
{
	BUG_ON(qmp_client_is_open(client));
	forget_old(client);
	*client = (struct qmp_client){ .hooks = hooks, .owner = owner };
	prepare(client);
	jstream_open(&client->stream, fd, &prescan_qmp, &stream_hooks, client);
	client->greeted = client->negotiated = true;
	client->open_gate = client->ready = true;
}

void qmp_client_close(struct qmp_client *client)
{
	client->ready = client->open_gate = false;
	jstream_close(&client->stream);
	loop_timer_stop(&client->greeting_timer);
	loop_kick_stop(&client->failing);
	prepare(client);
	while (!list_is_empty(&client->pending))
		release(list_entry(
			client->pending.next, struct qmp_slot, link));
	while (!list_is_empty(&client->subs))
		list_del(client->subs.next);
}

void qmp_client_abandon(struct qmp_client *client)
{
	client->ready = client->open_gate = false;
	jstream_close(&client->stream); /* what is asked now fails as well */
	forget_old(client);
	qmp_client_close(client);
}

bool qmp_client_is_open(const struct qmp_client *client)
{
	return jstream_is_open(&client->stream);
}
