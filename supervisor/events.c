/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our own events; see supervisor/events.h. */
#include "supervisor/events.h"

#include <inttypes.h>
#include <string.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

enum { EACH = 64, BLOCKS = EVENTS_KEPT / EACH + 1 };

/*
 * EACH events in their order, without what is the same in all: time (8
 * bytes), name and data as text, both with their end.
 */
static struct block {
	uint64_t first; /* sequence of the oldest */
	struct str bytes;
} blocks[BLOCKS];
static uint64_t oldest = 1; /* the first that this process knows of */
static uint64_t last;
static struct list subs = LIST_INIT(subs);

struct kept {
	int64_t time_us;
	const char *name;
	const char *data;
};

static struct block *block_of(uint64_t sequence)
{
	return &blocks[sequence / EACH % BLOCKS];
}

/* One behind the last; its block is that of those too old to be kept. */
static void keep(const struct kept *event)
{
	uint64_t sequence = last + 1;
	struct block *block = block_of(sequence);
	struct str *bytes = &block->bytes;

	if (!bytes->len || block->first / EACH != sequence / EACH) {
		str_fini(bytes);
		block->first = sequence;
	}
	str_addn(bytes, (const char *)&event->time_us, sizeof(int64_t));
	str_addn(bytes, event->name, strlen(event->name) + 1);
	str_addn(bytes, event->data, strlen(event->data) + 1);
	if (sequence % EACH == EACH - 1)
		str_tighten(bytes);
	last = sequence;
}

static const char *read_one(const char *at, struct kept *out)
{
	memcpy(&out->time_us, at, sizeof(int64_t));
	out->name = at + sizeof(int64_t);
	out->data = out->name + strlen(out->name) + 1;
	return out->data + strlen(out->data) + 1;
}

/* The whole message; new. */
static char *spell(const struct kept *event, uint64_t sequence)
{
	return xasprintf(
		"{\"timestamp\":{\"seconds\":%" PRId64
		",\"microseconds\":%d},\"event\":\"%s\",\"seq\":%" PRIu64
		",\"data\":%s}",
		event->time_us / 1000000, (int)(event->time_us % 1000000),
		event->name, sequence, event->data);
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
	AUTO_STR struct str dump = STR_INIT;
	AUTO_FREE char *text = NULL;
	struct err err = ERR_INIT;
	struct kept event = { sys_realtime_us(), name, NULL };

	if (jstream_dump(all, &dump, &err) < 0)
		return;
	event.data = str_text(&dump);
	keep(&event);
	if (list_is_empty(&subs))
		return;
	text = spell(&event, last);
	tell(&(struct event){ name, all, last, text });
}

char *events_text_with(
	const struct event *event, const char *key, json_t *value)
{
	AUTO_JSON json_t *message = json_loads(event->text, 0, NULL);

	json_object_set(json_object_get(message, "data"), key, value);
	return jstream_text(message, JSON_COMPACT);
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
	AUTO_FREE char *data = xasprintf("{\"count\":%" PRIu64 "}", count);
	AUTO_FREE char *text =
		spell(&(struct kept){ sys_realtime_us(), "EVENTS_LOST", data },
			sequence);

	return json_loads(text, 0, NULL);
}

static uint64_t first_kept(void)
{
	return last >= oldest + EVENTS_KEPT ? last - EVENTS_KEPT + 1 : oldest;
}

/* The texts of those from one on, which is kept, in their order. */
static void each_from(
	uint64_t sequence, void (*take)(json_t *all, char *text), json_t *all)
{
	const char *at = NULL;

	for (uint64_t is = sequence; is <= last; is++) {
		const struct block *block = block_of(is);
		struct kept event;

		if (!at || is % EACH == 0) {
			at = block->bytes.data;
			for (uint64_t i = block->first; i < is; i++)
				at = read_one(at, &event);
		}
		at = read_one(at, &event);
		take(all, spell(&event, is));
	}
}

static void take_parsed(json_t *all, char *text)
{
	json_array_append_new(all, json_loads(text, 0, NULL));
	free(text);
}

static void take_text(json_t *all, char *text)
{
	json_array_append_new(all, json_string(text));
	free(text);
}

json_t *events_since(uint64_t sequence)
{
	json_t *all = json_array();
	uint64_t first = first_kept();

	if (sequence >= last)
		return all;
	if (sequence + 1 < first)
		json_array_append_new(
			all, gap(first - sequence - 1, first - 1));
	if (sequence + 1 > first)
		first = sequence + 1;
	each_from(first, take_parsed, all);
	return all;
}

uint64_t events_last(void)
{
	return last;
}

json_t *events_save(void)
{
	json_t *texts = json_array();

	each_from(first_kept(), take_text, texts);
	return json_pack("{s:I,s:o}", "last", (json_int_t)last, "texts", texts);
}

static void forget(void)
{
	for (size_t i = 0; i < BLOCKS; i++)
		str_fini(&blocks[i].bytes);
}

/* What is no message of ours keeps its number. */
static void restore_one(const char *text)
{
	AUTO_JSON json_t *message = json_loads(text, 0, NULL);
	json_t *time = json_object_get(message, "timestamp");
	json_t *data = json_object_get(message, "data");
	const char *name = json_string_value(json_object_get(message, "event"));
	AUTO_FREE char *dump =
		json_is_object(data) ? jstream_text(data, JSON_COMPACT) : NULL;

	keep(&(struct kept){
		json_integer_value(json_object_get(time, "seconds")) * 1000000 +
			json_integer_value(
				json_object_get(time, "microseconds")),
		str_or(name, "EVENTS_LOST"), str_or(dump, "{}") });
}

void events_restore(const json_t *saved)
{
	json_t *texts = json_object_get(saved, "texts");
	size_t n = json_array_size(texts);
	uint64_t end =
		(uint64_t)json_integer_value(json_object_get(saved, "last"));
	size_t i = n > EVENTS_KEPT ? n - EVENTS_KEPT : 0;

	forget();
	oldest = end + 1;
	last = end;
	if (n > end)
		return;
	oldest = end - (n - i) + 1;
	for (last = oldest - 1; i < n; i++)
		restore_one(str_or(
			json_string_value(json_array_get(texts, i)), ""));
}

void events_fini(void)
{
	forget();
	oldest = 1;
	last = 0;
	list_init(&subs);
}
