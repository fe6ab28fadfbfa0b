/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table is read again when it is a second old: a mount that is younger
 * answered just now.  Where all file systems are local, nothing is looked up.
 */
#include "base/mounts.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#define TABLE "/proc/self/mountinfo"

enum { FRESH_US = 1000000, READ_STEP = 16384, LINKS_MAX = 40, POINT_FIELD = 4 };

static struct {
	struct mount *at;
	size_t n;
	size_t nfar;
	size_t ndead;
	uint64_t read_us; /* 0: never */
} table;

static bool is_far_type(const char *type)
{
	static const char *const types[] = { "nfs", "nfs4", "cifs", "smb3",
		"smbfs", "9p", "ceph", "afs", "coda", "lustre", "orangefs",
		"gfs2", "ocfs2", "ncpfs", "virtiofs", "autofs", "fuse",
		"fuseblk" };

	for (size_t i = 0; i < NELEMS(types); i++)
		if (str_eq(type, types[i]))
			return true;
	return str_starts(type, "fuse.");
}

/* ---- reading the table ---- */

/* "/a\040b" is "/a b". */
static char *unescaped(const char *from, size_t len)
{
	char *out = xcalloc(1, len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (from[i] == '\\' && i + 3 < len) {
			out[n++] = (char)((from[i + 1] - '0') * 64 +
					  (from[i + 2] - '0') * 8 +
					  from[i + 3] - '0');
			i += 3;
		} else {
			out[n++] = from[i];
		}
	}
	return out;
}

/* "36 35 98:0 / /srv/vm rw,noatime master:1 - nfs4 server:/vm rw" */
static void add_line(const char *line)
{
	const char *type = strstr(line, " - ");
	const char *point = line;
	AUTO_FREE char *id = xstrndup(line, strcspn(line, " "));
	struct err err = ERR_INIT;
	struct mount *mount;

	for (int i = 0; i < POINT_FIELD && point; i++) {
		point = strchr(point, ' ');
		if (point)
			point++;
	}
	if (!point || !type || point > type)
		return;
	type += strlen(" - ");
	table.at = xreallocarray(table.at, table.n + 1, sizeof(table.at[0]));
	mount = &table.at[table.n++];
	*mount = (struct mount){ .point = unescaped(point, strcspn(point, " ")),
		.type = xstrndup(type, strcspn(type, " ")) };
	if (str_to_u64(id, &mount->id, &err))
		mount->id = 0; /* then it is known by its point */
	mount->far = is_far_type(mount->type);
	table.nfar += mount->far;
}

static void free_all(struct mount *at, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(at[i].point);
		free(at[i].type);
	}
	free(at);
}

static void read_text(struct str *text)
{
	AUTO_CLOSE int fd =
		sys_openat(AT_FDCWD, TABLE, O_RDONLY | O_CLOEXEC, 0);
	AUTO_FREE char *part = xcalloc(1, READ_STEP);
	ssize_t got;

	while (fd >= 0 && (got = sys_read(fd, part, READ_STEP)) > 0)
		str_addn(text, part, (size_t)got);
}

/* What was known of a mount that is still there stays known. */
static void keep_marks(const struct mount *old, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < table.n && old[i].dead; k++)
			if (table.at[k].id == old[i].id &&
				str_eq(table.at[k].point, old[i].point)) {
				table.at[k].dead = true;
				table.ndead++;
			}
}

static void read_table(void)
{
	uint64_t now = sys_now_us();
	AUTO_STR struct str text = STR_INIT;
	struct mount *old = table.at;
	size_t n = table.n;

	if (table.read_us && now - table.read_us < FRESH_US)
		return;
	table.at = NULL;
	table.n = table.nfar = table.ndead = 0;
	table.read_us = now ? now : 1;
	read_text(&text);
	for (char *line = text.data; line && *line;) {
		char *end = line + strcspn(line, "\n");
		char *next = end + (*end == '\n');

		*end = '\0';
		add_line(line);
		line = next;
	}
	keep_marks(old, n);
	free_all(old, n);
}

void mounts_drop(void)
{
	free_all(table.at, table.n);
	memset(&table, 0, sizeof(table));
}

bool mounts_have_far(void)
{
	read_table();
	return table.nfar > 0;
}

/* ---- looking up ---- */

/* The last of the longest: what is mounted over another hides it. */
static struct mount *mount_of(const char *path)
{
	struct mount *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < table.n; i++) {
		size_t len = strlen(table.at[i].point);

		if (len == 1)
			len = 0; /* "/" */
		if (len < most || strncmp(path, table.at[i].point, len) != 0 ||
			(path[len] && path[len] != '/'))
			continue;
		most = len;
		best = &table.at[i];
	}
	return best;
}

/* The next component of rest, behind done; false: there is none. */
static bool go_on(struct str *done, const char **rest)
{
	size_t len;

	*rest += strspn(*rest, "/");
	len = strcspn(*rest, "/");
	if (len == 0)
		return false;
	if (len == 2 && memcmp(*rest, "..", 2) == 0) {
		const char *slash = strrchr(str_text(done), '/');

		str_cut(done, slash ? (size_t)(slash - done->data) : 0);
	} else if (len != 1 || **rest != '.') {
		str_addc(done, '/');
		str_addn(done, *rest, len);
	}
	*rest += len;
	return true;
}

/*
 * Follows the path by its components, each of which is on a local file
 * system before it is looked at.
 */
static struct mount *walk(const char *path)
{
	AUTO_FREE char *text = xstrdup(path);
	AUTO_STR struct str done = STR_INIT;
	const char *rest = text;

	for (int links = 0; go_on(&done, &rest);) {
		struct mount *mount = mount_of(str_text(&done));
		char target[PATH_MAX];
		ssize_t len;
		char *whole;

		if (mount && mount->far)
			return mount;
		len = sys_readlinkat(
			AT_FDCWD, str_text(&done), target, sizeof(target) - 1);
		if (len <= 0 || ++links > LINKS_MAX)
			continue;
		target[len] = '\0';
		whole = xasprintf("%s/%s", target, rest);
		str_cut(&done, *target == '/'
				       ? 0
				       : (size_t)(strrchr(done.data, '/') -
						  done.data));
		free(text);
		text = whole;
		rest = text;
	}
	return NULL;
}

const struct mount *mounts_far(const char *path)
{
	return *path == '/' && mounts_have_far() ? walk(path) : NULL;
}

void mounts_mark(const char *point, bool dead)
{
	for (size_t i = 0; i < table.n; i++)
		if (str_eq(table.at[i].point, point) &&
			table.at[i].dead != dead) {
			table.at[i].dead = dead;
			table.ndead += dead ? 1 : (size_t)-1;
		}
}

bool mounts_may_touch(const char *path)
{
	const struct mount *mount = table.ndead ? mounts_far(path) : NULL;

	return !mount || !mount->dead;
}
