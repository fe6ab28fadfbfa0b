/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The brain's end of the keeper: a backend of base/sys that does what the
 * brain may by itself, and asks the keeper for what the kernel refused it.
 */
#ifndef SUPERVISOR_KEEPER_CLIENT_H
#define SUPERVISOR_KEEPER_CLIENT_H

#include <stdint.h>

#include "base/paths.h"

/*
 * From now on through this descriptor; `serial`: of the last question that an
 * earlier image of ours asked.  The paths are borrowed.
 */
void keeper_client_open(const struct paths *paths, int fd, uint64_t serial);
/* The keeper becomes the program on disk, too; logs why not. */
void keeper_client_renew(void);

#endif
