/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest agent of a VM: a hostile peer on its own socket with its own
 * deadlines.  Connected on demand; nothing of the VM waits for it.
 */
#ifndef SUPERVISOR_AGENT_H
#define SUPERVISOR_AGENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/jstream.h"
#include "base/loop.h"

struct agent {
	struct jstream *stream; /* during a call */
	struct loop_timer timer;
	bool busy;        /* a call is under way */
	bool synced;      /* the answer to our sync was seen */
	bool no_reply;    /* the command has no success reply (shutdown) */
	unsigned ignored; /* messages that answer nothing */
	unsigned waiting; /* questions of agent_ask that wait for their turn */
	uint64_t sync_id;
	char *command; /* JSON text sent after the sync */
	/* Exactly once per agent_call(); result borrowed, or NULL and err. */
	void (*on_reply)(
		struct agent *agent, json_t *result, const struct err *err);
	void *owner;
};

struct agent_command {
	const char *text;    /* a JSON object */
	bool no_reply;       /* success: synced and sent (guest-shutdown) */
	int64_t deadline_ms; /* of the whole call */
};

/*
 * Connects to the socket, syncs, sends the command and answers in time.
 * ERR_BUSY while a call runs; else failures come through on_reply.
 */
MUST_CHECK int agent_call(struct agent *agent, const char *path,
	const struct agent_command *command,
	void (*on_reply)(
		struct agent *agent, json_t *result, const struct err *err),
	void *owner, struct err *err);
/* Forgets a call: no reply will come.  Harmless when idle. */
void agent_cancel(struct agent *agent);

#endif
