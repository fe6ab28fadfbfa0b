/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The brain's end of the keeper; see keeper_client.h. */
#include "supervisor/keeper_client.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/stranger.h"
#include "base/sys.h"
#include "base/sys_exec.h"
#include "supervisor/keeper_ask.h"
#include "supervisor/keeper_brain.h"
#include "supervisor/keeper_grant.h"
#include "supervisor/keeper_wire.h"

static const struct paths *places;
static struct sys_backend backend;

static bool was_refused(void)
{
	return errno == EACCES || errno == EPERM;
}

/* ---- files ---- */

/* Of a path below vms: the name there; NULL for all others. */
static const char *vm_file(const char *path)
{
	size_t len = strlen(places->config);

	if (strncmp(path, places->config, len) != 0 ||
		!str_starts(path + len, "/vms/"))
		return NULL;
	path += len + strlen("/vms/");
	return strlen(path) < KEEPER_NAME && keeper_name_is_vm_file(path)
		       ? path
		       : NULL;
}

static bool fits(const char *path)
{
	return strlen(path) < KEEPER_PATH && keeper_path_is_plain(path);
}

static int ask_open(const char *path, int flags)
{
	struct keeper_request rq;
	struct keeper_reply reply;
	struct keeper_fds got = { .n = 0 };

	keeper_request_init(&rq, KEEPER_OPEN);
	snprintf(rq.path, sizeof(rq.path), "%s", path);
	rq.flags = (uint32_t)flags;
	return keeper_ask(&rq, NULL, &reply, &got, NULL)
		       ? -1
		       : keeper_take_one(&got);
}

static int ask_name(enum keeper_verb verb, const char *name, const char *other,
	int flags, struct keeper_fds *got)
{
	struct keeper_request rq;
	struct keeper_reply reply;

	keeper_request_init(&rq, verb);
	snprintf(rq.name, sizeof(rq.name), "%s", name);
	snprintf(rq.other, sizeof(rq.other), "%s", other ? other : "");
	rq.flags = (uint32_t)flags;
	return keeper_ask(&rq, NULL, &reply, got, NULL);
}

static int ask_create(const char *name)
{
	struct keeper_fds got = { .n = 0 };

	return ask_name(KEEPER_CREATE, name, NULL, 0, &got)
		       ? -1
		       : keeper_take_one(&got);
}

/* Given to whose it is already, what a VM's helper made is ours to read. */
static bool is_shared_now(int dirfd, const char *path)
{
	AUTO_CLOSE int fd =
		sys_real.openat(dirfd, path, O_PATH | O_NOFOLLOW, 0);
	struct keeper_request rq;
	struct stat st;

	if (fd < 0 || sys_real.fstat(fd, &st) || st.st_uid < KEEPER_UID_FIRST ||
		st.st_uid > KEEPER_UID_LAST)
		return false;
	keeper_request_init(&rq, KEEPER_GIVE);
	rq.number = (int32_t)st.st_uid;
	return keeper_ask_plain(&rq, fd) == 0;
}

static int by_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	const int makes = O_CREAT | O_EXCL | O_WRONLY;
	int fd = sys_real.openat(dirfd, path, flags, mode);
	const char *name;

	if (fd >= 0 || !was_refused())
		return fd;
	if (!str_starts(path, "/proc/") && is_shared_now(dirfd, path))
		return sys_real.openat(dirfd, path, flags, mode);
	errno = EACCES;
	if (*path != '/' || !fits(path))
		return -1;
	name = vm_file(path);
	if ((flags & makes) == makes && name)
		return ask_create(name);
	if (flags & (O_CREAT | O_TRUNC | O_APPEND))
		return -1;
	return ask_open(path, flags & ~(O_LARGEFILE | O_SYNC));
}

/* Root put it into our own pool. */
static bool is_strange_image(const char *path, const struct stat *st)
{
	return st->st_uid == 0 && S_ISREG(st->st_mode) && fits(path) &&
	       keeper_is_own_image(places, path);
}

static int by_fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
	int rc = sys_real.fstatat(dirfd, path, st, flags);
	AUTO_CLOSE int fd = -1;

	if (!rc && is_strange_image(path, st)) {
		fd = ask_open(path, O_RDONLY); /* from now on it is ours */
		return fd < 0 ? 0 : sys_real.fstat(fd, st);
	}
	if (!rc || !was_refused() || *path != '/' || !fits(path))
		return rc;
	fd = ask_open(path, O_PATH);
	return fd < 0 ? -1 : sys_real.fstat(fd, st);
}

static int by_mkdirat(int dirfd, const char *path, mode_t mode)
{
	int rc = sys_real.mkdirat(dirfd, path, mode);
	struct keeper_fds got = { .n = 0 };
	const char *name;

	if (!rc || !was_refused() || !(name = vm_file(path)) ||
		strchr(name, '/'))
		return rc;
	return ask_name(KEEPER_MAKE_DIR, name, NULL, 0, &got);
}

static int by_unlinkat(int dirfd, const char *path, int flags)
{
	int rc = sys_real.unlinkat(dirfd, path, flags);
	struct keeper_fds got = { .n = 0 };
	const char *name;

	if (!rc || !was_refused() || !(name = vm_file(path)))
		return rc;
	return ask_name(KEEPER_REMOVE, name, NULL, flags, &got);
}

static int by_renameat2(
	int from, const char *a, int to, const char *b, unsigned flags)
{
	int rc = sys_real.renameat2(from, a, to, b, flags);
	struct keeper_fds got = { .n = 0 };
	const char *name;
	const char *other;

	if (!rc || !was_refused())
		return rc;
	name = vm_file(a);
	other = vm_file(b);
	if (name && other && keeper_names_are_beside(name, other))
		return ask_name(KEEPER_RENAME, name, other, (int)flags, &got);
	errno = EACCES;
	return -1;
}

static int by_renameat(int from, const char *a, int to, const char *b)
{
	return by_renameat2(from, a, to, b, 0);
}

/* Of what is ours to a user of VMs, or back. */
static int by_give(const char *path, uid_t uid)
{
	AUTO_CLOSE int fd =
		sys_real.openat(AT_FDCWD, path, O_PATH | O_NOFOLLOW, 0);
	struct keeper_request rq;

	if (fd < 0)
		return -1;
	keeper_request_init(&rq, KEEPER_GIVE);
	rq.number = (int32_t)uid;
	return keeper_ask_plain(&rq, fd);
}

/* Only for what listens to the rules of networks. */
static int by_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct keeper_request rq;
	int rc = sys_real.bind(fd, addr, len);

	if (!rc || !was_refused() || addr->sa_family != AF_NETLINK)
		return rc;
	keeper_request_init(&rq, KEEPER_LISTEN_RULES);
	return keeper_ask_plain(&rq, fd);
}

/* ---- programs ---- */

/* Programs that need more than the brain has. */
static const char *tool_name(const struct spawn_plan *plan)
{
	const char *name = strrchr(plan->path, '/') + 1;

	return str_eq(name, "nft") || str_eq(name, "dnsmasq") ? name : NULL;
}

static int by_spawn(const struct spawn_plan *plan, pid_t *pid, int *pidfd)
{
	const char *tool = tool_name(plan);
	struct keeper_request rq;
	struct keeper_reply reply;
	int fd;

	if (!tool && !plan->as_admin)
		return sys_real.spawn(plan, pid, pidfd);
	keeper_request_init(&rq, tool ? KEEPER_TOOL : KEEPER_HOOK);
	snprintf(rq.name, sizeof(rq.name), "%s", tool ? tool : "");
	fd = keeper_ask_spawn(&rq, plan, &reply, plan->err);
	if (fd < 0)
		return -1;
	*pid = reply.pid;
	*pidfd = fd;
	return 0;
}

/* ---- processes ---- */

static int by_pidfd_kill(int pidfd, int signal)
{
	int rc = sys_real.pidfd_kill(pidfd, signal);
	struct keeper_request rq;

	if (!rc || !was_refused())
		return rc;
	keeper_request_init(&rq, KEEPER_KILL);
	rq.number = signal;
	return keeper_ask_plain(&rq, pidfd);
}

static int by_kill_group(pid_t leader)
{
	int rc = sys_real.kill_group(leader);
	struct keeper_request rq;

	if (!rc || !was_refused())
		return rc;
	keeper_request_init(&rq, KEEPER_KILL_GROUP);
	rq.number = leader;
	return keeper_ask_plain(&rq, -1);
}

/* A QEMU's own copy: it is another user's. */
static int by_pidfd_getfd(int pidfd, int number)
{
	int fd = sys_real.pidfd_getfd(pidfd, number);
	struct keeper_fds give = { .n = 1, .at = { pidfd } };
	struct keeper_fds got = { .n = 0 };
	struct keeper_request rq;
	struct keeper_reply reply;

	if (fd >= 0 || !was_refused())
		return fd;
	keeper_request_init(&rq, KEEPER_GETFD);
	rq.number = number;
	return keeper_ask(&rq, &give, &reply, &got, NULL)
		       ? -1
		       : keeper_take_one(&got);
}

/* How a child of the keeper ended, as stranger_ask() wants it. */
static int ask_status(int pidfd, int *status)
{
	struct keeper_fds give = { .n = 1, .at = { pidfd } };
	struct keeper_fds got = { .n = 0 };
	struct keeper_request rq;
	struct keeper_reply reply;

	keeper_request_init(&rq, KEEPER_WAIT);
	if (keeper_ask(&rq, &give, &reply, &got, NULL))
		return -1;
	*status = reply.pid;
	return 0;
}

/* ---- the whole ---- */

void keeper_client_open(const struct paths *paths, int fd, uint64_t serial)
{
	places = paths;
	keeper_ask_open(fd, serial);
	exec_keep(fd, false);
	/* what we have in /proc is ours to open, not root's */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	backend = sys_real;
	backend.openat = by_openat;
	backend.fstatat = by_fstatat;
	backend.mkdirat = by_mkdirat;
	backend.unlinkat = by_unlinkat;
	backend.renameat = by_renameat;
	backend.renameat2 = by_renameat2;
	backend.bind = by_bind;
	backend.spawn = by_spawn;
	backend.give = by_give;
	backend.pidfd_kill = by_pidfd_kill;
	backend.pidfd_getfd = by_pidfd_getfd;
	backend.kill_group = by_kill_group;
	sys_use(&backend);
	stranger_ask(ask_status);
	keeper_brain_open();
}

void keeper_client_renew(void)
{
	struct keeper_request rq;

	keeper_request_init(&rq, KEEPER_RENEW);
	if (keeper_ask_plain(&rq, -1))
		log_warn(NULL, "the keeper stays as it was: %s",
			strerror(errno));
}
