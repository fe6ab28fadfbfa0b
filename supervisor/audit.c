/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audit trail; see audit.h. */
#include "supervisor/audit.h"

#include <string.h>

#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/events.h"
#include "supervisor/mask.h"
#include "supervisor/users.h"

#define TAG      "audit"
#define ARGS_MAX 600 /* bytes of the arguments that a line shows */
#define JOBS_MAX 256 /* the oldest are forgotten */
#define REFUSALS 50  /* told in a second; the rest is counted */

/* A job that somebody began: its end is told with his name. */
struct begun {
	struct list link; /* begun.jobs */
	char *id;
	char *line;
};

static struct {
	struct list jobs; /* begun.link, the oldest first */
	size_t n;
	struct events_sub sub;
	bool follows;
} begun;

/* ---- what was asked ---- */

/* Its text may be a file's: how long it is must do. */
static json_t *shown_arg(const struct arg *arg, json_t *value)
{
	AUTO_FREE char *text = NULL;

	if (!arg || !(arg->flags & ARG_READ) || !json_is_string(value))
		return mask_json_steal(json_incref(value));
	text = xasprintf("(%zu bytes)", json_string_length(value));
	return json_string(text);
}

/* The arguments without secrets and without the VM, as JSON; "" for none. */
static void add_args(
	const struct verb *verb, const json_t *args, struct str *line)
{
	json_t *shown = json_object();
	AUTO_FREE char *text = NULL;
	const char *key;
	json_t *value;
	size_t from;

	json_object_foreach((json_t *)(uintptr_t)args, key, value)
	{
		if (!str_eq(key, "vm"))
			json_object_set_new(shown, key,
				shown_arg(verb_arg(verb, key), value));
	}
	text = json_object_size(shown) ? jstream_text(shown, JSON_COMPACT)
				       : NULL;
	json_decref(shown);
	if (!text)
		return;
	str_addc(line, ' ');
	from = line->len;
	mask_secrets(text, strlen(text), line);
	if (line->len - from > ARGS_MAX) {
		str_cut(line, from + ARGS_MAX);
		str_add(line, "...");
	}
}

/* "uid 1000 (ann) pid 77: vm-set web {"pairs":{...}}"; new. */
static char *describe(const struct sock_peer *peer, const struct verb *verb,
	const json_t *args)
{
	AUTO_STR struct str line = STR_INIT;
	AUTO_FREE char *name = users_name((uint32_t)peer->uid);
	const char *vm = json_string_value(json_object_get(args, "vm"));

	str_addf(&line, "uid %u (%s) pid %d: %s", (unsigned)peer->uid, name,
		(int)peer->pid, verb->wire);
	if (vm)
		str_addf(&line, " %s", vm);
	add_args(verb, args, &line);
	return xstrdup(str_text(&line));
}

/* ---- jobs ---- */

static void forget(struct begun *job)
{
	list_del(&job->link);
	begun.n--;
	free(job->id);
	free(job->line);
	free(job);
}

static void on_event(struct events_sub *sub UNUSED, const struct event *event)
{
	const char *id = json_string_value(json_object_get(event->data, "job"));
	const char *status =
		json_string_value(json_object_get(event->data, "status"));
	const char *error =
		json_string_value(json_object_get(event->data, "error"));

	if (!id || !status || !str_eq(event->name, "JOB_STATUS") ||
		str_eq(status, "running"))
		return;
	list_each(&begun.jobs, it, next) {
		struct begun *job = list_entry(it, struct begun, link);

		if (!str_eq(job->id, id))
			continue;
		log_info(TAG, "%s: job %s: %s", job->line, id,
			error ? error : "ok");
		forget(job);
	}
}

static void follow_steal(const char *id, char *line)
{
	struct begun *job = NEW(struct begun);

	if (!begun.follows) {
		list_init(&begun.jobs);
		events_subscribe(&begun.sub, on_event);
		begun.follows = true;
	}
	job->id = xstrdup(id);
	job->line = line;
	list_add(&begun.jobs, &job->link);
	if (++begun.n > JOBS_MAX)
		forget(list_entry(begun.jobs.next, struct begun, link));
}

/* ---- answers ---- */

static bool concerns(const struct verb *verb)
{
	return verb->flags & VERB_CHANGES;
}

void audit_answer(const struct sock_peer *peer, const struct verb *verb,
	const json_t *args, const json_t *result)
{
	AUTO_FREE char *line = NULL;
	const char *job = json_string_value(json_object_get(result, "job"));

	if (!concerns(verb) || json_is_true(json_object_get(args, "dry-run")))
		return;
	line = describe(peer, verb, args);
	log_info(TAG, "%s: %s%s", line, job ? "began job " : "ok",
		job ? job : "");
	if (job)
		follow_steal(job, TAKE(line));
}

/* Nobody fills the log by asking for what he may not have. */
static bool has_room(void)
{
	static int64_t second;
	static unsigned n;
	int64_t now = loop_now_ms() / 1000;

	if (now != second && n > REFUSALS)
		log_warn(TAG, "%u more were refused or failed, and not told",
			n - REFUSALS);
	n = now == second ? n + 1 : 1;
	second = now;
	return n <= REFUSALS;
}

void audit_error(const struct sock_peer *peer, const struct verb *verb,
	const json_t *args, const struct err *err)
{
	AUTO_FREE char *line = NULL;

	if ((!concerns(verb) && err->code != ERR_DENIED) || !has_room())
		return;
	line = describe(peer, verb, args);
	log_info(TAG, "%s: %s: %s", line,
		err->code == ERR_DENIED ? "refused" : "failed", err->text);
}
