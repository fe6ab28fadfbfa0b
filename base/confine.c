/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a child gives up before it becomes its program; see confine.h. */
#include "base/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/landlock.h"
#include "base/mem.h"

static const char *const part_names[CONFINE_NPARTS] = {
	[CONFINE_NONE] = "nothing",
	[CONFINE_DEVICES] = "making its devices",
	[CONFINE_LIMITS] = "setting its limits",
	[CONFINE_USER] = "becoming its user",
	[CONFINE_PRIVILEGES] = "dropping its privileges",
	[CONFINE_FILES] = "shutting it in",
};

/* All that QEMU opens; the numbers are the kernel's for ever. */
static const struct {
	const char *path;
	unsigned major;
	unsigned minor;
} devices[] = {
	{ "/dev/null", 1, 3 },
	{ "/dev/random", 1, 8 },
	{ "/dev/urandom", 1, 9 },
	{ "/dev/kvm", 10, 232 },
	{ "/dev/vhost-net", 10, 238 },
	{ "/dev/vhost-vsock", 10, 241 },
};

const char *confine_part_name(enum confine_part part)
{
	return part_names[part];
}

/*
 * A /dev of its own, which nobody else sees: the nodes belong to its user.
 * Mounts of the host still come and go in it, so that none is kept busy.
 */
static int make_devices(const struct confine *c, int rules)
{
	if (unshare(CLONE_NEWNS) ||
		mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) ||
		mount("vmward", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC,
			"mode=755,size=64k,nr_inodes=32"))
		return -1;
	for (size_t i = 0; i < NELEMS(devices); i++)
		if (mknod(devices[i].path, S_IFCHR | 0600,
			    makedev(devices[i].major, devices[i].minor)) ||
			chown(devices[i].path, c->uid, c->uid))
			return -1;
	if (symlink("/proc/self/fd", "/dev/fd"))
		return -1;
	return c->parts & CONFINE_BIT(CONFINE_FILES)
		       ? landlock_allow(
				 rules, "/dev", FS_READ_FILE | FS_WRITE_FILE)
		       : 0;
}

static int limit(int what, uint64_t most)
{
	const struct rlimit limit = { most, most };

	return setrlimit(what, &limit);
}

/* Who is not root has what he has of memory to lock. */
static int set_limits(const struct confine *c, int rules UNUSED)
{
	if (limit(RLIMIT_CORE, 0) ||
		(c->tasks && limit(RLIMIT_NPROC, c->tasks)))
		return -1;
	if (c->locked && limit(RLIMIT_MEMLOCK, c->locked) && errno != EPERM)
		return -1;
	return 0;
}

/* libc's functions would tell threads that are the parent's. */
static int become_user(const struct confine *c, int rules UNUSED)
{
	uid_t real;
	uid_t effective;
	uid_t saved;

	for (int cap = 0; cap <= 63; cap++)
		if (!(c->caps >> cap & 1) &&
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL)
			return -1;
	if (c->caps && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return -1;
	if (syscall(SYS_setgroups, c->group ? 1 : 0, &c->group) ||
		syscall(SYS_setresgid, c->uid, c->uid, c->uid) ||
		syscall(SYS_setresuid, c->uid, c->uid, c->uid))
		return -1;
	if (syscall(SYS_getresuid, &real, &effective, &saved))
		return -1;
	if (real == c->uid && effective == c->uid && saved == c->uid)
		return 0;
	errno = EPERM;
	return -1;
}

/* What stays is ambient: its program has it without being marked. */
static int keep_caps(uint64_t caps)
{
	for (int cap = 0; cap <= 63; cap++)
		if (caps >> cap & 1 &&
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0))
			return -1;
	return 0;
}

static int drop_privileges(const struct confine *c, int rules UNUSED)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	const uint32_t low = (uint32_t)c->caps;
	const uint32_t high = (uint32_t)(c->caps >> 32);
	const struct __user_cap_data_struct kept[2] = { { low, low, low },
		{ high, high, high } };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) &&
		errno != EINVAL)
		return -1;
	if (syscall(SYS_capset, &head, kept) || keep_caps(c->caps))
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int shut_in(const struct confine *c UNUSED, int rules)
{
	return landlock_enter(rules);
}

static int (*const steps[CONFINE_NPARTS])(
	const struct confine *c, int rules) = {
	[CONFINE_DEVICES] = make_devices,
	[CONFINE_LIMITS] = set_limits,
	[CONFINE_USER] = become_user,
	[CONFINE_PRIVILEGES] = drop_privileges,
	[CONFINE_FILES] = shut_in,
};

int confine_prepare(const struct confine *c)
{
	int rules = landlock_new();

	for (size_t i = 0; rules >= 0 && i < c->nrules; i++) {
		if (!landlock_allow(
			    rules, c->rules[i].path, c->rules[i].allowed))
			continue;
		close(rules);
		return -1;
	}
	return rules;
}

int confine_enter(const struct confine *c, int rules, enum confine_part *part)
{
	for (unsigned i = CONFINE_DEVICES; i < CONFINE_NPARTS; i++) {
		*part = (enum confine_part)i;
		if (c->parts & CONFINE_BIT(i) && steps[i](c, rules))
			return -1;
	}
	*part = CONFINE_NONE;
	return 0;
}
