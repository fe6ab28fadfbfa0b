/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The users and groups of this host, by /etc/passwd and /etc/group alone:
 * name services may block for long, and bring in libraries that take more
 * memory than ten VMs.
 */
#ifndef SUPERVISOR_USERS_H
#define SUPERVISOR_USERS_H

#include <stdint.h>

#include "base/err.h"

/* The uid of "ann" or "1000"; -1: there is no such user. */
MUST_CHECK int users_find(const char *name, uint32_t *uid);
/* The gid of "staff" or "50"; -1: there is no such group. */
MUST_CHECK int users_find_group(const char *name, uint32_t *gid);
/* The name of a uid, new; its number where it has none. */
char *users_name(uint32_t uid);

#endif
