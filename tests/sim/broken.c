/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The oracle's own test: the world is broken on purpose, one invariant at a
 * time, and the run must end with the breach of just that one.  A check that
 * cannot fail would prove nothing by its silence.
 */
#include <fcntl.h>
#include <signal.h>

#include "supervisor/argv.h"
#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

enum { MOST_MS = 600000 };

/* One that runs and that nobody asked to end; time passes until there is. */
static struct sim_qemu *a_guest(void)
{
	for (int ms = 0; ms < MOST_MS; ms += 1000) {
		for (unsigned i = 0; i < SIM_QEMUS; i++) {
			struct sim_qemu *q = &sim.qemus[i];
			if (q->pid && q->settled && !q->asked && !q->off)
				return q;
		}
		client_ask(&sim.vms[0], "vm-start");
		life_sleep(1000);
	}
	sim_breach("simulator", "no guest runs");
}

/* The locks of one that lives are gone, and nobody knows of it. */
static void break_i1(void)
{
	const struct sim_qemu *q = a_guest();
	struct proc *proc = world_proc_of(q->pid);

	proc->fds[ARGV_FD_LOCK]->lock = 0;
	proc->fds[ARGV_FD_NAME]->abstract = NULL;
	world_wipe(sim.paths.run);
	q->vm->promise = PROMISED_NOTHING; /* it seems to have ended */
	life_crash();
	life_sleep(60000);
	client_ask(q->vm, "vm-start");
}

/* The disk says that it has written, and has not. */
static void break_i2(void)
{
	world_lie();
	client_ask(&sim.vms[0], "vm-set");
	life_sleep(5000);
}

/* A guest ends in the moment before the last look. */
static void break_i3(void)
{
	world_die(a_guest()->pid, SIGKILL);
	oracle_rest();
}

/* A stopped VM has a process. */
static void break_i4(void)
{
	struct sim_vm *vm = &sim.vms[0];

	client_ask(vm, "vm-stop");
	*qemu_of_pid(0) = (struct sim_qemu){ .pid = birth_stranger(0),
		.vm = vm,
		.stopped = true,
		.mon = -1,
		.yank = -1,
		.serial = -1 };
	oracle_rest();
}

/* A file of no use is left. */
static void break_i5(void)
{
	AUTO_FREE char *path = life_path("%s/records/vm1.tmp", sim.paths.state);

	world_put_file(path, "", 0, 0600);
	oracle_rest();
}

/* Both slots of a record are damaged. */
static void break_i6(void)
{
	char bad[2 * 4096];

	memset(bad, 'x', sizeof(bad));
	world_put_file(sim.vms[0].record_path, bad, sizeof(bad), 0600);
	life_sleep(10);
}

/* The supervisor kills a VM for no reason. */
static void break_i7(void)
{
	pid_t pid = a_guest()->pid;
	int pidfd = world_pidfd_open(pid);

	world_pidfd_kill(pidfd, SIGKILL);
}

/* The supervisor stands still while a client asks. */
static void break_i8(void)
{
	life_stand_still();
	for (int i = 0; i < 1000; i++) {
		client_act();
		life_sleep(100);
	}
}

void broken_run(unsigned invariant)
{
	static void (*const breaks[])(void) = { break_i1, break_i2, break_i3,
		break_i4, break_i5, break_i6, break_i7, break_i8 };

	if (invariant >= 1 && invariant <= NELEMS(breaks))
		breaks[invariant - 1]();
}
