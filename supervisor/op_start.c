/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a VM (DESIGN section 4): the order keeps the promises.  The lock
 * before the intent, the intent written before QEMU is spawned and on disk
 * before the guest runs; its fsync overlaps with QEMU's own start.
 */
#include "supervisor/install.h"
#include "supervisor/op.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "qmp/call.h"
#include "storage/image.h"
#include "supervisor/chain_open.h"
#include "supervisor/chain_record.h"
#include "supervisor/confinement.h"
#include "supervisor/image_plan.h"
#include "supervisor/intent.h"
#include "supervisor/lastgood.h"
#include "supervisor/launch.h"
#include "supervisor/op_nics.h"
#include "supervisor/op_save.h"
#include "supervisor/op_seed.h"
#include "supervisor/op_snapshot.h"
#include "supervisor/pin.h"
#include "supervisor/saved.h"
#include "supervisor/seed.h"
#include "supervisor/setup.h"

#define GREETING_MS 60000
#define STORED_MS   30000
#define KILL_MS     10000
#define DEATH_MS    2000  /* of a QEMU whose monitor is lost */
#define QEMU_OLDEST 70200 /* 7.2.0, as a greeting is read */

struct op_start {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct launch gear; /* until QEMU has it */
	struct loop_timer piece;
	struct store_wait stored;
	bool stored_done;
	struct err stored_err;
	struct list *disk; /* next of spec.disks to look at */
	struct setup setup;
	struct image_create *image;
	struct pool_claim claim; /* of its pool's quota */
	bool image_ended;
	struct err image_err;
	bool looked;     /* at the chains, before an image was made */
	bool step_ended; /* of a child: the seed, the nics */
	bool restart;    /* a successor: does without a disk */
	json_t *saved;   /* goes on from saved memory; or NULL */
	struct err bad_spec;
	enum vm_turn turn;
	struct err turn_err;
};

static void on_stored(struct store_wait *wait, const struct err *err)
{
	struct op_start *op = container_of(wait, struct op_start, stored);

	op->stored_done = true;
	if (!err || !err->code)
		op->vm->up_stored = true;
	else if (op->restart)
		vm_record_lost(op->vm);
	else
		op->stored_err = *err;
	job_wake(&op->job);
}

static int take_lock(struct op_start *op, struct err *err)
{
	struct vm *vm = op->vm;
	enum lock_state state;
	AUTO_FREE char *dir =
		xasprintf("%s/%s/priv", vm->env->paths.run, vm->name);
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "lock");

	if (fd_make_dirs(dir, 0711, err) ||
		lock_take(&op->gear.lock, path, vm->env->lock_key, vm->name,
			&state, err))
		return -1;
	if (state == LOCK_HELD)
		return err_set(err, ERR_EXISTS, "it runs already");
	machine_sweep(&vm->machine); /* of a life whose end nobody saw */
	return 0;
}

/* Lock and intent. */
static int prepare(struct op_start *op, struct err *err)
{
	struct vm *vm = op->vm;
	bool waits;
	int kept;

	if (vm->held)
		return err_set(err, ERR_BUSY, "it is being %s", vm->held);
	if (op->bad_spec.code) {
		*err = op->bad_spec;
		return -1;
	}
	if (!vm->env->qemu)
		return err_set(err, ERR_UNSUPPORTED,
			"qemu-system-x86_64 is not installed or not on PATH");
	if (accel_choose(
		    (enum spec_accel)vm->running->vm.accel, &vm->accel, err))
		return -1;
	if (take_lock(op, err) || confinement_plan(vm, &op->gear.confine, err))
		return -1;
	intent_fill(vm);
	op->stored.on_stored = on_stored;
	waits = !op->restart || !vm->up_stored;
	kept = vm_record(vm, waits ? &op->stored : NULL);
	op->stored_done = !waits || kept;
	if (kept && !op->restart)
		return err_set(err, ERR_OS,
			"the intent cannot be recorded in '%s'",
			vm->env->paths.state);
	return 0;
}

static void on_image_end(struct job *job, void *arg)
{
	struct op_start *op = arg;

	op->image_ended = true;
	op->image_err = job->err;
	op->image = NULL;
	pool_claim_release(&op->claim);
}

/* Before anything is made for it: what is there is good. */
static int look_at_chains(struct op_start *op, struct err *err)
{
	const struct chains_from from = { .spec = op->vm->running,
		.paths = &op->vm->env->paths,
		.known = chain_record(op->vm),
		.look = true,
		.disc = op->vm->once_disc_fd };
	struct chains chains;
	int rc;

	if (op->looked)
		return 0;
	op->looked = true;
	chains_init(&chains);
	rc = chains_open(&chains, &from, err);
	chains_fini(&chains);
	return rc;
}

/*
 * Starts to make the image of the next disk that lacks one; false when no
 * disk is left or the job failed.
 */
static bool make_next_image(struct op_start *op)
{
	struct vm *vm = op->vm;

	for (; op->disk != &vm->running->disks; op->disk = op->disk->next) {
		const struct spec_disk *disk =
			list_entry(op->disk, struct spec_disk, link);
		struct image_plan plan;
		struct err err = ERR_INIT;
		int need = image_plan_make(vm->running, disk, &vm->env->paths,
			&plan, &op->claim, &err);

		if (need > 0 && look_at_chains(op, &err))
			need = -1;
		if (need < 0)
			job_fail_err(&op->job, &err);
		if (need > 0) {
			op->image_ended = false;
			vm_job_phase(vm, &op->job, "image");
			op->image = image_create_start(vm->env->qemu_img,
				&plan.wish, vm->name, &op->job, on_image_end,
				op);
			op->disk = op->disk->next;
		}
		image_plan_fini(&plan);
		if (need)
			return need > 0;
	}
	return false;
}

static void on_step_end(struct job *job, void *arg)
{
	struct op_start *op =
		container_of((struct job *)arg, struct op_start, job);

	op->step_ended = true;
	op->image_err = job->err;
}

/* The disks hold what they should, if that is not so yet. */
static void settle_snapshots(struct op_start *op)
{
	op->image_err = (struct err)ERR_INIT;
	op->step_ended =
		!op_snapshot_before_start(op->vm, &op->job, on_step_end);
	if (!op->step_ended)
		vm_job_phase(op->vm, &op->job, "snapshot");
}

/* Starts to make the volume of [seed], if that must be. */
static void make_seed(struct op_start *op)
{
	op->image_err = (struct err)ERR_INIT;
	op->step_ended =
		!op_seed_begin(op->vm, &op->job, on_step_end, &op->image_err);
	if (!op->step_ended)
		vm_job_phase(op->vm, &op->job, "seed");
}

/* Starts to make taps with all that they need. */
static void make_nics(struct op_start *op)
{
	op->image_err = (struct err)ERR_INIT;
	op->step_ended =
		!op_nics_begin(op->vm, &op->gear.taps, &op->job, on_step_end);
	if (!op->step_ended)
		vm_job_phase(op->vm, &op->job, "network");
}

/* A successor takes the old one rather than none. */
static bool has_seed(struct op_start *op)
{
	struct vm *vm = op->vm;

	if (!op->image_err.code)
		return true;
	if (!op->restart || !seed_is_there(&vm->env->paths, vm->name))
		return false;
	vmlog_line(&vm->log, LOG_WARN, "%s; the seed stays as it was",
		op->image_err.text);
	return true;
}

static void on_piece(struct loop_timer *timer)
{
	job_wake(&container_of(timer, struct op_start, piece)->job);
}

/* A piece a turn of the loop, so that nobody waits for a large initrd. */
static bool has_boot_files(struct op_start *op)
{
	struct err err = ERR_INIT;
	int rc = boot_files_step(&op->gear.boot, op->vm->running, &err);

	if (rc > 0)
		loop_timer_start(&op->piece, 0, on_piece);
	else if (rc < 0)
		job_fail_err(&op->job, &err);
	return rc <= 0;
}

/* By its greeting; one that does not say is taken as it is. */
static bool is_too_old(const struct op_start *op, struct err *err)
{
	unsigned version = machine_qmp(&op->vm->machine)->version;

	if (!version || version >= QEMU_OLDEST)
		return false;
	err_set(err, ERR_QMP, "QEMU %u.%u is too old: 7.2 or later is needed",
		version / 10000, version / 100 % 100);
	return true;
}

/* QEMU's own last words on a failure, or how it went. */
static enum job_state died(struct op_start *op)
{
	struct machine *m = &op->vm->machine;
	AUTO_FREE char *raw = str_take(&m->errors.last_words);
	AUTO_FREE char *sets = stderr_readable(raw);
	AUTO_FREE char *words = chains_name_sets(&op->gear.chains, sets);
	const struct sys_exit *how = &m->seen.exit;

	if (*words)
		return job_fail(
			&op->job, ERR_QMP, "QEMU did not start: %s", words);
	if (how->known && how->signalled && how->code == SIGSYS)
		return job_fail(&op->job, ERR_QMP,
			"QEMU was killed by its sandbox (signal 31)");
	return job_fail(&op->job, ERR_QMP,
		"QEMU did not start: it ended with %s %d and said nothing",
		how->signalled ? "signal" : "status", how->code);
}

static bool is_dead(const struct op_start *op)
{
	return !machine_is_alive(&op->vm->machine);
}

static bool kvm_is_on(const struct op_start *op)
{
	return json_is_true(json_object_get(op->call.result, "enabled"));
}

/* Whose turn it is not yet is woken when that may have changed. */
static bool is_its_turn(struct op_start *op)
{
	struct vm *vm = op->vm;

	if (!vm->order)
		return true;
	op->turn = vm->order->may_start(vm, &op->turn_err);
	return op->turn != VM_WAIT;
}

/* What ran when its memory was saved; NULL: that cannot be used. */
static struct vm_spec *take_saved(struct op_start *op)
{
	struct err *err = &op->bad_spec;
	struct vm_spec *spec = NULL;

	op->saved = saved_read(op->vm, err);
	if (op->saved && !saved_check_disks(op->vm, op->saved, err))
		spec = saved_spec(op->vm, op->saved, err);
	return spec;
}

/* What the files say by now is what QEMU will run, or what was saved. */
static void take_spec(struct op_start *op)
{
	struct vm *vm = op->vm;
	bool fallback = vm->record.fallback;
	struct vm_spec *other = NULL;

	if (saved_is_there(vm))
		other = take_saved(op);
	else if (fallback && !vm->once_ephemeral)
		other = lastgood_load(vm);
	if (op->bad_spec.code || vm_run_spec(vm, other, &op->bad_spec))
		vm->running = vm->spec; /* only to look at: prepare() fails */
	if (op->saved)
		vm->record.fallback = fallback;
	op->disk = vm->running->disks.next;
	setup_init(&op->setup, vm, false);
}

/* Starts to load what was saved. */
static void load_saved(struct op_start *op)
{
	op->image_err = (struct err)ERR_INIT;
	op->step_ended = !op->saved;
	if (!op->saved)
		return;
	vm_job_phase(op->vm, &op->job, "memory");
	op_restore_begin(op->vm, &op->job, on_step_end);
}

/* It says why on stderr, and its monitor is lost before it is dead. */
static bool may_be_dying(const struct op_start *op)
{
	return !is_dead(op) && !op->vm->machine.ready;
}

static enum job_state load_failed(struct op_start *op)
{
	return is_dead(op) ? died(op) : job_fail_err(&op->job, &op->image_err);
}

static bool goes_on_paused(const struct op_start *op)
{
	return op->vm->start_paused ||
	       (op->saved &&
		       !json_is_true(json_object_get(op->saved, "running")));
}

/* The guest goes on from there, or will: the memory on disk is old. */
static void end_saved(struct op_start *op)
{
	if (!op->saved)
		return;
	op->vm->start_paused = goes_on_paused(op);
	op->vm->was_ready = json_is_true(json_object_get(op->saved, "ready"));
	op->vm->clock_is_late = true;
	json_decref(op->saved);
	op->saved = NULL;
	saved_forget(op->vm);
}

/* A QEMU that does not know what it is runs all the same; a dead one not. */
static void note_machine(struct op_start *op)
{
	if (!op->call.err.code)
		pin_take(op->vm, op->call.result);
	else if (op->call.err.code == ERR_GONE || !op->vm->machine.ready)
		op->job.err = op->call.err;
}

static enum job_state start_run(struct job *job)
{
	struct op_start *op = container_of(job, struct op_start, job);

	JOB_BEGIN(job);
	JOB_AWAIT(job, is_its_turn(op), JOB_FOREVER); /* the others have ends */
	if (op->turn == VM_NEVER) {
		op->vm->refused = true;
		return job_fail_err(job, &op->turn_err);
	}
	JOB_AWAIT(job, !op->vm->mending, JOB_FOREVER); /* a job of its own */
	take_spec(op);
	if (prepare(op, &job->err))
		return JOB_ENDS;
	settle_snapshots(op);
	JOB_AWAIT(job, op->step_ended, JOB_FOREVER); /* the same */
	if (op->image_err.code)
		return job_fail_err(job, &op->image_err);
	make_seed(op);
	JOB_AWAIT(job, op->step_ended, JOB_FOREVER); /* its own */
	if (!has_seed(op))
		return job_fail_err(job, &op->image_err);
	while (make_next_image(op)) {
		JOB_AWAIT(job, op->image_ended, JOB_FOREVER); /* its own */
		if (op->image_err.code)
			return job_fail_err(job, &op->image_err);
	}
	if (job->err.code)
		return JOB_ENDS;
	make_nics(op);
	JOB_AWAIT(job, op->step_ended, JOB_FOREVER); /* its own */
	if (op->image_err.code)
		return job_fail_err(job, &op->image_err);
	JOB_AWAIT(job, has_boot_files(op), JOB_FOREVER); /* a local file */
	op->gear.saved = op->saved;
	if (launch_qemu(&op->gear, op->vm, &job->err))
		return JOB_ENDS;
	JOB_AWAIT(job, op->vm->machine.ready || is_dead(op), GREETING_MS);
	if (is_dead(op))
		return died(op);
	if (is_too_old(op, &job->err))
		return JOB_ENDS;
	if (op->vm->accel.kvm) {
		QMP_CALL(job, &op->call, machine_qmp(&op->vm->machine),
			"query-kvm", NULL);
		if (!kvm_is_on(op))
			return job_fail(job, ERR_QMP, "QEMU runs without KVM");
	}
	QMP_TRY(job, &op->call, machine_qmp(&op->vm->machine), "qom-get",
		pin_question());
	note_machine(op);
	while (setup_next(&op->setup, job))
		JOB_AWAIT(job, op->setup.call.replied, JOB_FOREVER); /* same */
	if (job->err.code)
		return JOB_ENDS;
	intent_finished(op->vm);
	JOB_AWAIT(job, op->stored_done, STORED_MS);
	if (op->stored_err.code)
		return job_fail_err(job, &op->stored_err);
	load_saved(op);
	JOB_AWAIT(job, op->step_ended, JOB_FOREVER); /* its own */
	if (op->image_err.code) {
		JOB_AWAIT_OR_TIMEOUT(job, !may_be_dying(op), DEATH_MS);
		return load_failed(op);
	}
	if (!goes_on_paused(op)) {
		QMP_CALL(job, &op->call, machine_qmp(&op->vm->machine), "cont",
			NULL);
		op->vm->machine.seen.started = true;
	}
	end_saved(op);
	JOB_END(job);
}

/* A QEMU that never ran its guest is taken away again. */
static enum job_state start_undo(struct job *job)
{
	struct op_start *op = container_of(job, struct op_start, job);

	JOB_BEGIN(job);
	if (op->saved)
		saved_put_back(op->vm);
	lock_drop(&op->gear.lock);
	if (op->image) {
		job_cancel(&op->image->job);
		JOB_AWAIT(job, op->image_ended, KILL_MS);
	}
	if (is_dead(op))
		return JOB_ENDS;
	if (machine_signal(&op->vm->machine, SIGKILL, &job->undo_err))
		return JOB_ENDS;
	JOB_AWAIT(job, is_dead(op), KILL_MS);
	JOB_END(job);
}

static void start_cleanup(struct job *job)
{
	struct op_start *op = container_of(job, struct op_start, job);

	store_cancel(&op->stored);
	qmp_call_fini(&op->call);
	setup_fini(&op->setup);
	json_decref(op->saved);
	loop_timer_stop(&op->piece);
	launch_fini(&op->gear);
	pool_claim_release(&op->claim);
	op->vm->waits = false;
	BUG_ON(op->image);
	free(op);
}

static const struct job_kind start_kind = { "start", start_run, start_undo,
	start_cleanup };

struct job *op_start_begin(struct vm *vm, op_end_fn *on_end, void *arg)
{
	struct op_start *op = NEW(struct op_start);

	op->vm = vm;
	launch_init(&op->gear);
	op->restart = vm->record.desired == DESIRED_UP && !vm->ordered;
	job_start(&op->job, &start_kind, vm->name, on_end, arg);
	return &op->job;
}
