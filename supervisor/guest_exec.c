/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command in the guest; see guest_exec.h. */
#include "supervisor/guest_exec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/jstream.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/agent_ask.h"

#define CALL_MS   5000
#define AGAIN_MS  500
#define POLL_MS   100
#define FULL_MS   20
#define CHUNK     (48 * 1024) /* 64 KiB as base64, far below the agent's cap */
#define SILENT_MS 60000       /* the agent is gone */

/*
 * $0 is where the output goes.  noclobber: a file of that name that somebody
 * else made is not written to.
 */
static const char script[] = "umask 077; set -C; "
			     "exec >\"$0.out\" 2>\"$0.err\" </dev/null; "
			     "set +C; exec \"$@\"";

enum step {
	STEP_NONE,
	STEP_STATUS,
	STEP_OPEN,
	STEP_READ,
	STEP_REST,
	STEP_CLOSE,
	STEP_REMOVE
};

/* A file of the guest that has what the command wrote. */
struct stream {
	const char *suffix;
	int fd; /* ours: 1 or 2 */
	json_int_t handle;
	bool open;
};

struct guest_exec {
	struct job job;
	struct guest_exec_wish wish;
	struct guest_exec_end end;
	struct agent_ask ask;
	char base[48]; /* of the two files */
	struct stream streams[2];
	enum step step;
	size_t at;  /* stream in turn */
	size_t got; /* bytes that the last read brought */
	json_int_t pid;
	int64_t give_up_ms;
};

#define AGENT_CALL(x, command, args) \
	AGENT_ASK(&(x)->job, &(x)->ask, (command), (args), CALL_MS)

/* ---- the command ---- */

static json_t *words_of(char *const *argv)
{
	json_t *words = json_array();

	for (size_t i = 0; argv[i]; i++)
		json_array_append_new(words, json_string(argv[i]));
	return words;
}

static json_t *command_of(const struct guest_exec *x)
{
	json_t *words = words_of(x->wish.argv + (x->wish.windows ? 1 : 0));

	if (x->wish.windows)
		return json_pack("{s:s,s:o,s:b}", "path", x->wish.argv[0],
			"arg", words, "capture-output", 1);
	json_array_insert_new(words, 0, json_string(x->base));
	json_array_insert_new(words, 0, json_string(script));
	json_array_insert_new(words, 0, json_string("-c"));
	return json_pack("{s:s,s:o}", "path", "/bin/sh", "arg", words);
}

static struct stream *stream_of(struct guest_exec *x)
{
	return &x->streams[x->at];
}

static void put_out(struct guest_exec *x, int fd, const char *key)
{
	const char *text =
		json_string_value(json_object_get(x->ask.result, key));
	AUTO_STR struct str bytes = STR_INIT;

	if (!text || base64_decode(text, &bytes))
		return;
	x->got = bytes.len;
	if (bytes.len)
		x->wish.on_output(x->wish.arg, fd, str_text(&bytes), bytes.len);
}

/* ---- the steps while it runs: what is asked, what comes of it ---- */

static json_t *status_args(struct guest_exec *x)
{
	return json_pack("{s:I}", "pid", x->pid);
}

/* A refusal: the agent does not know it.  Silence: it may come to itself. */
static bool take_status(struct guest_exec *x)
{
	const json_t *code = json_object_get(x->ask.result, "exitcode");
	const json_t *number = json_object_get(x->ask.result, "signal");

	if (x->ask.err.code)
		return x->ask.err.code != ERR_GUEST &&
		       loop_now_ms() < x->give_up_ms;
	x->give_up_ms = loop_now_ms() + SILENT_MS;
	if (!json_is_true(json_object_get(x->ask.result, "exited")))
		return true;
	x->end.exited = true;
	x->end.status = json_is_integer(code)
				? (int)(json_integer_value(code) & 255)
				: 128 + (int)(json_integer_value(number) & 127);
	put_out(x, 1, "out-data");
	put_out(x, 2, "err-data");
	return true;
}

static json_t *open_args(struct guest_exec *x)
{
	AUTO_FREE char *path = xasprintf("%s%s", x->base, stream_of(x)->suffix);

	return json_pack("{s:s,s:s}", "path", path, "mode", "r");
}

/* No handle: the shell has not made the file yet. */
static bool take_handle(struct guest_exec *x)
{
	stream_of(x)->open = json_is_integer(x->ask.result);
	stream_of(x)->handle = json_integer_value(x->ask.result);
	return true;
}

static json_t *read_args(struct guest_exec *x)
{
	return json_pack(
		"{s:I,s:i}", "handle", stream_of(x)->handle, "count", CHUNK);
}

static bool take_bytes(struct guest_exec *x)
{
	x->got = 0;
	put_out(x, stream_of(x)->fd, "buf-b64");
	return true;
}

static json_t *close_args(struct guest_exec *x)
{
	return json_pack("{s:I}", "handle", stream_of(x)->handle);
}

static json_t *remove_args(struct guest_exec *x)
{
	AUTO_FREE char *out = xasprintf("%s.out", x->base);
	AUTO_FREE char *err = xasprintf("%s.err", x->base);

	return json_pack(
		"{s:s,s:[s,s,s]}", "path", "/bin/rm", "arg", "-f", out, err);
}

static bool take_nothing(struct guest_exec *x UNUSED)
{
	return true;
}

static const struct {
	const char *command;
	json_t *(*args)(struct guest_exec *x);
	bool (*take)(struct guest_exec *x); /* false: it is lost */
} steps[] = {
	[STEP_STATUS] = { "guest-exec-status", status_args, take_status },
	[STEP_OPEN] = { "guest-file-open", open_args, take_handle },
	[STEP_READ] = { "guest-file-read", read_args, take_bytes },
	[STEP_CLOSE] = { "guest-file-close", close_args, take_nothing },
	[STEP_REMOVE] = { "guest-exec", remove_args, take_nothing },
};

/* The stream in turn, or what follows the last one. */
static enum step stream_step(struct guest_exec *x)
{
	if (x->at < NELEMS(x->streams))
		return stream_of(x)->open ? STEP_READ : STEP_OPEN;
	x->at = 0;
	return !x->end.exited    ? STEP_REST
	       : x->wish.windows ? STEP_NONE
				 : STEP_CLOSE;
}

/* After its end all is read once more: what it wrote last. */
static enum step next_step(struct guest_exec *x)
{
	switch (x->step) {
	case STEP_STATUS:
		x->at = x->wish.windows ? NELEMS(x->streams) : 0;
		return stream_step(x);
	case STEP_OPEN:
		x->at += stream_of(x)->open ? 0 : 1;
		return stream_step(x);
	case STEP_READ:
		x->at += x->got ? 0 : 1;
		return stream_step(x);
	case STEP_REST:
		return STEP_STATUS;
	case STEP_CLOSE:
		return ++x->at < NELEMS(x->streams) ? STEP_CLOSE : STEP_REMOVE;
	case STEP_REMOVE:
	case STEP_NONE:
		break;
	}
	return STEP_NONE;
}

static bool is_full(const struct guest_exec *x)
{
	return x->wish.is_full(x->wish.arg);
}

static enum job_state fail_unborn(struct guest_exec *x)
{
	x->end.began = false;
	return job_fail(&x->job, ERR_GUEST, "the command never ran: %s",
		x->ask.err.code ? x->ask.err.text
				: "the guest's shell cannot write to /tmp");
}

static enum job_state exec_run(struct job *job)
{
	struct guest_exec *x = container_of(job, struct guest_exec, job);

	JOB_BEGIN(job);
	for (;;) {
		AGENT_CALL(x, "guest-ping", NULL);
		if (!x->ask.err.code)
			break;
		if (loop_now_ms() >= x->give_up_ms)
			return fail_unborn(x);
		JOB_AWAIT_OR_TIMEOUT(job, false, AGAIN_MS);
	}
	AGENT_CALL(x, "guest-exec", command_of(x));
	if (x->ask.err.code)
		return fail_unborn(x);
	x->pid = json_integer_value(json_object_get(x->ask.result, "pid"));
	x->end.began = true;
	x->give_up_ms = loop_now_ms() + SILENT_MS;
	for (x->step = STEP_STATUS; x->step; x->step = next_step(x)) {
		if (x->step == STEP_REST) {
			JOB_AWAIT_OR_TIMEOUT(job, false, POLL_MS);
			continue;
		}
		while (is_full(x))
			JOB_AWAIT_OR_TIMEOUT(job, false, FULL_MS);
		AGENT_CALL(x, steps[x->step].command, steps[x->step].args(x));
		if (!steps[x->step].take(x))
			return job_fail(job, ERR_GUEST,
				"lost sight of the command: %s",
				x->ask.err.text);
	}
	if (!x->wish.windows && !x->streams[0].open)
		return fail_unborn(x);
	JOB_END(job);
}

/*
 * Nobody waits for it any more: it is told to end, and what it wrote goes.
 * What cannot be said is lost with the guest.
 */
static json_t *end_args(const struct guest_exec *x)
{
	AUTO_FREE char *pid = xasprintf("%lld", (long long)x->pid);
	AUTO_FREE char *out = xasprintf("%s.out", x->base);
	AUTO_FREE char *err = xasprintf("%s.err", x->base);

	return json_pack("{s:s,s:[s,s,s,s,s]}", "path", "/bin/sh", "arg", "-c",
		"kill \"$0\"; rm -f \"$@\"", pid, out, err);
}

static enum job_state exec_undo(struct job *job)
{
	struct guest_exec *x = container_of(job, struct guest_exec, job);

	JOB_BEGIN(job);
	if (x->end.began && !x->end.exited && !x->wish.windows &&
		!x->wish.guest_ends)
		AGENT_CALL(x, "guest-exec", end_args(x));
	JOB_END(job);
}

static void exec_cleanup(struct job *job)
{
	struct guest_exec *x = container_of(job, struct guest_exec, job);

	agent_ask_fini(&x->ask);
	free(x);
}

static const struct job_kind exec_kind = { "exec", exec_run, exec_undo,
	exec_cleanup };

struct job *guest_exec_start(const struct guest_exec_wish *wish,
	const char *target, void (*on_end)(struct job *job, void *arg),
	void *arg)
{
	struct guest_exec *x = NEW(struct guest_exec);
	uint64_t token;

	if (sys_random(&token, sizeof(token)) < 0)
		token = sys_now_us();
	x->wish = *wish;
	snprintf(x->base, sizeof(x->base), "/tmp/vmward-%016" PRIx64, token);
	x->streams[0] = (struct stream){ ".out", 1, 0, false };
	x->streams[1] = (struct stream){ ".err", 2, 0, false };
	x->give_up_ms = loop_now_ms() + wish->patience_ms;
	job_start(&x->job, &exec_kind, target, on_end, arg);
	agent_ask_init(&x->ask, wish->agent, wish->path, &x->job);
	return &x->job;
}

const struct guest_exec_end *guest_exec_end(const struct job *job)
{
	return &container_of(job, struct guest_exec, job)->end;
}
