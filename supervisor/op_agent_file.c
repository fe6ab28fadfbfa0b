/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files into the guest and out of it, by its agent.  Into a guest with a shell
 * a file is written beside its name and renamed, so that nobody there sees
 * half of it; what the guest says of sizes is believed for the progress alone.
 */
#include "supervisor/op_agent.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/agent_ask.h"
#include "supervisor/guest_program.h"

#define CALL_MS 10000
#define CHUNK   (48 * 1024) /* 64 KiB as base64, far below the agent's cap */

#define IS_DIRECTORY 21

/* $0: the file beside, $1: its name, $2: its mode. */
static const char place[] = "[ ! -d \"$1\" ] || exit 21; "
			    "chmod \"$2\" \"$0\" && mv -f \"$0\" \"$1\"";
/* Mode and size of $0; nothing where there is no stat. */
static const char look[] = "exec stat -L -c '%a %s' \"$0\"";

struct copy {
	struct job job;
	struct vm *vm;
	struct agent_ask ask;
	int fd;
	char *path;
	char *here;
	char *mode;
	char *beside; /* what is opened: path, or a name beside it */
	int64_t wait_ms;
	/* A job of its own that was begun. */
	bool step_ended;
	struct err step_err;
	int status;
	/* The guest's file. */
	json_int_t handle;
	bool is_open;
	bool eof;
	uint64_t at;    /* bytes copied */
	uint64_t total; /* or 0 */
	struct str chunk;
	size_t done; /* bytes of it that the guest took */
};

static bool is_windows(const struct copy *op)
{
	return op->vm->running && op->vm->running->vm.os == OS_WINDOWS;
}

static enum job_state fail_guest(
	struct copy *op, const struct err *why, const char *what)
{
	return job_fail(&op->job, why->code, "cannot %s '%s' in the guest: %s",
		what, op->path, why->text);
}

/* ---- jobs of their own ---- */

static void on_reached(struct job *job, void *arg)
{
	struct copy *op = arg;

	op->step_ended = true;
	op->step_err = job->err;
}

static void start_reach(struct copy *op)
{
	op->step_ended = false;
	op_agent_reach_begin(op->vm, op->wait_ms, &op->job, on_reached, op);
}

/* "644 1234" of a file that is pulled. */
static void take_look(struct copy *op, const char *said)
{
	size_t n = strspn(said, "01234567");

	if (n == 0 || n > 4 || said[n] != ' ')
		return;
	free(op->mode);
	op->mode = xasprintf("%.*s", (int)n, said);
	op->total = str_digits(said + n + 1);
}

static void on_program(struct job *job, void *arg)
{
	struct copy *op = arg;

	on_reached(job, arg);
	op->status = job->err.code ? -1 : guest_program_status(job);
	if (!op->status)
		take_look(op, guest_program_said(job));
}

static void start_program(
	struct copy *op, const char *script, struct job *parent)
{
	const char *const argv[] = { "/bin/sh", "-c", script, op->beside,
		op->path, op->mode, NULL };

	op->step_ended = false;
	guest_program_begin(op->vm, argv, parent, on_program, op);
}

/* ---- the file in the guest ---- */

static json_t *open_args(const struct copy *op, const char *mode)
{
	return json_pack("{s:s,s:s}", "path", op->beside, "mode", mode);
}

static json_t *handle_args(const struct copy *op)
{
	return json_pack("{s:I}", "handle", op->handle);
}

static bool take_handle(struct copy *op)
{
	op->is_open = !op->ask.err.code && json_is_integer(op->ask.result);
	op->handle = json_integer_value(op->ask.result);
	if (!op->ask.err.code && !op->is_open)
		err_set(&op->ask.err, ERR_GUEST,
			"guest agent: it gives no handle");
	return op->is_open;
}

static bool take_close(struct copy *op)
{
	op->is_open = false;
	return !op->ask.err.code;
}

/* ---- into the guest ---- */

/* The next bytes to send; false at the end, or the job failed. */
static bool read_here(struct copy *op)
{
	char buf[CHUNK];
	ssize_t n;

	if (op->done < op->chunk.len)
		return true;
	str_cut(&op->chunk, 0);
	op->done = 0;
	n = sys_pread(op->fd, buf, sizeof(buf), (off_t)op->at);
	if (n < 0) {
		struct err err = ERR_INIT;

		err_os(&err, "cannot read '%s'", op->here);
		job_fail_err(&op->job, &err);
	}
	if (n <= 0)
		return false;
	str_addn(&op->chunk, buf, (size_t)n);
	return true;
}

static json_t *write_args(const struct copy *op)
{
	AUTO_STR struct str text = STR_INIT;

	base64_encode(
		op->chunk.data + op->done, op->chunk.len - op->done, &text);
	return json_pack(
		"{s:I,s:s}", "handle", op->handle, "buf-b64", str_text(&text));
}

/* So much of the chunk is there; a guest that says nonsense is not heard. */
static bool take_written(struct copy *op)
{
	json_int_t n =
		json_integer_value(json_object_get(op->ask.result, "count"));

	if (op->ask.err.code)
		return false;
	if (n <= 0 || (uint64_t)n > op->chunk.len - op->done) {
		err_set(&op->ask.err, ERR_GUEST,
			"guest agent: it says that it wrote %lld bytes of %zu",
			(long long)n, op->chunk.len - op->done);
		return false;
	}
	op->done += (size_t)n;
	op->at += (uint64_t)n;
	vm_job_bytes(op->vm, &op->job, op->at,
		op->total > op->at ? op->total : op->at);
	return true;
}

static bool put_in_place(struct copy *op)
{
	if (op->step_err.code)
		fail_guest(op, &op->step_err, "put in place");
	else if (op->status == IS_DIRECTORY)
		job_fail(&op->job, ERR_GUEST,
			"'%s' is a directory in the guest: name the file",
			op->path);
	else if (op->status)
		job_fail(&op->job, ERR_GUEST,
			"cannot put '%s' in place in the guest: chmod or mv "
			"failed there (exit %d)",
			op->path, op->status);
	return !op->job.err.code;
}

static enum job_state push_run(struct job *job)
{
	struct copy *op = container_of(job, struct copy, job);

	JOB_BEGIN(job);
	start_reach(op);
	JOB_AWAIT(job, op->step_ended, JOB_FOREVER); /* a job of its own */
	if (op->step_err.code)
		return job_fail_err(job, &op->step_err);
	AGENT_ASK(
		job, &op->ask, "guest-file-open", open_args(op, "w"), CALL_MS);
	if (!take_handle(op))
		return fail_guest(op, &op->ask.err, "make");
	while (read_here(op)) {
		AGENT_ASK(job, &op->ask, "guest-file-write", write_args(op),
			CALL_MS);
		if (!take_written(op))
			return fail_guest(op, &op->ask.err, "write");
	}
	if (job->err.code)
		return JOB_ENDS;
	AGENT_ASK(job, &op->ask, "guest-file-flush", handle_args(op), CALL_MS);
	if (op->ask.err.code)
		return fail_guest(op, &op->ask.err, "write");
	AGENT_ASK(job, &op->ask, "guest-file-close", handle_args(op), CALL_MS);
	if (!take_close(op))
		return fail_guest(op, &op->ask.err, "write");
	if (!is_windows(op)) {
		start_program(op, place, job);
		JOB_AWAIT(job, op->step_ended, JOB_FOREVER); /* its own */
		if (!put_in_place(op))
			return JOB_ENDS;
	}
	JOB_END(job);
}

/* What is beside goes, as far as the agent still does what it is told. */
static enum job_state push_undo(struct job *job)
{
	struct copy *op = container_of(job, struct copy, job);

	JOB_BEGIN(job);
	if (op->is_open) {
		AGENT_ASK(job, &op->ask, "guest-file-close", handle_args(op),
			CALL_MS);
		take_close(op);
	}
	if (op->handle && !is_windows(op)) {
		start_program(op, "rm -f \"$0\"", job);
		JOB_AWAIT(job, op->step_ended, JOB_FOREVER); /* its own */
	}
	JOB_END(job);
}

/* ---- out of it ---- */

static json_t *read_args(const struct copy *op)
{
	return json_pack("{s:I,s:i}", "handle", op->handle, "count", CHUNK);
}

/* Writes what came to our file; false: the job failed. */
static bool take_read(struct copy *op)
{
	const json_t *result = op->ask.result;
	const char *text =
		json_string_value(json_object_get(result, "buf-b64"));
	struct err err = ERR_INIT;

	str_cut(&op->chunk, 0);
	if (op->ask.err.code) {
		fail_guest(op, &op->ask.err, "read");
		return false;
	}
	if (!text || base64_decode(text, &op->chunk)) {
		err_set(&err, ERR_GUEST, "guest agent: that is no base64");
		fail_guest(op, &err, "read");
		return false;
	}
	op->eof = op->chunk.len == 0;
	for (op->done = 0; op->done < op->chunk.len;) {
		ssize_t n = sys_pwrite(op->fd, op->chunk.data + op->done,
			op->chunk.len - op->done, (off_t)op->at);

		if (n <= 0) {
			err_os(&err, "cannot write '%s'", op->here);
			job_fail_err(&op->job, &err);
			return false;
		}
		op->done += (size_t)n;
		op->at += (uint64_t)n;
	}
	vm_job_bytes(op->vm, &op->job, op->at,
		op->total > op->at ? op->total : op->at);
	return true;
}

static enum job_state pull_run(struct job *job)
{
	struct copy *op = container_of(job, struct copy, job);

	JOB_BEGIN(job);
	start_reach(op);
	JOB_AWAIT(job, op->step_ended, JOB_FOREVER); /* a job of its own */
	if (op->step_err.code)
		return job_fail_err(job, &op->step_err);
	if (!is_windows(op)) {
		start_program(op, look, job);
		JOB_AWAIT(job, op->step_ended, JOB_FOREVER); /* its own */
	}
	AGENT_ASK(
		job, &op->ask, "guest-file-open", open_args(op, "r"), CALL_MS);
	if (!take_handle(op))
		return fail_guest(op, &op->ask.err, "open");
	while (!op->eof) {
		AGENT_ASK(job, &op->ask, "guest-file-read", read_args(op),
			CALL_MS);
		if (!take_read(op))
			return JOB_ENDS;
	}
	AGENT_ASK(job, &op->ask, "guest-file-close", handle_args(op), CALL_MS);
	take_close(op);
	JOB_END(job);
}

static enum job_state pull_undo(struct job *job)
{
	struct copy *op = container_of(job, struct copy, job);

	JOB_BEGIN(job);
	if (op->is_open)
		AGENT_ASK(job, &op->ask, "guest-file-close", handle_args(op),
			CALL_MS);
	JOB_END(job);
}

/* ---- both ---- */

static void copy_cleanup(struct job *job)
{
	struct copy *op = container_of(job, struct copy, job);

	agent_ask_fini(&op->ask);
	fd_close(&op->fd);
	str_fini(&op->chunk);
	free(op->path);
	free(op->here);
	free(op->mode);
	free(op->beside);
	free(op);
}

static struct copy *copy_begin(struct vm *vm, const struct job_kind *kind,
	const struct op_agent_file *file, op_end_fn *on_end, void *arg)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "agent");
	struct copy *op = NEW(struct copy);

	op->vm = vm;
	op->fd = file->fd;
	op->path = xstrdup(file->path);
	op->here = xstrdup(file->here);
	op->mode = xstrdup(file->mode);
	op->wait_ms = file->wait_ms;
	job_start(&op->job, kind, vm->name, on_end, arg);
	agent_ask_init(&op->ask, &vm->agent, path, &op->job);
	return op;
}

struct job *op_agent_push_begin(struct vm *vm, const struct op_agent_file *file,
	op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "agent-push", push_run, push_undo,
		copy_cleanup };
	struct copy *op = copy_begin(vm, &kind, file, on_end, arg);
	uint64_t token;
	struct stat st;

	if (sys_random(&token, sizeof(token)) < 0)
		token = sys_now_us();
	op->beside = is_windows(op) ? xstrdup(op->path)
				    : xasprintf("%s.vmward-%08" PRIx64,
					      op->path, token & 0xffffffff);
	if (!sys_fstat(op->fd, &st))
		op->total = (uint64_t)st.st_size;
	return &op->job;
}

struct job *op_agent_pull_begin(struct vm *vm, const struct op_agent_file *file,
	op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "agent-pull", pull_run, pull_undo,
		copy_cleanup };
	struct copy *op = copy_begin(vm, &kind, file, on_end, arg);

	op->beside = xstrdup(op->path);
	return &op->job;
}

json_t *op_agent_file_result(const struct job *job)
{
	const struct copy *op = container_of(job, struct copy, job);

	return json_pack(
		"{s:I,s:s}", "bytes", (json_int_t)op->at, "mode", op->mode);
}
