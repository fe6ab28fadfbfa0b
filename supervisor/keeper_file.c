/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs about files; see keeper_file.h. */
#include "supervisor/keeper_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/keeper_grant.h"

/*
 * A file with a second name in a directory that is not root's may be
 * anybody's file.
 */
static bool may_have(int parent, int fd, int flags)
{
	struct stat dir;
	struct stat st;

	if (sys_fstat(parent, &dir) || sys_fstat(fd, &st))
		return false;
	if (S_ISREG(st.st_mode))
		return st.st_nlink == 1 || dir.st_uid == 0;
	if (S_ISDIR(st.st_mode))
		return flags & (O_DIRECTORY | O_PATH);
	return S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode);
}

/* What is made for the brain is its own: it never speaks for the admin. */
static int make_own(int fd)
{
	return fchown(fd, KEEPER_UID, KEEPER_UID);
}

/* An image that root put into our own pool. */
static int adopt(const struct keeper_call *c, int fd)
{
	struct stat st;

	if (c->rq->flags & O_PATH ||
		!keeper_is_own_image(&c->k->paths, c->rq->path))
		return 0;
	return sys_fstat(fd, &st) || st.st_uid != 0 || !S_ISREG(st.st_mode)
		       ? 0
		       : make_own(fd);
}

void keeper_do_open(struct keeper_call *c)
{
	const struct keeper_request *rq = c->rq;
	int flags = (int)rq->flags;
	AUTO_FREE char *path = xstrdup(rq->path);
	AUTO_CLOSE int parent = -1;
	AUTO_CLOSE int fd = -1;
	char *leaf;

	if (!keeper_path_is_plain(rq->path)) {
		c->nonsense = "a path that is none";
		return;
	}
	if (!keeper_may_open(&c->k->paths, rq->path, flags)) {
		keeper_refuse_os(c, EACCES);
		return;
	}
	/* links below /dev are udev's: /dev/disk/by-id */
	if (!str_starts(rq->path, "/dev/"))
		flags |= O_NOFOLLOW;
	parent = keeper_open_parent(path, &leaf);
	if (parent >= 0)
		fd = sys_openat(parent, leaf, flags | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		keeper_refuse_os(c, errno);
	else if (!may_have(parent, fd, flags) || adopt(c, fd))
		keeper_refuse_os(c, EACCES);
	else
		keeper_give(c, TAKE_FD(fd));
}

/*
 * The directory of a name below vms, and the rest of that name.  A part of a
 * VM's file is in a directory that is one: a link may lead anywhere.
 */
static int open_vms(struct keeper_call *c, const char **name)
{
	AUTO_FREE char *vms = xasprintf("%s/vms", c->k->paths.config);
	const char *slash = strchr(*name, '/');
	AUTO_FREE char *part = NULL;
	AUTO_CLOSE int dir = -1;

	if (!keeper_name_is_vm_file(*name)) {
		c->nonsense = "a name that is none";
		return -1;
	}
	dir = sys_openat(AT_FDCWD, vms, O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0 || !slash)
		return TAKE_FD(dir);
	part = xstrndup(*name, (size_t)(slash - *name));
	*name = slash + 1;
	return sys_openat(dir, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

void keeper_do_create(struct keeper_call *c)
{
	const char *name = c->rq->name;
	AUTO_CLOSE int dir = open_vms(c, &name);
	AUTO_CLOSE int fd = -1;

	if (c->nonsense)
		return;
	if (dir >= 0)
		fd = sys_openat(dir, name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
	if (fd < 0 || make_own(fd))
		keeper_refuse_os(c, errno);
	else
		keeper_give(c, TAKE_FD(fd));
}

void keeper_do_make_dir(struct keeper_call *c)
{
	const char *name = c->rq->name;
	AUTO_CLOSE int dir = open_vms(c, &name);
	AUTO_CLOSE int fd = -1;

	if (!c->nonsense && name != c->rq->name)
		c->nonsense = "a directory too deep";
	if (c->nonsense)
		return;
	if (dir < 0 || sys_mkdirat(dir, name, 0755)) {
		keeper_refuse_os(c, errno);
		return;
	}
	fd = sys_openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0 || make_own(fd))
		keeper_refuse_os(c, errno);
}

void keeper_do_remove(struct keeper_call *c)
{
	const char *name = c->rq->name;
	AUTO_CLOSE int dir = open_vms(c, &name);

	if (!c->nonsense && c->rq->flags & ~(uint32_t)AT_REMOVEDIR)
		c->nonsense = "a flag that is none";
	if (c->nonsense)
		return;
	if (dir < 0 || sys_unlinkat(dir, name, (int)c->rq->flags))
		keeper_refuse_os(c, errno);
}

/* In one directory: nothing of the brain's own ones comes to root's. */
void keeper_do_rename(struct keeper_call *c)
{
	const char *name = c->rq->name;
	const char *other = c->rq->other;
	const char *leaf = strrchr(other, '/');
	AUTO_CLOSE int dir = open_vms(c, &name);

	if (!c->nonsense &&
		(!keeper_name_is_vm_file(other) ||
			!keeper_names_are_beside(c->rq->name, other)))
		c->nonsense = "a name that is none";
	if (!c->nonsense && c->rq->flags & ~(uint32_t)RENAME_NOREPLACE)
		c->nonsense = "a flag that is none";
	if (c->nonsense)
		return;
	if (dir < 0 || sys_renameat2(dir, name, dir, leaf ? leaf + 1 : other,
			       c->rq->flags))
		keeper_refuse_os(c, errno);
}

static bool is_ours_to_give(uint32_t uid)
{
	return uid == KEEPER_UID ||
	       (uid >= KEEPER_UID_FIRST && uid <= KEEPER_UID_LAST);
}

/*
 * By the descriptor: it is that file whatever its name leads to by now.  One
 * that root has a second name of is still the brain's, or a VM's.
 */
static int give(int fd, const struct stat *st, uint32_t uid)
{
	const mode_t group = S_ISDIR(st->st_mode) ? 070 : 060;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fchownat(fd, "", uid, KEEPER_UID, AT_EMPTY_PATH))
		return -1;
	return sys_fchmodat(AT_FDCWD, path, (st->st_mode & 0777) | group);
}

void keeper_do_give(struct keeper_call *c)
{
	int fd = c->got->at[0];
	uint32_t uid = (uint32_t)c->rq->number;
	struct stat st;

	if (!is_ours_to_give(uid))
		c->nonsense = "a user that is none of ours";
	else if (sys_fstat(fd, &st))
		keeper_refuse_os(c, errno);
	else if (!is_ours_to_give(st.st_uid) ||
		 !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		keeper_refuse_os(c, EPERM);
	else if (give(fd, &st, uid))
		keeper_refuse_os(c, errno);
}
