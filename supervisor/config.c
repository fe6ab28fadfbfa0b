/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From names to specs: which files are read is supervisor/layers', what keys
 * mean is supervisor/spec's, what fits together is supervisor/check's.  This
 * puts them together and adds who the VM is: its names and its uuid.
 */
#include "supervisor/config.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/atom.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/slab.h"
#include "base/sys.h"
#include "base/uuid.h"
#include "supervisor/cdrom.h"
#include "supervisor/check.h"
#include "supervisor/instances.h"
#include "supervisor/layers.h"
#include "supervisor/network.h"
#include "supervisor/pool.h"
#include "supervisor/seed.h"
#include "supervisor/settings.h"
#include "supervisor/show.h"

/* ---- who it is ---- */

bool config_name_is_valid(const char *name)
{
	return paths_name_is_valid(name);
}

/* Splits "web@7"; "web@" waits for its instance. */
static void set_names(struct vm_spec *spec, const char *name)
{
	const char *at = strchr(name, '@');

	spec->name = atom_get(name);
	spec->prefix = atom_take(
		xstrndup(name, at ? (size_t)(at - name) : strlen(name)));
	spec->instance = at && at[1] ? atom_get(at + 1) : NULL;
}

/* The same list and its texts as one piece of the slab. */
static char **in_one_piece(char **list, size_t n)
{
	size_t size = (n + 1) * sizeof(char *);
	char **all, *text;

	for (size_t i = 0; i < n; i++)
		size += strlen(list[i]) + 1;
	all = slab_get(size);
	text = (char *)&all[n + 1];
	for (size_t i = 0; i < n; i++) {
		all[i] = text;
		text = stpcpy(text, list[i]) + 1;
	}
	all[n] = NULL;
	return all;
}

/* A file web@.ini is checked as its first instance would be. */
static void invent_instance(struct vm_spec *spec)
{
	const struct ini_entry *entry = ini_find(&spec->ini, "vm", "instances");
	struct err ignored = ERR_INIT;
	char **list = NULL;

	if (spec->instance || !str_ends(spec->name, "@"))
		return;
	if (entry && entry->value[0])
		list = instances_expand(entry->value, &ignored);
	spec->instance = atom_get(list ? list[0] : "1");
	instances_free(list);
	atom_drop(spec->name);
	spec->name =
		atom_take(xasprintf("%s@%s", spec->prefix, spec->instance));
}

static void host_name(char out[65])
{
	if (gethostname(out, 64) < 0)
		out[0] = '\0';
	out[64] = '\0';
}

/*
 * This host's identity: systemd's and D-Bus's file, or its name; new.  The
 * file is that of a boot: one that was read is not read again.
 */
static char *machine_id(void)
{
	static char known[33];
	AUTO_STR struct str id = STR_INIT;
	struct err ignored = ERR_INIT;
	char host[65];

	if (!*known &&
		!fd_read_file(
			AT_FDCWD, "/etc/machine-id", 256, &id, &ignored) &&
		strspn(str_text(&id), "0123456789abcdef") >= 32)
		memcpy(known, str_text(&id), 32);
	if (*known)
		return xstrdup(known);
	host_name(host);
	return xstrdup(host);
}

/*
 * The same VM of the same host and directories keeps its uuid.  The
 * directory stands for --root, for the user, or for the file's own place.
 */
static void set_uuid(struct vm_spec *spec, const struct paths *paths)
{
	AUTO_FREE char *host = machine_id();
	AUTO_FREE char *identity = xasprintf("%s\n%s\n%s", host,
		paths->scope == PATHS_FILE ? paths->state : paths->config,
		spec->name);

	if (spec->vm.uuid && spec->vm.uuid[0])
		memcpy(spec->uuid, spec->vm.uuid, sizeof spec->uuid);
	else
		uuid_v5(identity, spec->uuid);
}

/* ---- filling ---- */

static void keep_notes(struct vm_spec *spec, const struct findings *f)
{
	list_each(&f->list, it, next) {
		struct finding *found = list_entry(it, struct finding, link);
		if (found->level != FINDING_NOTE)
			continue;
		struct finding *note = NEW(struct finding);
		note->level = FINDING_NOTE;
		note->file = xstrdup(found->file);
		note->line = found->line;
		note->text = xstrdup(found->text);
		list_add(&spec->notes, &note->link);
	}
}

static void check_network(const struct spec_nic *nic, const struct paths *paths,
	const struct remarks *to)
{
	AUTO_FREE char *section = xasprintf("net.%s", nic->name);
	struct err err = ERR_INIT;
	const struct network *n;

	if (!nic->network || nic->user || !remark_is_sound(to, section))
		return;
	n = network_find(paths, nic->network, &err);
	if (!n)
		remark_error(to, section, "network", "%s", err.text);
	else if ((nic->vlan || nic->trunk[0]) && !network_is_joined(n) &&
		 !n->network.filtering)
		remark_error(to, section, nic->vlan ? "vlan" : "trunk",
			"network '%s' does not keep VLANs apart: say "
			"vlan-filtering = yes there",
			n->name);
}

/* The networks that its nics name are there, and are what they need. */
static void check_networks(const struct vm_spec *spec,
	const struct paths *paths, const struct remarks *to)
{
	list_each(&spec->nics, it, next)
		check_network(list_entry(it, struct spec_nic, link), paths, to);
}

/* Turns the entries of a spec into its structs. */
static void fill(
	struct vm_spec *spec, const struct paths *paths, struct findings *f)
{
	char host[65];

	invent_instance(spec);
	host_name(host);
	struct key_scope scope = { spec->name, spec->prefix, spec->instance,
		host, paths->home };
	struct remarks to = { &spec->ini, spec->shown, f };
	if (keys_fill(spec, spec_sections, spec_nsections, &spec->ini, &scope,
		    f) == 0)
		set_uuid(spec, paths);
	list_each(&spec->disks, it, next)
		pool_apply(list_entry(it, struct spec_disk, link), paths, &to);
	check_spec(spec, paths->scope, &to);
	check_networks(spec, paths, &to);
	seed_settle(spec, paths, &to);
	cdrom_settle(spec, paths, &to);
}

/* Appends what was found about this VM, in the order of the lines. */
static void hand_over(struct findings *from, struct findings *to)
{
	findings_sort(from);
	list_each(&from->list, it, next) {
		struct finding *found = list_entry(it, struct finding, link);
		findings_add(to, found->level, found->file, found->line, "%s",
			found->text);
	}
	findings_fini(from);
}

/* A spec of all files, perhaps with errors in f; NULL: no such file. */
static struct vm_spec *read_all(const struct paths *paths, const char *name,
	const char *file, const struct config_patch *patch, struct findings *f)
{
	struct vm_spec *spec = spec_new();
	struct layers layers;

	set_names(spec, name);
	struct layers_want want = { paths, name, spec->prefix,
		file ? file : paths->file, patch };
	bool found = layers_read(&want, &layers, f);
	ini_move(&spec->ini, &layers.ini);
	spec->files = in_one_piece(layers.files, layers.nfiles);
	spec->shown = atom_take(TAKE(layers.shown));
	layers_fini(&layers);
	if (!found) {
		spec_free(spec);
		return NULL;
	}
	fill(spec, paths, f);
	return spec;
}

/* Keeps a spec without errors; frees any other. */
static struct vm_spec *finish(
	struct vm_spec *spec, struct findings *own, struct findings *f)
{
	if (spec && own->errors == 0)
		keep_notes(spec, own);
	if (spec && own->errors > 0) {
		spec_free(spec);
		spec = NULL;
	}
	hand_over(own, f);
	return spec;
}

struct vm_spec *config_load_patched(const struct paths *paths, const char *name,
	const char *file, const struct config_patch *patch, struct findings *f,
	bool *missing)
{
	struct findings own;

	findings_init(&own);
	struct vm_spec *spec = read_all(paths, name, file, patch, &own);
	*missing = !spec;
	return finish(spec, &own, f);
}

struct vm_spec *config_load(const struct paths *paths, const char *name,
	const char *file, struct findings *f, bool *missing)
{
	return config_load_patched(paths, name, file, NULL, f, missing);
}

void config_check(const struct paths *paths, const char *name, const char *file,
	struct findings *f, bool *missing)
{
	struct findings own;

	findings_init(&own);
	struct vm_spec *spec = read_all(paths, name, file, NULL, &own);
	*missing = !spec;
	if (spec)
		config_check_host(spec, paths, &own);
	spec_free(spec);
	hand_over(&own, f);
}

struct vm_spec *config_load_text(const struct paths *paths, const char *name,
	const char *text, size_t len, const char *shown, struct findings *f)
{
	struct vm_spec *spec = spec_new();
	struct findings own;

	findings_init(&own);
	set_names(spec, name);
	spec->shown = atom_get(shown);
	spec->files = in_one_piece(NULL, 0);
	spec->ini.keep_bad = true;
	ini_add(&spec->ini, "serial.console", NULL, NULL, "(built in)", "/");
	if (ini_read_bytes(&spec->ini, text, len, shown, "/", &own) == 0)
		fill(spec, paths, &own);
	return finish(spec, &own, f);
}

void config_show(const struct vm_spec *spec, bool origin, const char *section,
	struct str *out)
{
	const struct show show = { .ini = &spec->ini,
		.tables = spec_sections,
		.ntables = spec_nsections,
		.uuid = spec->uuid,
		.origin = origin,
		.only = section };

	show_entries(&show, out);
}

void config_show_lasting(const struct vm_spec *spec, struct str *out)
{
	struct ini lasting;
	const struct show show = { .ini = &lasting,
		.tables = spec_sections,
		.ntables = spec_nsections,
		.uuid = spec->uuid };

	ini_init(&lasting);
	list_each(&spec->ini.entries, it, next) {
		const struct ini_entry *e =
			list_entry(it, struct ini_entry, link);

		if (!layers_is_runtime(e->file))
			ini_add(&lasting, e->section, e->key, e->value, e->file,
				e->dir);
	}
	show_entries(&show, out);
	ini_fini(&lasting);
}

bool config_has_runtime(const struct vm_spec *spec)
{
	for (char **file = spec->files; file && *file; file++)
		if (layers_is_runtime(*file))
			return true;
	return false;
}

void config_add_defaults(struct str *out)
{
	AUTO_STR struct str host = STR_INIT;
	AUTO_STR struct str pool = STR_INIT;
	AUTO_STR struct str network = STR_INIT;

	str_add(out, "; ---- vms/NAME.ini ----\n\n");
	keys_add_defaults(out, spec_sections, spec_nsections);
	keys_add_defaults(&host, settings_sections, settings_nsections);
	keys_add_defaults(&pool, pool_sections, pool_nsections);
	keys_add_defaults(&network, network_sections, network_nsections);
	str_addf(out,
		"\n; ---- vmward.ini ----\n\n%s"
		"\n; ---- pools/NAME.ini ----\n\n%s"
		"\n; ---- networks/NAME.ini ----\n\n%s",
		str_text(&host), str_text(&pool), str_text(&network));
}

/* ---- names ---- */

struct names {
	char **at;
	size_t n;
};

/* Takes the name over. */
static void add_name(struct names *names, char *name)
{
	names->at = xreallocarray(names->at, names->n + 2, sizeof(char *));
	names->at[names->n++] = name;
	names->at[names->n] = NULL;
}

static void add_instances(
	struct names *names, const struct paths *paths, const char *prefix)
{
	char **list = layers_instances(paths, prefix);

	for (char **one = list; one && *one; one++)
		add_name(names, xasprintf("%s@%s", prefix, *one));
	instances_free(list);
}

static bool is_file(const struct paths *paths, const char *name, size_t len)
{
	AUTO_FREE char *path =
		xasprintf("%s/vms/%.*s.ini", paths->config, (int)len, name);
	struct stat st;

	return !sys_fstatat(AT_FDCWD, path, &st, 0);
}

bool config_is_defined(const struct paths *paths, const char *name)
{
	const char *at = strchr(name, '@');

	return paths_name_is_valid(name) &&
	       (is_file(paths, name, strlen(name)) ||
		       (at && is_file(paths, name, (size_t)(at + 1 - name))));
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void drop_doubles(struct names *names)
{
	size_t kept = 0;

	if (names->n > 1)
		qsort(names->at, names->n, sizeof(char *), compare_names);
	for (size_t i = 0; i < names->n; i++) {
		if (kept > 0 && str_eq(names->at[kept - 1], names->at[i]))
			free(names->at[i]);
		else
			names->at[kept++] = names->at[i];
	}
	names->at[kept] = NULL;
}

char **config_names(const struct paths *paths)
{
	struct names names = { xcalloc(1, sizeof(char *)), 0 };
	AUTO_FREE char *dir = xasprintf("%s/vms", paths->config);
	char **files = layers_list_dir(dir);

	for (char **file = files; *file; file++) {
		AUTO_FREE char *name = paths_vm_name(*file);
		if (!name)
			continue;
		if (!str_ends(name, "@")) {
			add_name(&names, TAKE(name));
			continue;
		}
		name[strlen(name) - 1] = '\0';
		add_instances(&names, paths, name);
	}
	layers_list_free(files);
	drop_doubles(&names);
	return names.at;
}

void config_names_free(char **names)
{
	layers_list_free(names);
}
