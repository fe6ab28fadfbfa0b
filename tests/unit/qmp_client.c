/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp/client against a peer in this process: negotiation, ids, deadlines,
 * loss, storms, and callbacks that pull the rug away.
 */
#include "qmp/client.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "tests/unit/tap.h"

#define GREETING(caps)                                                      \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, " \
	"\"major\": 7}, \"package\": \"\"}, \"capabilities\": [" caps       \
	"]}}\r\n"
#define CAPS_OOB                                                        \
	"{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[" \
	"\"oob\"]},\"id\":1}\n"
#define EVENT(name, data)                                                  \
	"{\"timestamp\": {\"seconds\": 1700000000, \"microseconds\": 5}, " \
	"\"event\": \"" name "\", \"data\": {" data "}}\r\n"

static struct qmp_client *client;
static int peer;
static struct str story; /* what the callbacks saw */

struct request {
	struct qmp_slot slot;
	const char *name;
	bool closes;
	bool sends_again;
};

static void on_ready(struct qmp_client *at)
{
	str_addf(&story, "ready %u;", at->version);
}

static void on_lost(struct qmp_client *at UNUSED, const struct err *err)
{
	str_addf(&story, "lost %s;", err_code_name(err->code));
}

static const struct qmp_hooks hooks = { on_ready, on_lost };

static void shut(void)
{
	qmp_client_close(client);
	free(TAKE(client));
}

static void on_reply(
	struct qmp_slot *slot, json_t *result, const struct err *err)
{
	struct request *rq = container_of(slot, struct request, slot);

	if (result)
		str_addf(&story, "%s=%s;", rq->name,
			json_string_value(json_object_get(result, "v")));
	else
		str_addf(&story, "%s:%s;", rq->name, err_code_name(err->code));
	if (rq->sends_again) {
		rq->sends_again = false;
		qmp_send_steal(
			client, slot, QMP_COMMAND("again", NULL), on_reply);
	} else if (rq->closes) {
		shut();
	}
}

static void send_to(struct request *rq, const char *name)
{
	rq->name = name;
	qmp_send_steal(client, &rq->slot, QMP_COMMAND(name, NULL), on_reply);
}

static void say(const char *text)
{
	if (write(peer, text, strlen(text)) < 0)
		str_add(&story, "peer cannot write;");
}

static void settle(void)
{
	for (int i = 0; i < 20; i++)
		loop_turn(false);
}

/* What was sent since the last call. */
static const char *heard(void)
{
	static char text[65536];
	ssize_t len = read(peer, text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

/* What happened since the last call. */
static const char *happened(void)
{
	static char *last;

	settle();
	free(last);
	last = xstrdup(str_text(&story));
	str_cut(&story, 0);
	return last;
}

static void open_client(int64_t greeting_ms)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		return;
	client = NEW(struct qmp_client);
	peer = fds[1];
	qmp_client_open(client, fds[0], greeting_ms, &hooks, NULL);
}

static void close_client(void)
{
	if (client)
		shut();
	close(peer);
	str_cut(&story, 0);
}

static void open_ready(void)
{
	open_client(5000);
	say(GREETING("\"oob\"") "{\"return\": {}, \"id\": 1}\r\n");
	happened();
	heard();
}

static void test_greeting(void)
{
	struct request rq = { .name = "" };

	open_client(5000);
	is_str(heard(), CAPS_OOB, "capabilities go before the greeting");
	send_to(&rq, "early");
	is_str(heard(), "", "commands wait");
	say("{\"return\": {\"v\": \"guessed\"}, \"id\": 2}\r\n");
	is_str(happened(), "", "and have no reply before they left");
	say(GREETING("\"oob\""));
	is_str(happened(), "", "not ready yet");
	is_str(heard(), "{\"execute\":\"early\",\"id\":2}\n",
		"but the greeting lets commands go");
	say("{\"return\": {}, \"id\": 1}\r\n"
	    "{\"return\": {\"v\": \"x\"}, \"id\": 2}\r\n");
	is_str(happened(), "ready 70222;early=x;", "ready");
	ok(client->oob && client->ready, "with oob");
	say(GREETING("\"oob\""));
	is_str(happened(), "", "a second greeting is nothing");
	close_client();
}

static void test_no_oob(void)
{
	struct request rq = { .name = "" };

	open_client(5000);
	send_to(&rq, "early");
	say(EVENT("RESUME", "") GREETING(""));
	is_str(happened(), "", "no oob offered");
	heard();
	say("{\"id\": 1, \"error\": {\"class\": \"GenericError\", \"desc\": "
	    "\"no\"}}\r\n");
	happened();
	is_str(heard(), "{\"execute\":\"qmp_capabilities\",\"id\":3}\n",
		"refused: asked without it");
	say("{\"return\": {}, \"id\": 3}\r\n");
	is_str(happened(), "ready 70222;", "ready");
	ok(!client->oob, "without oob");
	is_str(heard(), "{\"execute\":\"early\",\"id\":2}\n",
		"then commands go");
	close_client();

	open_client(5000);
	say(GREETING("") "{\"error\": {}, \"id\": 1}\r\n"
			 "{\"error\": {}, \"id\": 2}\r\n");
	is_str(happened(), "lost QMP;", "refused twice: lost");
	close_client();
}

static void test_greeting_late(void)
{
	struct request rq = { .name = "" };

	open_client(1);
	send_to(&rq, "early");
	while (qmp_client_is_open(client))
		loop_turn(true);
	is_str(happened(), "early:TIMEOUT;lost TIMEOUT;", "no greeting");
	close_client();
	open_client(1);
	say(GREETING("\"oob\""));
	while (qmp_client_is_open(client))
		loop_turn(true);
	is_str(happened(), "lost TIMEOUT;", "no reply to capabilities");
	close_client();
}

static void test_ids(void)
{
	struct request a = { .name = "" }, b = { .name = "" };

	open_ready();
	send_to(&a, "a");
	send_to(&b, "b");
	is_str(heard(),
		"{\"execute\":\"a\",\"id\":2}\n{\"execute\":\"b\",\"id\":3}\n",
		"few bytes");
	say("{\"return\": {\"v\": \"?\"}, \"id\": 99}\r\n"
	    "{\"return\": {\"v\": \"?\"}, \"id\": \"2\"}\r\n"
	    "{\"return\": {\"v\": \"?\"}}\r\n"
	    "{\"error\": {\"class\": \"GenericError\", \"desc\": \"?\"}}\r\n"
	    "garbage\r\n{\"neither\": 1}\r\n{\"event\": 1}\r\n");
	is_str(happened(), "", "unknown ids are dropped");
	is_int((long)client->dropped, 7, "and counted");
	say("{\"return\": {\"v\": \"2\"}, \"id\": 3}\r\n"
	    "{\"return\": {\"v\": \"1\"}, \"id\": 2}\r\n");
	is_str(happened(), "b=2;a=1;", "replies match by id");
	say("{\"return\": {\"v\": \"2\"}, \"id\": 3}\r\n");
	is_str(happened(), "", "a second reply is dropped");
	send_to(&a, "a");
	qmp_cancel(&a.slot);
	qmp_cancel(&a.slot);
	say("{\"return\": {}, \"id\": 4}\r\n");
	is_str(happened(), "", "a cancelled slot hears nothing");
	is_int((long)client->dropped, 9, "both counted");
	is_int((long)client->commands, 4, "four commands were sent");
	close_client();
}

static struct err last_err;

static void keep_error(struct qmp_slot *slot UNUSED, json_t *result UNUSED,
	const struct err *err)
{
	last_err = *err;
}

static void refused(const char *error, enum err_code code, const char *text)
{
	struct request rq = { .name = "" };
	AUTO_STR struct str line = STR_INIT;

	open_ready();
	qmp_send_steal(client, &rq.slot, QMP_COMMAND("x", NULL), keep_error);
	str_addf(&line, "{\"error\": %s, \"id\": 2}\r\n", error);
	say(str_text(&line));
	settle();
	is_int(last_err.code, code, "error %s", error);
	is_str(last_err.text, text, "its text");
	close_client();
}

static void test_errors(void)
{
	struct request rq = { .name = "" };

	refused("{\"class\": \"GenericError\", "
		"\"desc\": \"Bus 'x' not found\"}",
		ERR_QMP, "Bus 'x' not found");
	refused("{\"class\": \"DeviceNotFound\", \"desc\": \"gone\"}",
		ERR_NOT_FOUND, "gone");
	refused("{\"class\": \"CommandNotFound\", \"desc\": \"what\"}",
		ERR_UNSUPPORTED, "what");
	refused("{\"desc\": \"a\\u001b[31mb\"}", ERR_QMP, "a\\x1b[31mb");
	refused("[]", ERR_QMP, "QEMU refused without a reason");

	open_ready();
	rq.name = "bad";
	qmp_send_steal(client, &rq.slot, QMP_COMMAND("\xc3(", NULL), on_reply);
	is_str(str_text(&story), "", "bad UTF-8 fails not within the call");
	is_str(happened(), "bad:CONFIG;", "but soon");
	close_client();
}

static void test_deadline(void)
{
	struct request rq = { .name = "slow" };

	open_ready();
	qmp_send_steal(
		client, &rq.slot, QMP_COMMAND_IN(1, "slow", NULL), on_reply);
	while (rq.slot.client)
		loop_turn(true);
	is_str(happened(), "slow:TIMEOUT;", "a deadline");
	say("{\"return\": {\"v\": \"late\"}, \"id\": 2}\r\n");
	is_str(happened(), "", "the late reply is dropped");
	is_int((long)client->dropped, 1, "and counted");
	ok(qmp_client_is_open(client), "the connection goes on");
	close_client();
}

static void test_loss(void)
{
	struct request rq[5] = { { .name = "" } };

	open_ready();
	rq[1].sends_again = true;
	send_to(&rq[0], "a");
	send_to(&rq[1], "b");
	send_to(&rq[2], "c");
	close(peer);
	is_str(happened(), "a:GONE;b:GONE;c:GONE;lost GONE;b:GONE;",
		"all fail once, in order; what is sent meanwhile, later");
	send_to(&rq[3], "d");
	is_str(str_text(&story), "", "sent when dead: not within the call");
	is_str(happened(), "d:GONE;", "but from the loop");
	send_to(&rq[3], "d");
	send_to(&rq[4], "e");
	is_str(happened(), "d:GONE;e:GONE;", "each of them");
	send_to(&rq[3], "d");
	close_client();
	settle();
	is_str(str_text(&story), "", "closed: forgotten without a reply");
	ok(!rq[3].slot.client, "and idle");

	open_ready();
	rq[1].closes = true;
	send_to(&rq[0], "a");
	send_to(&rq[1], "b");
	send_to(&rq[2], "c");
	close(peer);
	is_str(happened(), "a:GONE;b:GONE;", "closed while slots fail");
	ok(!client && !rq[2].slot.client, "the rest is forgotten");
	peer = -1;
	close_client();
}

static void test_caps(void)
{
	struct request rq = { .name = "" };

	open_ready();
	send_to(&rq, "a");
	say("{\"return\": ");
	for (int i = 0; i < 200; i++)
		say("[");
	is_str(happened(), "a:LIMIT;lost LIMIT;", "200 deep: lost");
	close_client();
}

static void test_close_in_reply(void)
{
	struct request rq[2] = { { .name = "" } };

	open_ready();
	rq[0].closes = true;
	send_to(&rq[0], "a");
	send_to(&rq[1], "b");
	say("{\"return\": {\"v\": \"1\"}, \"id\": 2}\r\n"
	    "{\"return\": {\"v\": \"2\"}, \"id\": 3}\r\n");
	is_str(happened(), "a=1;", "closed inside a reply");
	close_client();
}

/* ---- events ---- */

struct ear {
	struct qmp_sub sub;
	const char *name;
	struct ear *drops; /* unsubscribed at an event */
	bool closes;
	int heard;
};

static void on_event(struct qmp_sub *sub, const struct qmp_event *event)
{
	struct ear *ear = container_of(sub, struct ear, sub);

	ear->heard++;
	str_addf(&story, "%s<%s;", ear->name, event->name);
	if (ear->drops)
		qmp_unsubscribe(&ear->drops->sub);
	if (ear->closes)
		shut();
}

static void test_subscribers(void)
{
	struct ear a = { .name = "a" }, b = { .name = "b" },
		   c = { .name = "c" };

	open_ready();
	qmp_unsubscribe(&a.sub);
	qmp_subscribe(client, &a.sub, on_event);
	qmp_subscribe(client, &b.sub, on_event);
	qmp_subscribe(client, &c.sub, on_event);
	say(EVENT("STOP", ""));
	is_str(happened(), "a<STOP;b<STOP;c<STOP;", "all hear it");
	a.drops = &a;
	say(EVENT("STOP", "") EVENT("RESUME", ""));
	is_str(happened(), "a<STOP;b<STOP;c<STOP;b<RESUME;c<RESUME;",
		"one leaves itself");
	a.drops = &b;
	b.drops = NULL;
	qmp_unsubscribe(&b.sub);
	qmp_unsubscribe(&c.sub);
	qmp_subscribe(client, &a.sub, on_event);
	qmp_subscribe(client, &b.sub, on_event);
	qmp_subscribe(client, &c.sub, on_event);
	say(EVENT("STOP", ""));
	is_str(happened(), "a<STOP;c<STOP;", "one throws out the next");
	c.drops = &a;
	say(EVENT("STOP", "") EVENT("RESUME", ""));
	is_str(happened(), "a<STOP;c<STOP;c<RESUME;", "or one before");
	a.drops = NULL;
	a.closes = true;
	qmp_unsubscribe(&c.sub);
	qmp_subscribe(client, &a.sub, on_event);
	qmp_subscribe(client, &c.sub, on_event);
	say(EVENT("STOP", "") EVENT("STOP", ""));
	is_str(happened(), "a<STOP;", "or closes the client");
	qmp_unsubscribe(&c.sub);
	close_client();
}

static struct qmp_event last_event;
static char last_device[32];

static void keep_event(struct qmp_sub *sub UNUSED, const struct qmp_event *ev)
{
	last_event = *ev;
	snprintf(last_device, sizeof(last_device), "%s",
		qmp_event_string(ev, "device"));
}

static void test_event(void)
{
	struct qmp_sub sub = { .on_event = NULL };

	open_ready();
	qmp_subscribe(client, &sub, keep_event);
	say(EVENT("DEVICE_DELETED", "\"device\": \"d0\""));
	settle();
	is_int(last_event.type, QMP_EV_DEVICE_DELETED, "an event's type");
	is_str(last_device, "d0", "its data");
	ok(last_event.time_us == 1700000000000005, "its time");
	say("{\"event\": \"NEW\", \"timestamp\": {\"seconds\": "
	    "9223372036854775807, \"microseconds\": -1}}\r\n");
	settle();
	is_int(last_event.type, QMP_EV_OTHER, "an unknown event");
	is_int(last_event.time_us, 0, "an absurd time");
	ok(!last_event.data, "no data");
	close_client();
}

static void test_storm(void)
{
	static const char *const lasting[] = { "SHUTDOWN", "STOP", "RESUME",
		"GUEST_PANICKED", "DEVICE_DELETED", "JOB_STATUS_CHANGE",
		"BLOCK_JOB_COMPLETED" };
	struct ear ear = { .name = "x" };

	open_ready();
	qmp_subscribe(client, &ear.sub, on_event);
	for (int i = 0; i < 500; i++) {
		say(EVENT("RESET", "\"guest\": true"));
		if (i % 50 == 0)
			settle();
	}
	say(EVENT("WATCHDOG", "") EVENT("WATCHDOG", ""));
	while (client->events < 502)
		loop_turn(true);
	/* a second may have ended meanwhile: then twice as many */
	ok(ear.heard >= 202 && ear.heard <= 404, "a storm: %d of 502",
		ear.heard);
	is_int((long)client->coalesced, 502 - ear.heard, "the rest is counted");
	str_cut(&story, 0);
	for (size_t i = 0; i < 3 * NELEMS(lasting); i++) {
		AUTO_STR struct str line = STR_INIT;

		str_addf(&line, "{\"event\": \"%s\"}\n",
			lasting[i % NELEMS(lasting)]);
		say(str_text(&line));
	}
	ear.heard = 0;
	while (client->events < 502 + 21)
		loop_turn(true);
	is_int(ear.heard, 21, "what bears state is never dropped");
	close_client();
}

static void show(
	const struct qmp_client *at UNUSED, const char *sent, json_t *received)
{
	char *text = received ? json_dumps(received, JSON_COMPACT) : NULL;

	str_addf(&story, "%s%s", sent ? ">" : "<", sent ? sent : text);
	free(text);
}

static void test_tap(void)
{
	struct request rq = { .name = "" };

	open_ready();
	qmp_client_set_tap(show);
	send_to(&rq, "a");
	say("{\"return\": {\"v\": \"1\"}, \"id\": 2}\r\n");
	is_str(happened(),
		">{\"execute\":\"a\",\"id\":2}\n"
		"<{\"return\":{\"v\":\"1\"},\"id\":2}a=1;",
		"the tap sees both ways");
	qmp_client_set_tap(NULL);
	close_client();
}

static void test_arguments(void)
{
	struct request rq = { .name = "a" };
	AUTO_CLOSE int copy = -1;

	open_client(5000);
	heard();
	copy = dup(peer);
	qmp_send_steal(client, &rq.slot,
		&(struct qmp_command){
			"getfd", json_pack("{s:s}", "fdname", "x"), 0, copy },
		on_reply);
	fd_close(&copy);
	say(GREETING("\"oob\"") "{\"return\": {}, \"id\": 1}\r\n");
	is_str(happened(), "ready 70222;", "a descriptor held back");
	is_str(heard(),
		"{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"x\"},"
		"\"id\":2}\n",
		"goes with its command");
	close_client();
}

/* Who waits is told when the connection is given up, or opened anew. */
static void test_abandon(void)
{
	struct request rq[2] = { { .name = "" } };
	int fds[2];

	open_ready();
	send_to(&rq[0], "a");
	send_to(&rq[1], "b");
	qmp_client_abandon(client);
	is_str(happened(), "a:GONE;b:GONE;", "abandoned: all fail");
	send_to(&rq[0], "c");
	close(peer);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		return;
	peer = fds[1];
	qmp_client_open(client, fds[0], 60000, &hooks, NULL);
	is_str(happened(), "c:GONE;", "asked when closed: fails once");
	ok(!rq[0].slot.client, "and is idle");
	close_client();
}

int main(void)
{
	struct err err = ERR_INIT;
	struct qmp_client never = { .hooks = NULL };

	signal(SIGPIPE, SIG_IGN);
	if (loop_init(&err) < 0)
		return 1;
	qmp_client_close(&never);
	ok(!qmp_client_is_open(&never), "a zeroed client is closed");
	test_greeting();
	test_no_oob();
	test_greeting_late();
	test_ids();
	test_errors();
	test_deadline();
	test_loss();
	test_caps();
	test_close_in_reply();
	test_abandon();
	test_subscribers();
	test_event();
	test_storm();
	test_tap();
	test_arguments();
	str_fini(&story);
	loop_fini();
	return done();
}
