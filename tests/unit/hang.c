/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A silent monitor, vCPUs that stand still: told, and acted on if wished. */
#include "supervisor/hang.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/vmkit.h"

static const struct machine_hooks no_hooks;
static struct vm *vm;
static pid_t qemu;

static void nothing(int signal)
{
	(void)signal;
}

/* A process with one thread that is called as a vCPU is. */
static pid_t fork_vcpu(void)
{
	int ready[2] = { -1, -1 };
	char byte = 0;
	pid_t pid;

	if (pipe(ready))
		abort();
	pid = fork();
	if (pid) {
		close(ready[1]);
		is_int(read(ready[0], &byte, 1), 1, "a vCPU to look at");
		close(ready[0]);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "CPU 0/TCG");
	signal(SIGUSR1, nothing);
	if (write(ready[1], &byte, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void fresh(const char *text)
{
	vm_free(vm);
	vm = vm_new(&kit, "web", &no_hooks, kit_post);
	vm->spec = kit_spec(text);
	vm->running = vm->spec;
	vm->machine.pid = qemu;
	vm->state = VM_RUNNING;
	hang_follow(vm);
}

static void ends(void)
{
	hang_end(vm);
	vm->machine.pid = -1;
	vm->state = VM_STOPPED;
}

static void test_monitor(void)
{
	fresh("");
	ok(!loop_timer_is_active(&vm->hang.timer), "nobody looks unasked");
	fresh("[restart]\nhang-after = 30s\n");
	ok(loop_timer_is_active(&vm->hang.timer), "hang-after looks");
	loop_sim_advance(39000);
	ok(!vm->hang.what, "silence within the patience is none");
	loop_sim_advance(2000);
	is_str(vm->hang.what, "monitor", "beyond it the VM hangs");
	is_str(vm->note, "hangs: its monitor has been silent for 30s",
		"which is noted");
	ok(!vm->machine.seen.hang, "and nothing is done");
	ok(kit_logged(vm, "silent for 30s"), "but logged");
	vm->hang.silent_ms = 0; /* it answers */
	vm->machine.ready = true;
	loop_sim_advance(10000);
	ok(!vm->hang.what, "one that answers again hangs no more");
	is_str(vm->note, "", "its note goes");
	vm->machine.ready = false;
	ends();
	fresh("[restart]\nhang-after = 3s\n");
	vm->state = VM_STOPPING;
	loop_sim_advance(60000);
	ok(!vm->hang.what, "a stop is no hang");
	ends();
	hang_follow(vm);
	ok(!loop_timer_is_active(&vm->hang.timer), "one that is down");
}

/* Its monitor answers. */
static void passes(int seconds)
{
	for (int i = 0; i < seconds; i++) {
		loop_sim_advance(1000);
		vm->hang.silent_ms = 0;
	}
}

static void test_vcpus(void)
{
	fresh("[restart]\nhang-after = 3s\n");
	vm->hang.runs = vm->machine.ready = true;
	passes(3);
	ok(vm->hang.cpu_ns > 0, "the vCPU's time is read");
	for (int i = 0; i < 6; i++) {
		uint64_t before = vm->hang.cpu_ns;
		int tries = 0;

		do {
			kill(qemu, SIGUSR1);
			usleep(1000);
			passes(1);
		} while (vm->hang.cpu_ns == before && ++tries < 3);
	}
	ok(!vm->hang.what, "one that moves is well");
	passes(5);
	is_str(vm->hang.what, "vcpus", "one that stands still hangs");
	ok(strstr(vm->note, "vCPUs have not run"), "noted: %s", vm->note);
	vm->hang.runs = false;
	passes(1);
	ok(!vm->hang.what, "a guest that QEMU says sleeps does not");
	vm->machine.ready = false;
	ends();
}

/* What is under way may stop QEMU's monitor for long. */
static void test_busy(void)
{
	static const struct job_kind kind = { .name = "snapshot" };
	struct job job = { .kind = &kind };

	fresh("[restart]\nhang-after = 3s\n");
	list_add(&vm->jobs, &job.link);
	loop_sim_advance(10000);
	ok(!vm->hang.what, "a VM with a job under way does not hang");
	list_del(&job.link);
	loop_sim_advance(10000);
	ok(vm->hang.what, "without it does");
	ends();
}

static void test_acts(void)
{
	pid_t other;
	int status;

	fresh("[restart]\nhang-after = 3s\nhang = pause\n");
	loop_sim_advance(10000);
	ok(vm->hang.what && !vm->machine.seen.hang, "pause only tells");
	ends();
	fresh("[restart]\nhang-after = 3s\nhang = restart\n");
	other = fork_vcpu();
	vm->machine.pidfd = sys_pidfd_open(other);
	loop_sim_advance(10000);
	ok(vm->machine.seen.hang, "restart acts");
	kill(other, SIGTERM); /* comes too late, or to one that was left */
	is_int(waitpid(other, &status, 0), other, "it ends");
	is_int(WTERMSIG(status), SIGKILL, "killed");
	ok(kit_logged(vm, "killed, for it hangs"), "and says so");
	vm->machine.seen.hang = false;
	loop_sim_advance(10000);
	ok(!vm->machine.seen.hang, "once");
	ends();
	vm_replace_spec_steal(vm, kit_spec(""));
}

int main(void)
{
	kit_start();
	qemu = fork_vcpu();
	test_monitor();
	test_vcpus();
	test_busy();
	test_acts();
	vm_free(vm);
	kill(qemu, SIGKILL);
	waitpid(qemu, NULL, 0);
	kit_end();
	return done();
}
