/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks as they are written; see network.h. */
#include "supervisor/network.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/layers.h"
#include "supervisor/network_check.h"

/* ---- what is in force ---- */

static struct {
	char *config; /* the directory it is of; NULL: not read */
	struct list networks;
} table;

static struct list *table_list(void)
{
	if (!table.networks.next)
		list_init(&table.networks);
	return &table.networks;
}

static void free_all(struct list *networks)
{
	list_each(networks, it, next)
		network_free(list_entry(it, struct network, link));
}

void networks_drop(void)
{
	free_all(table_list());
	free(TAKE(table.config));
}

static struct network *find_name(struct list *networks, const char *name)
{
	list_each(networks, it, next) {
		struct network *n = list_entry(it, struct network, link);

		if (str_eq(n->name, name))
			return n;
	}
	return NULL;
}

/* ---- reading ---- */

/* One network by its files; without any, by the defaults alone. */
static struct network *read_network(const struct paths *paths, const char *name,
	const char *file, struct findings *f)
{
	struct network *n = network_new(name);
	const struct other what = { &network_kind, paths, name, file };
	unsigned before = f->errors;
	bool filled = other_read(&what, n, &n->ini, &n->file, f);
	const struct remarks to = { &n->ini, n->file, f };

	if (filled)
		network_check_keys(n, &to);
	n->usable = f->errors == before;
	return n;
}

/* The network that needs no file. */
static struct network *make_default(const struct paths *paths)
{
	struct network *n = network_new(NETWORK_DEFAULT);
	const struct key_scope scope = { n->name, n->name, NULL, "",
		paths->home };
	const struct remarks to = { &n->ini, n->name, NULL };
	struct findings f;

	findings_init(&f);
	BUG_ON(keys_fill(
		n, network_sections, network_nsections, &n->ini, &scope, &f));
	network_check_keys(n, &to);
	findings_fini(&f);
	n->usable = true;
	return n;
}

static void check_against(
	const struct network *n, struct list *before, struct findings *f)
{
	const struct remarks to = { &n->ini, n->file, f };

	list_each(before, it, next) {
		const struct network *other =
			list_entry(it, struct network, link);

		if (other->usable)
			network_check_two(n, other, &to);
	}
}

static void add_network(struct list *networks, const struct paths *paths,
	const char *name, bool host, struct findings *all)
{
	struct network *n = NULL;
	struct findings f;
	struct err err = ERR_INIT;

	findings_init(&f);
	if (!other_name_is_valid(&network_kind, name, &f)) {
		n = network_new(name);
		n->file = xasprintf("%s/%s.ini", network_kind.dir, name);
	} else {
		n = read_network(paths, name, NULL, &f);
		if (n->usable)
			check_against(n, networks, &f);
		const struct remarks to = { &n->ini, n->file, &f };
		if (host && !f.errors)
			network_check_host(n, &to);
	}
	n->usable = f.errors == 0;
	if (!n->usable) {
		findings_to_err(&f, &err);
		n->error = xstrdup(err.text);
	}
	list_add(networks, &n->link);
	findings_sort(&f);
	if (all)
		findings_copy(all, &f);
	findings_fini(&f);
}

/* In front of those whose names are behind its own. */
static void insert(struct list *networks, struct network *n)
{
	list_each(networks, it, next) {
		if (strcmp(list_entry(it, struct network, link)->name,
			    n->name) > 0) {
			list_add(it, &n->link);
			return;
		}
	}
	list_add(networks, &n->link);
}

static void read_all(struct list *networks, const struct paths *paths,
	bool host, struct findings *f)
{
	AUTO_FREE char *dir =
		xasprintf("%s/%s", paths->config, network_kind.dir);
	char **files = layers_list_dir(dir);

	list_init(networks);
	for (char **file = files; *file; file++) {
		AUTO_FREE char *name = xstrndup(*file, strlen(*file) - 4);

		add_network(networks, paths, name, host, f);
	}
	layers_list_free(files);
	if (!find_name(networks, NETWORK_DEFAULT))
		insert(networks, make_default(paths));
}

void networks_check(const struct paths *paths, bool host, struct findings *f)
{
	struct list networks;

	read_all(&networks, paths, host, f);
	free_all(&networks);
}

/* ---- in force ---- */

/* What two networks say, for a comparison; new. */
static char *said_by(const struct network *n)
{
	AUTO_STR struct str text = STR_INIT;

	network_show(n, false, NULL, &text);
	str_add(&text, str_or(n->error, ""));
	return str_take(&text);
}

/* A bad file: what was read before stays, where there was something. */
static struct network *keep_old(struct network *now, struct network *before)
{
	if (!before || !before->error || !str_eq(before->error, now->error))
		log_error(NULL, "%s; the network stays as it was", now->error);
	if (!before || !before->usable)
		return now;
	list_del(&before->link);
	list_add(&now->link, &before->link); /* in its place */
	free(before->error);
	before->error = TAKE(now->error);
	network_free(now);
	return before;
}

bool networks_follow(const struct paths *paths)
{
	bool first = !table.config || !str_eq(table.config, paths->config);
	struct list now;
	bool changed;

	if (first)
		networks_drop();
	read_all(&now, paths, false, NULL);
	changed = list_count(&now) != list_count(table_list());
	list_each(&now, it, next) {
		struct network *n = list_entry(it, struct network, link);
		struct network *before = find_name(table_list(), n->name);
		AUTO_FREE char *was = before ? said_by(before) : NULL;

		if (n->error)
			n = keep_old(n, before);
		AUTO_FREE char *is = said_by(n);
		changed = changed || !was || !str_eq(was, is);
	}
	networks_drop();
	table.config = xstrdup(paths->config);
	list_move(table_list(), &now);
	return changed && !first;
}

struct list *networks_of(const struct paths *paths)
{
	if (!table.config || !str_eq(table.config, paths->config))
		networks_follow(paths);
	return &table.networks;
}

/* ---- one of them ---- */

static int not_found(
	const struct list *networks, const char *name, struct err *err)
{
	const char *names[64] = { NULL };
	size_t n = 0;

	list_each(networks, it, next) {
		if (n < NELEMS(names) - 1)
			names[n++] = list_entry(it, struct network, link)->name;
	}
	return other_not_found(&network_kind, names, name, err);
}

const struct network *network_find(
	const struct paths *paths, const char *name, struct err *err)
{
	struct list *networks = networks_of(paths);
	const struct network *n;

	if (!name || !*name)
		name = NETWORK_DEFAULT;
	n = find_name(networks, name);
	if (!n)
		not_found(networks, name, err);
	else if (!n->usable)
		err_set(err, ERR_CONFIG, "network '%s' cannot be used: %s",
			name, str_or(n->error, "its file has mistakes"));
	return n && n->usable ? n : NULL;
}

/* ---- one file, by a person ---- */

bool network_is_file(const char *path)
{
	return other_is_file(&network_kind, path);
}

struct network *network_read_file(
	const struct paths *paths, const char *file, struct findings *f)
{
	AUTO_FREE char *name = other_name_of(&network_kind, file, f);
	struct network *n;

	if (!name)
		return NULL;
	n = read_network(paths, name, file, f);
	findings_sort(f);
	if (n->usable)
		return n;
	network_free(n);
	return NULL;
}
