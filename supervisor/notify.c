/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readiness, and a socket, of the service manager; see notify.h. */
#include "supervisor/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/sys_exec.h"

#define FIRST_FD 3 /* of sd_listen_fds(3) */

static struct loop_timer watchdog;
static int64_t watchdog_ms;

static void send_state(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct iovec iov = { (char *)(uintptr_t)state, strlen(state) };
	struct msghdr msg = { .msg_name = &addr,
		.msg_namelen = sizeof(addr),
		.msg_iov = &iov,
		.msg_iovlen = 1 };

	if (!path || (*path != '/' && *path != '@') ||
		strlen(path) >= sizeof(addr.sun_path))
		return;
	memcpy(addr.sun_path, path, strlen(path));
	msg.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				      strlen(path));
	if (*path == '@')
		addr.sun_path[0] = '\0';
	AUTO_CLOSE int fd = sys_socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (fd < 0 || sys_sendmsg(fd, &msg, MSG_NOSIGNAL) < 0)
		log_warn(NULL, "cannot notify '%s'", path);
}

static uint64_t number_of(const char *variable)
{
	const char *text = getenv(variable);
	struct err err = ERR_INIT;
	uint64_t number;

	return text && !str_to_u64(text, &number, &err) ? number : 0;
}

int notify_listener(const char *path)
{
	if (number_of("LISTEN_PID") != (uint64_t)getpid() ||
		number_of("LISTEN_FDS") < 1)
		return -1;
	if (exec_take_listener(FIRST_FD, path))
		return FIRST_FD;
	log_warn(NULL,
		"LISTEN_FDS: descriptor %d does not listen at '%s'; "
		"it is not used",
		FIRST_FD, path);
	return -1;
}

static void on_watchdog(struct loop_timer *timer)
{
	send_state("WATCHDOG=1");
	loop_timer_start(timer, watchdog_ms, on_watchdog);
}

static void start_watchdog(void)
{
	uint64_t usec = number_of("WATCHDOG_USEC");

	if (usec < 2000)
		return;
	watchdog_ms = (int64_t)(usec / 2000); /* half of it */
	loop_timer_start(&watchdog, watchdog_ms, on_watchdog);
}

void notify_ready(int notify_fd)
{
	send_state("READY=1");
	start_watchdog();
	if (notify_fd < 0)
		return;
	if (sys_write(notify_fd, "\n", 1) < 0)
		log_warn(NULL, "cannot write to --notify-fd %d", notify_fd);
	sys_close(notify_fd);
}

void notify_reloading(void)
{
	char text[64];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
		(unsigned long long)sys_now_us());
	send_state(text);
}

void notify_again(void)
{
	send_state("READY=1");
}

void notify_stopping(void)
{
	loop_timer_stop(&watchdog);
	send_state("STOPPING=1");
}
