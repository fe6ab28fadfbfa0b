/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Differences as JSON and as text for people, and how many; see delta.h. */
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/delta.h"

unsigned deltas_count(const struct deltas *deltas, enum delta_when when)
{
	unsigned n = 0;

	list_each(&deltas->list, it, next)
		n += list_entry(it, struct delta, link)->when == when;
	return n;
}

static const char *const when_words[] = { "hot", "reset", "cold", "refused" };
static const char *const when_texts[] = { "now, by vmward apply",
	"at guest reset", "at cold start", "refused" };

json_t *deltas_json(const struct deltas *deltas)
{
	json_t *all = json_array();

	list_each(&deltas->list, it, next) {
		const struct delta *d = list_entry(it, struct delta, link);

		json_array_append_new(
			all, json_pack("{s:s,s:s?,s:s?,s:s?,s:s,s:s?,s:s?,s:i}",
				     "section", d->section, "key", d->key,
				     "from", d->from, "to", d->to, "when",
				     when_words[d->when], "why", d->why, "file",
				     d->file, "line", (int)d->line));
	}
	return all;
}

static void add_text(struct str *out, const struct delta *d)
{
	if (d->file)
		str_addf(out, "%s:%u: ", d->file, d->line);
	str_addf(out, "[%s]", d->section);
	if (d->key)
		str_addf(out, " %s %s -> %s", d->key,
			str_or(d->from, "default"), str_or(d->to, "default"));
	else
		str_addf(out, " is %s",
			!d->to    ? "to go"
			: d->from ? "another one"
				  : "to come");
	str_addf(out, " (%s%s%s)", when_texts[d->when], d->why ? ": " : "",
		str_or(d->why, ""));
}

json_t *deltas_text(const struct deltas *deltas)
{
	json_t *all = json_array();

	list_each(&deltas->list, it, next) {
		AUTO_STR struct str text = STR_INIT;

		add_text(&text, list_entry(it, struct delta, link));
		json_array_append_new(all, json_string(str_text(&text)));
	}
	return all;
}
