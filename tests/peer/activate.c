/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A service manager's socket: activate SOCKET [-d] PROGRAM ARG...
 * Listens there, waits for the first client, and becomes PROGRAM with the
 * socket as descriptor 3 (LISTEN_FDS).  -d: not a listener, but a datagram
 * socket, at once; that is a mistake of whoever wrote the unit.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3

static int open_at(const char *path, int type)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
		(type == SOCK_STREAM && listen(fd, 64))) {
		perror(path);
		exit(1);
	}
	return fd;
}

static void wait_for_client(int fd)
{
	struct pollfd await = { .fd = fd, .events = POLLIN };

	puts("listening");
	fflush(stdout);
	if (poll(&await, 1, 60000) != 1)
		exit(1);
}

int main(int argc, char **argv)
{
	int datagram = argc > 2 && !strcmp(argv[2], "-d");
	char pid[16];
	int fd;

	if (argc < 3 + datagram) {
		fputs("usage: activate SOCKET [-d] PROGRAM ARG...\n", stderr);
		return 2;
	}
	fd = open_at(argv[1], datagram ? SOCK_DGRAM : SOCK_STREAM);
	if (!datagram)
		wait_for_client(fd);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	if (fd != FIRST_FD && (dup2(fd, FIRST_FD) < 0 || close(fd)))
		return 1;
	execv(argv[2 + datagram], argv + 2 + datagram);
	perror(argv[2 + datagram]);
	return 1;
}
