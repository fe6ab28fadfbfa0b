/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layers of a VM's configuration.  A layer is read once, whole, and
 * appended; which entry wins is decided by their order alone.
 */
#include "supervisor/layers.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/instances.h"

enum { TEMPLATES_MAX = 4 };

#define RUNTIME "/priv/runtime.ini"

/* One reading. */
struct reader {
	const struct layers_want *want;
	struct layers *out;
	struct findings *f;
};

/* ---- directories ---- */

struct names {
	char **at;
	size_t n;
};

static void add_name(struct names *names, const char *name)
{
	names->at = xreallocarray(names->at, names->n + 2, sizeof(char *));
	names->at[names->n++] = xstrdup(name);
	names->at[names->n] = NULL;
}

static void take_ini(void *arg, const char *name)
{
	if (name[0] != '.' && str_ends(name, ".ini"))
		add_name(arg, name);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **layers_list_dir(const char *dir)
{
	struct names names = { xcalloc(1, sizeof(char *)), 0 };

	/* a directory that is not there is an empty one */
	if (sys_listdir(AT_FDCWD, dir, take_ini, &names) < 0)
		return names.at;
	if (names.n > 1)
		qsort(names.at, names.n, sizeof(char *), compare_names);
	return names.at;
}

void layers_list_free(char **list)
{
	for (char **name = list; name && *name; name++)
		free(*name);
	free(list);
}

static bool exists(const char *path)
{
	struct stat st;

	return sys_fstatat(AT_FDCWD, path, &st, 0) == 0;
}

/* ---- one file ---- */

static void note_file(struct layers *out, const char *path)
{
	out->files = xreallocarray(out->files, out->nfiles + 2, sizeof(char *));
	out->files[out->nfiles++] = xstrdup(path);
	out->files[out->nfiles] = NULL;
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return xstrndup(path, slash > path ? (size_t)(slash - path) : 1);
}

/* Appends a file to ini; its mistakes are findings already. */
static void read_file(const struct reader *reader, struct ini *ini,
	const char *path, const char *shown)
{
	const struct config_patch *patch = reader->want->patch;
	int rc;

	note_file(reader->out, path);
	ini->keep_bad = true;
	if (patch && str_eq(patch->path, path)) {
		AUTO_FREE char *dir = directory_of(path);
		rc = ini_read_bytes(
			ini, patch->bytes, patch->len, shown, dir, reader->f);
	} else {
		rc = ini_read(ini, AT_FDCWD, path, shown, reader->f);
	}
	(void)rc;
}

/* ---- drop-ins ---- */

/* The patched file belongs to the directory, there or not. */
static void patch_names(
	struct names *names, const char *dir, const struct config_patch *patch)
{
	size_t len = strlen(dir);

	if (!str_starts(patch->path, dir) || patch->path[len] != '/')
		return;
	const char *name = patch->path + len + 1;
	size_t i = 0;
	while (i < names->n && !str_eq(names->at[i], name))
		i++;
	if (i == names->n && patch->bytes)
		add_name(names, name);
	if (i == names->n || patch->bytes)
		return;
	free(names->at[i]);
	for (names->n--; i <= names->n; i++)
		names->at[i] = names->at[i + 1];
}

static void read_dropins(const struct reader *reader, struct ini *ini,
	const char *dir, const char *shown)
{
	struct names names = { layers_list_dir(dir), 0 };

	while (names.at[names.n])
		names.n++;
	if (reader->want->patch)
		patch_names(&names, dir, reader->want->patch);
	if (names.n > 1)
		qsort(names.at, names.n, sizeof(char *), compare_names);
	for (size_t i = 0; i < names.n; i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", dir, names.at[i]);
		AUTO_FREE char *as = xasprintf("%s/%s", shown, names.at[i]);
		read_file(reader, ini, path, as);
	}
	layers_list_free(names.at);
}

/* vms/NAME.ini.d */
static void read_vm_dropins(
	const struct reader *reader, struct ini *ini, const char *name)
{
	AUTO_FREE char *shown = xasprintf("%s.ini.d", name);
	AUTO_FREE char *dir =
		xasprintf("%s/vms/%s", reader->want->paths->config, shown);

	read_dropins(reader, ini, dir, shown);
}

/* RUN/NAME/priv/runtime.ini */
static void read_runtime(const struct reader *reader, struct ini *ini)
{
	const struct layers_want *want = reader->want;
	const struct config_patch *patch = want->patch;
	AUTO_FREE char *path = layers_runtime_path(want->paths, want->name);
	AUTO_FREE char *shown = xasprintf("%s" RUNTIME, want->name);
	bool patched = patch && str_eq(patch->path, path);

	if (patched ? patch->bytes != NULL : exists(path))
		read_file(reader, ini, path, shown);
}

/* ---- the main file ---- */

static char *absolute(const char *file)
{
	char cwd[4096];

	if (file[0] == '/' || !getcwd(cwd, sizeof cwd))
		return xstrdup(file);
	return xasprintf("%s/%s", cwd, file);
}

/* A file that a person named, and FILE.d. */
static bool read_named_file(const struct reader *reader, struct ini *ini)
{
	const char *file = reader->want->file;
	AUTO_FREE char *path = absolute(file);
	AUTO_FREE char *dir = xasprintf("%s.d", path);
	AUTO_FREE char *shown = xasprintf("%s.d", file);

	reader->out->shown = xstrdup(file);
	if (!exists(path))
		return false;
	read_file(reader, ini, path, file);
	read_dropins(reader, ini, dir, shown);
	return true;
}

/* vms/web@7.ini, or instead of it vms/web@.ini; and the drop-ins of both. */
static bool read_vm_files(const struct reader *reader, struct ini *ini)
{
	const struct layers_want *want = reader->want;
	const char *vms = want->paths->config;
	bool instance = !str_eq(want->name, want->prefix);
	AUTO_FREE char *all = xasprintf("%s@", want->prefix);
	AUTO_FREE char *own_path = xasprintf("%s/vms/%s.ini", vms, want->name);
	AUTO_FREE char *all_path = xasprintf("%s/vms/%s.ini", vms, all);
	bool own = exists(own_path);

	reader->out->shown =
		xasprintf("%s.ini", own || !instance ? want->name : all);
	if (!own && (!instance || !exists(all_path)))
		return false;
	read_file(reader, ini, own ? own_path : all_path, reader->out->shown);
	if (instance)
		read_vm_dropins(reader, ini, all);
	if (!str_eq(want->name, all))
		read_vm_dropins(reader, ini, want->name);
	read_runtime(reader, ini);
	return true;
}

/* ---- templates ---- */

static char *template_path(const struct paths *paths, const char *name)
{
	return xasprintf("%s/templates/%s.ini", paths->config, name);
}

/* What the chain has seen, for cycles. */
struct chain {
	struct ini levels[TEMPLATES_MAX];
	const char *names[TEMPLATES_MAX + 1];
	size_t n;
};

static void complain(const struct reader *reader, const struct ini_entry *from,
	const char *text)
{
	findings_add(reader->f, FINDING_ERROR, from->file, from->line,
		"[vm] template: %s", text);
}

/* "a -> b -> a" */
static void complain_cycle(const struct reader *reader,
	const struct ini_entry *from, const struct chain *chain)
{
	AUTO_STR struct str text = STR_INIT;

	str_add(&text, "the templates go round in a circle: ");
	for (size_t i = 0; i < chain->n; i++)
		str_addf(&text, "%s -> ", chain->names[i]);
	str_add(&text, from->value);
	complain(reader, from, str_text(&text));
}

static void complain_missing(
	const struct reader *reader, const struct ini_entry *from)
{
	AUTO_FREE char *dir =
		xasprintf("%s/templates", reader->want->paths->config);
	char **names = layers_list_dir(dir);
	AUTO_STR struct str text = STR_INIT;

	for (char **name = names; *name; name++)
		(*name)[strlen(*name) - 4] = '\0';
	const char *near = str_nearest(from->value, (const char *const *)names);
	str_addf(&text, "there is no templates/%s.ini", from->value);
	if (near)
		str_addf(&text, " (did you mean '%s'?)", near);
	complain(reader, from, str_text(&text));
	layers_list_free(names);
}

/* Checks one link of the chain; false ends it. */
static bool check_link(const struct reader *reader,
	const struct ini_entry *from, const struct chain *chain)
{
	for (size_t i = 0; i < chain->n; i++) {
		if (str_eq(chain->names[i], from->value)) {
			complain_cycle(reader, from, chain);
			return false;
		}
	}
	if (!paths_name_is_valid(from->value)) {
		complain(reader, from, "that is no name of a template");
		return false;
	}
	if (chain->n == TEMPLATES_MAX) {
		complain(reader, from, "the chain has more than 4 templates");
		return false;
	}
	AUTO_FREE char *path = template_path(reader->want->paths, from->value);
	if (exists(path))
		return true;
	complain_missing(reader, from);
	return false;
}

static const struct ini_entry *read_level(
	const struct reader *reader, struct chain *chain, const char *name)
{
	struct ini *level = &chain->levels[chain->n];
	AUTO_FREE char *path = template_path(reader->want->paths, name);
	AUTO_FREE char *shown = xasprintf("templates/%s.ini", name);

	chain->names[chain->n++] = name;
	ini_init(level);
	read_file(reader, level, path, shown);
	return ini_find(level, "vm", "template");
}

static bool is_link(const struct ini_entry *from)
{
	return from && from->value[0] && !str_eq(from->value, "none");
}

/* Appends the templates that lie below `main`, the deepest first. */
static void read_templates(const struct reader *reader, const struct ini *main)
{
	const struct ini_entry *from = ini_find(main, "vm", "template");
	AUTO_FREE char *path = template_path(reader->want->paths, "default");
	bool written = from && from->value[0];
	struct chain chain = { .n = 0 };

	if (!written && !reader->want->file && exists(path))
		from = read_level(reader, &chain, "default");
	while (is_link(from) && check_link(reader, from, &chain))
		from = read_level(reader, &chain, from->value);
	while (chain.n > 0)
		ini_move(&reader->out->ini, &chain.levels[--chain.n]);
}

/* ---- notes ---- */

/* "disk.root" and "size" as "[disk.root] size"; of [vm] the key alone. */
static void note_hidden(const struct reader *reader,
	const struct ini_entry *entry, const struct ini_entry *winner)
{
	bool vm = str_eq(entry->section, "vm");
	AUTO_FREE char *where =
		vm ? xstrdup("") : xasprintf("[%s] ", entry->section);

	findings_add(reader->f, FINDING_NOTE, entry->file, entry->line,
		"%s%s is overridden by %s:%u", where, entry->key, winner->file,
		winner->line);
}

/* Keys that a drop-in hides. */
static void note_all_hidden(const struct reader *reader, const struct ini *ini)
{
	list_each(&ini->entries, it, next) {
		struct ini_entry *entry =
			list_entry(it, struct ini_entry, link);
		if (!entry->key)
			continue;
		const struct ini_entry *winner =
			ini_find(ini, entry->section, entry->key);
		if (!str_eq(winner->file, entry->file))
			note_hidden(reader, entry, winner);
	}
}

/* ---- all of them ---- */

bool layers_read(
	const struct layers_want *want, struct layers *out, struct findings *f)
{
	struct ini main;

	*out = (struct layers){ .files = xcalloc(1, sizeof(char *)) };
	const struct reader reader = { want, out, f };
	ini_init(&out->ini);
	ini_init(&main);
	bool found = want->file ? read_named_file(&reader, &main)
				: read_vm_files(&reader, &main);
	/* what nobody has to write: the lowest layer */
	ini_add(&out->ini, "serial.console", NULL, NULL, "(built in)", "/");
	if (found) {
		read_templates(&reader, &main);
		note_all_hidden(&reader, &main);
	}
	ini_move(&out->ini, &main);
	ini_fini(&main);
	return found;
}

static void read_other(const struct layers_want *want, const char *path,
	const char *shown, struct layers *out, struct findings *f)
{
	const struct reader reader = { want, out, f };
	AUTO_FREE char *dir = xasprintf("%s.d", path);
	AUTO_FREE char *shown_dir = xasprintf("%s.d", shown);

	ini_init(&out->ini);
	out->shown = xstrdup(shown);
	read_file(&reader, &out->ini, path, shown);
	read_dropins(&reader, &out->ini, dir, shown_dir);
}

void layers_read_other(const struct paths *paths, const char *kind,
	const char *name, struct layers *out, struct findings *f)
{
	const struct layers_want want = { .paths = paths };
	AUTO_FREE char *shown = xasprintf("%s/%s.ini", kind, name);
	AUTO_FREE char *path = xasprintf("%s/%s", paths->config, shown);

	*out = (struct layers){ .files = xcalloc(1, sizeof(char *)) };
	read_other(&want, path, shown, out, f);
}

void layers_read_file(const struct paths *paths, const char *file,
	struct layers *out, struct findings *f)
{
	const struct layers_want want = { .paths = paths };
	AUTO_FREE char *path = absolute(file);

	*out = (struct layers){ .files = xcalloc(1, sizeof(char *)) };
	read_other(&want, path, file, out, f);
}

void layers_fini(struct layers *layers)
{
	ini_fini(&layers->ini);
	layers_list_free(layers->files);
	free(layers->shown);
	*layers = (struct layers){ .nfiles = 0 };
}

char **layers_instances(const struct paths *paths, const char *prefix)
{
	AUTO_FREE char *all = xasprintf("%s@", prefix);
	struct layers_want want = { paths, all, prefix, NULL, NULL };
	struct layers layers;
	struct findings f;
	struct err err = ERR_INIT;
	char **list = NULL;

	findings_init(&f);
	bool found = layers_read(&want, &layers, &f);
	const struct ini_entry *entry =
		ini_find(&layers.ini, "vm", "instances");
	if (found && entry && entry->value[0])
		list = instances_expand(entry->value, &err);
	layers_fini(&layers);
	findings_fini(&f);
	return list;
}

char *layers_dropin_path(const struct paths *paths, const char *name)
{
	if (paths->file)
		return xasprintf("%s.d/50-vmward.ini", paths->file);
	return xasprintf("%s/vms/%s.ini.d/50-vmward.ini", paths->config, name);
}

char *layers_runtime_path(const struct paths *paths, const char *name)
{
	return xasprintf("%s/%s" RUNTIME, paths->run, name);
}

bool layers_is_runtime(const char *path)
{
	return str_ends(path, RUNTIME);
}
