/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a file open: looked up when a lock was refused, to tell a person. */
#ifndef SUPERVISOR_HOLDER_H
#define SUPERVISOR_HOLDER_H

/*
 * "qemu-nbd (pid 123)", the first process but us that has the file open by
 * this absolute path; new, NULL if none is seen.  Reads /proc alone, so that
 * the file itself is not touched.
 */
char *holder_of(const char *path);

#endif
