/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our own events: numbered, kept, handed on, and what was lost is said. */
#include "supervisor/events.h"

#include "base/jstream.h"
#include "base/str.h"

#include "tests/unit/tap.h"

/* Names and numbers of events: "A1 B2". */
static char *listed(json_t *events)
{
	struct str out = STR_INIT;
	json_t *event;
	size_t i;

	json_array_foreach(events, i, event) str_addf(&out, "%s%s%lld",
		i ? " " : "",
		json_string_value(json_object_get(event, "event")),
		(long long)json_integer_value(json_object_get(event, "seq")));
	json_decref(events);
	return out.data ? str_take(&out) : xstrdup("");
}

static void is_since(uint64_t sequence, const char *want, const char *what)
{
	AUTO_FREE char *got = listed(events_since(sequence));

	is_str(got, want, "%s", what);
}

struct listener {
	struct events_sub sub;
	struct str seen;
	struct events_sub *drops; /* unsubscribed at the first event */
	bool answers;             /* emits one more at the first event */
};

static void on_event(struct events_sub *sub, const struct event *event)
{
	struct listener *l = container_of(sub, struct listener, sub);

	str_addf(&l->seen, "%s%llu ", event->name,
		(unsigned long long)event->sequence);
	if (l->drops)
		events_unsubscribe(l->drops);
	l->drops = NULL;
	if (l->answers) {
		l->answers = false;
		events_emit("ECHO", NULL);
	}
}

static void test_shape(void)
{
	AUTO_JSON json_t *all = NULL;
	json_t *event;
	json_t *time;

	is_int(events_last(), 0, "nothing yet");
	is_since(0, "", "nothing is kept");
	events_emit("A", json_pack("{s:s}", "vm", "web"));
	events_emit("B", NULL);
	is_int(events_last(), 2, "two are numbered");
	all = events_since(0);
	event = json_array_get(all, 0);
	is_str(json_string_value(
		       json_object_get(json_object_get(event, "data"), "vm")),
		"web", "data is what was given");
	time = json_object_get(event, "timestamp");
	ok(json_integer_value(json_object_get(time, "seconds")) > 1500000000,
		"it has a time");
	ok(json_integer_value(json_object_get(time, "microseconds")) < 1000000,
		"with microseconds");
	event = json_array_get(all, 1);
	ok(json_is_object(json_object_get(event, "data")), "no data is {}");
	is_since(0, "A1 B2", "both are kept");
	is_since(1, "B2", "those after the first");
	is_since(2, "", "none after the last");
	is_since(77, "", "none after one that is to come");
	is_since(UINT64_MAX, "", "nor after the highest number");
}

static void test_subscribers(void)
{
	struct listener a = { .seen = STR_INIT };
	struct listener b = { .seen = STR_INIT };

	events_unsubscribe(&a.sub);
	ok(true, "leaving before coming is harmless");
	events_subscribe(&a.sub, on_event);
	events_subscribe(&b.sub, on_event);
	events_emit("C", NULL);
	is_str(str_text(&a.seen), "C3 ", "each one");
	is_str(str_text(&b.seen), "C3 ", "gets it");
	a.drops = &a.sub;
	events_emit("D", NULL);
	events_emit("E", NULL);
	is_str(str_text(&a.seen), "C3 D4 ", "one may leave while it is told");
	is_str(str_text(&b.seen), "C3 D4 E5 ", "the others go on");
	b.answers = true;
	events_emit("F", NULL);
	is_str(str_text(&b.seen), "C3 D4 E5 F6 ECHO7 ",
		"an event out of an event is the next one");
	events_unsubscribe(&b.sub);
	events_unsubscribe(&b.sub);
	events_emit("G", NULL);
	is_str(str_text(&b.seen), "C3 D4 E5 F6 ECHO7 ", "gone is gone");
	str_fini(&a.seen);
	str_fini(&b.seen);
}

static void test_kept(void)
{
	AUTO_JSON json_t *all = NULL;
	json_t *lost;
	uint64_t before = events_last();

	while (events_last() < EVENTS_KEPT)
		events_emit("X", NULL);
	all = events_since(0);
	is_int(json_array_size(all), EVENTS_KEPT, "1,024 are kept");
	is_str(json_string_value(
		       json_object_get(json_array_get(all, 0), "event")),
		"A", "the first is still there");
	ok(before < EVENTS_KEPT, "(none of them was lost before)");
	for (int i = 0; i < 10; i++)
		events_emit("Y", NULL);
	json_decref(all);
	all = events_since(3);
	is_int(json_array_size(all), EVENTS_KEPT + 1, "then the oldest go");
	lost = json_array_get(all, 0);
	is_str(json_string_value(json_object_get(lost, "event")), "EVENTS_LOST",
		"which is said first");
	is_int(json_integer_value(json_object_get(lost, "seq")), 10,
		"with the number of the last one gone");
	is_int(json_integer_value(
		       json_object_get(json_object_get(lost, "data"), "count")),
		7, "and how many of those asked for");
	is_int(json_integer_value(
		       json_object_get(json_array_get(all, 1), "seq")),
		11, "the rest follow");
	json_decref(all);
	all = events_since(10);
	is_int(json_array_size(all), EVENTS_KEPT, "no gap, no word of one");
	json_decref(all);
	all = events_since(9);
	is_int(json_array_size(all), EVENTS_KEPT + 1, "a gap of one is told");
}

static void test_move(void)
{
	AUTO_JSON json_t *before = events_since(0);
	AUTO_JSON json_t *saved = events_save();
	AUTO_JSON json_t *after = NULL;
	AUTO_JSON json_t *odd = NULL;
	uint64_t end = events_last();

	events_fini();
	events_restore(saved);
	is_int(events_last(), end, "the next image goes on with the numbers");
	after = events_since(0);
	json_array_remove(before, 0); /* EVENTS_LOST has the time of asking */
	json_array_remove(after, 0);
	is_int(json_array_size(after), EVENTS_KEPT, "as many as there were");
	ok(json_equal(before, after), "each as it was");
	events_emit("Z", NULL);
	is_since(end, "Z1035", "and with new ones");
	odd = json_pack("{s:i,s:[s,i,s]}", "last", 77, "texts", "{}", 3,
		"{\"event\":\"OLD\",\"data\":{\"a\":1}}");
	events_restore(odd);
	is_since(73, "EVENTS_LOST74 EVENTS_LOST75 EVENTS_LOST76 OLD77",
		"what is none of ours keeps its number");
	events_emit("NEW", NULL);
	is_since(76, "OLD77 NEW78", "and others follow");
	events_restore(NULL);
	is_int(events_last(), 0, "nothing at all begins anew");
	events_emit("FIRST", NULL);
	is_since(0, "FIRST1", "with the first");
}

int main(void)
{
	test_shape();
	test_subscribers();
	test_kept();
	test_move();
	events_fini();
	return done();
}
