/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU has no word for a key: libssh looks for files of three names in the
 * home of its user, by what passwd says of him, else by HOME.  A confined
 * QEMU reads no passwd, or has a user who is not in it.
 */
#include "supervisor/login.h"

#include <fcntl.h>

#include "base/confine.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/remote.h"
#include "storage/secret.h"
#include "supervisor/remove.h"

#define KNOWS_NO_PASSWD (CONFINE_BIT(CONFINE_USER) | CONFINE_BIT(CONFINE_FILES))

/* What libssh looks for, whatever kind of key is in it. */
static const char *const names[] = { "id_ed25519", "id_ecdsa", "id_rsa" };

char *login_path(const char *run_dir, const char *vm)
{
	return xasprintf("%s/%s/priv/login", run_dir, vm);
}

void login_remove(const char *run_dir, const char *vm)
{
	AUTO_FREE char *path = login_path(run_dir, vm);
	struct err err = ERR_INIT;

	if (remove_tree(path, &err))
		log_warn(vm, "%s", err.text);
}

/* ---- which keys ---- */

struct keys {
	const char *files[NELEMS(names)];
	size_t n;
};

static int add_key(struct keys *keys, const struct spec_disk *disk,
	const struct host_confine *confine, struct err *err)
{
	bool own = confine->parts & CONFINE_BIT(CONFINE_USER);

	if (!disk->url || !remote_logs_in(disk->url))
		return 0;
	if (!disk->ssh_key_file)
		return own ? err_set(err, ERR_CONFIG,
				     "a QEMU with a user of its own logs in by "
				     "a key: say ssh-key-file = PATH")
			   : 0;
	if (!(confine->parts & KNOWS_NO_PASSWD))
		return err_set(err, ERR_CONFIG,
			"ssh-key-file needs a confined QEMU; this one has "
			"what its user has: leave it out, or say "
			"[vm] confinement = full");
	for (size_t i = 0; i < keys->n; i++)
		if (str_eq(keys->files[i], disk->ssh_key_file))
			return 0;
	if (keys->n == NELEMS(names))
		return err_set(err, ERR_LIMIT,
			"the disks of a VM have at most %zu keys",
			NELEMS(names));
	keys->files[keys->n++] = disk->ssh_key_file;
	return 0;
}

static int find_keys(const struct vm_spec *spec,
	const struct host_confine *confine, struct keys *keys, struct err *err)
{
	*keys = (struct keys){ .n = 0 };
	list_each(&spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);

		if (add_key(keys, disk, confine, err))
			return err_wrap(err, "disk '%s': ", disk->name);
	}
	return 0;
}

/* ---- the directory ---- */

static int give(
	const char *path, const struct host_confine *confine, struct err *err)
{
	if (confine->parts & CONFINE_BIT(CONFINE_USER) &&
		sys_give(path, confine->uid) < 0)
		return err_os(err, "cannot give '%s' away", path);
	return 0;
}

static int put_key(const char *from, const char *to,
	const struct host_confine *confine, struct err *err)
{
	struct secret key;
	int rc;

	if (secret_read_key(from, &key, err))
		return -1;
	key.bytes[key.len] = '\n'; /* as it was read */
	rc = fd_write_file(
		AT_FDCWD, to, key.bytes, key.len + 1, 0600, false, err);
	secret_fini(&key);
	return rc ? rc : give(to, confine, err);
}

static int fill(const char *home, const struct keys *keys,
	const struct host_confine *confine, struct err *err)
{
	AUTO_FREE char *dir = xasprintf("%s/.ssh", home);

	if (fd_make_dirs(dir, 0700, err))
		return -1;
	for (size_t i = 0; i < keys->n; i++) {
		AUTO_FREE char *to = xasprintf("%s/%s", dir, names[i]);

		if (put_key(keys->files[i], to, confine, err))
			return -1;
	}
	return give(dir, confine, err) || give(home, confine, err) ? -1 : 0;
}

int login_open(const struct vm_spec *spec, const char *run_dir,
	struct host_confine *confine, int *out, struct err *err)
{
	AUTO_FREE char *home = login_path(run_dir, spec->name);
	struct keys keys;

	confine->login = false;
	if (!confine->ssh)
		return 0;
	if (find_keys(spec, confine, &keys, err) || remove_tree(home, err))
		return -1;
	if (!keys.n)
		return 0;
	if (fill(home, &keys, confine, err)) {
		login_remove(run_dir, spec->name);
		return -1;
	}
	*out = sys_openat(AT_FDCWD, home, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (*out < 0)
		return err_os(err, "cannot open '%s'", home);
	confine->login = true;
	return 0;
}
