/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests against the command table, in QEMU's words. */
#include "supervisor/arguments.h"

#include "base/jstream.h"
#include "base/str.h"

#include "tests/unit/tap.h"

/* The command, or the error's text. */
static void envelope(const char *text, const char *want)
{
	AUTO_JSON json_t *message = json_loads(text, JSON_DECODE_ANY, NULL);
	struct err err = ERR_INIT;
	const char *name = arguments_check_envelope(message, &err);

	is_str(name ? name : err.text, want, "%s", text);
	if (!name)
		is_int(err.code, ERR_USAGE, "is a usage error");
}

static void test_envelope(void)
{
	envelope("{\"execute\":\"vm-list\"}", "vm-list");
	envelope("{\"execute\":\"x\",\"id\":[1,{}],\"arguments\":{}}", "x");
	envelope("{\"execute\":\"\"}", "");
	envelope("[]", "QMP input must be a JSON object");
	envelope("7", "QMP input must be a JSON object");
	envelope("{}", "QMP input lacks member 'execute'");
	envelope("{\"execute\":null}",
		"QMP input member 'execute' must be a string");
	envelope("{\"execute\":\"x\",\"arguments\":[]}",
		"QMP input member 'arguments' must be an object");
	envelope("{\"execute\":\"x\",\"arguments\":null}",
		"QMP input member 'arguments' must be an object");
	envelope("{\"execute\":\"x\",\"exec-oob\":1}",
		"QMP input member 'exec-oob' is unexpected");
}

/* "" if the arguments are right, else what is wrong with them. */
static void check(const struct verb *verb, const char *args, const char *want)
{
	AUTO_JSON json_t *object = args ? json_loads(args, 0, NULL) : NULL;
	struct err err = ERR_INIT;

	if (arguments_check(verb, object, &err) == 0)
		err.text[0] = '\0';
	is_str(err.text, want, "%s", args ? args : "(none)");
}

static const struct arg sample_args[] = {
	{ "text", ARG_STRING, 0, 0, "red|dark red|blue", "" },
	{ "size", ARG_SIZE, ARG_OPTIONAL, 0, NULL, "" },
	{ "number", ARG_INT, ARG_OPTION, 0, NULL, "" },
	{ "flag", ARG_BOOL, ARG_OPTION | ARG_OPTIONAL, 0, NULL, "" },
	{ "wait", ARG_DURATION, ARG_OPTIONAL, 0, NULL, "" },
	{ "ago", ARG_AGO, ARG_OPTIONAL, 0, NULL, "" },
	{ "pairs", ARG_PAIRS, ARG_OPTIONAL, 0, NULL, "" },
	{ "words", ARG_WORDS, ARG_OPTIONAL, 0, NULL, "" },
	{ "object", ARG_OBJECT, ARG_OPTIONAL, 0, NULL, "" },
	{ "file", ARG_FILE, ARG_OPTIONAL, 0, NULL, "" },
	{ "quiet", ARG_BOOL, ARG_LOCAL, 0, NULL, "" },
};

static void test_types(void)
{
	const struct verb sample = { .name = "sample",
		.args = sample_args,
		.nargs = NELEMS(sample_args) };
	static const struct {
		const char *name;
		const char *good;
		const char *type; /* the word for it */
	} rows[] = {
		{ "text", "\"red\"", "string" },
		{ "size", "1", "integer" },
		{ "number", "-1", "integer" },
		{ "flag", "true", "boolean" },
		{ "wait", "1.5", "number" },
		{ "ago", "600", "number" },
		{ "pairs", "{\"a\":\"b\"}", "object of strings" },
		{ "words", "[\"a\",\"b\"]", "array of strings" },
		{ "object", "{\"a\":1}", "object" },
		{ "file", "\"/x\"", "string" },
	};
	static const char *const wrong[] = { "null", "[1]", "{\"a\":[]}" };

	for (size_t i = 0; i < NELEMS(rows); i++) {
		bool first = i == 0;
		AUTO_FREE char *good = xasprintf("{%s\"%s\":%s}",
			first ? "" : "\"text\":\"blue\",", rows[i].name,
			rows[i].good);

		check(&sample, good, "");
		for (size_t j = 0; j < NELEMS(wrong); j++) {
			AUTO_FREE char *bad = xasprintf(
				"{\"%s\":%s}", rows[i].name, wrong[j]);
			AUTO_FREE char *text =
				xasprintf("Invalid parameter type for '%s', "
					  "expected: %s",
					rows[i].name, rows[i].type);
			bool is_one = str_eq(rows[i].name, "object") && j == 2;

			check(&sample, bad,
				is_one ? "Parameter 'text' is missing" : text);
		}
	}
	check(&sample, "{\"text\":\"blue\",\"size\":1.0}",
		"Invalid parameter type for 'size', expected: integer");
	check(&sample, "{\"text\":\"blue\",\"flag\":1}",
		"Invalid parameter type for 'flag', expected: boolean");
	check(&sample, "{\"text\":\"blue\",\"words\":[]}", "");
	check(&sample, "{\"text\":\"blue\",\"pairs\":{}}", "");
}

static void test_names(void)
{
	const struct verb sample = { .name = "sample",
		.args = sample_args,
		.nargs = NELEMS(sample_args) };

	check(&sample, NULL, "Parameter 'text' is missing");
	check(&sample, "{}", "Parameter 'text' is missing");
	check(&sample, "{\"text\":\"dark red\"}", "");
	check(&sample, "{\"text\":\"dark\"}",
		"Parameter 'text' does not accept value 'dark'");
	check(&sample, "{\"text\":\"red|dark red\"}",
		"Parameter 'text' does not accept value 'red|dark red'");
	check(&sample, "{\"text\":\"\"}",
		"Parameter 'text' does not accept value ''");
	check(&sample, "{\"text\":\"red\",\"colour\":1}",
		"Parameter 'colour' is unexpected");
	check(&sample, "{\"text\":\"red\",\"quiet\":true}",
		"Parameter 'quiet' is unexpected");
	check(&sample, "{\"text\":\"red\",\"vm\":\"web\"}",
		"Parameter 'vm' is unexpected");
}

static void test_vm(void)
{
	const struct verb one = { .name = "one", .flags = VERB_ONE };
	const struct verb maybe = { .name = "maybe",
		.flags = VERB_MANY | VERB_MAYBE };

	check(&one, "{\"vm\":\"web\"}", "");
	check(&one, NULL, "Parameter 'vm' is missing");
	check(&one, "{\"vm\":7}",
		"Invalid parameter type for 'vm', expected: string");
	check(&maybe, NULL, "");
	check(&maybe, "{\"vm\":\"web\"}", "");
	check(verb_by_wire("job-cancel"), "{\"request\":[1]}", "");
}

int main(void)
{
	test_envelope();
	test_types();
	test_names();
	test_vm();
	return done();
}
