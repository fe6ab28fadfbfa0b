/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest agent; see supervisor/agent.h. */
#include "supervisor/agent.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/sock.h"
#include "base/sys.h"

#define IGNORED_MAX 64        /* leftovers of others before our answer */
#define SAID_MAX    (1 << 20) /* bytes; an answer has 256 KiB at most */

/* Ends the call: the connection goes, the caller learns. */
static void finish(struct agent *agent, json_t *result, const struct err *err)
{
	agent_cancel(agent);
	agent->on_reply(agent, result, err);
}

static void fail(struct agent *agent, enum err_code code, const char *text)
{
	struct err err = ERR_INIT;

	err_set(&err, code, "guest agent: %s", text);
	finish(agent, NULL, &err);
}

static void on_deadline(struct loop_timer *timer)
{
	struct agent *agent = container_of(timer, struct agent, timer);

	fail(agent, ERR_TIMEOUT,
		agent->synced ? "no answer to the command"
			      : "it does not answer");
}

static void send_command(struct agent *agent)
{
	struct err err = ERR_INIT;

	agent->synced = true;
	if (jstream_send_text(agent->stream, agent->command,
		    strlen(agent->command), -1, &err))
		finish(agent, NULL, &err);
	else if (agent->no_reply)
		jstream_finish(agent->stream);
}

/* A guest that talks without end is not heard to its end. */
static void ignore(struct agent *agent)
{
	if (++agent->ignored > IGNORED_MAX)
		fail(agent, ERR_LIMIT, "it talks without answering");
}

/* Anything before the answer to our sync is a stranger's leftover. */
static void on_message(
	struct jstream *js, json_t *message, const char *why UNUSED)
{
	struct agent *agent = js->owner;
	json_t *result = json_object_get(message, "return");
	json_t *error = json_object_get(message, "error");
	const char *desc;

	if (!agent->synced) {
		if (json_is_integer(result) &&
			(uint64_t)json_integer_value(result) == agent->sync_id)
			send_command(agent);
		else
			ignore(agent);
		return;
	}
	desc = json_string_value(json_object_get(error, "desc"));
	if (result)
		finish(agent, result, NULL);
	else if (error)
		fail(agent, ERR_GUEST, desc ? desc : "unknown error");
	else
		ignore(agent);
}

static void on_end(struct jstream *js, const struct err *err)
{
	struct agent *agent = js->owner;

	/* a command without reply is done once it was written */
	if (agent->synced && agent->no_reply)
		finish(agent, NULL, NULL);
	else
		fail(agent, ERR_GONE,
			err->code ? err->text : "it closed the connection");
}

static const struct jstream_hooks hooks = { .on_message = on_message,
	.on_end = on_end };

int agent_call(struct agent *agent, const char *path,
	const struct agent_command *command,
	void (*on_reply)(
		struct agent *agent, json_t *result, const struct err *err),
	void *owner, struct err *err)
{
	char sync[128];
	uint32_t id;
	int fd;

	if (agent->busy)
		return err_set(err, ERR_BUSY,
			"guest agent: another command is under way");
	fd = sock_connect(path, err);
	if (fd < 0)
		return -1;
	if (sys_random(&id, sizeof(id)) < 0)
		id = (uint32_t)sys_now_us();
	agent->busy = true;
	agent->synced = false;
	agent->ignored = 0;
	agent->no_reply = command->no_reply;
	agent->sync_id = id;
	agent->command = xasprintf("%s\n", command->text);
	agent->on_reply = on_reply;
	agent->owner = owner;
	agent->stream = NEW(struct jstream);
	jstream_open(agent->stream, fd, &prescan_agent, &hooks, agent);
	agent->stream->rx_max = SAID_MAX;
	snprintf(sync, sizeof(sync),
		"\xff{\"execute\":\"guest-sync-delimited\","
		"\"arguments\":{\"id\":%u}}\n",
		id);
	loop_timer_start(&agent->timer, command->deadline_ms, on_deadline);
	if (jstream_send_text(agent->stream, sync, strlen(sync), -1, err)) {
		agent_cancel(agent);
		return -1;
	}
	return 0;
}

void agent_cancel(struct agent *agent)
{
	if (!agent->busy)
		return;
	agent->busy = false;
	loop_timer_stop(&agent->timer);
	jstream_close(agent->stream);
	free(TAKE(agent->stream));
	free(TAKE(agent->command));
}
