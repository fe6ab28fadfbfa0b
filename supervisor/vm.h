/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One VM: what is written (spec), what is remembered (record), what lives
 * (machine), and where it stands (state).  This file holds the struct and
 * what every operation needs; supervisor/lifecycle decides.
 */
#ifndef SUPERVISOR_VM_H
#define SUPERVISOR_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/aio.h"
#include "base/job.h"
#include "base/keys.h"
#include "base/list.h"
#include "supervisor/accel.h"
#include "supervisor/agent.h"
#include "supervisor/argv.h"
#include "supervisor/env.h"
#include "supervisor/machine.h"
#include "supervisor/recorder.h"
#include "supervisor/spec.h"
#include "supervisor/store.h"
#include "supervisor/vmlog.h"

/* clang-format off */
/* Name, word shown to people. */
#define VM_STATES(X)                                              \
	X(STOPPED, "stopped")                                     \
	X(STARTING, "starting")                                   \
	X(RUNNING, "running")                                     \
	X(PAUSED, "paused")                                       \
	X(STOPPING, "stopping")                                   \
	X(ENDED, "stopping") /* guest off, QEMU on its way out */ \
	X(SAVING, "saving")                                       \
	X(SAVED, "saved")                                         \
	X(WAITING, "waiting")                                     \
	X(FAILED, "failed")                                       \
	X(ADOPTING, "unreachable")                                \
	X(UNREACHABLE, "unreachable")

#define VM_EVENTS(X)                                                      \
	X(START) X(STARTED) X(STARTED_PAUSED) X(START_FAILED) X(STOP)     \
	X(STOP_CANCELLED) X(STUCK) X(KILL) X(GUEST_PAUSED)                \
	X(SAVE) X(SAVE_FAILED) X(END_SAVED)                               \
	X(GUEST_RESUMED) X(GUEST_OFF) X(LOST) X(FOUND) X(UNREACHABLE)     \
	X(END_STOPPED) X(END_RESTART) X(END_BACKOFF) X(END_FAILED)        \
	X(RETRY) X(RESET_FAILED) X(UNWANTED)
/* clang-format on */

enum vm_state {
#define X(id, word) VM_##id,
	VM_STATES(X)
#undef X
		VM_NSTATES
};

enum vm_event {
#define X(id) EV_##id,
	VM_EVENTS(X)
#undef X
		VM_NEVENTS
};

enum vm_ready { VM_READY_NONE, VM_READY_NO, VM_READY_YES };

struct vm;
struct stats;

/* Somebody who wants to know when a VM changes (a waiting request). */
struct vm_watch {
	struct list link; /* vm.watches */
	struct vm *vm;
	void (*on_change)(struct vm_watch *watch, struct vm *vm);
};

/* What an admin ordered of the stop in progress. */
struct vm_stop_order {
	bool restart;       /* start again afterwards */
	bool now;           /* skip what asks the guest */
	bool runtime;       /* its time ([stop] runtime-max) is over */
	bool host_shutdown; /* the supervisor was told to shut down */
	bool alone;         /* it heeds no other VM */
	bool shared;        /* its time is that of all who stop now */
	int64_t timeout_ms; /* 0: the spec's */
	char first[80];     /* "web, app": who goes down before it */
};

/* The full-disk autopilot of a VM; supervisor/diskfull's. */
struct vm_full {
	struct loop_timer timer; /* the next look at the space */
	bool blocked;            /* stopped for want of space */
	char *path;              /* the image that had none; or NULL */
	bool timed;              /* there is only the clock to look at */
	unsigned tries;
	int64_t tried_ms;
};

/* The early warning of a full disk; supervisor/lowspace's. */
struct vm_low {
	struct qmp_slot slot;
	size_t done; /* disks that have a threshold, or need none */
};

/* The keeping of a configuration that is good; supervisor/lastgood's. */
struct vm_good {
	struct loop_timer timer; /* until its age proves it */
	struct aio_sync sync;
	int fd; /* of the file beside, while it is synced; or -1 */
};

/*
 * Its place among the others; supervisor/order's.  Who is told to wait is
 * asked again when another VM has changed.
 */
enum vm_turn { VM_GO, VM_WAIT, VM_NEVER };

struct vm_order {
	/* VM_NEVER with err: one that it requires does not come. */
	enum vm_turn (*may_start)(struct vm *vm, struct err *err);
	bool (*may_stop)(struct vm *vm);
	/* What of the time left is for its own ladder. */
	int64_t (*stop_share)(struct vm *vm, int64_t left_ms);
	/* "waits for db (starting)"; nothing if it waits for nobody. */
	void (*describe)(const struct vm *vm, struct str *out);
	void (*changed)(struct vm *vm);
	void (*reread)(struct vm *vm); /* its files */
};

/* Its file systems stand still for a person; supervisor/frozen's. */
struct vm_frozen {
	struct loop_timer timer; /* then they go on */
	unsigned tries;
};

/* What it does at times by the wall clock; supervisor/schedule's. */
enum schedule { SCHEDULE_BACKUP, SCHEDULE_SNAPSHOT, SCHEDULES };
struct vm_schedule {
	struct loop_timer timer;
	struct vm *vm;
	int64_t last_us; /* by the wall clock; 0: not read so far */
	bool runs;       /* one is under way */
};

/* The hang detector of a VM; supervisor/hang's. */
struct vm_hang {
	struct loop_timer timer;  /* the next look */
	struct qmp_slot question; /* on its way to the monitor */
	int64_t silent_ms;        /* since when it has not answered; or 0 */
	bool runs;                /* the vCPUs should move, it last said */
	uint64_t cpu_ns;          /* what they had used */
	int64_t moved_ms;         /* when they last had used more */
	const char *what;         /* hangs: "monitor", "vcpus"; or NULL */
};

struct vm {
	struct list link; /* registry.vms, by name */
	const struct env *env;
	const char *name; /* base/atom's */
	struct vmlog log;
	struct recorder recorder;
	enum vm_state state;
	int64_t since_real_us;
	bool gone;      /* its file is gone; forgotten when it is down */
	bool leaves;    /* it would be forgotten now, but somebody waits */
	bool transient; /* an instance that came to be by `start` */
	bool is_new;    /* its files were just found */

	struct vm_spec *spec;     /* last good version of the files */
	struct vm_spec *running;  /* what QEMU runs, or NULL; may be == spec */
	unsigned pending;         /* entries in which those two differ */
	struct findings findings; /* of the last load; errors: `invalid` */

	const char *chains; /* supervisor/chain_record's; or NULL */
	bool chains_read;   /* it was looked for */

	struct record record;
	bool recorded;  /* the last change reached the disk */
	bool up_stored; /* that it is to run is surely on disk */
	struct store_wait order_stored;
	bool order_pending;             /* an order is not on disk yet */
	struct store_wait kept;         /* of writes nobody else waits for */
	struct loop_timer record_timer; /* the next try to write it */
	struct loop_timer tidy_timer;   /* the next try to tidy up */
	unsigned record_tries;
	bool newer_record; /* written by a newer vmward: left alone */

	struct machine machine;
	struct accel accel;
	struct argv_slots slots;
	struct agent agent;
	struct stats *stats; /* supervisor/stats, once somebody asked */

	const char *held; /* "cloned": by a job; it must not start; or NULL */
	bool in_snapshot; /* QEMU stands still for one: not the guest's doing */
	int64_t stopped_us; /* when it did, by QEMU's clock */
	bool mending;       /* of its snapshots; a start waits for that */
	struct job *op;     /* start, stop or adoption under way */
	struct list jobs;   /* job.link: all jobs on this VM */
	struct vm_stop_order stop;
	bool intent_stop; /* an admin's stop or kill is under way */
	bool intent_kill;
	bool reboot_known; /* reboot_ends is what QEMU was told */
	bool reboot_ends;  /* a reboot of the guest ends QEMU */
	bool reboot_held;  /* warm until the firmware's own resets are over */
	struct loop_timer reboot_timer; /* the end of that */
	struct vm_full full;
	struct vm_low low;
	struct vm_hang hang;
	struct vm_frozen frozen;
	struct vm_schedule schedules[SCHEDULES];
	struct loop_timer runtime_timer; /* [stop] runtime-max */
	struct vm_good good;
	bool ordered; /* this start was asked for by a person */
	bool start_paused;
	bool once_ephemeral; /* start --ephemeral, until the next order */
	char *once_disc;     /* start --cdrom, until it was used; or NULL */
	int once_disc_fd;    /* the caller's descriptor of it; or 0 */
	bool kept_paused;    /* an admin paused it */
	bool was_ready;      /* when the memory was saved that it starts from */
	char *left_sets;     /* "5 7 ": supervisor/fdset_sweep; or NULL */
	bool clock_is_late;  /* the guest's, by the time it was saved */
	char *stop_step;     /* "agent 0.4 s: powered off (step 1 of 6)" */

	const struct vm_order *order; /* or NULL: it is alone */
	bool alone;                   /* this start heeds no other VM */
	bool boot;        /* its start comes with the supervisor's */
	bool pulled;      /* those that its start needs are on their way */
	bool refused;     /* one that it requires did not come */
	bool waits;       /* its start or stop waits for others */
	bool waits_far;   /* supervisor/far: for file systems */
	bool far_asked;   /* they were asked for its start */
	int64_t slot_ms;  /* one of the parallel starts until then; 0: no */
	int64_t asked_ms; /* monotonic, when its start was asked for */
	int64_t ready_ms; /* monotonic, when it was ready */

	enum vm_ready ready;
	int64_t ready_real_us;
	struct probe *probe; /* supervisor/ready, while it waits */

	struct loop_timer retry_timer; /* back-off, or the next adoption try */
	int64_t retry_at_ms;
	unsigned adopt_tries;
	bool recover_boot;         /* its recovery at a boot is still to come */
	struct cause_verdict last; /* of the last end */
	int64_t last_end_us;       /* monotonic, when the process was gone */
	int64_t restarted_us;      /* monotonic, exec of the successor */
	char *note;                /* what a person should know; or "" */
	struct err *start_err;     /* why the last start failed; or NULL */
	struct err *save_err;      /* why the last save failed; or NULL */

	struct list watches;                              /* vm_watch.link */
	void (*post)(struct vm *vm, enum vm_event event); /* lifecycle */
	void (*on_idle)(struct vm *vm); /* a watch or job ended; or NULL */
	void *registry;
};

/* A stopped VM without spec; machine_hooks and post come from lifecycle. */
struct vm *vm_new(const struct env *env, const char *name,
	const struct machine_hooks *hooks,
	void (*post)(struct vm *vm, enum vm_event event));
/* Lets go of everything; QEMU is not touched.  Accepts NULL. */
void vm_free(struct vm *vm);

/* The word shown to people. */
const char *vm_state_name(enum vm_state state);
/* "ENDED" of VM_ENDED. */
const char *vm_state_id(enum vm_state state);
/* "START" of EV_START. */
const char *vm_event_name(enum vm_event event);
/* "invalid" for a stopped VM with a broken file, else the state's word. */
const char *vm_state_word(const struct vm *vm);
/* True while a QEMU process exists or may exist. */
bool vm_is_up(const struct vm *vm);

/* The only way to change the state: lifecycle's matrix. */
void vm_post(struct vm *vm, enum vm_event event);
/* True, false, or null where there is no readiness; new. */
json_t *vm_ready_json(const struct vm *vm);
/* For lifecycle: sets the state, logs, emits VM_STATE. */
void vm_set_state(struct vm *vm, enum vm_state state, enum vm_event why);
/* Tells watches that something besides the state changed. */
void vm_changed(struct vm *vm);
void vm_set_ready(struct vm *vm, enum vm_ready ready);
void vm_set_note(struct vm *vm, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void vm_watch(struct vm *vm, struct vm_watch *watch,
	void (*on_change)(struct vm_watch *watch, struct vm *vm));
bool vm_is_watched_by(const struct vm_watch *watch);
void vm_unwatch(struct vm_watch *watch); /* harmless twice */

/*
 * Writes the record; wait (or NULL) as store_write.  -1: not even the write
 * worked (logged, vm->recorded false); it is tried again later.
 */
int vm_record(struct vm *vm, struct store_wait *wait);
/* The same for a sync that failed: whoever waited for it tells. */
void vm_record_lost(struct vm *vm);
/* The same for an order: vm->order_pending until it is on disk, or failed. */
void vm_record_order(struct vm *vm);
/* A fresh number of a job. */
unsigned vm_job_number(void);
/* Registers a job on the VM under a fresh number and emits JOB_STATUS. */
void vm_job_add(struct vm *vm, struct job *job);
/* The last number given to a job; the next ones are above at_least. */
unsigned vm_job_last(unsigned at_least);
/* It came to another phase (static text): emits JOB_STATUS if it is one. */
void vm_job_phase(struct vm *vm, struct job *job, const char *phase);
/* So much of it is done: emits JOB_STATUS once a percent. */
void vm_job_bytes(
	struct vm *vm, struct job *job, uint64_t done, uint64_t total);
/* The job's end: emits JOB_STATUS, takes it off the list. */
void vm_job_end(struct vm *vm, struct job *job);
/* QEMU is gone, or its monitor: every job looks again. */
void vm_wake_jobs(struct vm *vm);
/* The end of a job (arg: its VM) that needs a line in the log at most. */
void vm_job_over(struct job *job, void *arg);
/* The first job on the VM that changes it, or NULL. */
struct job *vm_busy(const struct vm *vm);
/* No job changes it and nothing holds it; else -1 with which (ERR_BUSY). */
MUST_CHECK int vm_check_free(const struct vm *vm, struct err *err);

/* The edit of the drop-in under way, or NULL. */
struct job *vm_busy_edit(const struct vm *vm);

/* Consoles of the running or to-be-started spec, by name; NULL. */
struct console;
struct console *vm_console(const struct vm *vm, const char *name);
/* Makes the consoles that the spec names and drops the others. */
void vm_make_consoles(struct vm *vm, const struct vm_spec *spec);
/* One that an earlier image of this process served becomes ours. */
void vm_take_console(struct vm *vm, struct console *c);
/* The files were read anew: spec (stolen) becomes the last good one. */
void vm_replace_spec_steal(struct vm *vm, struct vm_spec *spec);
/*
 * A start goes by the present spec, and so does QEMU: a reload meanwhile
 * leaves it alone.  With once_ephemeral by a throw-away copy of it, with
 * other (taken over; or NULL) by that.
 */
MUST_CHECK int vm_run_spec(
	struct vm *vm, struct vm_spec *other, struct err *err);
/* What it runs with, else what is written; NULL: it has neither. */
const struct vm_spec *vm_spec_now(const struct vm *vm);
/* Root ports by the record, for what runs: a device keeps its place. */
void vm_load_slots(struct vm *vm);
/* Writes what QEMU runs to priv/config.ini (tmpfs, for the next adoption). */
void vm_save_running(struct vm *vm);
/* Reads it back; falls back to the spec. */
void vm_load_running(struct vm *vm);
/* A spec of the VM once more, with whole paths, new; NULL: it has an error. */
struct vm_spec *vm_copy_spec(const struct vm *vm, const struct vm_spec *spec);
/*
 * What runs is no longer what is written: a copy of its own, to change.
 * False: nothing is known to run, or it cannot be copied; nothing changes.
 */
bool vm_own_running(struct vm *vm);
/* The next life has no disc of a caller's. */
void vm_forget_disc(struct vm *vm);
/* Nothing runs any more. */
void vm_drop_running(struct vm *vm);
/* True if a QEMU of this VM lives, or may: its locks were looked at. */
bool vm_is_locked(struct vm *vm);
/* 0 if the files of the VM are good; else their first error. */
MUST_CHECK int vm_check_files(const struct vm *vm, struct err *err);
/* Monotonic ms since the guest was started; -1 when down. */
int64_t vm_uptime_ms(const struct vm *vm);
/* Number of entries that differ between spec and running. */
unsigned vm_pending(const struct vm *vm);

#endif
