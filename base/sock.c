/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UNIX sockets; see base/sock.h. */
#include "base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/*
 * Fills addr with path, or with /proc/self/fd/DIR/NAME and *dir open when
 * path is too long for it.
 */
static int address(
	const char *path, struct sockaddr_un *addr, int *dir, struct err *err)
{
	const char *name = strrchr(path, '/');

	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*dir = -1;
	if (strlen(path) < sizeof(addr->sun_path)) {
		memcpy(addr->sun_path, path, strlen(path));
		return 0;
	}
	if (!name || strlen(name) > 60)
		return err_set(
			err, ERR_LIMIT, "socket name '%s' is too long", path);
	AUTO_FREE char *parent = xstrndup(path, (size_t)(name - path));
	*dir = sys_openat(AT_FDCWD, parent, O_PATH | O_DIRECTORY, 0);
	if (*dir < 0)
		return err_os(err, "cannot open directory '%s'", parent);
	snprintf(addr->sun_path, sizeof(addr->sun_path), "/proc/self/fd/%d%s",
		*dir, name);
	return 0;
}

int sock_listen(const char *path, mode_t mode, int backlog, struct err *err)
{
	struct sockaddr_un addr;
	AUTO_CLOSE int dir = -1;
	AUTO_CLOSE int fd = -1;

	if (address(path, &addr, &dir, err))
		return -1;
	if (sys_unlinkat(AT_FDCWD, addr.sun_path, 0) && errno != ENOENT)
		return err_os(err, "cannot remove old socket '%s'", path);
	fd = sys_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_os(err, "cannot make a socket");
	if (sys_bind(fd, (const struct sockaddr *)&addr, sizeof(addr)))
		return err_os(err, "cannot bind socket '%s'", path);
	if (sys_fchmodat(AT_FDCWD, addr.sun_path, mode))
		return err_os(err, "cannot set the mode of '%s'", path);
	if (sys_listen(fd, backlog))
		return err_os(err, "cannot listen on '%s'", path);
	return TAKE_FD(fd);
}

int sock_connect(const char *path, struct err *err)
{
	struct sockaddr_un addr;
	AUTO_CLOSE int dir = -1;
	AUTO_CLOSE int fd = -1;

	if (address(path, &addr, &dir, err))
		return -1;
	fd = sys_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_os(err, "cannot make a socket");
	if (sys_connect(fd, (const struct sockaddr *)&addr, sizeof(addr))) {
		err_os(err, "cannot connect to '%s'", path);
		err->code = ERR_UNREACHABLE;
		return -1;
	}
	return TAKE_FD(fd);
}

int sock_peer(int fd, struct sock_peer *out)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (sys_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -1;
	*out = (struct sock_peer){ cred.pid, cred.uid, cred.gid };
	return 0;
}

bool sock_peer_in_group(int fd, gid_t group)
{
	gid_t groups[256];
	socklen_t len = sizeof(groups);
	struct sock_peer peer;

	if (!sock_peer(fd, &peer) && peer.gid == group)
		return true;
	if (sys_getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++) {
		if (groups[i] == group)
			return true;
	}
	return false;
}

int sock_peer_pidfd(int fd, pid_t *pid)
{
	struct sock_peer peer;
	int pidfd = -1;
	socklen_t len = sizeof(pidfd);

	if (sock_peer(fd, &peer))
		return -1;
	*pid = peer.pid;
	if (!sys_getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len))
		return pidfd;
	return sys_pidfd_open(peer.pid);
}
