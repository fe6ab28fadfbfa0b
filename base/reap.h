/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a process ended, child of ours or not: waitid for a child, else
 * PIDFD_GET_INFO, else /proc of a zombie that nobody reaped yet.  Part of
 * the real backend of base/sys; others call sys_pidfd_wait().
 */
#ifndef BASE_REAP_H
#define BASE_REAP_H

#include <stdbool.h>

/* How a child ended.  known=false: somebody else reaped it. */
struct sys_exit {
	bool known;
	bool signalled;
	int code; /* exit status, or the signal */
};

/* 0; -1 with EAGAIN: it lives; EINPROGRESS: ask again in a moment. */
int reap_pidfd(int pidfd, struct sys_exit *out);

#endif
