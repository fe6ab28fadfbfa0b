/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block that `vmward status` prints. */
#ifndef CTL_STATUS_H
#define CTL_STATUS_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/call.h"

/* Whether a VM's guest lives: running, paused, saving, migrating, ... */
bool status_is_active(const json_t *vm);
/* Prints the block; exit status 0 if active, else 3.  A request_show. */
int status_show(
	const struct call *call, const char *name, json_t *vm, bool many);

#endif
