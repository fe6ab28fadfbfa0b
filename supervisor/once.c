/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check, plan and show of a FILE; see once.h. */
#include "supervisor/once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "supervisor/config.h"
#include "supervisor/network.h"
#include "supervisor/plan.h"
#include "supervisor/pool.h"
#include "supervisor/report.h"
#include "supervisor/settings.h"

static int file_paths(const struct once_options *o, const char *file,
	char **name, struct paths *paths, struct err *err)
{
	*name = o->name ? xstrdup(o->name) : paths_vm_name(file);
	if (!*name)
		return err_set(err, ERR_USAGE,
			"'%s' gives no name for a VM; use --name", file);
	return paths_init_file(paths, file, *name, NULL, o->root, err);
}

static void print_findings(const struct findings *f, bool json)
{
	if (json) {
		AUTO_JSON json_t *all = report_findings(f);

		json_dumpf(all, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	list_each(&f->list, it, next) {
		const struct finding *finding =
			list_entry(it, struct finding, link);
		const char *note =
			finding->level == FINDING_NOTE ? "note: " : "";

		if (finding->line)
			printf("%s:%u: %s%s\n", finding->file, finding->line,
				note, finding->text);
		else
			printf("%s: %s%s\n", finding->file, note,
				finding->text);
	}
}

/* As the client would say it; its status. */
static int fail(const struct once_options *o, const struct err *err)
{
	if (o->json) {
		AUTO_JSON json_t *all = report_error(err);

		json_object_set_new(
			json_object_get(all, "error"), "vm", json_null());
		json_dumpf(all, stderr, 0);
		fputc('\n', stderr);
	} else {
		fprintf(stderr, "vmward: %s\n", err->text);
	}
	return err_code_status(err->code);
}

/* A file that is needed has mistakes: all of them, or as one error. */
static int fail_findings(const struct once_options *o, const struct findings *f)
{
	struct err err = ERR_INIT;

	if (!o->json) {
		print_findings(f, false);
		return 1;
	}
	if (findings_to_err(f, &err) == 0)
		return 0;
	return fail(o, &err);
}

/*
 * A pool or a network, as the system supervisor, or the user's, would read
 * it: its text (out NULL: only what is wrong with it); a status.
 */
static int read_other(const struct once_options *o, const char *file,
	struct findings *f, struct str *out)
{
	struct paths paths = { 0 };
	struct err err = ERR_INIT;

	if (paths_init(
		    &paths, o->user ? PATHS_USER : PATHS_SYSTEM, o->root, &err))
		return fail(o, &err);
	if (pool_is_file(file)) {
		struct pool *pool = pool_read_file(&paths, file, f);

		if (pool && out)
			pool_show(pool, o->origin, o->section, out);
		pool_free(pool);
	} else {
		struct network *n = network_read_file(&paths, file, f);

		if (n && out)
			network_show(n, o->origin, o->section, out);
		network_free(n);
	}
	paths_fini(&paths);
	return 0;
}

static bool is_other(const char *file)
{
	return pool_is_file(file) || network_is_file(file);
}

/* One file; a status where it could not be looked at. */
static int check_file(
	const struct once_options *o, const char *file, struct findings *f)
{
	struct paths paths = { 0 };
	AUTO_FREE char *name = NULL;
	struct err err = ERR_INIT;
	bool missing = false;

	if (settings_is_file(file)) {
		settings_free(settings_read(NULL, file, f));
		return 0;
	}
	if (is_other(file))
		return read_other(o, file, f, NULL);
	if (file_paths(o, file, &name, &paths, &err))
		return fail(o, &err);
	config_check(&paths, name, file, f, &missing);
	paths_fini(&paths);
	if (!missing)
		return 0;
	err_set(&err, ERR_NOT_FOUND, "%s: No such file or directory", file);
	return fail(o, &err);
}

int once_check(const struct once_options *o, char *const *files)
{
	struct findings f;
	int status = 0;

	findings_init(&f);
	for (size_t i = 0; files[i]; i++) {
		int rc = check_file(o, files[i], &f);

		status = rc ? rc : status;
	}
	if (!status || f.errors || f.notes || !o->json)
		print_findings(&f, o->json);
	if (!f.errors && !status && !o->json)
		puts("no mistakes");
	if (f.errors)
		status = 1;
	else if (f.notes && o->exit_code && !status)
		status = 8;
	findings_fini(&f);
	return status;
}

/* The spec of a file; NULL: findings or error were printed. */
static struct vm_spec *load(const struct once_options *o, const char *file,
	struct paths *paths, int *status)
{
	AUTO_FREE char *name = NULL;
	struct err err = ERR_INIT;
	struct findings f;
	struct vm_spec *spec;
	bool missing = false;

	if (file_paths(o, file, &name, paths, &err)) {
		*status = fail(o, &err);
		return NULL;
	}
	findings_init(&f);
	spec = config_load(paths, name, file, &f, &missing);
	if (missing) {
		err_set(&err, ERR_NOT_FOUND, "%s: No such file or directory",
			file);
		*status = fail(o, &err);
	} else if (!spec) {
		*status = fail_findings(o, &f);
	}
	findings_fini(&f);
	return spec;
}

static void print_lines(json_t *lines, const char *title, const char *indent)
{
	json_t *line;
	size_t i;

	if (title && json_array_size(lines))
		printf("%s\n", title);
	json_array_foreach(lines, i, line)
		printf("%s%s\n", indent, json_string_value(line));
}

static bool needs_quotes(const char *word)
{
	return !*word || word[strcspn(word, " \t\n\"'\\{}[]()*?$&;|<>#~`!")];
}

/* A command line that a shell takes as it is. */
static void print_argv(json_t *argv)
{
	json_t *item;
	size_t i;

	json_array_foreach(argv, i, item)
	{
		const char *word = json_string_value(item);
		bool option = i > 0 && *word == '-';

		printf("%s", i == 0 ? "" : option ? " \\\n  " : " ");
		if (!needs_quotes(word)) {
			printf("%s", word);
			continue;
		}
		putchar('\'');
		for (; *word; word++)
			printf(*word == '\'' ? "'\\''" : "%c", *word);
		putchar('\'');
	}
	putchar('\n');
}

static void print_plan(const struct once_options *o, json_t *plan)
{
	json_t *argv = json_object_get(plan, "argv");
	json_t *qmp = json_object_get(plan, "qmp");

	if (o->json) {
		printf("[");
		json_dumpf(plan, stdout, JSON_COMPACT);
		puts("]");
	} else if (o->argv) {
		print_argv(argv);
	} else if (o->qmp) {
		print_lines(qmp, NULL, "");
	} else {
		print_lines(json_object_get(plan, "actions"), NULL, "");
		printf("command line:\n");
		print_argv(argv);
		print_lines(qmp, "over QMP:", "  ");
	}
}

int once_plan(const struct once_options *o, const char *file)
{
	struct paths paths = { 0 };
	struct env env = { 0 };
	struct err err = ERR_INIT;
	int status = 1;
	struct vm_spec *spec = load(o, file, &paths, &status);

	if (spec) {
		env.paths = paths;
		env.qemu = spawn_find("qemu-system-x86_64");
		env.io_uring = true;
		AUTO_JSON json_t *plan =
			plan_start(spec, &env, NULL, NULL, &err);
		if (plan) {
			json_object_set_new(
				plan, "vm", json_string(spec->name));
			print_plan(o, plan);
		}
		status = plan ? 0 : fail(o, &err);
		free(env.qemu);
	}
	spec_free(spec);
	paths_fini(&paths);
	return status;
}

/* As it is, or as `show NAME --json` gives it. */
static void print_shown(
	const struct once_options *o, const char *vm, const struct str *text)
{
	if (!o->json) {
		fputs(str_text(text), stdout);
		return;
	}
	AUTO_JSON json_t *all =
		json_pack("[{s:s?, s:s}]", "vm", vm, "text", str_text(text));

	json_dumpf(all, stdout, JSON_COMPACT);
	putchar('\n');
}

/* A person's vmward.ini. */
static int show_host(const struct once_options *o, const char *file)
{
	AUTO_STR struct str text = STR_INIT;
	struct findings f;
	struct settings *settings;
	int status = 0;

	findings_init(&f);
	settings = settings_read(NULL, file, &f);
	if (settings)
		settings_show(settings, o->origin, o->section, &text);
	else
		status = fail_findings(o, &f);
	if (settings)
		print_shown(o, NULL, &text);
	findings_fini(&f);
	settings_free(settings);
	return status;
}

static int show_other(const struct once_options *o, const char *file)
{
	AUTO_STR struct str text = STR_INIT;
	struct findings f;
	int status;

	findings_init(&f);
	status = read_other(o, file, &f, &text);
	if (f.errors) {
		status = fail_findings(o, &f);
	} else if (!status) {
		print_shown(o, NULL, &text);
	}
	findings_fini(&f);
	return status;
}

int once_show(const struct once_options *o, const char *file)
{
	AUTO_STR struct str text = STR_INIT;
	struct paths paths = { 0 };
	struct vm_spec *spec;
	int status = 0;

	if (o->defaults) {
		config_add_defaults(&text);
		print_shown(o, NULL, &text);
		return 0;
	}
	if (settings_is_file(file))
		return show_host(o, file);
	if (is_other(file))
		return show_other(o, file);
	spec = load(o, file, &paths, &status);
	if (spec) {
		config_show(spec, o->origin, o->section, &text);
		print_shown(o, spec->name, &text);
	}
	spec_free(spec);
	paths_fini(&paths);
	return status;
}

int once_mdoc_keys(enum once_keys of)
{
	AUTO_STR struct str text = STR_INIT;

	if (of == ONCE_HOST_KEYS)
		keys_add_mdoc(&text, settings_sections, settings_nsections);
	else if (of == ONCE_POOL_KEYS)
		keys_add_mdoc(&text, pool_sections, pool_nsections);
	else if (of == ONCE_NETWORK_KEYS)
		keys_add_mdoc(&text, network_sections, network_nsections);
	else
		keys_add_mdoc(&text, spec_sections, spec_nsections);
	fputs(str_text(&text), stdout);
	return 0;
}
