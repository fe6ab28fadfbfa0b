/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of a request against the command table; see arguments.h. */
#include "supervisor/arguments.h"

#include <stdbool.h>
#include <string.h>

#include "base/str.h"

const char *arguments_check_envelope(json_t *message, struct err *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(message)) {
		err_set(err, ERR_USAGE, "QMP input must be a JSON object");
		return NULL;
	}
	json_object_foreach(message, key, value)
	{
		if (!str_eq(key, "execute") && !str_eq(key, "arguments") &&
			!str_eq(key, "id")) {
			err_set(err, ERR_USAGE,
				"QMP input member '%s' is unexpected", key);
			return NULL;
		}
	}
	value = json_object_get(message, "arguments");
	if (value && !json_is_object(value)) {
		err_set(err, ERR_USAGE,
			"QMP input member 'arguments' must be an object");
		return NULL;
	}
	value = json_object_get(message, "execute");
	if (!value)
		err_set(err, ERR_USAGE, "QMP input lacks member 'execute'");
	else if (!json_is_string(value))
		err_set(err, ERR_USAGE,
			"QMP input member 'execute' must be a string");
	return json_string_value(value);
}

static bool is_strings(const json_t *value)
{
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (!json_is_string(json_array_get(value, i)))
			return false;
	}
	return json_is_array(value);
}

static bool is_string_object(json_t *value)
{
	const char *key;
	json_t *item;

	json_object_foreach(value, key, item)
	{
		if (!json_is_string(item))
			return false;
	}
	return json_is_object(value);
}

/* What the type wants, or NULL if the value is it. */
static const char *type_mismatch(enum arg_type type, json_t *value)
{
	switch (type) {
	case ARG_BOOL:
		return json_is_boolean(value) ? NULL : "boolean";
	case ARG_INT:
	case ARG_SIZE:
		return json_is_integer(value) ? NULL : "integer";
	case ARG_DURATION:
	case ARG_AGO:
		return json_is_number(value) ? NULL : "number";
	case ARG_PAIRS:
		return is_string_object(value) ? NULL : "object of strings";
	case ARG_WORDS:
		return is_strings(value) ? NULL : "array of strings";
	case ARG_OBJECT:
		return json_is_object(value) ? NULL : "object";
	case ARG_VM:
	case ARG_STRING:
	case ARG_FILE:
	case ARG_VOLUME:
		break;
	}
	return json_is_string(value) ? NULL : "string";
}

/* The words of "a|b" are all that a string may be. */
static bool is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value);

	for (const char *at = choices; at; at = strchr(at, '|')) {
		at += *at == '|';
		if (strcspn(at, "|") == len && !strncmp(at, value, len))
			return true;
	}
	return false;
}

static bool takes_vm(const struct verb *verb)
{
	return verb->flags & (VERB_MANY | VERB_ONE);
}

static int check_one(const struct verb *verb, const char *name, json_t *value,
	struct err *err)
{
	const struct arg *arg = verb_arg(verb, name);
	const char *want;

	if (takes_vm(verb) && str_eq(name, "vm"))
		want = json_is_string(value) ? NULL : "string";
	else if (!arg || (arg->flags & ARG_LOCAL))
		/* "request" of job-cancel may be any JSON value */
		return err_set(
			err, ERR_USAGE, "Parameter '%s' is unexpected", name);
	else if (str_eq(name, "request"))
		want = NULL;
	else
		want = type_mismatch(arg->type, value);
	if (want)
		return err_set(err, ERR_USAGE,
			"Invalid parameter type for '%s', expected: %s", name,
			want);
	if (arg && json_is_integer(value) &&
		!arg_in_range(arg, json_integer_value(value)))
		return err_set(err, ERR_USAGE,
			"Parameter '%s' is out of range: %s", name,
			arg->choices);
	if (arg && arg->choices && json_is_string(value) &&
		!is_choice(arg->choices, json_string_value(value)))
		return err_set(err, ERR_USAGE,
			"Parameter '%s' does not accept value '%s'", name,
			json_string_value(value));
	return 0;
}

static int missing(const char *name, struct err *err)
{
	return err_set(err, ERR_USAGE, "Parameter '%s' is missing", name);
}

int arguments_check(const struct verb *verb, json_t *args, struct err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach(args, name, value)
	{
		if (check_one(verb, name, value, err))
			return -1;
	}
	if (takes_vm(verb) && !(verb->flags & VERB_MAYBE) &&
		!json_object_get(args, "vm"))
		return missing("vm", err);
	for (size_t i = 0; i < verb->nargs; i++) {
		const struct arg *arg = &verb->args[i];

		if (!(arg->flags & (ARG_OPTIONAL | ARG_LOCAL | ARG_OPTION)) &&
			!json_object_get(args, arg->name))
			return missing(arg->name, err);
	}
	return 0;
}
