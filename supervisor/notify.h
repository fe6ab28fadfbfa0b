/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service manager: the listening socket that it may hand over
 * (LISTEN_FDS), and its word of our readiness: a newline on --notify-fd (s6,
 * runit wrappers), READY=1 and WATCHDOG=1 on NOTIFY_SOCKET (systemd).
 */
#ifndef SUPERVISOR_NOTIFY_H
#define SUPERVISOR_NOTIFY_H

/*
 * The descriptor that the service manager hands over (LISTEN_PID,
 * LISTEN_FDS), if it listens at this path (NULL: anywhere); else -1.
 */
int notify_listener(const char *path);
/* The supervisor is ready; starts the watchdog's pings where it is asked. */
void notify_ready(int notify_fd);
/* An upgrade begins (RELOADING=1); READY=1 of the new image ends it. */
void notify_reloading(void);
/* It did not come to that. */
void notify_again(void);
/* It goes away (STOPPING=1). */
void notify_stopping(void);

#endif
