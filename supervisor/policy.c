/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An order to stop is never undone by a policy, and a reboot of the guest is
 * no failure: it costs nothing of the burst.  Everything else that restarts
 * a VM does.
 */
#include "supervisor/policy.h"

#include <string.h>

#include "base/mem.h"

static struct policy_decision decide(
	enum policy_action action, int64_t delay_ms)
{
	return (struct policy_decision){ action, delay_ms };
}

static bool is_ordered(enum cause cause)
{
	return cause == CAUSE_ADMIN_STOP || cause == CAUSE_ADMIN_KILL ||
	       cause == CAUSE_HOST_SHUTDOWN;
}

static bool wants_restart(const struct spec_restart *spec, enum cause cause)
{
	if (cause == CAUSE_NONE || is_ordered(cause))
		return false;
	switch ((enum spec_policy)spec->policy) {
	case POLICY_ON_FAILURE:
		return cause_is_failure(cause);
	case POLICY_ON_CRASH:
		return cause_is_crash(cause);
	case POLICY_ALWAYS:
	case POLICY_UNLESS_STOPPED:
		return true;
	case POLICY_NO:
		break;
	}
	return false;
}

/* Drops what left the window, and times that only another boot can have. */
static void forget_old(
	struct policy_history *history, int64_t window_ms, int64_t now_ms)
{
	unsigned kept = 0;

	if (history->n > POLICY_HISTORY)
		history->n = POLICY_HISTORY;
	for (unsigned i = 0; i < history->n; i++) {
		int64_t at = history->at_ms[i];

		if (at <= now_ms && now_ms - at < window_ms)
			history->at_ms[kept++] = at;
	}
	history->n = kept;
}

static void enter(struct policy_history *history, int64_t now_ms)
{
	if (history->n == POLICY_HISTORY) {
		memmove(&history->at_ms[0], &history->at_ms[1],
			sizeof(history->at_ms) - sizeof(history->at_ms[0]));
		history->n--;
	}
	history->at_ms[history->n++] = now_ms;
}

/* The delay before restart number n (2 and up) of a window. */
static int64_t backoff(const struct spec_backoff *spec, unsigned n)
{
	int64_t delay = spec->first_ms;

	for (unsigned i = 2; i < n && delay < spec->max_ms; i++)
		delay = delay > spec->max_ms / 2 ? spec->max_ms : delay * 2;
	return delay;
}

static int64_t jitter(int64_t delay, uint32_t chance)
{
	return delay - (int64_t)((uint64_t)(delay / 4) * chance >> 32);
}

static struct policy_decision restart(const struct spec_restart *spec,
	struct policy_history *history, int64_t now_ms, uint32_t chance)
{
	unsigned most = spec->burst.count;

	forget_old(history, spec->burst.window_ms, now_ms);
	enter(history, now_ms);
	if (most >= POLICY_HISTORY)
		most = POLICY_HISTORY - 1;
	if (most > 0 && history->n > most)
		return decide(POLICY_FAILED, 0);
	history->restarts++;
	if (history->n == 1)
		return decide(POLICY_RESTART_NOW, 0);
	return decide(POLICY_RESTART_LATER,
		jitter(backoff(&spec->backoff, history->n), chance));
}

struct policy_decision policy_decide(const struct spec_restart *spec,
	enum cause cause, struct policy_history *history, int64_t now_ms,
	uint32_t chance)
{
	switch ((enum spec_cause_action)spec->on_cause[cause]) {
	case ACTION_RESTART:
		return restart(spec, history, now_ms, chance);
	case ACTION_STOP:
		return decide(POLICY_STAY_STOPPED, 0);
	case ACTION_PAUSE:
		return decide(POLICY_KEEP_PAUSED, 0);
	case ACTION_BY_POLICY:
		break;
	}
	if (cause == CAUSE_GUEST_REBOOT)
		return decide(spec->on_guest_reboot == REBOOT_STOP
				      ? POLICY_STAY_STOPPED
				      : POLICY_RESTART_NOW,
			0);
	if (wants_restart(spec, cause))
		return restart(spec, history, now_ms, chance);
	return decide(POLICY_STAY_STOPPED, 0);
}

void policy_forgive(struct policy_history *history)
{
	memset(history, 0, sizeof(*history));
}
