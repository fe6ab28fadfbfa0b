/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handlers about many VMs: which names a pattern stands for, and a page of
 * the list.  A page is written as text, VM by VM: a list of a hundred costs
 * no tree of all of them, and its length is known without a second writing.
 */
#include <string.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "supervisor/commands.h"
#include "supervisor/config.h"
#include "supervisor/report.h"

#define PAGE 90 /* VMs per answer at most */

/* ---- names ---- */

static char **patterns_of(const struct request *rq)
{
	json_t *words = json_object_get(rq->args, "patterns");
	char **patterns = xcalloc(json_array_size(words) + 2, sizeof(char *));
	json_t *word;
	size_t i;

	json_array_foreach(words, i, word) patterns[i] =
		xstrdup(json_string_value(word));
	if (i == 0)
		patterns[0] = xstrdup("*");
	return patterns;
}

/* The names that patterns stand for; NULL: answered. */
static char **resolve(struct request *rq)
{
	struct registry *registry = request_registry(rq);
	char **patterns = patterns_of(rq);
	bool all = !patterns[1] && str_eq(patterns[0], "*");
	char **names = NULL;

	for (size_t i = 0; patterns[i] && !all; i++) {
		const char *one[] = { patterns[i], NULL };
		char **some = registry_resolve(registry, one);
		bool none = !some[0] ||
			    (str_eq(some[0], patterns[i]) &&
				    !registry_find(registry, patterns[i]));

		config_names_free(some);
		if (none && (patterns[i][0] == '@' ||
				    strpbrk(patterns[i], "*?["))) {
			request_failf(rq, ERR_NOT_FOUND, "no VM matches '%s'",
				patterns[i]);
			config_names_free(patterns);
			return NULL;
		}
	}
	names = registry_resolve(registry, (const char *const *)patterns);
	config_names_free(patterns);
	return names;
}

void command_resolve(struct request *rq)
{
	char **names;
	json_t *all;

	registry_catch_up(request_registry(rq));
	names = resolve(rq);
	if (!names)
		return;
	all = json_array();
	for (size_t i = 0; names[i]; i++)
		if (request_may_see(rq, names[i]))
			json_array_append_new(all, json_string(names[i]));
	config_names_free(names);
	request_reply_steal(rq, json_pack("{s:o}", "names", all));
}

/* ---- a VM as text ---- */

static void add_text(const char *text, struct str *out)
{
	str_addc(out, '"');
	str_add(out, text);
	str_addc(out, '"');
}

/* Whether it stands in JSON as it is. */
static bool is_plain(const char *text)
{
	while ((unsigned char)*text >= ' ' && *text != '"' && *text != '\\')
		text++;
	return !*text;
}

/* Seconds are thousandths: "12.345"; false for other numbers. */
static bool add_thousandths(double value, struct str *out)
{
	uint64_t ms =
		value >= 0 && value < 1e12 ? (uint64_t)(value * 1000 + 0.5) : 0;

	if ((double)ms / 1000 < value || (double)ms / 1000 > value)
		return false;
	str_addu(out, ms / 1000);
	str_addc(out, '.');
	str_addc(out, (char)('0' + ms / 100 % 10));
	str_addc(out, (char)('0' + ms / 10 % 10));
	str_addc(out, (char)('0' + ms % 10));
	return true;
}

/*
 * A value as jansson would write it, without its printf() and memory where
 * the value is as simple as nearly all are.
 */
static void add_value(json_t *value, struct str *out)
{
	const char *text = json_string_value(value);
	AUTO_FREE char *dump = NULL;

	if (json_is_null(value))
		str_add(out, "null");
	else if (json_is_boolean(value))
		str_add(out, json_is_true(value) ? "true" : "false");
	else if (text && is_plain(text))
		add_text(text, out);
	else if (json_is_integer(value) && json_integer_value(value) >= 0)
		str_addu(out, (uint64_t)json_integer_value(value));
	else if (json_is_array(value) && json_array_size(value) == 0)
		str_add(out, "[]");
	else if (!json_is_real(value) ||
		 !add_thousandths(json_real_value(value), out))
		str_add(out, (dump = jstream_text(
				      value, JSON_ENCODE_ANY | JSON_COMPACT)));
}

static void add_vm(const struct vm *vm, const struct report_choice *choice,
	bool rows, struct str *out)
{
	str_addc(out, rows ? '[' : '{');
	for (size_t i = 0; i < choice->n; i++) {
		json_t *value = report_value(vm, choice->list[i]);

		str_add(out, i ? "," : "");
		if (!rows) {
			add_text(report_name(choice->list[i]), out);
			str_addc(out, ':');
		}
		add_value(value, out);
		json_decref(value);
	}
	str_addc(out, rows ? ']' : '}');
}

/* ---- a page ---- */

struct page {
	const struct request *rq;
	struct report_choice choice;
	bool rows;    /* values alone, as an array */
	bool running; /* only those that are up */
	bool failed;
	const char *after; /* only names behind it */
	size_t limit;
	struct str text;  /* of the array, without its brackets */
	size_t n;         /* VMs in it */
	const char *last; /* name of the last of them */
	bool more;        /* there is one that did not fit */
};

static int page_init(struct page *p, const struct request *rq, struct err *err)
{
	json_int_t limit = request_int(rq, "limit", PAGE);

	*p = (struct page){ .rq = rq,
		.running = request_bool(rq, "running"),
		.failed = request_bool(rq, "failed"),
		.after = request_string(rq, "after"),
		.limit = limit > 0 && limit < PAGE ? (size_t)limit : PAGE,
		.rows = request_bool(rq, "rows") };
	return report_choose(
		&p->choice, json_object_get(rq->args, "fields"), false, err);
}

static bool is_wanted(const struct page *p, const struct vm *vm)
{
	if (p->running && !vm_is_up(vm))
		return false;
	if (p->failed && vm->state != VM_FAILED)
		return false;
	return strcmp(vm->name, p->after) > 0 &&
	       request_may_see(p->rq, vm->name);
}

/* Adds a VM if it is wanted and fits. */
static void page_add(struct page *p, const struct vm *vm)
{
	size_t before = p->text.len;

	if (p->more || !is_wanted(p, vm))
		return;
	p->more = p->n == p->limit;
	if (p->more)
		return;
	if (p->n)
		str_addc(&p->text, ',');
	add_vm(vm, &p->choice, p->rows, &p->text);
	p->more = p->text.len > REPORT_BYTES;
	if (p->more) {
		str_cut(&p->text, before);
		return;
	}
	p->n++;
	p->last = vm->name;
}

/* Those that were named; false: answered. */
static bool add_named(struct page *p, struct request *rq)
{
	char **names = resolve(rq);
	bool found = names;

	for (size_t i = 0; found && names[i]; i++) {
		struct vm *vm = registry_find(request_registry(rq), names[i]);

		found = vm && request_may_see(rq, vm->name);
		if (found)
			page_add(p, vm);
		else
			request_failf(
				rq, ERR_NOT_FOUND, "no VM '%s'", names[i]);
	}
	config_names_free(names);
	return found;
}

static void add_all(struct page *p, struct request *rq)
{
	list_each(registry_vms(request_registry(rq)), it, next)
		page_add(p, list_entry(it, struct vm, link));
}

static void answer(const struct page *p, struct request *rq)
{
	AUTO_STR struct str reply = STR_INIT;
	AUTO_STR struct str rest = STR_INIT;
	AUTO_JSON json_t *members =
		json_pack("{s:s*}", "next", p->more ? p->last : NULL);
	struct err err = ERR_INIT;

	if (!json_object_get(rq->args, "fields") || request_bool(rq, "host"))
		json_object_set_new(members, "host",
			report_host(registry_vms(request_registry(rq))));
	if (jstream_dump(members, &rest, &err)) {
		request_fail(rq, &err);
		return;
	}
	str_add(&reply, "{\"vms\":[");
	str_add(&reply, str_text(&p->text));
	str_add(&reply, json_object_size(members) ? "]," : "]");
	str_add(&reply, rest.data + 1); /* it has a brace of its own */
	request_reply_text(rq, str_text(&reply));
}

void command_list(struct request *rq)
{
	const json_t *patterns = json_object_get(rq->args, "patterns");
	struct err err = ERR_INIT;
	struct page page;
	bool found = true;

	registry_catch_up(request_registry(rq));
	if (page_init(&page, rq, &err)) {
		request_fail(rq, &err);
		return;
	}
	if (json_array_size(patterns))
		found = add_named(&page, rq);
	else
		add_all(&page, rq);
	if (found)
		answer(&page, rq);
	str_fini(&page.text);
}
