/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs that ask the guest agent: one question, or a few whose answers belong
 * together; files pushed into the guest and pulled out of it.
 */
#ifndef SUPERVISOR_OP_AGENT_H
#define SUPERVISOR_OP_AGENT_H

#include "supervisor/op.h"

enum op_agent {
	AGENT_PING,
	AGENT_INFO,
	AGENT_TRIM,
	AGENT_SET_TIME,
	AGENT_SET_PASSWORD,
	AGENT_KEYS,
	AGENT_KEYS_ADD,
	AGENT_KEYS_REMOVE,
	AGENT_SHUTDOWN,
};

/*
 * Waits for an agent that answers, wait_ms at most (0: it must now), then
 * asks.  args are stolen, and those of the one question.
 */
struct job *op_agent_begin_steal(struct vm *vm, enum op_agent what,
	json_t *args, int64_t wait_ms, op_end_fn *on_end, void *arg);
/* What it answered: an object, borrowed. */
json_t *op_agent_result(const struct job *job);

/* Sets the guest's clock to ours; without an agent it is no failure. */
struct job *op_clock_begin(struct vm *vm, op_end_fn *on_end, void *arg);

/*
 * Returns when the agent answers; else ERR_GUEST after wait_ms.  For jobs that
 * have more to say to it.
 */
struct job *op_agent_reach_begin(struct vm *vm, int64_t wait_ms,
	struct job *parent, op_end_fn *on_end, void *arg);

/* What is copied. */
struct op_agent_file {
	int fd;           /* of a plain file here; stolen */
	const char *path; /* in the guest; copied */
	const char *here; /* the name of fd's file in errors; copied */
	const char *mode; /* of the guest's file, "0644" */
	int64_t wait_ms;  /* for the agent */
};

/*
 * A file into the guest: written beside, then renamed; a failure leaves what
 * was there.  os = windows: written in place.
 */
struct job *op_agent_push_begin(struct vm *vm, const struct op_agent_file *file,
	op_end_fn *on_end, void *arg);
/* A file out of the guest; what was written of it stays the caller's. */
struct job *op_agent_pull_begin(struct vm *vm, const struct op_agent_file *file,
	op_end_fn *on_end, void *arg);
/* {"bytes":.., "mode":..}; new. */
json_t *op_agent_file_result(const struct job *job);

#endif
