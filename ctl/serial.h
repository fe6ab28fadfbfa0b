/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's serial line as a socket. */
#ifndef CTL_SERIAL_H
#define CTL_SERIAL_H

#include <stddef.h>

#include "base/err.h"
#include "ctl/call.h"
#include "ctl/wire.h"

/* A connection (non-blocking) to a VM's console, the caller's. */
MUST_CHECK int serial_open(const struct call *call, struct wire *w,
	const char *vm, struct err *err);
/* Writes all; -1 if the console is gone or takes nothing for long. */
int serial_send(int fd, const char *bytes, size_t len);

#endif
