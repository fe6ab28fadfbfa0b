/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images as people name them, and who needs them; see volume.h. */
#include "supervisor/volume.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/image.h"
#include "supervisor/argv.h"

enum { NAME_MAX_LEN = 128, SHOWN = 3 };

/* qemu-img's name of a format and the suffix of its files. */
static const struct {
	const char *format;
	const char *suffix;
} formats[] = {
	{ "qcow2", ".qcow2" },
	{ "raw", ".raw" },
	{ "vmdk", ".vmdk" },
	{ "vdi", ".vdi" },
	{ "vhdx", ".vhdx" },
	{ "vpc", ".vhd" },
};

/* ---- names ---- */

static int check_volume_name(const char *name, struct err *err)
{
	size_t len = strlen(name);

	if (len == 0 || len > NAME_MAX_LEN)
		return err_set(err, ERR_USAGE,
			"the name of a volume has 1 to %d bytes, this one %zu",
			NAME_MAX_LEN, len);
	if (*name == '.' || *name == '-')
		return err_set(err, ERR_USAGE,
			"the name of a volume cannot begin with '%c'", *name);
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._@+-", *c))
			return err_set(err, ERR_USAGE,
				"the name of a volume has letters, digits and "
				"._@+- only; a path has a slash");
	if (image_is_temporary(name))
		return err_set(err, ERR_USAGE,
			"'%s' is the name of an image that is being made",
			name);
	return 0;
}

static int check_path(const char *path, struct err *err)
{
	if (*path != '/')
		return err_set(err, ERR_USAGE,
			"'%s': a path begins with a slash", path);
	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return err_set(err, ERR_USAGE,
				"a path has no control characters");
	return str_is_utf8(path, strlen(path))
		       ? 0
		       : err_set(err, ERR_USAGE, "a path is UTF-8");
}

static const char *find_format(const char *path, const char *given)
{
	for (size_t i = 0; i < NELEMS(formats); i++)
		if (given && *given ? str_eq(given, formats[i].format)
				    : str_ends(path, formats[i].suffix))
			return formats[i].format;
	return NULL;
}

int volume_name(const struct env *env, const char *name, const char *format,
	struct volume *volume, struct err *err)
{
	bool is_path = strchr(name, '/');

	*volume = (struct volume){ NULL };
	if (is_path ? check_path(name, err) : check_volume_name(name, err))
		return -1;
	volume->format = find_format(name, format);
	if (!volume->format && format && *format)
		return err_set(err, ERR_USAGE,
			"format '%s' is none of qcow2, raw, vmdk, vdi, vhdx, "
			"vpc",
			format);
	if (!volume->format)
		return err_set(err, ERR_USAGE,
			"the name of '%s' does not tell its format: say "
			"--format",
			name);
	volume->name = xstrdup(name);
	volume->path = is_path ? xstrdup(name)
			       : xasprintf("%s/%s", env->paths.images, name);
	return 0;
}

void volume_fini(struct volume *volume)
{
	free(TAKE(volume->name));
	free(TAKE(volume->path));
}

int volume_check(const struct volume *volume, struct err *err)
{
	const char *found;
	uint64_t size;
	bool backed;

	if (image_header(volume->path, &found, &size, &backed, err))
		return -1;
	/* a raw image holds what its guest wrote: that is no contradiction */
	if (str_eq(found, volume->format) ||
		(str_eq(found, "raw") && !str_eq(volume->format, "qcow2")))
		return 0;
	if (str_eq(found, "raw"))
		return err_set(err, ERR_CONFIG, "'%s' is no %s image",
			volume->path, volume->format);
	return err_set(err, ERR_CONFIG,
		"'%s' is %s by its header, but its format is said to be %s",
		volume->path, found, volume->format);
}

/* ---- users ---- */

struct users {
	json_t *list;
	const char *path;
	struct stat st;
	bool exists;
	const char *dir; /* of the pool, while its files are looked at */
};

static bool is_it(const struct users *users, const char *path)
{
	struct stat st;

	if (!path)
		return false;
	if (str_eq(path, users->path))
		return true;
	return users->exists && *path == '/' &&
	       sys_fstatat(AT_FDCWD, path, &st, 0) == 0 &&
	       st.st_dev == users->st.st_dev && st.st_ino == users->st.st_ino;
}

static void add_user(struct users *users, const struct vm *vm,
	const struct spec_disk *disk, bool base)
{
	AUTO_FREE char *text = xasprintf("%s (%s disk %s)", vm->name,
		base ? "base of" : "its", disk->name);
	size_t i;
	json_t *have;

	json_array_foreach(users->list, i,
		have) if (str_eq(json_string_value(have), text)) return;
	json_array_append_new(users->list, json_string(text));
}

/* Of the VM's own disks it is enough to be below one for NEED_ABOVE. */
static void look_at_spec(struct users *users, const struct vm *vm,
	const struct vm_spec *spec, unsigned needs)
{
	const char *images = vm->env->paths.images;

	if (!spec)
		return;
	list_each(&spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		AUTO_FREE char *path = argv_disk_path(spec, disk, images);
		AUTO_FREE char *base = argv_base_path(disk, images);

		if (needs & ~(unsigned)NEED_ABOVE && is_it(users, path))
			add_user(users, vm, disk, false);
		if (is_it(users, base))
			add_user(users, vm, disk, true);
	}
}

static void look_at_overlay(void *arg, const char *name)
{
	struct users *users = arg;
	struct err err = ERR_INIT;
	AUTO_FREE char *path = xasprintf("%s/%s", users->dir, name);
	AUTO_FREE char *backing = NULL;

	if (image_is_temporary(name) || str_eq(path, users->path))
		return;
	backing = image_backing(path, &err);
	if (is_it(users, backing))
		json_array_append_new(
			users->list, json_sprintf("%s (its overlay)", name));
}

static json_t *vms_of(
	struct registry *registry, const char *path, unsigned needs)
{
	struct users users = { .list = json_array(), .path = path };
	unsigned written = needs & (NEED_WRITTEN | NEED_ABOVE);

	users.exists = sys_fstatat(AT_FDCWD, path, &users.st, 0) == 0;
	list_each(registry_vms(registry), it, next) {
		const struct vm *vm = list_entry(it, struct vm, link);

		if (written)
			look_at_spec(&users, vm, vm->spec, written);
		if (needs & NEED_RUNNING && vm_is_up(vm))
			look_at_spec(&users, vm,
				vm->running ? vm->running : vm->spec, needs);
	}
	return users.list;
}

json_t *volume_users(
	struct registry *registry, const char *path, unsigned needs)
{
	struct users users = { .path = path };

	users.list = vms_of(registry, path, needs);
	users.exists = sys_fstatat(AT_FDCWD, path, &users.st, 0) == 0;
	users.dir = registry_env(registry)->paths.images;
	if (needs & NEED_ABOVE)
		sys_listdir(AT_FDCWD, users.dir, look_at_overlay, &users);
	return users.list;
}

/* True if stopping VMs would be enough. */
static bool only_runs(
	struct registry *registry, const char *path, unsigned needs, size_t n)
{
	json_t *running = vms_of(registry, path, NEED_RUNNING);
	bool all = json_array_size(running) == n;

	json_decref(running);
	return all && !(needs & NEED_WRITTEN);
}

int volume_must_be_free(struct registry *registry, const struct volume *volume,
	unsigned needs, struct err *err)
{
	json_t *users = volume_users(registry, volume->path, needs);
	size_t n = json_array_size(users);
	AUTO_STR struct str text = STR_INIT;

	for (size_t i = 0; i < n && i < SHOWN; i++)
		str_addf(&text, "%s%s", i ? ", " : "",
			json_string_value(json_array_get(users, i)));
	if (n > SHOWN)
		str_addf(&text, " and %zu more", n - SHOWN);
	json_decref(users);
	if (n == 0)
		return 0;
	return err_set(err, ERR_BUSY, "image '%s' is needed by %s%s",
		volume->path, str_text(&text),
		only_runs(registry, volume->path, needs, n)
			? ": stop the VM first"
			: "");
}

/* ---- all of them ---- */

struct listing {
	struct registry *registry;
	const char *dir;
	json_t *all;
};

static void add_image(void *arg, const char *name)
{
	struct listing *listing = arg;
	AUTO_FREE char *path = xasprintf("%s/%s", listing->dir, name);
	AUTO_FREE char *backing = NULL;
	struct err err = ERR_INIT;
	struct stat st;
	const char *format;
	uint64_t size = 0;
	bool backed;

	if (image_is_temporary(name) || *name == '.' ||
		sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		!S_ISREG(st.st_mode) ||
		image_header(path, &format, &size, &backed, &err))
		return;
	backing = image_backing(path, &err);
	json_array_append_new(listing->all,
		json_pack("{s:s,s:s,s:s,s:o,s:I,s:s?,s:s?,s:o}", "name", name,
			"path", path, "format", format, "size",
			size ? json_integer((json_int_t)size) : json_null(),
			"allocated", (json_int_t)st.st_blocks * 512, "backing",
			backing, "error", err.code ? err.text : NULL, "users",
			vms_of(listing->registry, path, NEED_ANY)));
}

static int by_name(const void *a, const void *b)
{
	const json_t *const *left = a;
	const json_t *const *right = b;

	return strcmp(json_string_value(json_object_get(*left, "name")),
		json_string_value(json_object_get(*right, "name")));
}

static json_t *sorted(json_t *all)
{
	size_t n = json_array_size(all);
	json_t **rows = xcalloc(n + 1, sizeof(*rows));
	json_t *result = json_array();

	for (size_t i = 0; i < n; i++)
		rows[i] = json_array_get(all, i);
	qsort(rows, n, sizeof(*rows), by_name);
	for (size_t i = 0; i < n; i++)
		json_array_append(result, rows[i]);
	free(rows);
	json_decref(all);
	return result;
}

static void add_overlays(json_t *all)
{
	size_t i, k;
	json_t *row, *other;

	json_array_foreach(all, i, row)
	{
		json_t *backing = json_object_get(row, "backing");
		json_t *name = json_object_get(row, "name");

		json_array_foreach(all, k,
			other) if (json_equal(backing,
					   json_object_get(other, "path")))
			json_array_append_new(json_object_get(other, "users"),
				json_sprintf("%s (its overlay)",
					json_string_value(name)));
	}
}

json_t *volume_list(struct registry *registry)
{
	struct listing listing = { registry,
		registry_env(registry)->paths.images, json_array() };

	sys_listdir(AT_FDCWD, listing.dir, add_image, &listing);
	listing.all = sorted(listing.all);
	add_overlays(listing.all);
	return listing.all;
}
