/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: a QMP server (facts/qmp-server.md) for any number of
 * clients up to the caps.  Checks role and arguments by the command table,
 * hands requests to handlers, and answers each exactly once.
 */
#ifndef SUPERVISOR_CONTROL_H
#define SUPERVISOR_CONTROL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "supervisor/registry.h"
#include "supervisor/request.h"

struct handler {
	const char *wire;
	/* Answers now, or keeps the request and answers later. */
	void (*run)(struct request *request);
};

/* All handlers, ended by a NULL wire; supervisor/commands has them. */
struct control *control_new(
	struct registry *registry, const struct handler *handlers);
void control_free(struct control *control);
/* Listens at the path (mode 0666: peers are checked), or on a given fd. */
MUST_CHECK int control_listen(
	struct control *control, const char *path, struct err *err);
/*
 * Accepts on a listening descriptor, which is the control's from now on;
 * inherited: its name is a service manager's, and stays.
 */
void control_accept(
	struct control *control, int fd, const char *path, bool inherited);
/* A message as if it had just come. */
void control_dispatch(struct client *client, json_t *message);

#endif
