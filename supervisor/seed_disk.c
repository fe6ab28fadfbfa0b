/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [seed] among the other sections: its checks, the disk that it is for the
 * guest, and the file of the volume.
 */
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/remove.h"
#include "supervisor/seed.h"

/* ECMA-119: the primary descriptor, and who prepared the volume in it. */
enum { DESCRIPTOR_AT = 32768, DESCRIPTOR_BYTES = 2048, APPLICATION_AT = 574 };

static bool is_set(const char *text)
{
	return text && *text;
}

/* ---- checks ---- */

/* A file that says all, and the keys that would say it too. */
static void check_whole(
	const struct remarks *to, const char *file, const char *key, bool given)
{
	if (given)
		remark_error(to, "seed", key,
			"cannot go with %s, which says all of it", file);
}

static void check_key(const struct spec_seed *s, const struct remarks *to)
{
	const char *blank;

	if (!is_set(s->ssh_key) || !seed_is_key(s->ssh_key))
		return;
	blank = strchr(s->ssh_key, ' ') + 1;
	if (strspn(blank, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			  "0123456789+/=") < strcspn(blank, " ") ||
		strlen(blank) < 16)
		remark_error(to, "seed", "ssh-key",
			"is no public key: say the line of a .pub file, or its "
			"path");
}

static void check_packages(const struct spec_seed *s, const struct remarks *to)
{
	for (char **one = s->packages; one && *one; one++)
		if (**one == '-' ||
			(*one)[strspn(*one, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					    "abcdefghijklmnopqrstuvwxyz"
					    "0123456789+-._:/=~")])
			remark_error(to, "seed", "packages",
				"'%s' is no name of a package", *one);
}

static int add_disk(
	struct vm_spec *spec, const struct paths *paths, struct err *err)
{
	AUTO_FREE char *path = seed_path(paths, spec->name);
	AUTO_FREE char *image = xasprintf("image=%s", path);
	const char *const pairs[] = { image, "format=raw", "readonly=yes",
		"cache=writeback", "serial=cidata", NULL };
	struct spec_disk *disk =
		spec_disk_from_pairs(spec, SEED_DISK, pairs, "/", paths, err);

	if (!disk)
		return -1;
	disk->made = true;
	list_add(&spec->disks, &disk->link);
	return 0;
}

void seed_settle(struct vm_spec *spec, const struct paths *paths,
	const struct remarks *to)
{
	const struct spec_seed *s = &spec->seed;
	struct err err = ERR_INIT;

	if (!s->written || !s->enabled)
		return;
	if (is_set(s->user_data)) {
		check_whole(to, "user-data", "user", is_set(s->user));
		check_whole(to, "user-data", "ssh-key", is_set(s->ssh_key));
		check_whole(to, "user-data", "password-file",
			is_set(s->password_file));
		check_whole(to, "user-data", "packages",
			s->packages && s->packages[0]);
	}
	if (is_set(s->meta_data))
		check_whole(to, "meta-data", "hostname", is_set(s->hostname));
	check_key(s, to);
	check_packages(s, to);
	if (ini_find(to->ini, "disk." SEED_DISK, NULL))
		remark_error(to, "disk." SEED_DISK, NULL,
			"is the name of the disk that [seed] makes");
	else if (to->f->errors == 0 && add_disk(spec, paths, &err))
		remark_error(to, "seed", NULL, "%s", err.text);
}

void seed_check_files(const struct vm_spec *spec, const struct remarks *to)
{
	struct err err = ERR_INIT;
	struct seed seed;

	if (!spec->seed.written || !spec->seed.enabled ||
		!remark_is_sound(to, "seed"))
		return;
	if (seed_render(spec, &seed, &err)) {
		/* "[seed] KEY: why": the key has a line */
		const char *from = err.text + strlen("[seed] ");
		size_t len = strcspn(from, ":");
		AUTO_FREE char *key = xstrndup(from, len);

		remark_error(to, "seed", key, "%s", from + len + strlen(": "));
	}
	seed_fini(&seed);
}

/* ---- the file ---- */

static char *seed_dir(const struct paths *paths)
{
	return xasprintf("%s/seeds", paths->state);
}

char *seed_path(const struct paths *paths, const char *vm)
{
	AUTO_FREE char *dir = seed_dir(paths);

	return xasprintf("%s/%s.iso", dir, vm);
}

bool seed_is_there(const struct paths *paths, const char *vm)
{
	AUTO_FREE char *path = seed_path(paths, vm);
	struct stat st;

	return !sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
}

bool seed_is_made(const char *path, const char *id)
{
	AUTO_CLOSE int fd =
		sys_openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW, 0);
	char at[DESCRIPTOR_BYTES];
	AUTO_FREE char *mark = seed_mark(id);

	return fd >= 0 &&
	       sys_pread(fd, at, sizeof(at), DESCRIPTOR_AT) == sizeof(at) &&
	       memcmp(at + APPLICATION_AT, mark, strlen(mark)) == 0;
}

char *seed_mark(const char *id)
{
	return xasprintf("VMWARD SEED %s", id);
}

void seed_remove(const struct paths *paths, const char *vm)
{
	AUTO_FREE char *path = seed_path(paths, vm);

	sys_unlinkat(AT_FDCWD, path, 0);
}

static void sweep_one(void *arg, const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", (const char *)arg, name);
	struct err ignored = ERR_INIT;

	if (str_ends(name, SEED_NEW))
		sys_unlinkat(AT_FDCWD, path, 0);
	else if (str_ends(name, SEED_FILES))
		(void)!remove_tree(path, &ignored);
}

void seed_sweep(const struct paths *paths)
{
	AUTO_FREE char *dir = seed_dir(paths);

	sys_listdir(AT_FDCWD, dir, sweep_one, dir);
}
