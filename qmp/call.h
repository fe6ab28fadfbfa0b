/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP commands inside jobs: the job sleeps until the reply is there.
 * An operation embeds a qmp_call beside its job.
 */
#ifndef QMP_CALL_H
#define QMP_CALL_H

#include "base/job.h"
#include "qmp/client.h"

struct qmp_call {
	struct qmp_slot slot;
	struct job *job;
	const char *command; /* static text */
	bool may_fail;
	bool undoing; /* started by the job's undo */
	bool replied;
	json_t *result; /* owned, until the next call or qmp_call_fini() */
	struct err err; /* of a call that may fail (qmp_call_try) */
};

/*
 * Sends; the reply wakes the job.  The arguments are stolen, the name is
 * static text.  A failure fails the job ("device_add: Bus 'x' not found")
 * or, with may_fail, only sets call->err.  The client may be NULL: gone.
 * Nothing is sent for a job that has failed already (qmp_call_pack).
 */
void qmp_call_start(struct qmp_call *call, struct job *job,
	struct qmp_client *client, const struct qmp_command *command,
	bool may_fail);
/* Forgets a reply still to come and the result; for the job's cleanup. */
void qmp_call_fini(struct qmp_call *call);
/* json_pack with failure (bad UTF-8) turned into a failed job; NULL then. */
json_t *qmp_call_pack(struct job *job, const char *fmt, ...);

/* The job fails if QEMU refuses. */
#define QMP_CALL(j, call, client, cmd, args)                  \
	do {                                                  \
		qmp_call_start((call), (j), (client),         \
			QMP_COMMAND((cmd), (args)), false);   \
		JOB_AWAIT((j), (call)->replied, JOB_FOREVER); \
	} while (0)

/* The job goes on; (call)->err says whether QEMU refused. */
#define QMP_TRY(j, call, client, cmd, args)                   \
	do {                                                  \
		qmp_call_start((call), (j), (client),         \
			QMP_COMMAND((cmd), (args)), true);    \
		JOB_AWAIT((j), (call)->replied, JOB_FOREVER); \
	} while (0)

#endif
