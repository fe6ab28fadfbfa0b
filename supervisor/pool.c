/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories that volumes are in; see pool.h. */
#include "supervisor/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/atom.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/argv.h"
#include "supervisor/layers.h"
#include "supervisor/other.h"
#include "supervisor/show.h"

#define DIRECTORY "pools"

const char *const pool_prealloc_names[] = { "off", "metadata", "falloc", "full",
	NULL };

/* ---- the table of keys ---- */

/* clang-format off */
#define AT(member) .offset = offsetof(struct pool_keys, member)
static const struct key keys[] = {
	{ "path", KEY_PATH, AT(path), .when = KEY_POLICY,
		.help = "The directory; every pool but default must say it." },
	{ "format", KEY_CHOICE, AT(format), .fallback = "by-suffix",
		.choices = spec_format_names, .when = KEY_POLICY,
		.help = "Format of a volume whose name does not tell, and of "
			"new ones that nobody gave a name." },
	{ "quota", KEY_SIZE, AT(quota), .min = 1024 * 1024,
		.when = KEY_POLICY,
		.help = "What the virtual sizes of all its volumes may add up "
			"to: thin images cannot outgrow it later." },
	{ "prealloc", KEY_CHOICE, AT(prealloc), .fallback = "off",
		.choices = pool_prealloc_names, .when = KEY_POLICY,
		.help = "What new qcow2 and raw images allocate at once; not "
			"those on top of a base." },
	KEYS_END,
};
#undef AT

const struct section pool_sections[] = {
	{ .name = "pool", .keys = keys,
		.offset = offsetof(struct pool, pool),
		.size = sizeof(struct pool_keys),
		.enabled_offset = KEYS_NO_ENABLED,
		.help = "A directory that volumes are in." },
};
/* clang-format on */
const size_t pool_nsections = NELEMS(pool_sections);

static const struct other_kind pool_kind = { "pool", DIRECTORY, pool_sections,
	NELEMS(pool_sections) };

/* ---- what is in force ---- */

static struct {
	char *config; /* the directories it is of; NULL: not read */
	char *images;
	struct list pools;
} table;

static struct list *table_list(void)
{
	if (!table.pools.next)
		list_init(&table.pools);
	return &table.pools;
}

static struct pool *pool_new(const char *name)
{
	struct pool *pool = NEW(struct pool);

	list_init(&pool->link);
	ini_init(&pool->ini);
	pool->name = xstrdup(name);
	return pool;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	list_del(&pool->link);
	keys_release(pool, pool_sections, pool_nsections);
	ini_fini(&pool->ini);
	free(pool->name);
	free(pool->dir);
	free(pool->file);
	free(pool->error);
	free(pool);
}

void pools_drop(void)
{
	list_each(table_list(), it, next)
		pool_free(list_entry(it, struct pool, link));
	free(TAKE(table.config));
	free(TAKE(table.images));
}

/* ---- reading ---- */

static char *dir_of(const struct paths *paths)
{
	return xasprintf("%s/" DIRECTORY, paths->config);
}

/* Its directory, without a slash at the end. */
static void set_dir(struct pool *pool, const struct paths *paths)
{
	const char *path = pool->pool.path ? pool->pool.path : paths->images;
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	free(pool->dir);
	pool->dir = xstrndup(path, len);
}

static void check_keys(const struct pool *pool, const struct remarks *to)
{
	const char *path = pool->pool.path;

	if (!path && !str_eq(pool->name, POOL_DEFAULT))
		remark_error(to, "pool", NULL, "needs path");
	if (path && (str_eq(path, "/") || strstr(path, "/../")))
		remark_error(to, "pool", "path",
			"'%s': say the directory of its images", path);
	if (path && !str_is_utf8(path, strlen(path)))
		remark_error(to, "pool", "path", "is not UTF-8");
}

static void check_host(const struct pool *pool, const struct remarks *to)
{
	struct stat st;

	if (sys_fstatat(AT_FDCWD, pool->dir, &st, 0))
		remark_error(to, "pool", "path", "cannot look at '%s': %s",
			pool->dir, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		remark_error(to, "pool", "path", "'%s' is not a directory",
			pool->dir);
}

/* One pool by its files; NULL with findings. */
static struct pool *read_pool(const struct paths *paths, const char *name,
	const char *file, bool host, struct findings *f)
{
	struct pool *pool = pool_new(name);
	const struct other what = { &pool_kind, paths, name, file };
	unsigned before = f->errors;
	bool filled = other_read(&what, pool, &pool->ini, &pool->file, f);
	const struct remarks to = { &pool->ini, pool->file, f };

	if (filled)
		check_keys(pool, &to);
	if (f->errors == before) {
		set_dir(pool, paths);
		if (host)
			check_host(pool, &to);
	}
	if (f->errors == before)
		return pool;
	pool_free(pool);
	return NULL;
}

static struct pool *find_name(struct list *pools, const char *name)
{
	list_each(pools, it, next) {
		struct pool *pool = list_entry(it, struct pool, link);

		if (str_eq(pool->name, name))
			return pool;
	}
	return NULL;
}

/* Two pools of one directory would count its volumes twice. */
static bool is_double(
	struct list *pools, const struct pool *pool, struct findings *f)
{
	list_each(pools, it, next) {
		const struct pool *other = list_entry(it, struct pool, link);
		const struct remarks to = { &pool->ini, pool->file, f };

		if (!other->dir || !str_eq(other->dir, pool->dir))
			continue;
		remark_error(&to, "pool", "path",
			"'%s' is the directory of pool '%s' already", pool->dir,
			other->name);
		return true;
	}
	return false;
}

/* Reads one file more; a pool without a directory says what is wrong. */
static void add_pool(struct list *pools, const struct paths *paths,
	const char *name, bool host, struct findings *all)
{
	struct findings f;
	struct pool *pool = NULL;
	struct err err = ERR_INIT;

	findings_init(&f);
	if (other_name_is_valid(&pool_kind, name, &f))
		pool = read_pool(paths, name, NULL, host, &f);
	if (pool && is_double(pools, pool, &f)) {
		pool_free(pool);
		pool = NULL;
	}
	if (!pool) {
		pool = pool_new(name);
		findings_to_err(&f, &err);
		pool->file = xasprintf(DIRECTORY "/%s.ini", name);
		pool->error = xstrdup(err.text);
	}
	list_add(pools, &pool->link);
	findings_sort(&f);
	if (all)
		findings_copy(all, &f);
	findings_fini(&f);
}

/* In front of those whose names are behind its own. */
static void add_default(struct list *pools, const struct paths *paths)
{
	struct pool *pool = pool_new(POOL_DEFAULT);

	keys_release(pool, pool_sections, pool_nsections);
	set_dir(pool, paths);
	list_each(pools, it, next) {
		if (strcmp(list_entry(it, struct pool, link)->name,
			    POOL_DEFAULT) > 0) {
			list_add(it, &pool->link);
			return;
		}
	}
	list_add(pools, &pool->link);
}

/* `run FILE` has the file's own directory as its default pool. */
static void read_all(struct list *pools, const struct paths *paths, bool host,
	struct findings *f)
{
	AUTO_FREE char *dir = dir_of(paths);
	char **files = layers_list_dir(dir);

	list_init(pools);
	for (char **file = files; *file; file++) {
		AUTO_FREE char *name = xstrndup(*file, strlen(*file) - 4);

		if (paths->scope != PATHS_FILE || !str_eq(name, POOL_DEFAULT))
			add_pool(pools, paths, name, host, f);
	}
	layers_list_free(files);
	if (!find_name(pools, POOL_DEFAULT))
		add_default(pools, paths);
}

void pools_check(const struct paths *paths, bool host, struct findings *f)
{
	struct list pools;

	read_all(&pools, paths, host, f);
	list_each(&pools, it, next)
		pool_free(list_entry(it, struct pool, link));
}

/* ---- in force ---- */

/* A bad file: what was read before stays, where there was something. */
static void keep_old(struct pool *now, const struct pool *before)
{
	if (!before || !before->error || !str_eq(before->error, now->error))
		log_error(NULL, "%s; the pool stays as it was", now->error);
	if (!before || !before->dir)
		return;
	now->dir = xstrdup(before->dir);
	now->pool = before->pool;
	now->pool.path = atom_get(before->pool.path);
}

static bool is_same(const struct pool *a, const struct pool *b)
{
	return a && a->pool.format == b->pool.format &&
	       a->pool.quota == b->pool.quota &&
	       a->pool.prealloc == b->pool.prealloc &&
	       str_eq(str_or(a->dir, ""), str_or(b->dir, "")) &&
	       str_eq(str_or(a->error, ""), str_or(b->error, ""));
}

/* What was read is of these directories. */
static bool is_of(const struct paths *paths)
{
	return table.config && str_eq(table.config, paths->config) &&
	       str_eq(table.images, paths->images);
}

bool pools_follow(const struct paths *paths)
{
	bool first = !is_of(paths);
	struct list now;
	bool changed;

	if (first)
		pools_drop();
	read_all(&now, paths, false, NULL);
	changed = !first && list_count(&now) != list_count(table_list());
	list_each(&now, it, next) {
		struct pool *pool = list_entry(it, struct pool, link);
		struct pool *before = find_name(table_list(), pool->name);

		if (pool->error)
			keep_old(pool, before);
		changed = changed || (!first && !is_same(before, pool));
	}
	pools_drop();
	table.config = xstrdup(paths->config);
	table.images = xstrdup(paths->images);
	list_move(table_list(), &now);
	return changed;
}

struct list *pools_of(const struct paths *paths)
{
	if (!is_of(paths))
		pools_follow(paths);
	return &table.pools;
}

/* ---- one of them ---- */

static int not_found(
	const struct list *pools, const char *name, struct err *err)
{
	const char *names[64] = { NULL };
	size_t n = 0;

	list_each(pools, it, next) {
		if (n < NELEMS(names) - 1)
			names[n++] = list_entry(it, struct pool, link)->name;
	}
	return other_not_found(&pool_kind, names, name, err);
}

const struct pool *pool_find(
	const struct paths *paths, const char *name, struct err *err)
{
	struct list *pools = pools_of(paths);
	const struct pool *pool;

	if (!name || !*name)
		name = POOL_DEFAULT;
	pool = find_name(pools, name);
	if (!pool)
		not_found(pools, name, err);
	else if (!pool->dir)
		err_set(err, ERR_CONFIG, "pool '%s' cannot be used: %s", name,
			str_or(pool->error, "its file has mistakes"));
	return pool && pool->dir ? pool : NULL;
}

const struct pool *pool_of_file(const struct paths *paths, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	list_each(pools_of(paths), it, next) {
		const struct pool *pool = list_entry(it, struct pool, link);

		if (len && pool->dir && strlen(pool->dir) == len &&
			strncmp(path, pool->dir, len) == 0)
			return pool;
	}
	return NULL;
}

int pool_admits(const struct pool *pool, const char *volume, struct err *err)
{
	AUTO_CLOSE int dir = sys_openat(
		AT_FDCWD, pool->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	AUTO_CLOSE int fd = -1;

	if (dir < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND,
			"pool '%s': there is no directory '%s'", pool->name,
			pool->dir);
	if (dir < 0)
		return err_os(err, "pool '%s': cannot open '%s'", pool->name,
			pool->dir);
	fd = sys_open_beneath(dir, volume, O_PATH);
	if (fd >= 0 || errno == ENOENT)
		return 0;
	if (errno == EXDEV || errno == ELOOP)
		return err_set(err, ERR_DENIED,
			"'%s/%s' is a link that leads out of pool '%s'",
			pool->dir, volume, pool->name);
	return err_os(
		err, "pool '%s': cannot look at '%s'", pool->name, volume);
}

const char *pool_preallocation(const struct pool *pool, const char *format)
{
	int how = pool->pool.prealloc;

	if (how == PREALLOC_OFF ||
		(!str_eq(format, "qcow2") && !str_eq(format, "raw")) ||
		(how == PREALLOC_METADATA && str_eq(format, "raw")))
		return NULL;
	return pool_prealloc_names[how];
}

/* ---- the disk of a VM ---- */

static bool tells_format(const struct spec_disk *disk)
{
	const char *name = disk->image ? disk->image : disk->base;

	return disk->format != FORMAT_NONE ||
	       (name && argv_base_format(disk, name, &(struct err)ERR_INIT) !=
				FORMAT_NONE);
}

void pool_apply(struct spec_disk *disk, const struct paths *paths,
	const struct remarks *to)
{
	const char *name = str_or(disk->pool.name, POOL_DEFAULT);
	AUTO_FREE char *section = xasprintf("disk.%s", disk->name);
	struct err err = ERR_INIT;
	const struct pool *pool;

	pool = pool_find(paths, name, &err);
	atom_set(&disk->pool.dir, NULL);
	if (!pool) {
		remark_error(to, section, "pool", "%s", err.text);
		return;
	}
	if (!str_eq(pool->dir, paths->images))
		disk->pool.dir = atom_get(pool->dir);
	if (!tells_format(disk))
		disk->format = pool->pool.format;
}

/* ---- one file, by a person ---- */

bool pool_is_file(const char *path)
{
	return other_is_file(&pool_kind, path);
}

struct pool *pool_read_file(
	const struct paths *paths, const char *file, struct findings *f)
{
	AUTO_FREE char *name = other_name_of(&pool_kind, file, f);
	struct pool *pool;

	if (!name)
		return NULL;
	pool = read_pool(paths, name, file, true, f);
	findings_sort(f);
	return pool;
}

void pool_show(const struct pool *pool, bool origin, const char *section,
	struct str *out)
{
	const struct show show = { .ini = &pool->ini,
		.tables = pool_sections,
		.ntables = pool_nsections,
		.origin = origin,
		.only = section };

	show_entries(&show, out);
}
