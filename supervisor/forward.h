/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grammar of `forward =` (REFERENCE 1.5):
 * [PROTO:][ADDR:]HOSTPORT[-END]:GUESTPORT, read from the right.
 */
#ifndef SUPERVISOR_FORWARD_H
#define SUPERVISOR_FORWARD_H

#include "base/err.h"
#include "supervisor/spec.h"

/* For the key table: text -> struct spec_forwards. */
MUST_CHECK int forward_parse(const char *text, void *field, struct err *err);
void forward_release(void *field);
/* The address it listens on in user mode: written, or 127.0.0.1. */
const char *forward_addr(const struct spec_forward *forward);
/* As it is written, a list; nothing where there is none. */
void forward_add_text(struct str *out, const struct spec_forwards *forwards);
/* True if both want the same port of the same address (or of all). */
bool forward_overlaps(
	const struct spec_forward *a, const struct spec_forward *b);

#endif
