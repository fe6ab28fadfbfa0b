/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our own events: numbered, the last 1,024 kept, handed to subscribers in
 * order.  A subscriber that asks for older ones learns of the gap.
 */
#ifndef SUPERVISOR_EVENTS_H
#define SUPERVISOR_EVENTS_H

#include <jansson.h>
#include <stdint.h>

#include "base/list.h"

#define EVENTS_KEPT 1024

/* What happened; borrowed, for the time of the call. */
struct event {
	const char *name;
	json_t *data; /* never NULL */
	uint64_t sequence;
	const char *text; /* the whole message, compact JSON */
};

struct events_sub {
	struct list link;
	void (*on_event)(struct events_sub *sub, const struct event *event);
};

/* Sends NAME with data (stolen) to all subscribers and keeps it. */
void events_emit(const char *name, json_t *data);
/* The message with one member more in its data; new text, or NULL. */
char *events_text_with(
	const struct event *event, const char *key, json_t *value);
void events_subscribe(struct events_sub *sub,
	void (*on_event)(struct events_sub *sub, const struct event *event));
void events_unsubscribe(struct events_sub *sub); /* harmless twice */
/* An array of the kept events after a sequence number; EVENTS_LOST first
 * when some between are gone.  New. */
json_t *events_since(uint64_t sequence);
uint64_t events_last(void);
/* All kept ones on their way to the next image of this process. */
json_t *events_save(void);
/* Goes on with their numbers; without effect on what is no such array. */
void events_restore(const json_t *saved);
/* Forgets all, also who subscribed. */
void events_fini(void);

#endif
