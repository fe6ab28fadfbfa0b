/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clients of the control socket: the structs that supervisor/control
 * and supervisor/control_handover share, and nobody else looks into.
 */
#ifndef SUPERVISOR_CLIENT_H
#define SUPERVISOR_CLIENT_H

#include "base/jstream.h"
#include "base/sock.h"
#include "base/verbs.h"
#include "supervisor/events.h"

struct client;
struct handler;
struct registry;

struct control {
	struct registry *registry;
	const struct handler *handlers;
	char *path;
	bool inherited; /* the service manager's: its name is not ours */
	int fd;
	struct loop_io io;
	struct loop_timer accept_again;
	bool accept_failed;  /* the last time, and it was said */
	struct list clients; /* client.link */
	unsigned nclients;
	struct list orphans; /* request.link: their clients left */
	/* A message, or why it is none. */
	void (*on_message)(
		struct client *client, json_t *message, const char *why);
	/* The id of the request of its own that began the job, or NULL. */
	json_t *(*request_of_job)(const struct client *client, const char *job);
	/* Its requests are to lose it. */
	void (*on_leave)(struct client *client);
};

struct client {
	struct list link; /* control.clients */
	struct control *control;
	struct jstream stream;
	struct sock_peer peer;
	enum role role;
	bool negotiated;
	struct loop_timer greeting;
	struct loop_timer giving_up; /* it does not read */
	struct list requests;        /* request.link */
	unsigned nrequests;
	struct events_sub events;
	bool wants_events;
	char name[48]; /* for the log: "client pid 812 uid 0" */
};

/* A connected peer; nothing was said so far. */
struct client *client_new(struct control *control, int fd);
/* Ten seconds to answer the greeting. */
void client_await_greeting(struct client *client);
/* Our events from now on. */
void client_enable_events(struct client *client);
/* Closes it; what it asked for goes on without it. */
void client_free(struct client *client);
/* Its role on the VM of that name; "": on none. */
enum role client_role_for(const struct client *client, const char *vm_name);
/* A message (borrowed); a client that does not read is closed, later. */
void client_send(struct client *client, const json_t *message);
/* {"return": result (stolen), "id": id}. */
void client_reply_steal(struct client *client, json_t *result, json_t *id);
/* The same of a result that is JSON text already. */
void client_reply_text(struct client *client, const char *result, json_t *id);
void client_send_error(
	struct client *client, const struct err *err, json_t *id);

#endif
