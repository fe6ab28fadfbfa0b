/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The privileged verbs: everything that needs root's powers when VMs have
 * their own users, as one const table over fixed-size arguments.  Called
 * directly now, from an unprivileged half over a socket later; so requests
 * carry names and numbers, never pointers into the caller, except the
 * argument vector, which then travels in a memfd.
 */
#ifndef SUPERVISOR_HOST_H
#define SUPERVISOR_HOST_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/spawn.h"
#include "supervisor/host_qemu.h"

enum host_verb {
	HOST_MAKE_DIRS, /* run/NAME (0711) and run/NAME/priv (0700) */
	HOST_LISTEN,    /* a socket `leaf` in priv -> fds[0] */
	HOST_FIFO,      /* a FIFO `leaf` in priv, O_RDWR -> fds[0] */
	HOST_RUN_QEMU,  /* argv with fds -> pid, pidfd in fds[0] */
	HOST_KILL,      /* signal to pidfd */
	HOST_CLEAN,     /* removes priv's sockets and FIFO, those of a side
			   (leaf: "", HOST_NEXT), and what is of the guest
			   unless a second QEMU is there; the lock stays */
	HOST_REMOVE,    /* removes the directories and a lock that is free */
	HOST_NVERBS
};

/* So begin the files of a VM's second QEMU, until it is the only one. */
#define HOST_NEXT "next-"

#define HOST_NAME_MAX 66
#define HOST_FDS_MAX  224 /* sockets, images of its disks, its taps */

struct host_request {
	enum host_verb verb;
	char run_dir[256];
	char vm[HOST_NAME_MAX];
	char leaf[32];
	int signal;
	int pidfd;
	size_t nfds;
	struct spawn_fd fds[HOST_FDS_MAX];
	const char *const *argv;
	struct host_confine confine;
	struct spawn_group group; /* that QEMU is born into */
};

struct host_reply {
	pid_t pid;
	int fd;
	unsigned parts; /* HOST_RUN_QEMU: of its confinement, taken */
};

/* Does one verb.  Names are checked here again, whoever calls. */
MUST_CHECK int host_call(const struct host_request *request,
	struct host_reply *reply, struct err *err);

#endif
