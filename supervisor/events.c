/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our own events; see supervisor/events.h. */
#include "supervisor/events.h"

#include <stdlib.h>

#include "base/sys.h"

/* By sequence modulo EVENTS_KEPT; as text, a tenth of what trees need. */
static char *kept[EVENTS_KEPT];
static uint64_t last;
static struct list subs = LIST_INIT(subs);

static json_t *make(const char *name, json_t *data, uint64_t sequence)
{
	int64_t now = sys_realtime_us();

	return json_pack("{s:{s:I,s:I},s:s,s:I,s:o}", "timestamp", "seconds",
		(json_int_t)(now / 1000000), "microseconds",
		(json_int_t)(now % 1000000), "event", name, "seq",
		(json_int_t)sequence, "data", data ? data : json_object());
}

void events_emit(const char *name, json_t *data)
{
	json_t *event = make(name, data, last + 1);

	if (!event)
		return;
	last++;
	free(kept[last % EVENTS_KEPT]);
	kept[last % EVENTS_KEPT] = json_dumps(event, JSON_COMPACT);
	list_each(&subs, it, next) {
		struct events_sub *sub =
			list_entry(it, struct events_sub, link);

		sub->on_event(sub, event);
	}
	json_decref(event);
}

void events_subscribe(struct events_sub *sub,
	void (*on_event)(struct events_sub *sub, json_t *event))
{
	sub->on_event = on_event;
	list_add(&subs, &sub->link);
}

void events_unsubscribe(struct events_sub *sub)
{
	if (sub->link.next)
		list_del(&sub->link);
}

json_t *events_since(uint64_t sequence)
{
	json_t *all = json_array();
	uint64_t first = last >= EVENTS_KEPT ? last - EVENTS_KEPT + 1 : 1;

	if (sequence >= last)
		return all;
	if (sequence + 1 < first)
		json_array_append_new(all,
			make("EVENTS_LOST",
				json_pack("{s:I}", "count",
					(json_int_t)(first - sequence - 1)),
				first - 1));
	if (sequence + 1 > first)
		first = sequence + 1;
	for (uint64_t at = first; at <= last; at++)
		json_array_append_new(
			all, json_loads(kept[at % EVENTS_KEPT], 0, NULL));
	return all;
}

uint64_t events_last(void)
{
	return last;
}

void events_fini(void)
{
	for (size_t i = 0; i < EVENTS_KEPT; i++) {
		free(kept[i]);
		kept[i] = NULL;
	}
	last = 0;
	list_init(&subs);
}
