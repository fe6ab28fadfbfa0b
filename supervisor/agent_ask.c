/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A job's questions to a guest agent; see agent_ask.h. */
#include "supervisor/agent_ask.h"

#include <string.h>

#include "base/mem.h"

#define AGAIN_MS 20
#define TURN_MS  15000

static void on_reply(struct agent *agent, json_t *result, const struct err *err)
{
	struct agent_ask *ask = agent->owner;

	ask->replied = true;
	ask->result = json_incref(result);
	if (err)
		ask->err = *err;
	job_wake(ask->job);
}

static void on_again(struct loop_timer *timer);

static void wait_no_more(struct agent_ask *ask)
{
	loop_timer_stop(&ask->again);
	if (ask->waits)
		ask->agent->waiting--;
	ask->waits = false;
}

static void wait_for_turn(struct agent_ask *ask)
{
	if (!ask->waits)
		ask->agent->waiting++;
	ask->waits = true;
	loop_timer_start(&ask->again, AGAIN_MS, on_again);
}

/* Whoever waits comes before those that have just had their turn. */
static void try_it(struct agent_ask *ask)
{
	struct err err = ERR_INIT;
	bool yields = !ask->waits && ask->agent->waiting > 0;

	if (!yields && !agent_call(ask->agent, ask->path, &ask->command,
			       on_reply, ask, &err)) {
		wait_no_more(ask);
		return;
	}
	if (yields || (err.code == ERR_BUSY && loop_now_ms() < ask->turn_ms)) {
		wait_for_turn(ask);
		return;
	}
	wait_no_more(ask);
	ask->replied = true;
	ask->err = err;
	job_wake(ask->job);
}

static void on_again(struct loop_timer *timer)
{
	try_it(container_of(timer, struct agent_ask, again));
}

/* Nothing of the last one is left. */
static void forget(struct agent_ask *ask)
{
	if (ask->agent)
		wait_no_more(ask);
	if (ask->agent && ask->agent->busy && ask->agent->owner == ask)
		agent_cancel(ask->agent);
	json_decref(ask->result);
	ask->result = NULL;
	free(TAKE(ask->text));
}

void agent_ask_init(struct agent_ask *ask, struct agent *agent,
	const char *path, struct job *job)
{
	memset(ask, 0, sizeof(*ask));
	ask->agent = agent;
	ask->path = xstrdup(path);
	ask->job = job;
}

void agent_ask_fini(struct agent_ask *ask)
{
	forget(ask);
	free(TAKE(ask->path));
}

void agent_ask_steal(struct agent_ask *ask, struct agent_question question)
{
	AUTO_JSON json_t *message = json_pack("{s:s,s:o*}", "execute",
		question.command, "arguments", question.args);

	forget(ask);
	ask->replied = false;
	ask->err = (struct err)ERR_INIT;
	ask->text = message ? jstream_text(message, JSON_COMPACT) : NULL;
	ask->command = (struct agent_command){ ask->text, question.no_reply,
		question.deadline_ms };
	ask->turn_ms = loop_now_ms() + TURN_MS;
	if (ask->text) {
		try_it(ask);
		return;
	}
	ask->replied = true;
	err_set(&ask->err, ERR_CONFIG,
		"what is asked of the agent is no UTF-8");
	job_wake(ask->job);
}
