/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The audit trail: one line of the log, tagged `audit`, for each change that
 * somebody asked for, done, failed or refused: who, what, and how it ended.
 * What a job does later is told by a line of its own, with the job's id.
 */
#ifndef SUPERVISOR_AUDIT_H
#define SUPERVISOR_AUDIT_H

#include <jansson.h>

#include "base/err.h"
#include "base/sock.h"
#include "base/verbs.h"

/* A request was answered: nothing is told unless it changed something. */
void audit_answer(const struct sock_peer *peer, const struct verb *verb,
	const json_t *args, const json_t *result);
/*
 * A request failed or was refused, also before it was one: told of changes,
 * and of whatever the peer's role does not reach.
 */
void audit_error(const struct sock_peer *peer, const struct verb *verb,
	const json_t *args, const struct err *err);

#endif
