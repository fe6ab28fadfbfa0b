/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UNIX sockets: listening, connecting without ever blocking, and who is at
 * the other end.  Paths of any length: a deep one goes through
 * /proc/self/fd/DIR/NAME, because sun_path holds 107 bytes.
 */
#ifndef BASE_SOCK_H
#define BASE_SOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* Unlinks what is at path, binds with mode, listens; non-blocking; -1. */
MUST_CHECK int sock_listen(
	const char *path, mode_t mode, int backlog, struct err *err);
/*
 * Connects without blocking.  -1 with ERR_UNREACHABLE when nobody listens,
 * the backlog is full, or the path is gone.
 */
MUST_CHECK int sock_connect(const char *path, struct err *err);

struct sock_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

/* Credentials at connect time (or at the listener's listen()). */
MUST_CHECK int sock_peer(int fd, struct sock_peer *out);
/* True if the peer's supplementary groups or gid hold the group. */
bool sock_peer_in_group(int fd, gid_t group);
/* A pidfd of the peer: SO_PEERPIDFD, or pidfd_open of its pid; -1. */
int sock_peer_pidfd(int fd, pid_t *pid);

#endif
