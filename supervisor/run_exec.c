/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `run --exec`; see run_exec.h. */
#include "supervisor/run_exec.h"

#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "supervisor/guest_exec.h"
#include "supervisor/tty.h"

#define NEVER_RAN 125
#define FULL      (256 * 1024) /* bytes that nobody has read yet */
#define AGENT_MS  120000       /* for the agent, where `ready` is not its */

struct run_exec {
	struct vm *vm;
	struct job *job; /* NULL: it is over */
	struct guest_exec_end end;
	struct tty *out, *err;
	void (*on_end)(void *arg);
	void *arg;
};

static void on_output(void *arg, int fd, const char *bytes, size_t len)
{
	struct run_exec *exec = arg;

	tty_write(fd == STDOUT_FILENO ? exec->out : exec->err, bytes, len);
}

static bool is_full(void *arg)
{
	const struct run_exec *exec = arg;

	return tty_waiting(exec->out) + tty_waiting(exec->err) > FULL;
}

static void on_job_end(struct job *job, void *arg)
{
	struct run_exec *exec = arg;
	struct vm *vm = exec->vm;

	exec->job = NULL;
	exec->end = *guest_exec_end(job);
	if (job->err.code)
		dprintf(STDERR_FILENO, "%s: %s\n", vm->name,
			job->err.code != ERR_CANCELLED ? job->err.text
			: exec->end.began
				? "the VM ended before the command did"
				: "the command never ran");
	vm_job_end(vm, job);
	exec->on_end(exec->arg);
}

struct run_exec *run_exec_begin(
	struct vm *vm, char *const *argv, void (*on_end)(void *arg), void *arg)
{
	struct run_exec *exec = NEW(struct run_exec);
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "agent");
	struct guest_exec_wish wish = { .agent = &vm->agent,
		.path = path,
		.argv = argv,
		.windows = vm->running && vm->running->vm.os == OS_WINDOWS,
		.guest_ends = true, /* the stop needs the agent */
		.patience_ms = AGENT_MS,
		.on_output = on_output,
		.is_full = is_full,
		.arg = exec };

	exec->vm = vm;
	exec->out = tty_open_output(STDOUT_FILENO);
	exec->err = tty_open_output(STDERR_FILENO);
	exec->on_end = on_end;
	exec->arg = arg;
	exec->job = guest_exec_start(&wish, vm->name, on_job_end, exec);
	vm_job_add(vm, exec->job);
	return exec;
}

void run_exec_lose(struct run_exec *exec)
{
	if (exec->job)
		job_cancel(exec->job);
}

int run_exec_status(const struct run_exec *exec, int vm_status)
{
	if (!exec || !exec->end.began)
		return NEVER_RAN;
	if (exec->end.exited)
		return exec->end.status;
	return vm_status ? vm_status : 1;
}

void run_exec_free(struct run_exec *exec)
{
	if (!exec)
		return;
	tty_close(exec->out);
	tty_close(exec->err);
	free(exec);
}
