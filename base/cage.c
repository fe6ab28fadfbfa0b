/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cage for a program that reads what strangers made; see cage.h.  Landlock
 * decides about files, whatever the uid: root without it would read all.
 */
#include "base/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

/* of linux/landlock.h, which old headers lack */
#define LANDLOCK_CREATE 444
#define LANDLOCK_ADD    445
#define LANDLOCK_SELF   446
#define ASK_VERSION     1
#define RULE_BENEATH    1

enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_FIRST = (1 << 13) - 1, /* all that the first version knew */
	FS_REFER = 1 << 13,
	FS_TRUNCATE = 1 << 14,
};

#define MEMORY    ((rlim_t)1 << 30)
#define ADDRESSES (16 * MEMORY) /* a thread reserves more than it uses */

struct ruleset {
	uint64_t handled;
};

struct rule {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

/* What a program of the system needs to begin. */
static const struct {
	const char *path;
	uint64_t allowed;
} system_files[] = {
	{ "/usr", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR },
	{ "/lib", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR },
	{ "/lib64", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR },
	{ "/bin", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR },
	{ "/etc/ld.so.cache", FS_READ_FILE },
	{ "/etc/ld-musl-x86_64.path", FS_READ_FILE },
	{ "/dev/null", FS_READ_FILE | FS_WRITE_FILE },
	{ "/dev/urandom", FS_READ_FILE },
};

/* What names and certificates are looked up in. */
static const char *const online_files[] = { "/etc/hosts", "/etc/resolv.conf",
	"/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
	"/etc/services", "/etc/ssl", "/etc/pki", "/etc/ca-certificates",
	"/run/systemd/resolve" };

static int version(void)
{
	return (int)syscall(LANDLOCK_CREATE, NULL, 0, ASK_VERSION);
}

bool cage_works(void)
{
	return version() >= 1;
}

static int fail(const char *what)
{
	fprintf(stderr, "cannot shut in: %s: %s\n", what, strerror(errno));
	return -1;
}

/* ---- what it may open ---- */

static int allow(int rules, const char *path, uint64_t allowed, bool must)
{
	struct rule rule = { .allowed = allowed };
	int rc;

	rule.parent = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent < 0)
		return must ? fail(path) : 0;
	rc = (int)syscall(LANDLOCK_ADD, rules, RULE_BENEATH, &rule, 0);
	close(rule.parent);
	return rc ? fail(path) : 0;
}

/* A directory may be read as a whole, a file as a file. */
static int allow_online(int rules)
{
	struct stat st;

	for (size_t i = 0; i < NELEMS(online_files); i++) {
		bool dir = !stat(online_files[i], &st) && S_ISDIR(st.st_mode);

		if (allow(rules, online_files[i],
			    FS_READ_FILE | (dir ? FS_READ_DIR : 0), false))
			return -1;
	}
	return 0;
}

static int allow_files(
	int rules, char *const *words, bool online, uint64_t handled)
{
	uint64_t write = FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE;

	if (online && allow_online(rules))
		return -1;

	for (size_t i = 0; i < NELEMS(system_files); i++)
		if (allow(rules, system_files[i].path, system_files[i].allowed,
			    false))
			return -1;
	/* a program of another place, and what lies beside it */
	if (allow(rules, words[4], FS_EXECUTE | FS_READ_FILE, true) ||
		allow(rules, words[0], FS_READ_FILE, true))
		return -1;
	return str_eq(words[1], "-")
		       ? 0
		       : allow(rules, words[1], write & handled, true);
}

static int shut_files(char *const *words, bool online)
{
	int abi = version();
	struct ruleset set = { FS_FIRST };
	int rules;
	int rc;

	if (abi >= 2)
		set.handled |= FS_REFER;
	if (abi >= 3)
		set.handled |= FS_TRUNCATE;
	rules = abi < 1 ? -1
			: (int)syscall(LANDLOCK_CREATE, &set, sizeof(set), 0);
	if (rules < 0)
		return fail("Landlock");
	rc = allow_files(rules, words, online, set.handled);
	if (!rc && syscall(LANDLOCK_SELF, rules, 0))
		rc = fail("Landlock");
	close(rules);
	return rc;
}

/* ---- what it may do ---- */

/* Root opens the two files of others by this one, and has no other. */
static int drop_capabilities(void)
{
	for (int cap = 0; cap <= 63; cap++) {
		if (cap == CAP_DAC_OVERRIDE ||
			prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EPERM)
			return fail("capabilities");
	}
	return 0;
}

/* Without a network; a user that may make no namespaces keeps one. */
static void leave_network(void)
{
	if (!unshare(CLONE_NEWNET | CLONE_NEWIPC))
		return;
	if (geteuid() != 0)
		(void)unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC);
}

static int limit(int what, rlim_t most)
{
	const struct rlimit limit = { most, most };

	return setrlimit(what, &limit) ? fail("limits") : 0;
}

static int shut_in(char *const *words, bool online)
{
	rlim_t bytes = (rlim_t)str_digits(words[2]);
	rlim_t seconds = (rlim_t)str_digits(words[3]);

	if (!online)
		leave_network();
	if (drop_capabilities())
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail("no new privileges");
	if (shut_files(words, online))
		return -1;
	return limit(RLIMIT_AS, ADDRESSES) || limit(RLIMIT_DATA, MEMORY) ||
			       limit(RLIMIT_CORE, 0) ||
			       limit(RLIMIT_NOFILE, 64) ||
			       limit(RLIMIT_FSIZE, bytes) ||
			       limit(RLIMIT_CPU, seconds)
		       ? -1
		       : 0;
}

int cage_main(char *const *words, bool online)
{
	for (int i = 0; i <= 4; i++)
		if (!words[i])
			return 126;
	if (shut_in(words, online))
		return 126;
	execv(words[4], words + 4);
	fail(words[4]);
	return 126;
}
