/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A job's questions to a guest agent, one at a time.  While another job asks
 * the same agent, a question waits for its turn.
 */
#ifndef SUPERVISOR_AGENT_ASK_H
#define SUPERVISOR_AGENT_ASK_H

#include "base/job.h"
#include "supervisor/agent.h"

struct agent_ask {
	struct agent *agent; /* outlives the job */
	struct job *job;
	char *path; /* of the agent's socket */
	char *text; /* of the question */
	struct agent_command command;
	struct loop_timer again; /* somebody else asks */
	int64_t turn_ms;         /* it must be our turn by then */
	bool waits;              /* for its turn */
	bool replied;
	json_t *result; /* until the next question */
	struct err err; /* NONE: it was answered */
};

/* What is asked. */
struct agent_question {
	const char *command;
	json_t *args;        /* stolen; or NULL */
	int64_t deadline_ms; /* from its turn on */
	bool no_reply;       /* success: synced and sent */
};

/* Inside a job's struct; path is copied. */
void agent_ask_init(struct agent_ask *ask, struct agent *agent,
	const char *path, struct job *job);
/* Forgets a question under way; for the job's cleanup. */
void agent_ask_fini(struct agent_ask *ask);
/* Asks; ask->replied, by which the job is woken, comes in time. */
void agent_ask_steal(struct agent_ask *ask, struct agent_question question);

/* The job goes on with the answer; (ask)->err says whether there is one. */
#define AGENT_ASK(j, ask, command, args, ms) \
	AGENT_ASK_AS((j), (ask), (command), (args), (ms), false)

/* The same of a question that may have no reply. */
#define AGENT_ASK_AS(j, ask, command, args, ms, silent)                    \
	do {                                                               \
		agent_ask_steal((ask), (struct agent_question){ (command), \
					       (args), (ms), (silent) });  \
		JOB_AWAIT((j), (ask)->replied, JOB_FOREVER);               \
	} while (0) /* the question has a deadline of its own */

#endif
