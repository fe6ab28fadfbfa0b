/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp/call: a job that speaks QMP, with a peer in this process that answers
 * every command by the next line of a list.
 */
#include "qmp/call.h"

#include <signal.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "tests/unit/qmp_peer.h"
#include "tests/unit/tap.h"

struct op {
	struct job job;
	struct qmp_call call;
	struct qmp_call other;
	struct qmp_client *client;
	struct str seen;
	bool bad_text;
	bool ended;
	struct err err;
	struct err undo_err;
};

static struct op one;
static struct qmp_client client;

static void note(struct op *op)
{
	if (op->call.result)
		str_addf(&op->seen, "%s;",
			json_string_value(
				json_object_get(op->call.result, "v")));
	else
		str_addf(&op->seen, "%s;", op->call.err.text);
}

static enum job_state op_run(struct job *job)
{
	struct op *op = container_of(job, struct op, job);

	JOB_BEGIN(job);
	QMP_CALL(job, &op->call, op->client, "first", NULL);
	note(op);
	QMP_TRY(job, &op->call, op->client, "second",
		qmp_call_pack(
			job, "{s:s}", "name", op->bad_text ? "\xc3(" : "x"));
	note(op);
	QMP_CALL(job, &op->call, op->client, "third", NULL);
	note(op);
	JOB_END(job);
}

static enum job_state op_undo(struct job *job)
{
	struct op *op = container_of(job, struct op, job);

	JOB_BEGIN(job);
	str_add(&op->seen, "undo;");
	QMP_CALL(job, &op->call, op->client, "undo", NULL);
	note(op);
	JOB_END(job);
}

/* Leaves the call of the body alone. */
static enum job_state op_undo_beside(struct job *job)
{
	struct op *op = container_of(job, struct op, job);

	JOB_BEGIN(job);
	QMP_CALL(job, &op->other, op->client, "undo", NULL);
	JOB_END(job);
}

static void op_cleanup(struct job *job)
{
	struct op *op = container_of(job, struct op, job);

	qmp_call_fini(&op->call);
	qmp_call_fini(&op->other);
	op->err = job->err;
	op->undo_err = job->undo_err;
	op->ended = true;
}

static const struct job_kind plain = { "op", op_run, NULL, op_cleanup };
static const struct job_kind undoing = { "op", op_run, op_undo, op_cleanup };

static const struct job_kind beside = { "op", op_run, op_undo_beside,
	op_cleanup };

static void run(
	const struct job_kind *kind, const char *const *lines, bool bad_text)
{
	str_fini(&one.seen);
	one = (struct op){ .client = &client, .bad_text = bad_text };
	peer_open(&client, NULL, lines);
	job_start(&one.job, kind, "web", NULL, NULL);
	while (!one.ended)
		loop_turn(true);
	peer_close(&client);
}

static void test_results(void)
{
	static const char *const lines[] = { "{\"return\":{}}",
		"{\"return\":{\"v\":\"1\"}}", "{\"error\":{\"desc\":\"no\"}}",
		"{\"return\":{\"v\":\"3\"}}", NULL };
	run(&plain, lines, false);

	is_str(str_text(&one.seen), "1;second: no;3;",
		"a call that may fail goes on");
	is_int(one.err.code, ERR_NONE, "the job is well");
}

static void test_failure(void)
{
	static const char *const lines[] = { "{\"return\":{}}",
		"{\"return\":{\"v\":\"1\"}}", "{\"return\":{\"v\":\"2\"}}",
		"{\"error\":{\"class\":\"DeviceNotFound\",\"desc\":\"no\"}}",
		"{\"return\":{\"v\":\"4\"}}", NULL };
	run(&undoing, lines, false);

	is_str(str_text(&one.seen), "1;2;undo;4;", "undone");
	is_int(one.err.code, ERR_NOT_FOUND, "a refusal fails the job");
	is_str(one.err.text, "third: no", "and names the command");
	is_int(one.undo_err.code, ERR_NONE, "undo was well");
}

static void test_undo_failure(void)
{
	static const char *const lines[] = { "{\"return\":{}}",
		"{\"error\":{\"desc\":\"no\"}}",
		"{\"error\":{\"desc\":\"no more\"}}", NULL };
	run(&undoing, lines, false);

	is_str(one.err.text, "first: no", "the first error is kept");
	is_str(one.undo_err.text, "undo: no more", "undo has its own");
}

static void test_bad_text(void)
{
	static const char *const lines[] = { "{\"return\":{}}",
		"{\"return\":{\"v\":\"1\"}}", "{\"return\":{\"v\":\"2\"}}",
		NULL };
	run(&plain, lines, true);

	is_str(str_text(&one.seen), "1;", "bad UTF-8 is not sent");
	is_int((long)client.commands, 2, "nor anything instead");
	is_int(one.err.code, ERR_CONFIG, "but fails the job: %s", one.err.text);
}

static void test_loss(void)
{
	static const char *const lines[] = { "{\"return\":{}}",
		"{\"return\":{\"v\":\"1\"}}", "hang up", NULL };
	run(&undoing, lines, false);

	is_int(one.err.code, ERR_GONE, "loss fails the job");
	is_int(one.undo_err.code, ERR_GONE, "and its undo");
}

static void start(const struct job_kind *kind, struct qmp_client *at)
{
	str_fini(&one.seen);
	one = (struct op){ .client = at };
	job_start(&one.job, kind, "web", NULL, NULL);
}

static void await_end(void)
{
	while (!one.ended)
		loop_turn(true);
}

static void test_no_client(void)
{
	start(&undoing, NULL);
	await_end();
	is_str(one.err.text, "first: the monitor connection is closed",
		"no client at all");
}

static void test_cancel(void)
{
	static const char *const lines[] = { "{\"return\":{}}", NULL };

	peer_open(&client, NULL, lines);
	start(&plain, &client);
	while (!one.call.slot.sent)
		loop_turn(true);
	job_cancel(&one.job);
	await_end();
	is_int(one.err.code, ERR_CANCELLED, "cancelled while waiting");
	ok(!one.call.slot.client, "its slot is free");
	peer_close(&client);
}

static void test_late_refusal(void)
{
	static const char *const lines[] = { "{\"return\":{}}",
		"{\"error\":{\"desc\":\"late\"}}", "{\"return\":{}}", NULL };

	peer_open(&client, NULL, lines);
	start(&beside, &client);
	while (!one.call.slot.sent)
		loop_turn(true);
	jstream_pause(&peer, true);
	job_cancel(&one.job);
	while (!one.other.slot.sent)
		loop_turn(true);
	jstream_pause(&peer, false);
	await_end();
	is_int(one.undo_err.code, ERR_NONE,
		"a late refusal is none of the undo's");
	peer_close(&client);
}

int main(void)
{
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	if (loop_init(&err) < 0)
		return 1;
	test_results();
	test_failure();
	test_undo_failure();
	test_bad_text();
	test_loss();
	test_no_client();
	test_cancel();
	test_late_refusal();
	str_fini(&one.seen);
	str_fini(&peer_heard);
	loop_fini();
	return done();
}
