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
#include <sys/wait.h>
#include <unistd.h>

#include "base/landlock.h"
#include "base/mem.h"
#include "base/str.h"

#define MEMORY    ((rlim_t)1 << 30)
#define ADDRESSES (16 * MEMORY) /* a thread reserves more than it uses */

enum { FAILED = 126 }; /* the exit that says so */

/* What a program of the system needs to begin. */
static const struct {
	const char *path;
	uint64_t allowed;
} system_files[] = {
	{ "/usr", FS_PROGRAM },
	{ "/lib", FS_PROGRAM },
	{ "/lib64", FS_PROGRAM },
	{ "/bin", FS_PROGRAM },
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

bool cage_works(void)
{
	return landlock_version() >= 1;
}

static int fail(const char *what)
{
	fprintf(stderr, "cannot shut in: %s: %s\n", what, strerror(errno));
	return -1;
}

/* ---- what it may open ---- */

static int allow(int rules, const char *path, uint64_t allowed)
{
	return landlock_allow(rules, path, allowed) ? fail(path) : 0;
}

/* The same for what must be there. */
static int allow_word(int rules, const char *path, uint64_t allowed)
{
	return access(path, F_OK) ? fail(path) : allow(rules, path, allowed);
}

static int allow_files(int rules, char *const *words, bool online)
{
	for (size_t i = 0; online && i < NELEMS(online_files); i++)
		if (allow(rules, online_files[i], FS_READ))
			return -1;
	for (size_t i = 0; i < NELEMS(system_files); i++)
		if (allow(rules, system_files[i].path, system_files[i].allowed))
			return -1;
	/* a program of another place, and what lies beside it */
	if (allow_word(rules, words[4], FS_EXECUTE | FS_READ_FILE) ||
		allow_word(rules, words[0], FS_READ_FILE))
		return -1;
	return str_eq(words[1], "-")
		       ? 0
		       : allow_word(rules, words[1],
				 FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE);
}

static int shut_files(char *const *words, bool online)
{
	int rules = landlock_new();
	int rc;

	if (rules < 0)
		return fail("Landlock");
	rc = allow_files(rules, words, online);
	if (!rc && landlock_enter(rules))
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

static bool are_enough(char *const *words)
{
	for (int i = 0; i <= 4; i++)
		if (!words[i])
			return false;
	return true;
}

static int become(char *const *words)
{
	execv(words[4], words + 4);
	fail(words[4]);
	return FAILED;
}

int cage_main(char *const *words, bool online)
{
	return are_enough(words) && !shut_in(words, online) ? become(words)
							    : FAILED;
}

/* ---- with a part of a file as its input ---- */

/* What is missing at the end is not there for the program either. */
static void pump(int from, uint64_t at, uint64_t bytes, int to)
{
	char buffer[65536];

	while (bytes > 0) {
		size_t most =
			bytes < sizeof(buffer) ? (size_t)bytes : sizeof(buffer);
		ssize_t n = pread(from, buffer, most, (off_t)at);
		ssize_t written = n > 0 ? write(to, buffer, (size_t)n) : 0;

		if (written <= 0)
			return;
		at += (uint64_t)written;
		bytes -= (uint64_t)written;
	}
}

static int exit_of(pid_t child)
{
	int status;

	return waitpid(child, &status, 0) == child && WIFEXITED(status)
		       ? WEXITSTATUS(status)
		       : FAILED;
}

int cage_part_main(char *const *words)
{
	int ends[2];
	int from;
	pid_t child;

	if (!words[0] || !words[1] || !are_enough(words + 2) ||
		shut_in(words + 2, false))
		return FAILED;
	from = open(words[2], O_RDONLY | O_CLOEXEC);
	if (from < 0 || pipe2(ends, O_CLOEXEC)) {
		fail(words[2]);
		return FAILED;
	}
	child = fork();
	if (child == 0)
		return dup2(ends[0], STDIN_FILENO) < 0 ? FAILED
						       : become(words + 2);
	close(ends[0]);
	if (child > 0)
		pump(from, str_digits(words[0]), str_digits(words[1]), ends[1]);
	close(ends[1]);
	close(from);
	return child > 0 ? exit_of(child) : FAILED;
}
