/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Restart policy: pure functions of spec, cause and history.  The first
 * restart is at once, also after a short life; then back-off with doubling,
 * a burst window, and `failed` until reset-failed.
 */
#ifndef SUPERVISOR_POLICY_H
#define SUPERVISOR_POLICY_H

#include <stdint.h>

#include "supervisor/cause.h"
#include "supervisor/spec.h"

#define POLICY_HISTORY 16

/* Kept in the record; times on the monotonic clock of one boot. */
struct policy_history {
	unsigned restarts;             /* since the last ordered start */
	unsigned n;                    /* of at[] in use, oldest first */
	int64_t at_ms[POLICY_HISTORY]; /* failures inside the burst window */
};

enum policy_action {
	POLICY_STAY_STOPPED,
	POLICY_RESTART_NOW,
	POLICY_RESTART_LATER,
	POLICY_FAILED,
	POLICY_KEEP_PAUSED
};

struct policy_decision {
	enum policy_action action;
	int64_t delay_ms; /* POLICY_RESTART_LATER */
};

/*
 * Decides, and enters the failure into the history.  `chance` is any random
 * number: it takes up to a quarter off a delay, so that VMs that fell
 * together do not rise together; 0 takes nothing off.
 */
struct policy_decision policy_decide(const struct spec_restart *spec,
	enum cause cause, struct policy_history *history, int64_t now_ms,
	uint32_t chance);
/* An ordered start or reset-failed: everything is forgiven. */
void policy_forgive(struct policy_history *history);

#endif
