/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our own events; see supervisor/events.h. */
#include "supervisor/events.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

/* By sequence modulo EVENTS_KEPT; as text, a tenth of what trees need. */
static char *kept[EVENTS_KEPT];
static uint64_t last;
static struct list subs = LIST_INIT(subs);

/* The whole message, without a tree that nobody may want; NULL: no JSON. */
static char *spell(const char *name, const json_t *data, uint64_t sequence)
{
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	int64_t now = sys_realtime_us();

	str_addf(&text,
		"{\"timestamp\":{\"seconds\":%" PRId64
		",\"microseconds\":%d},\"event\":\"%s\",\"seq\":%" PRIu64
		",\"data\":",
		now / 1000000, (int)(now % 1000000), name, sequence);
	if (jstream_dump(data, &text, &err) < 0)
		return NULL;
	str_addc(&text, '}');
	return xstrndup(text.data, text.len); /* a thousand are kept */
}

static void tell(const struct event *event)
{
	list_each(&subs, it, next) {
		struct events_sub *sub =
			list_entry(it, struct events_sub, link);

		sub->on_event(sub, event);
	}
}

void events_emit(const char *name, json_t *data)
{
	AUTO_JSON json_t *all = data ? data : json_object();
	char *text = spell(name, all, last + 1);

	if (!text)
		return;
	last++;
	free(kept[last % EVENTS_KEPT]);
	kept[last % EVENTS_KEPT] = text;
	tell(&(struct event){ name, all, last, text });
}

char *events_text_with(
	const struct event *event, const char *key, json_t *value)
{
	AUTO_JSON json_t *message = json_loads(event->text, 0, NULL);

	json_object_set(json_object_get(message, "data"), key, value);
	return json_dumps(message, JSON_COMPACT);
}

void events_subscribe(struct events_sub *sub,
	void (*on_event)(struct events_sub *sub, const struct event *event))
{
	sub->on_event = on_event;
	list_add(&subs, &sub->link);
}

void events_unsubscribe(struct events_sub *sub)
{
	if (sub->link.next)
		list_del(&sub->link);
}

/* What stands for those that are no longer kept. */
static json_t *gap(uint64_t count, uint64_t sequence)
{
	AUTO_JSON json_t *data = json_pack("{s:I}", "count", (json_int_t)count);
	AUTO_FREE char *text = spell("EVENTS_LOST", data, sequence);

	return json_loads(text, 0, NULL);
}

json_t *events_since(uint64_t sequence)
{
	json_t *all = json_array();
	uint64_t first = last >= EVENTS_KEPT ? last - EVENTS_KEPT + 1 : 1;

	if (sequence >= last)
		return all;
	if (sequence + 1 < first)
		json_array_append_new(
			all, gap(first - sequence - 1, first - 1));
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

json_t *events_save(void)
{
	uint64_t first = last >= EVENTS_KEPT ? last - EVENTS_KEPT + 1 : 1;
	json_t *texts = json_array();

	for (uint64_t at = first; at <= last; at++)
		json_array_append_new(
			texts, json_string(kept[at % EVENTS_KEPT]));
	return json_pack("{s:I,s:o}", "last", (json_int_t)last, "texts", texts);
}

void events_restore(const json_t *saved)
{
	json_t *texts = json_object_get(saved, "texts");
	size_t n = json_array_size(texts);

	last = (uint64_t)json_integer_value(json_object_get(saved, "last"));
	for (size_t i = 0; i < n && i < EVENTS_KEPT && n <= last; i++) {
		char **slot = &kept[(last - n + 1 + i) % EVENTS_KEPT];
		const char *text = json_string_value(json_array_get(texts, i));

		free(*slot);
		*slot = xstrdup(str_or(text, "null"));
	}
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
