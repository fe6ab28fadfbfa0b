/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small program in the guest; see guest_program.h. */
#include "supervisor/guest_program.h"

#include "base/base64.h"
#include "base/mem.h"
#include "supervisor/agent_ask.h"

#define CALL_MS 10000
#define POLL_MS 20
#define ENDS_MS 60000

struct program {
	struct job job;
	struct agent_ask ask;
	json_t *args;
	json_int_t pid;
	int64_t until_ms;
	int status;
	struct str said;
};

static json_t *args_of(const char *const *argv)
{
	json_t *words = json_array();

	for (size_t i = 1; argv[i]; i++)
		json_array_append_new(words, json_string(argv[i]));
	return json_pack("{s:s,s:o,s:b}", "path", argv[0], "arg", words,
		"capture-output", 1);
}

/* False: it runs on. */
static bool take_end(struct program *op)
{
	const json_t *result = op->ask.result;
	const json_t *code = json_object_get(result, "exitcode");
	const json_t *number = json_object_get(result, "signal");
	const char *text =
		json_string_value(json_object_get(result, "out-data"));

	if (!json_is_true(json_object_get(result, "exited")))
		return false;
	op->status = json_is_integer(code)
			     ? (int)(json_integer_value(code) & 255)
			     : 128 + (int)(json_integer_value(number) & 127);
	if (text && base64_decode(text, &op->said))
		str_cut(&op->said, 0);
	return true;
}

static enum job_state program_run(struct job *job)
{
	struct program *op = container_of(job, struct program, job);

	JOB_BEGIN(job);
	AGENT_ASK(job, &op->ask, "guest-exec", TAKE(op->args), CALL_MS);
	if (op->ask.err.code)
		return job_fail_err(job, &op->ask.err);
	op->pid = json_integer_value(json_object_get(op->ask.result, "pid"));
	op->until_ms = loop_now_ms() + ENDS_MS;
	for (;;) {
		AGENT_ASK(job, &op->ask, "guest-exec-status",
			json_pack("{s:I}", "pid", op->pid), CALL_MS);
		if (op->ask.err.code)
			return job_fail_err(job, &op->ask.err);
		if (take_end(op))
			return JOB_ENDS;
		if (loop_now_ms() >= op->until_ms)
			return job_fail(job, ERR_TIMEOUT,
				"a program in the guest does not end");
		JOB_AWAIT_OR_TIMEOUT(job, false, POLL_MS);
	}
	JOB_END(job);
}

static void program_cleanup(struct job *job)
{
	struct program *op = container_of(job, struct program, job);

	agent_ask_fini(&op->ask);
	json_decref(op->args);
	str_fini(&op->said);
	free(op);
}

struct job *guest_program_begin(struct vm *vm, const char *const *argv,
	struct job *parent, op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "agent-program", program_run,
		NULL, program_cleanup };
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "agent");
	struct program *op = NEW(struct program);

	op->args = args_of(argv);
	job_start(&op->job, &kind, vm->name, on_end, arg);
	op->job.parent = parent;
	agent_ask_init(&op->ask, &vm->agent, path, &op->job);
	return &op->job;
}

int guest_program_status(const struct job *job)
{
	return container_of(job, struct program, job)->status;
}

const char *guest_program_said(const struct job *job)
{
	return str_text(&container_of(job, struct program, job)->said);
}
