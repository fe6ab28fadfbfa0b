/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a process ended that is not our child: a QEMU that an earlier
 * supervisor started.  Part of the real backend of base/sys.
 */
#ifndef BASE_STRANGER_H
#define BASE_STRANGER_H

/*
 * Its wait status, as of waitpid(2).  -1 with EAGAIN: it lives; EINPROGRESS:
 * it is dead, ask again; ESRCH: it is dead, and nobody can say how it ended.
 */
int stranger_status(int pidfd, int *status);
/* The pid behind a pidfd; -1 once the process is reaped, or for none. */
int stranger_pid(int pidfd);
/*
 * Somebody who may be its parent is asked first (NULL: nobody); he answers
 * as stranger_status(), with ECHILD for a process that he knows nothing of.
 */
void stranger_ask(int (*parent)(int pidfd, int *status));

#endif
