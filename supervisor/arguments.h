/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of a request against the command table; pure, QEMU's error texts. */
#ifndef SUPERVISOR_ARGUMENTS_H
#define SUPERVISOR_ARGUMENTS_H

#include <jansson.h>

#include "base/err.h"
#include "base/verbs.h"

/* The name of the command of a well-formed message; NULL with err. */
const char *arguments_check_envelope(json_t *message, struct err *err);
/* 0 if args (object or NULL) is what the verb takes. */
MUST_CHECK int arguments_check(
	const struct verb *verb, json_t *args, struct err *err);

#endif
