/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One monitor connection to one QEMU.  QEMU is hostile input: caps, strict
 * order of ids, a deadline for each command, and on loss every pending
 * command fails once, in order.  Late and unknown replies are dropped and
 * counted.  The client never kills anything.
 *
 * qmp_capabilities with oob is sent before the greeting came, and again
 * without oob if QEMU refuses.  Commands may be queued right after
 * qmp_client_open(): they leave when the greeting says that oob is there,
 * else when capabilities are through.
 */
#ifndef QMP_CLIENT_H
#define QMP_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/jstream.h"
#include "base/list.h"
#include "base/loop.h"
#include "qmp/event.h"

struct qmp_client;

/* A command on its way.  Embedded in its owner, zeroed before first use. */
struct qmp_slot {
	struct list link;          /* qmp_client.pending */
	struct qmp_client *client; /* NULL: idle */
	uint64_t id;
	struct loop_timer timer;
	bool sent;
	char *text; /* what is held back until the greeting, or NULL */
	int fd;     /* goes with text, or -1 */
	enum err_code unsendable; /* NONE, or why it fails soon */
	/*
	 * Exactly once per qmp_send(): result (borrowed) on success, else
	 * NULL and err.  Runs from the loop.
	 */
	void (*on_reply)(
		struct qmp_slot *slot, json_t *result, const struct err *err);
};

struct qmp_sub {
	struct list link; /* qmp_client.subs */
	void (*on_event)(struct qmp_sub *sub, const struct qmp_event *event);
};

struct qmp_hooks {
	/* Greeting and capabilities are through. */
	void (*on_ready)(struct qmp_client *client);
	/* Connection lost, or never usable; all slots have failed before. */
	void (*on_lost)(struct qmp_client *client, const struct err *err);
};

struct qmp_client {
	struct jstream stream;
	const struct qmp_hooks *hooks;
	void *owner;
	struct list pending; /* slots in order of their ids */
	struct list subs;
	struct loop_timer greeting_timer;
	struct loop_kick failing;
	struct qmp_slot caps;
	uint64_t next_id;
	bool greeted;
	bool negotiated;
	bool open_gate; /* commands go out at once */
	bool ready;
	bool oob;
	unsigned version;   /* major * 10000 + minor * 100 + micro */
	uint64_t commands;  /* sent */
	uint64_t dropped;   /* replies nobody waited for, garbage lines */
	uint64_t events;    /* received */
	uint64_t coalesced; /* received but not delivered: an event storm */
	struct {
		int64_t since_ms;
		unsigned count;
		uint64_t seen; /* bits of types delivered beyond the budget */
	} storm;
};

/*
 * Beyond this many events in a second, repeated ones that carry no state
 * are counted only (a guest can make 2,000 RESETs a second).
 */
#define QMP_EVENTS_PER_S 200

/*
 * Takes over a connected non-blocking socket.  Greeting deadline in ms;
 * after it on_lost with ERR_TIMEOUT.
 */
void qmp_client_open(struct qmp_client *client, int fd, int64_t greeting_ms,
	const struct qmp_hooks *hooks, void *owner);
/*
 * Closes without on_lost; pending slots are forgotten without a reply and
 * subscribers dropped.  Harmless on a closed client; after on_lost it is
 * needed before the memory is freed.
 */
void qmp_client_close(struct qmp_client *client);
/* The same, but pending slots fail first with ERR_GONE: somebody waits. */
void qmp_client_abandon(struct qmp_client *client);
bool qmp_client_is_open(const struct qmp_client *client);

/* What to send: args (or NULL) are stolen, fd (or -1) travels with it. */
struct qmp_command {
	const char *name;
	json_t *args;
	int64_t deadline_ms; /* 0: 10 s */
	int fd;
};

/* A command with the usual deadline and without a descriptor. */
#define QMP_COMMAND(name, args) (&(struct qmp_command){ (name), (args), 0, -1 })
/* The same with a deadline in ms. */
#define QMP_COMMAND_IN(ms, name, args) \
	(&(struct qmp_command){ (name), (args), (ms), -1 })

/*
 * Sends a command.  A deadline that passes fails the slot with ERR_TIMEOUT
 * and drops the late reply.  On a dead connection the slot fails with
 * ERR_GONE through the loop, never inside this call.
 */
void qmp_send_steal(struct qmp_client *client, struct qmp_slot *slot,
	const struct qmp_command *command,
	void (*on_reply)(
		struct qmp_slot *slot, json_t *result, const struct err *err));
/* Forgets a slot: no reply will be delivered.  Harmless on an idle one. */
void qmp_cancel(struct qmp_slot *slot);

/* Delivers every event, in order, until qmp_unsubscribe; nothing is owned. */
void qmp_subscribe(struct qmp_client *client, struct qmp_sub *sub,
	void (*on_event)(struct qmp_sub *sub, const struct qmp_event *event));
void qmp_unsubscribe(struct qmp_sub *sub); /* harmless if not subscribed */

/*
 * Goes on with a connection that an earlier image of this process had
 * negotiated (qmp/handover).
 */
void qmp_client_resume(struct qmp_client *client, int fd,
	const struct qmp_hooks *hooks, void *owner);

/*
 * Watches all clients for the flight recorder; or NULL.  It gets the text
 * that was sent, or NULL and what was received (NULL: no JSON).
 */
void qmp_client_set_tap(void (*tap)(
	const struct qmp_client *client, const char *sent, json_t *received));

#endif
