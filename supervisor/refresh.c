/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moving a VM into a new QEMU; see refresh.h. */
#include "supervisor/refresh.h"

#include <signal.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"
#include "qmp/call.h"
#include "supervisor/confinement.h"
#include "supervisor/launch.h"
#include "supervisor/migration.h"
#include "supervisor/nets.h"
#include "supervisor/op_save.h"
#include "supervisor/setup.h"
#include "supervisor/tpm.h"

#define GREETING_MS 60000
#define KILL_MS     10000
#define ADOPTED_MS  60000
#define STOPPED_MS  2 /* between looks while the guest stands still */

struct op_refresh {
	struct job job;
	struct vm *vm;
	struct launch gear; /* until the new one has it */
	struct machine next;
	struct setup setup;
	struct qmp_call call;
	struct qmp_sub sub; /* to the old one's events */
	struct vm_watch watch;
	struct taps_guard guard;
	int wire[2]; /* old, new: the memory's way */
	int64_t look_ms;
	int64_t stopped_us; /* monotonic, when the guest did; or 0 */
	int64_t paused_us;
	bool marked; /* the old one may stand still */
	bool back;   /* it was told to go on */
};

#define OLD_OF(op) machine_qmp(&(op)->vm->machine)
#define NEW_OF(op) machine_qmp(&(op)->next)

/* ---- whether it can ---- */

static int check_nics(const struct vm_spec *spec, struct err *err)
{
	list_each(&spec->nics, it, next) {
		const struct spec_nic *nic =
			list_entry(it, struct spec_nic, link);
		const char *why = nic->macvtap && *nic->macvtap ? "macvtap"
				  : nic->user == USER_PASST     ? "user = passt"
				  : nic->user && nic->forward.n ? "forward"
								: NULL;

		if (why)
			return err_set(err, ERR_UNSUPPORTED,
				"net '%s' (%s) cannot be in two QEMUs at once: "
				"vmward restart it",
				nic->name, why);
	}
	return 0;
}

static int check_disks(const struct vm_spec *spec, struct err *err)
{
	list_each(&spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);

		if (disk->layers)
			return err_set(err, ERR_UNSUPPORTED,
				"disk '%s' got a layer while it ran: vmward "
				"restart it",
				disk->name);
	}
	return 0;
}

/* What only one QEMU at a time can have. */
static int check_machine(const struct vm_spec *spec, struct err *err)
{
	const char *why = spec->limits.memory  ? "[limits] memory"
			  : tpm_is_there(spec) ? "[tpm]"
			  : spec->vm.firmware != FIRMWARE_BIOS ? "[vm] firmware"
			  : spec->display.written              ? "[display]"
							       : NULL;

	return why ? err_set(err, ERR_UNSUPPORTED,
			     "%s is not for two QEMUs at once: vmward restart "
			     "it",
			     why)
		   : 0;
}

int refresh_check(const struct vm *vm, struct err *err)
{
	if (vm->state != VM_RUNNING && vm->state != VM_PAUSED)
		return err_set(err, ERR_STATE, "it is %s", vm_state_word(vm));
	if (op_save_check(vm, err) || check_machine(vm->running, err) ||
		check_nics(vm->running, err))
		return -1;
	return check_disks(vm->running, err);
}

/* ---- what the new one gets ---- */

/* The old one's descriptor, once more; -1 with err. */
static int share(const struct op_refresh *op, int fd, struct err *err)
{
	int ours = sys_pidfd_getfd(op->vm->machine.pidfd, fd);

	return ours < 0 ? err_os(err, "cannot share descriptor %d of QEMU", fd)
			: ours;
}

static int share_locks(struct op_refresh *op, struct err *err)
{
	struct vm_lock *lock = &op->gear.lock;

	lock->file_fd = share(op, ARGV_FD_LOCK, err);
	if (lock->file_fd >= 0)
		lock->name_fd = share(op, ARGV_FD_NAME, err);
	return lock->name_fd < 0 ? -1 : 0;
}

static int share_boot(struct op_refresh *op, struct err *err)
{
	const struct vm_spec *spec = op->vm->running;
	const char *const files[BOOT_FILES] = { spec->vm.kernel,
		spec->vm.initrd };

	for (int i = 0; i < BOOT_FILES; i++) {
		if (!files[i] || !*files[i])
			continue;
		op->gear.boot.copies[i] = share(op, ARGV_FD_BOOT + i, err);
		if (op->gear.boot.copies[i] < 0)
			return -1;
	}
	return 0;
}

static int share_taps(struct op_refresh *op, struct err *err)
{
	const struct machine *old = &op->vm->machine;
	struct taps *taps = &op->gear.taps;

	list_each(&op->vm->running->nics, it, next) {
		const struct spec_nic *nic =
			list_entry(it, struct spec_nic, link);
		int first = argv_nic_first_fd(op->vm->running, nic);
		const struct net_port *port;
		int fds[TAP_QUEUES_MAX];
		int n;

		if (nic->user)
			continue;
		port = net_port_find(nets_state(), op->vm->name, nic->name);
		n = !port ? 0
			  : tap_share(old->pid, old->pidfd, port->tap, fds,
				    TAP_QUEUES_MAX, err);
		for (int i = 0; i < n && taps->n < TAPS_FDS_MAX; i++)
			taps->fds[taps->n++] =
				(struct spawn_fd){ fds[i], first + i };
		if (n != (int)nic->queues)
			return n < 0 ? -1
				     : err_set(err, ERR_STATE,
					       "net '%s' has %d of %d queues",
					       nic->name, n, (int)nic->queues);
	}
	return 0;
}

static int launch(struct op_refresh *op, struct err *err)
{
	struct vm *vm = op->vm;
	struct argv_host host =
		launch_host(&op->gear, vm, vm->machine.generation + 1);
	char **argv;
	int rc;

	host.incoming = true;
	argv = argv_build(vm->running, &host, &vm->slots, err);
	if (!argv)
		return -1;
	rc = launch_spawn(&op->gear, vm, &op->next, argv, host.generation, err);
	argv_free(argv);
	taps_guard_begin_steal(&op->guard, &op->gear.taps);
	launch_let_go(&op->gear);
	return rc;
}

static bool prepare(struct op_refresh *op)
{
	struct err err = ERR_INIT;

	if (!refresh_check(op->vm, &err) && !share_locks(op, &err) &&
		!confinement_plan(op->vm, &op->gear.confine, &err) &&
		!share_boot(op, &err) && !share_taps(op, &err) &&
		!launch_open_images(&op->gear, op->vm, &err) &&
		!launch(op, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

/* ---- the move ---- */

static bool is_dead(const struct op_refresh *op)
{
	return !machine_is_alive(&op->next);
}

static enum job_state died(struct op_refresh *op)
{
	AUTO_FREE char *raw = str_take(&op->next.errors.last_words);
	AUTO_FREE char *words = stderr_readable(raw);

	return job_fail(&op->job, ERR_QMP, "the new QEMU ended: %s",
		*words ? words : "it said nothing");
}

static bool lost_one(const struct op_refresh *op)
{
	return !op->vm->machine.ready || !op->next.ready;
}

static void on_event(struct qmp_sub *sub, const struct qmp_event *ev)
{
	struct op_refresh *op = container_of(sub, struct op_refresh, sub);

	if (ev->type != QMP_EV_STOP)
		return;
	op->stopped_us = (int64_t)sys_now_us();
	taps_guard_end(&op->guard, false); /* they are the new one's now */
	job_wake(&op->job);
}

static bool lay_wire(struct op_refresh *op)
{
	struct err err = ERR_INIT;

	if (!sys_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, op->wire))
		return true;
	err_os(&err, "cannot make a pair of sockets");
	job_fail_err(&op->job, &err);
	return false;
}

static void send_end(struct op_refresh *op, struct qmp_client *qmp, int end)
{
	qmp_call_start(&op->call, &op->job, qmp,
		&(struct qmp_command){ "getfd",
			json_pack("{s:s}", "fdname", MIGRATION_FD), 0,
			op->wire[end] },
		false);
	fd_close(&op->wire[end]);
}

/* From here on a successor of ours has something to mend. */
static bool mark(struct op_refresh *op)
{
	struct err err = ERR_INIT;

	if (op_save_mark(op->vm, !op->vm->kept_paused, &err)) {
		job_fail_err(&op->job, &err);
		return false;
	}
	op->marked = op->vm->in_snapshot = true;
	qmp_subscribe(OLD_OF(op), &op->sub, on_event);
	return true;
}

static int64_t patience(struct op_refresh *op)
{
	return op->stopped_us ? STOPPED_MS : migration_patience(&op->look_ms);
}

/* It waits for the rest of the memory. */
static bool is_on_its_way(const struct op_refresh *op)
{
	return str_eq(member_text(op->call.result, "status"), "inmigrate");
}

static bool may_go_over(struct op_refresh *op)
{
	const struct vm *vm = op->vm;

	if ((vm->state == VM_RUNNING || vm->state == VM_PAUSED) && !vm->op)
		return true;
	job_fail(&op->job, ERR_STATE, "it is %s", vm_state_word(vm));
	return false;
}

/* The adoption does the rest, as it would after a death of ours. */
static void go_over(struct op_refresh *op)
{
	struct vm *vm = op->vm;

	qmp_unsubscribe(&op->sub);
	taps_guard_end(&op->guard, false);
	machine_fini(&op->next);
	op->marked = vm->in_snapshot = false;
	vm->was_ready = vm->ready == VM_READY_YES;
	vm_post(vm, EV_LOST);
}

static void on_change(struct vm_watch *watch, struct vm *vm UNUSED)
{
	job_wake(&container_of(watch, struct op_refresh, watch)->job);
}

static bool is_adopted(struct op_refresh *op)
{
	const struct vm *vm = op->vm;

	if (vm->state == VM_ADOPTING)
		return false;
	if (vm->machine.ready && op->stopped_us)
		op->paused_us = (int64_t)sys_now_us() - op->stopped_us;
	return true;
}

static enum job_state refresh_run(struct job *job)
{
	struct op_refresh *op = container_of(job, struct op_refresh, job);

	JOB_BEGIN(job);
	if (!prepare(op))
		return JOB_ENDS;
	JOB_AWAIT(job, op->next.ready || is_dead(op), GREETING_MS);
	if (is_dead(op))
		return died(op);
	while (setup_next(&op->setup, job))
		JOB_AWAIT(job, op->setup.call.replied, JOB_FOREVER); /* same */
	/*
	 * The disks are not opened for writing before the guest goes on; but
	 * one that stays paused needs them, or its next move ends in abort().
	 */
	if (!op->vm->kept_paused)
		QMP_CALL(job, &op->call, NEW_OF(op), "migrate-set-capabilities",
			migration_capability("late-block-activate"));
	if (!lay_wire(op))
		return JOB_ENDS;
	send_end(op, NEW_OF(op), 1);
	JOB_AWAIT(job, op->call.replied, JOB_FOREVER); /* has a deadline */
	QMP_CALL(job, &op->call, NEW_OF(op), "migrate-incoming",
		migration_uri());
	QMP_CALL(job, &op->call, OLD_OF(op), "migrate-set-parameters",
		migration_unlimited());
	send_end(op, OLD_OF(op), 0);
	JOB_AWAIT(job, op->call.replied, JOB_FOREVER); /* has a deadline */
	if (!mark(op))
		return JOB_ENDS;
	vm_job_phase(op->vm, job, "memory");
	QMP_CALL(job, &op->call, OLD_OF(op), "migrate", migration_uri());
	do {
		JOB_AWAIT_OR_TIMEOUT(job, lost_one(op), patience(op));
		QMP_CALL(job, &op->call, OLD_OF(op), "query-migrate", NULL);
	} while (migration_look(job, op->call.result) == MIGRATION_ACTIVE);
	if (job->err.code)
		return is_dead(op) ? died(op) : JOB_ENDS;
	do {
		JOB_AWAIT_OR_TIMEOUT(job, lost_one(op), STOPPED_MS);
		QMP_CALL(job, &op->call, NEW_OF(op), "query-status", NULL);
	} while (is_on_its_way(op));
	if (!may_go_over(op))
		return JOB_ENDS;
	vm_watch(op->vm, &op->watch, on_change);
	go_over(op);
	JOB_AWAIT(job, is_adopted(op), ADOPTED_MS);
	if (!op->vm->machine.ready)
		return job_fail(job, ERR_UNREACHABLE, "%s", op->vm->note);
	JOB_END(job);
}

/* ---- back ---- */

static void on_back(struct job *job, void *arg)
{
	struct op_refresh *op =
		container_of((struct job *)arg, struct op_refresh, job);

	op->back = true;
	if (job->err.code)
		op->job.undo_err = job->err;
}

static void go_back(struct op_refresh *op)
{
	op->vm->in_snapshot = false;
	op->back = true;
	if (op->marked && op->vm->machine.ready) {
		op->back = false;
		op_save_reap_begin(op->vm, on_back, &op->job)->parent =
			&op->job;
	}
	op->marked = false;
}

/* The new one ends; the guest goes on in the old one. */
static enum job_state refresh_undo(struct job *job)
{
	struct op_refresh *op = container_of(job, struct op_refresh, job);

	JOB_BEGIN(job);
	launch_let_go(&op->gear);
	qmp_unsubscribe(&op->sub);
	if (!is_dead(op)) {
		if (machine_signal(&op->next, SIGKILL, &job->undo_err))
			return JOB_ENDS;
		JOB_AWAIT(job, is_dead(op), KILL_MS);
	}
	taps_guard_end(&op->guard, true);
	go_back(op);
	JOB_AWAIT(job, op->back, JOB_FOREVER); /* its own */
	JOB_END(job);
}

static void refresh_cleanup(struct job *job)
{
	struct op_refresh *op = container_of(job, struct op_refresh, job);

	qmp_unsubscribe(&op->sub);
	vm_unwatch(&op->watch);
	taps_guard_end(&op->guard, false);
	qmp_call_fini(&op->call);
	setup_fini(&op->setup);
	fd_close(&op->wire[0]);
	fd_close(&op->wire[1]);
	machine_fini(&op->next);
	launch_fini(&op->gear);
	free(op);
}

/* ---- the new one's machine ---- */

static void wake(struct machine *m)
{
	job_wake(&((struct op_refresh *)m->owner)->job);
}

static void on_next_event(
	struct machine *m UNUSED, const struct qmp_event *ev UNUSED)
{
}

static void on_next_lost(struct machine *m, const struct err *err UNUSED)
{
	wake(m);
}

struct job *refresh_begin(struct vm *vm, op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "refresh", refresh_run,
		refresh_undo, refresh_cleanup };
	static const struct machine_hooks hooks = { on_next_event, wake,
		on_next_lost, wake };
	struct op_refresh *op = NEW(struct op_refresh);

	op->vm = vm;
	op->wire[0] = op->wire[1] = -1;
	launch_init(&op->gear);
	machine_init(&op->next, vm->env, vm->name, &vm->log, &hooks, op);
	op->next.side = HOST_NEXT;
	if (vm->running) {
		setup_init(&op->setup, vm, false);
		op->setup.machine = &op->next;
	}
	job_start(&op->job, &kind, vm->name, on_end, arg);
	return &op->job;
}

int64_t refresh_pause_ms(const struct job *job)
{
	return container_of(job, struct op_refresh, job)->paused_us / 1000;
}
