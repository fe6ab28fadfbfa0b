/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening a name that cannot lead out of its directory, by openat2(2).  Part
 * of the real backend of base/sys; others call sys_open_beneath().
 */
#ifndef BASE_BENEATH_H
#define BASE_BENEATH_H

/* openat() with O_CLOEXEC; EXDEV where the name or a link would leave. */
int open_beneath(int dirfd, const char *name, int flags);

#endif
