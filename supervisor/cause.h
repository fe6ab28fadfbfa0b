/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a VM ended: a closed list and a pure function of what was seen. */
#ifndef SUPERVISOR_CAUSE_H
#define SUPERVISOR_CAUSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/sys.h"
#include "qmp/event.h"

/* Name, is a failure, is a crash (policy on-crash), exit status of run. */
#define CAUSES(X)                                            \
	X(NONE, "none", false, false, 0)                     \
	X(GUEST_POWEROFF, "guest-poweroff", false, false, 0) \
	X(GUEST_REBOOT, "guest-reboot", true, false, 0)      \
	X(ADMIN_STOP, "admin-stop", false, false, 0)         \
	X(ADMIN_KILL, "admin-kill", false, false, 109)       \
	X(HOST_SHUTDOWN, "host-shutdown", false, false, 0)   \
	X(PANIC, "panic", true, true, 101)                   \
	X(WATCHDOG, "watchdog", true, false, 102)            \
	X(IO_ERROR, "io-error", true, false, 104)            \
	X(OUT_OF_MEMORY, "out-of-memory", true, false, 105)  \
	X(QEMU_EXIT, "qemu-exit", true, true, 106)           \
	X(QEMU_SIGNAL, "qemu-signal", true, true, 107)       \
	X(SANDBOX, "sandbox", true, false, 103)              \
	X(HANG, "hang", true, true, 108)                     \
	X(START_FAILED, "start-failed", true, false, 1)      \
	X(UNKNOWN, "unknown", true, false, 119)

enum cause {
#define X(id, name, failure, crash, status) CAUSE_##id,
	CAUSES(X)
#undef X
		NCAUSES
};

/* Everything that was seen of an end; order of arrival does not matter. */
struct cause_inputs {
	bool intent_stop;     /* an admin asked for stop before the end */
	bool intent_kill;     /* an admin asked for kill */
	bool intent_host;     /* the supervisor was told to shut down */
	bool started;         /* the guest ran (cont succeeded) */
	bool adopted;         /* QEMU was not our child at its end */
	bool shutdown_seen;   /* a SHUTDOWN event, run state or trace line */
	bool shutdown_silent; /* its trace came without a reason */
	char shutdown_reason[24]; /* "guest-shutdown", "" if unknown */
	bool panicked;            /* GUEST_PANICKED or guest-panicked */
	bool watchdog;            /* WATCHDOG with pause, poweroff, shutdown */
	bool io_error;            /* stopped by BLOCK_IO_ERROR at the end */
	bool oom_killed;          /* cgroup counter moved */
	bool hang;                /* the hang detector acted */
	struct sys_exit exit;     /* known=false: somebody else reaped it */
};

struct cause_verdict {
	enum cause cause;
	char detail[48]; /* "9", "1", "quit: acpi"; may be empty */
};

/* An event of QEMU's monitor: what it says of an end. */
void cause_note_event(struct cause_inputs *in, const struct qmp_event *ev);
/*
 * One of QEMU's own trace lines, on its stderr: "qemu_system_shutdown_request
 * reason=6" names the reason; "runstate_set current_run_state 9 (running)
 * new_state 11 (shutdown)" the end without one, which under reboot=shutdown
 * is a reboot.  False: it is another line.
 */
bool cause_note_trace(struct cause_inputs *in, const char *line);
/* How the process ended, and whether the kernel killed for memory. */
void cause_note_exit(
	struct cause_inputs *in, const struct sys_exit *how, bool oom_killed);
/* The guest goes on after a pause: what paused it ended nothing. */
void cause_forget_pause(struct cause_inputs *in);
/* The one cause of an end, from what was seen; pure. */
void cause_classify(const struct cause_inputs *in, struct cause_verdict *out);
/* Facts about a cause, from its table; names are static. */
const char *cause_name(enum cause cause);
enum cause cause_of(const char *name); /* CAUSE_UNKNOWN if none */
bool cause_is_failure(enum cause cause);
bool cause_is_crash(enum cause cause);
int cause_exit_status(enum cause cause);

#endif
