/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was ordered explains an end before what was seen; of what was seen,
 * the kernel's word on the process comes first, then what the guest did,
 * then what QEMU said of its own shutdown, then the bare exit status.
 */
#include "supervisor/cause.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct cause_info {
	const char *name;
	bool failure;
	bool crash;
	int status;
};

static const struct cause_info causes[NCAUSES] = {
#define X(id, name, failure, crash, status) \
	[CAUSE_##id] = { name, failure, crash, status },
	CAUSES(X)
#undef X
};

/* QEMU's SHUTDOWN reasons, when nobody here ordered the end. */
static const struct {
	const char *reason;
	enum cause cause;
	const char *detail;
} shutdowns[] = {
	/* nobody looked when it happened: a power off, as far as one sees */
	{ "", CAUSE_GUEST_POWEROFF, "" },
	{ "guest-shutdown", CAUSE_GUEST_POWEROFF, "" },
	{ "guest-reset", CAUSE_GUEST_REBOOT, "" },
	{ "guest-panic", CAUSE_PANIC, "" },
	{ "host-signal", CAUSE_QEMU_EXIT, "SIGTERM from outside" },
	{ "host-qmp-quit", CAUSE_QEMU_EXIT, "quit from outside" },
	{ "host-qmp-system-reset", CAUSE_GUEST_REBOOT, "reset by the host" },
	{ "host-ui", CAUSE_QEMU_EXIT, "closed at its display" },
	{ "host-error", CAUSE_QEMU_EXIT, "error of the host" },
	{ "subsystem-reset", CAUSE_GUEST_REBOOT, "subsystem" },
	{ "snapshot-load", CAUSE_GUEST_REBOOT, "snapshot loaded" },
};

static void verdict(
	struct cause_verdict *out, enum cause cause, const char *detail)
{
	out->cause = cause;
	snprintf(out->detail, sizeof(out->detail), "%s", detail);
}

/* "signal 9", "exit 1"; nothing for a clean or an unknown exit. */
static void add_exit(struct cause_verdict *out, const struct sys_exit *how)
{
	if (how->known && how->signalled)
		snprintf(out->detail, sizeof(out->detail), "signal %d",
			how->code);
	else if (how->known && how->code != 0)
		snprintf(
			out->detail, sizeof(out->detail), "exit %d", how->code);
}

static bool by_order(const struct cause_inputs *in, struct cause_verdict *out)
{
	if (in->intent_kill) {
		verdict(out, CAUSE_ADMIN_KILL, "");
		return true;
	}
	if (!in->intent_stop && !in->intent_host)
		return false;
	verdict(out, in->intent_stop ? CAUSE_ADMIN_STOP : CAUSE_HOST_SHUTDOWN,
		in->panicked ? "panic" : "");
	add_exit(out, &in->exit);
	return true;
}

static bool by_signal(const struct cause_inputs *in, struct cause_verdict *out)
{
	bool signalled = in->exit.known && in->exit.signalled;
	bool killed = signalled && in->exit.code == SIGKILL;

	if (signalled && in->exit.code == SIGSYS) {
		verdict(out, CAUSE_SANDBOX, "");
	} else if (in->oom_killed && (killed || !in->exit.known)) {
		verdict(out, CAUSE_OUT_OF_MEMORY, "");
	} else if (signalled) {
		verdict(out, CAUSE_QEMU_SIGNAL, "");
		snprintf(out->detail, sizeof(out->detail), "%d", in->exit.code);
	} else {
		return false;
	}
	return true;
}

static bool by_guest(const struct cause_inputs *in, struct cause_verdict *out)
{
	if (in->panicked)
		verdict(out, CAUSE_PANIC, "");
	else if (in->watchdog)
		verdict(out, CAUSE_WATCHDOG, "");
	else if (in->io_error)
		verdict(out, CAUSE_IO_ERROR, "");
	else
		return false;
	return true;
}

static bool by_shutdown(
	const struct cause_inputs *in, struct cause_verdict *out)
{
	if (!in->shutdown_seen)
		return false;
	for (size_t i = 0; i < NELEMS(shutdowns); i++)
		if (str_eq(shutdowns[i].reason, in->shutdown_reason)) {
			verdict(out, shutdowns[i].cause, shutdowns[i].detail);
			return true;
		}
	return false;
}

void cause_classify(const struct cause_inputs *in, struct cause_verdict *out)
{
	if (by_order(in, out))
		return;
	if (!in->started) {
		verdict(out, CAUSE_START_FAILED, "");
		add_exit(out, &in->exit);
		return;
	}
	if (in->hang) {
		verdict(out, CAUSE_HANG, "");
		return;
	}
	if (by_signal(in, out) || by_guest(in, out) || by_shutdown(in, out))
		return;
	if (!in->exit.known) {
		verdict(out, CAUSE_UNKNOWN, "");
		return;
	}
	verdict(out, CAUSE_QEMU_EXIT, "");
	snprintf(out->detail, sizeof(out->detail), "%d", in->exit.code);
}

void cause_forget_pause(struct cause_inputs *in)
{
	in->panicked = in->watchdog = in->io_error = false;
}

/* ---- what was seen ---- */

/* After a reset, an NMI or nothing at all the guest lives on. */
static bool watchdog_ends(const char *action)
{
	return str_eq(action, "pause") || str_eq(action, "poweroff") ||
	       str_eq(action, "shutdown");
}

/* What ends QEMU after the guest's own end is no reason. */
static void note_shutdown(struct cause_inputs *in, const char *reason)
{
	in->shutdown_seen = true;
	if (!*in->shutdown_reason)
		snprintf(in->shutdown_reason, sizeof(in->shutdown_reason), "%s",
			reason);
}

void cause_note_event(struct cause_inputs *in, const struct qmp_event *ev)
{
	const char *action = qmp_event_string(ev, "action");

	if (ev->type == QMP_EV_SHUTDOWN)
		note_shutdown(in, qmp_event_string(ev, "reason"));
	else if (ev->type == QMP_EV_GUEST_PANICKED)
		in->panicked = true;
	else if (ev->type == QMP_EV_WATCHDOG)
		in->watchdog = watchdog_ends(action);
	else if (ev->type == QMP_EV_BLOCK_IO_ERROR)
		in->io_error |= str_eq(action, "stop");
	else if (ev->type == QMP_EV_RESUME)
		cause_forget_pause(in);
}

/* QEMU's ShutdownCause numbers in the trace line (7.2 to 9). */
static const char *const reasons[] = { "none", "host-error", "host-qmp-quit",
	"host-qmp-system-reset", "host-signal", "host-ui", "guest-shutdown",
	"guest-reset", "guest-panic", "subsystem-reset", "snapshot-load" };

static void note_run_state(struct cause_inputs *in, const char *state)
{
	if (strstr(state, "(shutdown)")) {
		in->shutdown_seen = true;
		in->shutdown_silent = !in->shutdown_reason[0];
	}
	in->panicked |= strstr(state, "(guest-panicked)") != NULL;
	in->watchdog |= strstr(state, "(watchdog)") != NULL;
	in->io_error |= strstr(state, "(io-error)") != NULL;
	if (strstr(state, "(running)"))
		cause_forget_pause(in);
}

bool cause_note_trace(struct cause_inputs *in, const char *line)
{
	const char *at = strstr(line, "qemu_system_shutdown_request reason=");
	uint64_t number;

	if (at) {
		number = str_digits(strchr(at, '=') + 1);
		note_shutdown(
			in, number < NELEMS(reasons) ? reasons[number] : "");
		return true;
	}
	at = strstr(line, "runstate_set current_run_state");
	if (!at)
		return false;
	at = strstr(at, "new_state ");
	if (at)
		note_run_state(in, at);
	return true;
}

void cause_note_exit(
	struct cause_inputs *in, const struct sys_exit *how, bool oom_killed)
{
	in->exit = *how;
	in->oom_killed = oom_killed;
}

/* ---- the table ---- */

static const struct cause_info *info_of(enum cause cause)
{
	return (unsigned)cause < NCAUSES ? &causes[cause]
					 : &causes[CAUSE_UNKNOWN];
}

const char *cause_name(enum cause cause)
{
	return info_of(cause)->name;
}

enum cause cause_of(const char *name)
{
	for (size_t i = 0; i < NCAUSES; i++)
		if (str_eq(causes[i].name, name))
			return (enum cause)i;
	return CAUSE_UNKNOWN;
}

bool cause_is_failure(enum cause cause)
{
	return info_of(cause)->failure;
}

bool cause_is_crash(enum cause cause)
{
	return info_of(cause)->crash;
}

int cause_exit_status(enum cause cause)
{
	return info_of(cause)->status;
}
