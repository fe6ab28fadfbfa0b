/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may do what, by peer credentials: root, our own user and group vmward
 * administer; [roles] of the settings names others; a VM's owner may operate
 * it.
 */
#ifndef SUPERVISOR_ROLES_H
#define SUPERVISOR_ROLES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/verbs.h"
#include "supervisor/env.h"

/* Looks the group up in /etc/group, once. */
void roles_init(void);
/*
 * The role of the peer of a connected socket on a VM of that owner, by the
 * settings in force at this moment; owner "" or NULL: on no VM.
 */
enum role roles_of_peer(int fd, const char *owner, const struct env *env);
/* True of a client that is a confined QEMU: it has not even a greeting. */
bool roles_are_of_vm(enum role role, uid_t uid, const struct env *env);

#endif
