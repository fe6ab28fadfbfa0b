/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing for people and programs.  No locale is loaded here, and nothing
 * from outside reaches a terminal unescaped.
 */
#include "ctl/print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "ctl/wire.h"

/* Seconds as a person would write them: 40.481, not 40.481000000000002. */
#define JSON_FLAGS (JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))

/* "vm 'web': text" and "web: text" say twice what stands in front. */
static const char *without_name(const char *vm, const char *text)
{
	AUTO_STR struct str quoted = STR_INIT;
	AUTO_STR struct str plain = STR_INIT;

	if (!vm)
		return text;
	str_addf(&quoted, "vm '%s': ", vm);
	str_addf(&plain, "%s: ", vm);
	if (str_starts(text, str_text(&quoted)))
		return text + quoted.len;
	if (str_starts(text, str_text(&plain)))
		return text + plain.len;
	return text;
}

/* Writes a whole line at once, so that parallel writers do not mix. */
static void write_line(struct str *line)
{
	str_addc(line, '\n');
	fflush(stdout);
	fwrite(line->data, 1, line->len, stderr);
}

static void error_line(const char *vm, const char *text)
{
	AUTO_STR struct str line = STR_INIT;
	const char *rest = without_name(vm, text);

	str_add(&line, "vmward: ");
	if (vm) {
		str_add_visible(&line, vm, strlen(vm));
		str_add(&line, ": ");
	}
	str_add_visible(&line, rest, strlen(rest));
	write_line(&line);
}

static int add_bytes(const char *bytes, size_t len, void *arg)
{
	str_addn(arg, bytes, len);
	return 0;
}

static void error_json(
	const char *vm, const char *class, const char *code, const char *text)
{
	json_t *line = json_pack("{s:{s:s, s:s, s:s, s:s?}}", "error", "class",
		class, "desc", text, "code", code, "vm", vm);
	AUTO_STR struct str out = STR_INIT;

	if (!line || json_dump_callback(line, add_bytes, &out, 0))
		error_line(vm, text);
	else
		write_line(&out);
	json_decref(line);
}

int print_error(
	const struct options *opt, const char *vm, const struct err *err)
{
	if (opt->json)
		error_json(vm, "GenericError", err_code_name(err->code),
			err->text);
	else
		error_line(vm, err->text);
	return err_code_status(err->code);
}

int print_reply_error(
	const struct options *opt, const char *vm, const json_t *error)
{
	const char *class = print_member(error, "class");
	const char *text = print_member(error, "desc");
	struct err err = ERR_INIT;

	wire_to_err(error, &err);
	if (!text)
		text = err.text;
	if (opt->json)
		error_json(vm, class ? class : "GenericError",
			err_code_name(err.code), text);
	else
		error_line(vm, text);
	return err_code_status(err.code);
}

void print_note(const struct options *opt, const char *vm, const char *fmt, ...)
{
	AUTO_FREE char *text = NULL;
	va_list ap;

	if (opt->quiet)
		return;
	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	error_line(vm, text);
}

void print_once(const struct options *opt, const char *text)
{
	static uint64_t said[16]; /* hashes: a person reads no more */
	static size_t n;
	uint64_t hash = hash_add(HASH_START, text, strlen(text));

	for (size_t i = 0; i < n; i++)
		if (said[i] == hash)
			return;
	if (n == NELEMS(said))
		return;
	said[n++] = hash;
	print_note(opt, NULL, "warning: %s", text);
}

void print_text(const char *text)
{
	AUTO_STR struct str safe = STR_INIT;

	str_add_visible(&safe, text, strlen(text));
	fputs(str_text(&safe), stdout);
}

void print_labelled(int width, const char *label, const char *text)
{
	if (!*text)
		return;
	printf("%*s: ", width, label);
	print_text(text);
	putchar('\n');
}

void print_array(const json_t *array)
{
	size_t i;
	json_t *value;

	fputs("[", stdout);
	json_array_foreach(array, i, value)
	{
		fputs(i ? ",\n " : "\n ", stdout);
		json_dumpf(value, stdout, JSON_FLAGS);
	}
	fputs(i ? "\n]\n" : "]\n", stdout);
}

void print_value(const struct options *opt, const json_t *value)
{
	size_t flags = JSON_FLAGS;

	if (opt->tty_out)
		flags |= JSON_INDENT(2);
	json_dumpf(value, stdout, flags);
	putchar('\n');
}

bool print_has_color(const struct options *opt, bool tty)
{
	if (opt->color == COLOR_AUTO)
		return tty;
	return opt->color == COLOR_ALWAYS;
}

const char *print_state_color(const char *state)
{
	static const struct {
		const char *state;
		const char *color;
	} colors[] = {
		{ "running", "green" },
		{ "failed", "red" },
		{ "invalid", "red" },
		{ "unreachable", "red" },
		{ "stopped", NULL },
		{ "saved", NULL },
	};

	for (size_t i = 0; i < NELEMS(colors); i++)
		if (str_eq(colors[i].state, state))
			return colors[i].color;
	return "yellow";
}

const char *print_escape(const char *color)
{
	if (!color)
		return "";
	if (str_eq(color, "green"))
		return "\033[32m";
	if (str_eq(color, "red"))
		return "\033[31m";
	return "\033[33m";
}

bool print_needs_locale(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text > 0x7f)
			return true;
	return false;
}

const char *print_member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

int print_end(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno != EPIPE)
		fprintf(stderr, "vmward: cannot write the result: %s\n",
			strerror(errno));
	return status ? status : 1;
}
