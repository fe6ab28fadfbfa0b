/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of arguments: strict, and with the remedy in the message.  What is
 * a name of something else (a VM, a key, a job) is left to the supervisor.
 */
#include "ctl/values.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

enum { CONTENT_MAX = 16 * 1024 };

int values_choice(const char *choices, const char *text)
{
	size_t len = strlen(text);
	int at = 0;

	for (const char *c = choices;; at++) {
		size_t n = strcspn(c, "|");

		if (n == len && !strncmp(c, text, n))
			return at;
		if (!c[n])
			return -1;
		c += n + 1;
	}
}

/* A UTF-8 string, or NULL with an error. */
static json_t *text_value(const char *text, struct err *err)
{
	json_t *value = json_string(text);

	if (!value)
		err_set(err, ERR_USAGE, "the text is not UTF-8");
	return value;
}

static json_t *seconds(int64_t ms)
{
	if (ms % 1000 == 0)
		return json_integer(ms / 1000);
	return json_real((double)ms / 1000.0);
}

/* "2025-11-18 22:04" or "14:05" (today) as seconds from then to now. */
static json_t *since(const char *text, struct err *err)
{
	static const char *const forms[] = { "%Y-%m-%d %H:%M:%S",
		"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
		"%Y-%m-%d", "%H:%M:%S", "%H:%M" };
	time_t now = time(NULL);

	for (size_t i = 0; i < NELEMS(forms); i++) {
		struct tm tm;
		const char *end;
		time_t then;

		localtime_r(&now, &tm);
		tm.tm_sec = 0;
		if (str_eq(forms[i], "%Y-%m-%d"))
			tm.tm_hour = tm.tm_min = 0;
		end = strptime(text, forms[i], &tm);
		if (!end || *end)
			continue;
		tm.tm_isdst = -1;
		then = mktime(&tm);
		return json_integer(now > then ? now - then : 0);
	}
	err_set(err, ERR_USAGE,
		"'%s' is neither 10min nor 2025-11-18 22:04 nor 14:05", text);
	return NULL;
}

static json_t *duration(const char *text, struct err *err)
{
	int64_t ms;

	if (str_to_ms(text, false, &ms, err) < 0)
		return NULL;
	return seconds(ms);
}

static json_t *number(const struct arg *arg, const char *text, struct err *err)
{
	uint64_t value;

	if (str_to_u64(text, &value, err) < 0)
		return NULL;
	if (value > INT64_MAX || !arg_in_range(arg, (long long)value)) {
		err_set(err, ERR_USAGE, "'%s' is out of range: %s", text,
			str_or(arg->choices, "too large"));
		return NULL;
	}
	return json_integer((json_int_t)value);
}

static json_t *size(const char *text, struct err *err)
{
	uint64_t value;

	if (str_to_bytes(text, &value, err) < 0)
		return NULL;
	return json_integer((json_int_t)value);
}

/* A file name, absolute, for somebody in another directory. */
static json_t *file_value(const char *text, struct err *err)
{
	char dir[PATH_MAX];
	AUTO_STR struct str path = STR_INIT;

	if (text[0] == '/')
		return text_value(text, err);
	if (!getcwd(dir, sizeof(dir))) {
		err_os(err, "cannot name the working directory");
		return NULL;
	}
	str_addf(&path, "%s/%s", dir, text);
	return text_value(str_text(&path), err);
}

/* What a small file of the caller says. */
static json_t *content(const char *path, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;

	if (fd_read_file(AT_FDCWD, path, CONTENT_MAX, &text, err))
		return NULL;
	if (strlen(str_text(&text)) == text.len)
		return text_value(str_text(&text), err);
	err_set(err, ERR_USAGE, "'%s' is no text", path);
	return NULL;
}

static json_t *choice_value(
	const struct arg *arg, const char *text, struct err *err)
{
	if (!text)
		return json_stringn(arg->choices, strcspn(arg->choices, "|"));
	if (arg->choices && values_choice(arg->choices, text) < 0) {
		err_set(err, ERR_USAGE, "'%s' is not one of %s", text,
			arg->choices);
		return NULL;
	}
	return text_value(text, err);
}

static json_t *convert(const struct arg *arg, const char *text, struct err *err)
{
	switch (arg->type) {
	case ARG_INT:
		return number(arg, text, err);
	case ARG_BOOL:
		return json_true();
	case ARG_SIZE:
		return size(text, err);
	case ARG_DURATION:
		return duration(text, err);
	case ARG_AGO: {
		json_t *value = duration(text, err);

		return value ? value : since(text, err);
	}
	case ARG_FILE:
		return arg->flags & ARG_READ ? content(text, err)
					     : file_value(text, err);
	case ARG_VOLUME:
		return strchr(text, '/') ? file_value(text, err)
					 : text_value(text, err);
	case ARG_VM:
	case ARG_STRING:
		return choice_value(arg, text, err);
	case ARG_PAIRS:
	case ARG_WORDS:
	case ARG_OBJECT:
		return text_value(text, err);
	}
	return NULL;
}

/* One KEY=VALUE word into an object; values of ARG_OBJECT may be JSON. */
static int add_pair(json_t *object, const struct arg *arg, const char *word,
	struct err *err)
{
	const char *equals = strchr(word, '=');
	AUTO_FREE char *key = NULL;
	json_t *value = NULL;

	if (!equals || equals == word)
		return err_set(err, ERR_USAGE, "'%s' is not KEY=VALUE", word);
	key = xstrndup(word, (size_t)(equals - word));
	if (json_object_get(object, key))
		return err_set(err, ERR_USAGE, "%s is given twice", key);
	if (arg->type == ARG_OBJECT)
		value = json_loads(equals + 1, JSON_DECODE_ANY, NULL);
	if (!value)
		value = text_value(equals + 1, err);
	if (!value)
		return -1;
	return json_object_set_new(object, key, value);
}

static int add_member(
	json_t *wire, const struct arg *arg, const char *text, struct err *err)
{
	json_t *old = json_object_get(wire, arg->name);
	bool pairs = arg->type == ARG_PAIRS || arg->type == ARG_OBJECT;
	json_t *value;

	if (!old && (pairs || arg->type == ARG_WORDS)) {
		old = pairs ? json_object() : json_array();
		json_object_set_new(wire, arg->name, old);
	}
	if (arg->type == ARG_OBJECT && text[0] == '{') {
		value = json_loads(text, 0, NULL);
		if (!value)
			return err_set(
				err, ERR_USAGE, "'%s' is not JSON", text);
		return json_object_set_new(wire, arg->name, value);
	}
	if (pairs)
		return add_pair(old, arg, text, err);
	value = convert(arg, text, err);
	if (!value)
		return -1;
	if (arg->type == ARG_WORDS)
		return json_array_append_new(old, value);
	return json_object_set_new(wire, arg->name, value);
}

/* --timeout, --dry-run and --no-block given in front of the verb. */
static int add_globals(struct call *call, struct err *err)
{
	const struct options *opt = &call->opt;
	const struct arg *timeout = verb_arg(call->verb, "timeout");
	const struct arg *job = verb_arg(call->verb, "job");

	if (opt->timeout_ms >= 0 && timeout && !(timeout->flags & ARG_LOCAL) &&
		!json_object_get(call->wire, "timeout"))
		json_object_set_new(
			call->wire, "timeout", seconds(opt->timeout_ms));
	if (opt->no_block && job && job->flags & ARG_WIRE)
		json_object_set_new(call->wire, "job", json_true());
	if (!opt->dry_run || !(call->verb->flags & VERB_CHANGES))
		return 0;
	if (!verb_arg(call->verb, "dry-run"))
		return err_set(err, ERR_USAGE, "cannot be tried by --dry-run");
	return json_object_set_new(call->wire, "dry-run", json_true());
}

int values_to_wire(struct call *call, struct err *err)
{
	json_t *local = json_object();
	int result = 0;

	call->wire = json_object();
	for (size_t i = 0; i < call->ntyped && result == 0; i++) {
		const struct typed *typed = &call->typed[i];
		bool here = typed->arg->flags & ARG_LOCAL;

		result = add_member(here ? local : call->wire, typed->arg,
			typed->value, err);
		if (result < 0) {
			err_wrap(err, "%s%s: ",
				typed->arg->flags & ARG_OPTION ? "--" : "",
				typed->arg->name);
			err->code = ERR_USAGE;
		}
	}
	json_decref(local);
	if (result < 0)
		return -1;
	return add_globals(call, err);
}
