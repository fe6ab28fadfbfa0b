/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest agent as a hostile peer: whatever it says, one answer in time. */
#include "supervisor/agent.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sock.h"

#include "tests/unit/clock.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

#define PING "{\"execute\":\"guest-ping\"}"

static struct agent agent;
static int listener = -1;
static int guest = -1; /* the agent's end */
static char path[128];
static struct err err = ERR_INIT;

/* What came of the last call. */
static int answers;
static struct err answer_err;
static struct str answer = STR_INIT;
static bool call_again; /* from within the answer */

static void on_reply(struct agent *a, json_t *result, const struct err *why)
{
	static const struct agent_command ping = { PING, false, 1000 };
	struct err none = ERR_INIT;

	answers++;
	answer_err = why ? *why : none;
	str_cut(&answer, 0);
	if (result) {
		char *text = json_dumps(result, JSON_ENCODE_ANY | JSON_COMPACT);

		str_add(&answer, text);
		free(text);
	}
	if (call_again) {
		call_again = false;
		ok(agent_call(a, path, &ping, on_reply, NULL, &none) == 0,
			"an answer may begin the next call");
	}
}

/* Begins a call; the guest's end of the connection is open then. */
static void call(const char *text, bool no_reply, int64_t deadline_ms)
{
	struct agent_command command = { text, no_reply, deadline_ms };

	answers = 0;
	fd_close(&guest);
	if (agent_call(&agent, path, &command, on_reply, &listener, &err))
		ok(false, "agent_call: %s", err.text);
	guest = sys_accept(listener);
	clock_settle();
}

static void say_some(const char *text, size_t len)
{
	if (send(guest, text, len, MSG_NOSIGNAL) < 0)
		ok(false, "the agent cannot speak");
	clock_settle();
}

static void say(const char *text)
{
	say_some(text, strlen(text));
}

/* What was sent to the agent since the last time. */
static const char *told(void)
{
	static char text[4096];
	ssize_t got;

	clock_settle();
	got = recv(guest, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[got > 0 ? got : 0] = '\0';
	return text;
}

static int64_t sync_id(void)
{
	const char *text = told();
	const char *id = strstr(text, "\"id\":");

	return id && text[0] == '\xff' && strstr(text, "guest-sync-delimited")
		       ? (int64_t)str_digits(id + 5)
		       : -1;
}

/* Answers the sync; what is sent then is returned. */
static const char *answer_sync(void)
{
	char text[64];

	snprintf(text, sizeof(text), "\xff{\"return\": %" PRId64 "}\n",
		sync_id());
	say(text);
	return told();
}

static void is_answer(const char *want, const char *what)
{
	is_int(answers, 1, "%s: answered once", what);
	is_int(answer_err.code, ERR_NONE, "without an error");
	is_str(str_text(&answer), want, "with it");
	ok(!agent.busy, "and over");
}

static void is_failure(enum err_code code, const char *text, const char *what)
{
	is_int(answers, 1, "%s: answered once", what);
	is_int(answer_err.code, code, "with the right code");
	ok(strstr(answer_err.text, text), "and text (%s)", answer_err.text);
	ok(!agent.busy, "and over");
}

/* ---- well-behaved ones ---- */

static void test_good(void)
{
	call(PING, false, 5000);
	is_str(answer_sync(), PING "\n",
		"the command follows the answer to the sync");
	is_int(answers, 0, "no answer yet");
	say("{\"return\": {}}\n");
	is_answer("{}", "ping");
	call("{\"execute\":\"guest-exec\"}", false, 5000);
	answer_sync();
	say("{\"return\": {\"pid\"");
	is_int(answers, 0, "half an answer is none");
	say(": 7}}\n");
	is_answer("{\"pid\":7}", "in two parts");
	loop_sim_advance(60000);
	is_int(answers, 1, "its deadline is gone");
	call(PING, false, 5000);
	answer_sync();
	call_again = true;
	say("{\"return\": 1}\n");
	ok(agent.busy, "it is under way");
	agent_cancel(&agent);
	close(sys_accept(listener));
}

static void test_errors(void)
{
	call(PING, false, 5000);
	answer_sync();
	say("{\"error\": {\"class\": \"X\", \"desc\": \"no such file\"}}\n");
	is_failure(ERR_GUEST, "guest agent: no such file", "an error");
}

/* guest-shutdown has no answer: written is done. */
static void test_no_reply(void)
{
	call("{\"execute\":\"guest-shutdown\"}", true, 5000);
	is_str(answer_sync(), "{\"execute\":\"guest-shutdown\"}\n", "sent");
	is_answer("", "a command without answer");
	call("{\"execute\":\"guest-shutdown\"}", true, 5000);
	fd_close(&guest);
	clock_settle();
	is_failure(ERR_GONE, "guest agent: ", "gone before the sync");
}

/* ---- what is there before the sync ---- */

static void test_stale(void)
{
	char text[64];
	int64_t id;

	call(PING, false, 5000);
	say("{\"return\": {\"stale\": true}}\n");
	say("{\"error\": {\"desc\": \"stale\"}}\n");
	say("{\"return\": 0}\n{\"return\": 12345}\n");
	say("garbage \x01\x80 [1, 2]\n\"text\"\n");
	say("{\"return\": {\"half\": [1, \"str");
	id = sync_id();
	is_int(answers, 0, "leftovers of strangers are no answers");
	snprintf(text, sizeof(text), "\xff{\"return\": %" PRId64 "}\n", id);
	say(text);
	is_str(told(), PING "\n", "a 0xFF ends half an answer");
	say("{\"return\": \"mine\"}\n");
	is_answer("\"mine\"", "then the real one");

	call(PING, false, 5000);
	id = sync_id();
	snprintf(text, sizeof(text), "{\"return\": %" PRId64 "}\n", id + 1);
	say(text);
	is_str(told(), "", "another number is no answer to our sync");
	snprintf(text, sizeof(text), "{\"return\": \"%" PRId64 "\"}\n", id);
	say(text);
	is_str(told(), "", "nor is it as text");
	snprintf(text, sizeof(text), "{\"return\": %" PRId64 ".0}\n", id);
	say(text);
	is_str(told(), "", "nor with a fraction");
	snprintf(text, sizeof(text), "{\"return\": %" PRId64 "}\n",
		id - INT64_C(4294967296));
	say(text);
	is_str(told(), "", "nor 2^32 below it");
	snprintf(text, sizeof(text), "{\"return\": %" PRId64 "}\n", id);
	say(text);
	is_str(told(), PING "\n", "but the number without 0xFF is");
	agent_cancel(&agent);
}

/* ---- wrong types ---- */

static void answers_with(const char *text, enum err_code code, const char *want)
{
	call(PING, false, 5000);
	answer_sync();
	say(text);
	if (answers == 0)
		loop_sim_advance(5000);
	is_int(answers, 1, "%.*s", (int)strcspn(text, "\n"), text);
	is_int(answer_err.code, code, "its code");
	if (code)
		ok(strstr(answer_err.text, want), "%s", answer_err.text);
	else
		is_str(str_text(&answer), want, "its result");
}

static void test_types(void)
{
	answers_with("{\"return\": null}", ERR_NONE, "null");
	answers_with("{\"return\": [[]]}", ERR_NONE, "[[]]");
	answers_with("{\"error\": null}", ERR_GUEST, "unknown error");
	answers_with("{\"error\": \"text\"}", ERR_GUEST, "unknown error");
	answers_with("{\"error\": 7}", ERR_GUEST, "unknown error");
	answers_with("{\"error\": []}", ERR_GUEST, "unknown error");
	answers_with("{\"error\": {\"desc\": 7}}", ERR_GUEST, "unknown error");
	answers_with("{\"error\": {\"desc\": {}}}", ERR_GUEST, "unknown error");
	answers_with("{\"error\": {}}", ERR_GUEST, "unknown error");
	answers_with("{}", ERR_TIMEOUT, "no answer to the command");
	answers_with("{\"event\": \"X\"}", ERR_TIMEOUT, "no answer");
	answers_with("[1]\n", ERR_TIMEOUT, "no answer");
	answers_with("7\n", ERR_TIMEOUT, "no answer");
	answers_with("{\"return\": 1, \"return\": 2}", ERR_TIMEOUT,
		"no answer"); /* a member twice is no JSON of ours */
	answers_with("{\"return\": \"\xc3\x28\"}", ERR_TIMEOUT, "no answer");
}

/* ---- silence, floods, hanging up ---- */

static void test_silence(void)
{
	call(PING, false, 5000);
	loop_sim_advance(4999);
	is_int(answers, 0, "patience");
	loop_sim_advance(1);
	is_failure(ERR_TIMEOUT, "it does not answer", "no answer to the sync");
	call(PING, false, 5000);
	loop_sim_advance(3000);
	answer_sync();
	loop_sim_advance(2000);
	is_failure(ERR_TIMEOUT, "no answer to the command", "no answer");
	call(PING, false, 5000);
	agent_cancel(&agent);
	agent_cancel(&agent);
	loop_sim_advance(60000);
	is_int(answers, 0, "a forgotten call never answers");
}

static void test_hang_up(void)
{
	call(PING, false, 5000);
	fd_close(&guest);
	clock_settle();
	is_failure(ERR_GONE, "reset by peer", "without reading");
	call(PING, false, 5000);
	ok(sync_id() > 0, "(read)");
	fd_close(&guest);
	clock_settle();
	is_failure(ERR_GONE, "it closed the connection", "before the sync");
	call(PING, false, 5000);
	answer_sync();
	say("{\"return\": {\"a\": ");
	fd_close(&guest);
	clock_settle();
	is_failure(ERR_GONE, "closed within a message", "within an answer");
	call(PING, false, 5000);
	answer_sync();
	fd_close(&guest);
	clock_settle();
	is_failure(ERR_GONE, "closed the connection", "before the answer");
}

static void test_floods(void)
{
	static char much[300000];
	size_t sent = 0;

	memset(much, 'x', sizeof(much));
	call(PING, false, 5000);
	for (int i = 0; i < 1000 && answers == 0; i++) {
		ssize_t put = send(guest, "{\"return\": 1}\n", 14,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		sent += put > 0 ? (size_t)put : 0;
		clock_settle();
	}
	is_failure(ERR_LIMIT, "talks without answering", "a flood");
	ok(sent < 1000, "most of it is not even read (%zu bytes)", sent);
	memset(much, ' ', sizeof(much));
	call(PING, false, 5000);
	for (int i = 0; i < 8 && answers == 0; i++)
		say_some(much, sizeof(much));
	is_failure(ERR_GONE, "more than 1048576 bytes", "blanks without end");
	call(PING, false, 5000);
	for (int i = 0; i < 60; i++)
		say("{\"return\": 1}\n");
	is_int(answers, 0, "some stale answers do no harm");
	answer_sync();
	say("{\"return\": {}}\n");
	is_answer("{}", "the call goes on behind them");
	memset(much, 'x', sizeof(much));
	memcpy(much, "{\"return\": \"", 12);
	call(PING, false, 5000);
	answer_sync();
	for (size_t at = 0; at < sizeof(much) && answers == 0; at += 50000) {
		say_some(much + at, 50000);
	}
	is_failure(ERR_GONE, "", "an answer of 300 kB");
	memset(much, '[', sizeof(much));
	call(PING, false, 5000);
	answer_sync();
	say_some(much, 1000);
	is_failure(ERR_GONE, "deeper than 16", "one that nests deep");
}

/* ---- the call itself ---- */

static void test_calls(void)
{
	struct agent_command ping = { PING, false, 1000 };

	call(PING, false, 5000);
	is_int(agent_call(&agent, path, &ping, on_reply, NULL, &err), -1,
		"a second call at once");
	is_int(err.code, ERR_BUSY, "is refused");
	ok(agent.owner == &listener, "and the first one stays");
	agent_cancel(&agent);
	is_int(agent_call(&agent, temp_path("nothing"), &ping, on_reply, NULL,
		       &err),
		-1, "no socket");
	is_int(err.code, ERR_UNREACHABLE, "is unreachable");
	ok(!agent.busy, "and nothing is under way");
	answers = 0;
	loop_sim_advance(60000);
	is_int(answers, 0, "nor answered");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	temp_make();
	clock_start();
	snprintf(path, sizeof(path), "%s", temp_path("agent"));
	listener = sock_listen(path, 0600, 8, &err);
	test_good();
	test_errors();
	test_no_reply();
	test_stale();
	test_types();
	test_silence();
	test_hang_up();
	test_floods();
	test_calls();
	fd_close(&guest);
	fd_close(&listener);
	str_fini(&answer);
	loop_sim_end();
	return done();
}
