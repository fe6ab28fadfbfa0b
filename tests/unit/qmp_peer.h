/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other end of a QMP connection, in this process: it answers every
 * command by the next line of a list, and notes what it heard.
 */
#ifndef TESTS_UNIT_QMP_PEER_H
#define TESTS_UNIT_QMP_PEER_H

#include <sys/socket.h>

#include "base/mem.h"
#include "base/str.h"
#include "qmp/client.h"
#include "tests/unit/tap.h"

static struct jstream peer;
static const char *const *peer_answers;  /* without id; NULL: none */
static struct str peer_heard = STR_INIT; /* "name{arguments} " */

static void peer_on_command(
	struct jstream *js, json_t *message, const char *why)
{
	AUTO_JSON json_t *answer = NULL;
	struct err err = ERR_INIT;
	char *arguments;

	if (why)
		return;
	arguments = json_dumps(json_object_get(message, "arguments"),
		JSON_COMPACT | JSON_SORT_KEYS);
	str_addf(&peer_heard, "%s%s ",
		json_string_value(json_object_get(message, "execute")),
		arguments ? arguments : "");
	free(arguments);
	if (!*peer_answers)
		return;
	answer = json_loads(*peer_answers++, 0, NULL);
	if (!answer) {
		jstream_finish(js);
		return;
	}
	json_object_set(answer, "id", json_object_get(message, "id"));
	ok(jstream_send(js, answer, -1, &err) == 0, "answered");
}

static void peer_on_end(struct jstream *js UNUSED, const struct err *err UNUSED)
{
}
static void peer_on_ready(struct qmp_client *at UNUSED) {}
static void peer_on_lost(
	struct qmp_client *at UNUSED, const struct err *err UNUSED)
{
}

/* The first line answers the client's own qmp_capabilities. */
static void peer_open(
	struct qmp_client *client, void *owner, const char *const *lines)
{
	static const struct jstream_hooks hooks = {
		.on_message = peer_on_command, .on_end = peer_on_end
	};
	static const struct qmp_hooks client_hooks = { peer_on_ready,
		peer_on_lost };
	struct err err = ERR_INIT;
	const char *hello = "{\"QMP\": {\"capabilities\": [\"oob\"]}}\n";
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		return;
	peer_answers = lines;
	str_cut(&peer_heard, 0);
	jstream_open(&peer, fds[1], &prescan_qmp, &hooks, NULL);
	ok(jstream_send_text(&peer, hello, strlen(hello), -1, &err) == 0,
		"greeted");
	qmp_client_open(client, fds[0], 5000, &client_hooks, owner);
}

static void peer_close(struct qmp_client *client)
{
	qmp_client_close(client);
	jstream_close(&peer);
}

#endif
