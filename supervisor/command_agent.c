/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agent ping, info, exec, push, pull, freeze, thaw and the like. */
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/commands.h"
#include "supervisor/frozen.h"
#include "supervisor/guest_exec.h"
#include "supervisor/op_agent.h"

#define WAIT_MS       120000
#define FREEZE_MS     60000
#define FREEZE_MAX_MS (3600 * 1000)

/* ---- what they share ---- */

/* The VM, if its agent can be asked; else the request was answered. */
static struct vm *find_vm(struct request *rq)
{
	struct vm *vm = command_vm(rq);

	if (!vm)
		return NULL;
	if ((vm->state != VM_RUNNING && vm->state != VM_PAUSED) ||
		!vm->machine.ready)
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
	else if (vm->state == VM_PAUSED)
		request_failf(rq, ERR_STATE,
			"it is paused, and so is its agent: \"vmward resume "
			"%s\" first",
			vm->name);
	else if (vm->running && !vm->running->agent.enabled)
		request_failf(rq, ERR_STATE,
			"it has no agent's port: [agent] says enabled = no");
	else if (!command_dry_run(rq, vm))
		return vm;
	return NULL;
}

static int64_t wait_of(const struct request *rq)
{
	int64_t ms = request_ms(rq, "timeout");

	if (!request_bool(rq, "wait"))
		return 0;
	return ms > 0 ? ms : WAIT_MS;
}

/* ---- one question ---- */

static json_t *no_args(const struct request *rq UNUSED)
{
	return NULL;
}

static json_t *trim_args(const struct request *rq)
{
	json_int_t minimum = request_int(rq, "minimum", 0);

	return minimum ? json_pack("{s:I}", "minimum", minimum) : NULL;
}

static json_t *time_args(const struct request *rq UNUSED)
{
	return json_pack("{s:I}", "time", (json_int_t)sys_realtime_us() * 1000);
}

static json_t *mode_args(const struct request *rq)
{
	const char *mode = request_string(rq, "mode");

	return json_pack("{s:s}", "mode", *mode ? mode : "powerdown");
}

static json_t *password_args(const struct request *rq)
{
	const char *text = request_string(rq, "password");
	AUTO_STR struct str coded = STR_INIT;

	base64_encode(text, strcspn(text, "\r\n"), &coded);
	return json_pack("{s:s,s:s,s:b}", "username",
		request_string(rq, "user"), "password", str_text(&coded),
		"crypted", request_bool(rq, "crypted"));
}

/* The lines of a file of public keys; blank ones and comments are none. */
static json_t *lines_of(const char *text)
{
	json_t *all = json_array();
	AUTO_FREE char *copy = xstrdup(text);
	char *rest = copy;

	for (char *line; (line = strsep(&rest, "\r\n")) != NULL;) {
		line += strspn(line, " \t");
		if (*line && *line != '#')
			json_array_append_new(all, json_string(line));
	}
	return all;
}

/* It was said, though the file may be empty. */
static bool asks_for(const struct request *rq, const char *name)
{
	return json_object_get(rq->args, name);
}

/* Those to add or to remove; NULL: neither. */
static const char *keys_of(const struct request *rq)
{
	return asks_for(rq, "add")      ? request_string(rq, "add")
	       : asks_for(rq, "remove") ? request_string(rq, "remove")
					: NULL;
}

static json_t *keys_args(const struct request *rq)
{
	const char *keys = keys_of(rq);

	return json_pack("{s:s,s:o*}", "username", request_string(rq, "user"),
		"keys", keys ? lines_of(keys) : NULL);
}

static enum op_agent keys_what(const struct request *rq)
{
	return asks_for(rq, "add")      ? AGENT_KEYS_ADD
	       : asks_for(rq, "remove") ? AGENT_KEYS_REMOVE
					: AGENT_KEYS;
}

static const struct ask {
	const char *wire;
	enum op_agent what;
	json_t *(*args)(const struct request *rq);
	const char *message; /* for people; NULL: the answer itself */
} asks[] = {
	{ "vm-agent-ping", AGENT_PING, no_args, NULL },
	{ "vm-agent-info", AGENT_INFO, no_args, NULL },
	{ "vm-agent-fstrim", AGENT_TRIM, trim_args, "trimmed" },
	{ "vm-agent-set-time", AGENT_SET_TIME, time_args, "clock set" },
	{ "vm-agent-set-password", AGENT_SET_PASSWORD, password_args,
		"password set" },
	{ "vm-agent-ssh-keys", AGENT_KEYS, keys_args, NULL },
	{ "vm-agent-shutdown", AGENT_SHUTDOWN, mode_args,
		"asked to shut down" },
};

static const struct ask *ask_of(const struct request *rq)
{
	const struct ask *ask = asks;

	while (!str_eq(ask->wire, rq->verb->wire))
		ask++;
	return ask;
}

static void on_asked(struct job *job, void *arg)
{
	struct request *rq = arg;
	const struct ask *ask = ask_of(rq);
	json_t *result;

	if (!command_ends_well(rq, job))
		return;
	result = json_copy(op_agent_result(job));
	if (ask->message) {
		json_object_set_new(result, "changed", json_true());
		json_object_set_new(
			result, "message", json_string(ask->message));
	}
	request_reply_steal(rq, result);
}

static bool is_good(struct request *rq)
{
	const char *password = request_string(rq, "password");
	const char *keys = keys_of(rq);
	AUTO_JSON json_t *lines = keys ? lines_of(keys) : NULL;

	if (json_object_get(rq->args, "password") &&
		strcspn(password, "\r\n") == 0)
		request_failf(rq, ERR_USAGE,
			"the file's first line is empty: it is to be the "
			"password");
	else if (asks_for(rq, "add") && asks_for(rq, "remove"))
		request_failf(
			rq, ERR_USAGE, "--add and --remove exclude each other");
	else if (lines && json_array_size(lines) == 0)
		request_failf(rq, ERR_USAGE, "the file has no public keys");
	else
		return true;
	return false;
}

void command_agent(struct request *rq)
{
	const struct ask *ask = ask_of(rq);
	enum op_agent what =
		ask->what == AGENT_KEYS ? keys_what(rq) : ask->what;
	struct vm *vm;

	if (!is_good(rq))
		return;
	vm = find_vm(rq);
	if (vm)
		command_follow(rq, vm,
			op_agent_begin_steal(vm, what, ask->args(rq),
				wait_of(rq), command_end(rq, on_asked),
				command_listener(rq, vm)));
}

/* ---- freeze, thaw ---- */

static void on_frozen(struct job *job, void *arg)
{
	struct request *rq = arg;
	json_int_t n;

	if (!command_ends_well(rq, job))
		return;
	n = frozen_count(job);
	request_reply_steal(
		rq, json_pack("{s:b,s:I,s:o}", "changed", n != 0, "filesystems",
			    n, "message",
			    json_sprintf("%lld file system%s", (long long)n,
				    n == 1 ? "" : "s")));
}

void command_agent_freeze(struct request *rq)
{
	int64_t ms = request_ms(rq, "for");
	struct vm *vm;

	if (json_object_get(rq->args, "for") &&
		(ms <= 0 || ms > FREEZE_MAX_MS)) {
		request_failf(rq, ERR_USAGE,
			"--for is more than nothing and an hour at most: its "
			"guest cannot write meanwhile");
		return;
	}
	vm = find_vm(rq);
	if (vm)
		command_follow(rq, vm,
			frozen_begin(
				vm, ms > 0 ? ms : FREEZE_MS, on_frozen, rq));
}

void command_agent_thaw(struct request *rq)
{
	struct vm *vm = find_vm(rq);

	if (vm)
		command_follow(rq, vm,
			frozen_thaw_begin(vm, command_end(rq, on_frozen),
				command_listener(rq, vm)));
}

/* ---- exec ---- */

/* What its job needs as long as it runs. */
struct exec {
	struct request *rq; /* NULL: nobody waits, or reads what it writes */
	struct vm *vm;
	char **argv;
};

static void on_output(void *arg, int fd, const char *bytes, size_t len)
{
	struct exec *exec = arg;
	AUTO_STR struct str text = STR_INIT;
	json_t *event;

	if (!exec->rq)
		return;
	base64_encode(bytes, len, &text);
	event = json_pack("{s:s,s:{s:O*,s:s,s:i,s:s}}", "event", "AGENT_OUTPUT",
		"data", "request", exec->rq->id, "vm", exec->vm->name, "fd", fd,
		"bytes", str_text(&text));
	request_send_event(exec->rq, event);
	json_decref(event);
}

static bool is_full(void *arg)
{
	const struct exec *exec = arg;

	return exec->rq && request_is_behind(exec->rq);
}

static void exec_free(struct exec *exec)
{
	for (size_t i = 0; exec->argv[i]; i++)
		free(exec->argv[i]);
	free(exec->argv);
	free(exec);
}

static void on_exec_end(struct job *job, void *arg)
{
	struct exec *exec = arg;
	struct request *rq = exec->rq;
	struct guest_exec_end end = *guest_exec_end(job);

	vm_job_over(job, exec->vm);
	exec_free(exec);
	if (!rq)
		return;
	rq->job = NULL;
	if (end.began && end.exited)
		request_reply_steal(
			rq, json_pack("{s:i}", "status", end.status));
	else
		request_fail(rq, &job->err);
}

static char **words_of(const json_t *words)
{
	char **argv = xcalloc(json_array_size(words) + 1, sizeof(*argv));
	size_t i;
	json_t *word;

	json_array_foreach(words, i, word) argv[i] =
		xstrdup(json_string_value(word));
	return argv;
}

void command_agent_exec(struct request *rq)
{
	json_t *words = json_object_get(rq->args, "command");
	struct vm *vm;
	struct exec *exec;
	AUTO_FREE char *path = NULL;

	if (json_array_size(words) == 0) {
		request_failf(rq, ERR_USAGE, "what is it to run?");
		return;
	}
	vm = find_vm(rq);
	if (!vm)
		return;
	path = machine_priv_path(&vm->machine, "agent");
	exec = NEW(struct exec);
	exec->rq = command_is_alone(rq) ? NULL : rq;
	exec->vm = vm;
	exec->argv = words_of(words);
	command_follow(rq, vm,
		guest_exec_start(
			&(struct guest_exec_wish){ .agent = &vm->agent,
				.path = path,
				.argv = exec->argv,
				.windows = vm->running &&
					   vm->running->vm.os == OS_WINDOWS,
				.patience_ms = wait_of(rq),
				.on_output = on_output,
				.is_full = is_full,
				.arg = exec },
			vm->name, on_exec_end, exec));
}

/* ---- files ---- */

/* "0644" to "7777"; the guest's chmod gets nothing else. */
static bool is_mode(const char *mode)
{
	size_t len = strlen(mode);

	return len >= 3 && len <= 4 && strspn(mode, "01234567") == len;
}

static bool is_file_name(const char *path, bool windows)
{
	size_t len = strlen(path);

	if (len == 0 || len > 1000 || path[len - 1] == '/' ||
		path[len - 1] == '\\')
		return false;
	return windows || path[0] == '/';
}

static void on_copied(struct job *job, void *arg)
{
	struct request *rq = arg;
	json_t *result;

	if (!command_ends_well(rq, job))
		return;
	result = op_agent_file_result(job);
	json_object_set_new(result, "message",
		json_sprintf("%lld bytes",
			(long long)json_integer_value(
				json_object_get(result, "bytes"))));
	request_reply_steal(rq, result);
}

static void copy(struct request *rq,
	struct job *(*begin)(struct vm *vm, const struct op_agent_file *file,
		op_end_fn *on_end, void *arg),
	const char *mode)
{
	struct op_agent_file file = { .path = request_string(rq, "path"),
		.here = request_string(rq, "file"),
		.mode = mode,
		.wait_ms = wait_of(rq) };
	struct err err = ERR_INIT;
	struct vm *vm;

	if (!is_mode(mode)) {
		request_failf(rq, ERR_USAGE,
			"'%s' is no mode: say three or four octal digits, "
			"0755",
			mode);
		return;
	}
	vm = find_vm(rq);
	if (!vm)
		return;
	if (!is_file_name(file.path,
		    vm->running && vm->running->vm.os == OS_WINDOWS)) {
		request_failf(rq, ERR_USAGE,
			"'%s' is no whole name of a file in the guest: say "
			"/tmp/name",
			file.path);
		return;
	}
	file.fd = request_take_file(rq, "file", &err);
	if (file.fd < 0)
		request_fail(rq, &err);
	else
		command_follow(rq, vm,
			begin(vm, &file, command_end(rq, on_copied),
				command_listener(rq, vm)));
}

void command_agent_push(struct request *rq)
{
	const char *mode = request_string(rq, "mode");

	copy(rq, op_agent_push_begin, *mode ? mode : "0644");
}

void command_agent_pull(struct request *rq)
{
	copy(rq, op_agent_pull_begin, "0600");
}
