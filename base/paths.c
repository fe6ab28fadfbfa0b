/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things are, worked out once at the start of a program.  Nothing here
 * guesses by uid: the caller names the scope.
 */
#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyz0123456789._-"
enum { NAME_MAX_BYTES = 32 };

/* ---- names ---- */

/* One side of the '@'. */
static bool part_is_valid(const char *part, size_t len)
{
	if (len == 0 || len > NAME_MAX_BYTES || strchr("._-", part[0]))
		return false;
	return strspn(part, NAME_CHARS) >= len;
}

bool paths_name_is_valid(const char *name)
{
	const char *at = strchr(name, '@');
	size_t len = at ? (size_t)(at - name) : strlen(name);

	if (!part_is_valid(name, len) || str_ends(name, ".ini"))
		return false;
	return !at || part_is_valid(at + 1, strlen(at + 1));
}

char *paths_vm_name(const char *file)
{
	const char *slash = strrchr(file, '/');
	AUTO_FREE char *name = xstrdup(slash ? slash + 1 : file);
	size_t len = strlen(name);

	if (str_ends(name, ".ini"))
		name[len -= 4] = '\0';
	bool many = len > 0 && name[len - 1] == '@';
	if (many)
		name[len - 1] = '\0';
	bool good = paths_name_is_valid(name) && !(many && strchr(name, '@'));
	if (many)
		name[len - 1] = '@';
	return good ? TAKE(name) : NULL;
}

/* ---- scopes ---- */

/* A directory of the environment, or one in HOME; NULL without both. */
static char *user_dir(const char *variable, const char *in_home)
{
	const char *dir = getenv(variable);
	const char *home = getenv("HOME");

	if (dir && dir[0] == '/')
		return xstrdup(dir);
	if (in_home && home && home[0] == '/')
		return xasprintf("%s/%s", home, in_home);
	return NULL;
}

/* Sets the user's own run directory, which may be below /tmp. */
static void init_user_run(struct paths *p)
{
	AUTO_FREE char *dir = user_dir("XDG_RUNTIME_DIR", NULL);

	if (dir) {
		p->run = xasprintf("%s%s/vmward", p->root, dir);
		return;
	}
	p->run = xasprintf("%s/tmp/vmward-%u", p->root, (unsigned)geteuid());
	p->shared = xstrdup(p->run);
}

static int init_user(struct paths *p, struct err *err)
{
	AUTO_FREE char *config = user_dir("XDG_CONFIG_HOME", ".config");
	AUTO_FREE char *data = user_dir("XDG_DATA_HOME", ".local/share");
	AUTO_FREE char *state = user_dir("XDG_STATE_HOME", ".local/state");
	const char *home = getenv("HOME");

	if (!config || !data || !state)
		return err_set(err, ERR_CONFIG,
			"HOME is not set to an absolute path: the user's own "
			"directories are unknown");
	p->config = xasprintf("%s%s/vmward", p->root, config);
	p->images = xasprintf("%s%s/vmward/images", p->root, data);
	p->state = xasprintf("%s%s/vmward", p->root, state);
	p->log = xasprintf("%s/log", p->state);
	p->home = home && home[0] == '/' ? xstrdup(home) : NULL;
	init_user_run(p);
	return 0;
}

static void init_system(struct paths *p)
{
	p->config = xasprintf("%s" VMWARD_SYSCONFDIR "/vmward", p->root);
	p->run = xasprintf("%s" VMWARD_RUNSTATEDIR "/vmward", p->root);
	p->state = xasprintf("%s" VMWARD_LOCALSTATEDIR "/lib/vmward", p->root);
	p->images = xasprintf("%s/images", p->state);
	p->log = xasprintf("%s" VMWARD_LOCALSTATEDIR "/log/vmward", p->root);
}

/* The current directory in front of a relative path, new; NULL with err. */
static char *absolute(const char *path, struct err *err)
{
	char cwd[4096];

	if (path[0] == '/')
		return xstrdup(path);
	if (!getcwd(cwd, sizeof cwd)) {
		err_os(err, "cannot tell the current directory");
		return NULL;
	}
	if (str_starts(path, "./"))
		path += 2;
	return xasprintf("%s/%s", str_eq(cwd, "/") ? "" : cwd, path);
}

/* "/DIR", without a slash at its end; "" for none. */
static int init_root(struct paths *p, const char *root, struct err *err)
{
	if (!root || !root[0]) {
		p->root = xstrdup("");
		return 0;
	}
	p->root = absolute(root, err);
	if (!p->root)
		return -1;
	size_t len = strlen(p->root);
	while (len > 0 && p->root[len - 1] == '/')
		p->root[--len] = '\0';
	return 0;
}

int paths_init(struct paths *p, enum paths_scope scope, const char *root,
	struct err *err)
{
	*p = (struct paths){ .scope = scope };
	if (init_root(p, root, err) < 0)
		return -1;
	if (scope == PATHS_SYSTEM)
		init_system(p);
	else if (init_user(p, err) < 0)
		return -1;
	p->control = xasprintf("%s/control.sock", p->run);
	return 0;
}

/* ---- run FILE ---- */

/* Where templates and sockets are: root's are the system's. */
static void init_file_dirs(struct paths *p, const char *dir)
{
	AUTO_FREE char *config = user_dir("XDG_CONFIG_HOME", ".config");
	const char *home = getenv("HOME");

	p->home = home && home[0] == '/' ? xstrdup(home) : NULL;
	if (geteuid() == 0) {
		p->config =
			xasprintf("%s" VMWARD_SYSCONFDIR "/vmward", p->root);
		p->run = xasprintf("%s" VMWARD_RUNSTATEDIR "/vmward", p->root);
		return;
	}
	p->config = config ? xasprintf("%s%s/vmward", p->root, config)
			   : xstrdup(dir);
	init_user_run(p);
}

int paths_init_file(struct paths *p, const char *file, const char *name,
	const char *state_dir, const char *root, struct err *err)
{
	*p = (struct paths){ .scope = PATHS_FILE };
	if (init_root(p, root, err) < 0)
		return -1;
	p->file = absolute(file, err);
	if (!p->file)
		return -1;
	size_t len = (size_t)(strrchr(p->file, '/') - p->file);
	AUTO_FREE char *dir = xstrndup(p->file, len ? len : 1);
	p->state = state_dir ? absolute(state_dir, err)
			     : xasprintf("%s/%s.vmward", len ? dir : "", name);
	if (!p->state)
		return -1;
	init_file_dirs(p, dir);
	uint32_t hash =
		(uint32_t)hash_add(HASH_START, p->file, strlen(p->file));
	AUTO_FREE char *base = TAKE(p->run);
	p->run = xasprintf("%s/run/%s-%08" PRIx32, base, name, hash);
	p->images = TAKE(dir);
	p->log = xstrdup(p->state);
	p->control = xasprintf("%s/control.sock", p->run);
	return 0;
}

void paths_fini(struct paths *p)
{
	char *const owned[] = { p->root, p->config, p->run, p->state, p->images,
		p->log, p->control, p->file, p->home, p->shared };

	for (size_t i = 0; i < NELEMS(owned); i++)
		free(owned[i]);
	*p = (struct paths){ .scope = p->scope };
}

/* ---- making them ---- */

/* Anybody can make a directory in /tmp first: it must be ours alone. */
static int make_shared(const char *path, struct err *err)
{
	struct stat st;

	if (sys_mkdirat(AT_FDCWD, path, 0700) < 0 && errno != EEXIST)
		return err_os(err, "cannot make directory '%s'", path);
	if (sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_os(err, "cannot look at '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_CONFIG,
			"'%s' is not a directory: remove it, or set "
			"XDG_RUNTIME_DIR",
			path);
	if (st.st_uid != geteuid())
		return err_set(err, ERR_DENIED,
			"'%s' belongs to another user (uid %u): set "
			"XDG_RUNTIME_DIR",
			path, (unsigned)st.st_uid);
	if (st.st_mode & 077)
		return err_set(err, ERR_DENIED,
			"'%s' is open to other users: chmod 700 it", path);
	return 0;
}

static int make_file_dirs(const struct paths *p, struct err *err)
{
	struct err why = ERR_INIT;

	if (fd_make_dirs(p->state, 0700, &why) < 0) {
		err_set(err, why.code, "%s; say --rm or --state DIR", why.text);
		err->os = why.os;
		return -1;
	}
	return fd_make_dirs(p->run, 0700, err);
}

/* People put files here; a read-only /etc is no reason not to start. */
static void make_config(const struct paths *p)
{
	struct err ignored = ERR_INIT;
	AUTO_FREE char *vms = xasprintf("%s/vms", p->config);

	if (fd_make_dirs(vms, 0755, &ignored) < 0)
		err_clear(&ignored);
}

int paths_make(const struct paths *p, struct err *err)
{
	bool system = p->scope == PATHS_SYSTEM;
	const struct {
		const char *path;
		mode_t mode;
	} dirs[] = {
		{ p->run, system ? 0755 : 0700 },
		{ p->state, system ? 0711 : 0700 },
		{ p->images, system ? 0711 : 0700 },
		{ p->log, system ? 0750 : 0700 },
	};

	if (p->shared && make_shared(p->shared, err) < 0)
		return -1;
	if (p->scope == PATHS_FILE)
		return make_file_dirs(p, err);
	make_config(p);
	for (size_t i = 0; i < NELEMS(dirs); i++) {
		AUTO_FREE char *above = str_dir(dirs[i].path);

		/* what is above them is not ours: others go through it */
		if ((system && fd_make_dirs(above, 0755, err)) ||
			fd_make_dirs(dirs[i].path, dirs[i].mode, err))
			return -1;
	}
	return 0;
}
