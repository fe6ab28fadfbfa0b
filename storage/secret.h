/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A password of an image, or a private key: read from a file, given to a
 * program, never in arguments or in the environment, wiped when it is let go.
 */
#ifndef STORAGE_SECRET_H
#define STORAGE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct secret {
	char *bytes; /* NULL: none */
	size_t len, room;
};

/*
 * Reads it: UTF-8, 1 to 1,024 bytes without the line end at its end, of a
 * file that only its owner can read.  Fails with ERR_NOT_FOUND, ERR_DENIED,
 * ERR_CONFIG or ERR_OS.
 */
MUST_CHECK int secret_read(
	const char *path, struct secret *secret, struct err *err);
/*
 * The same of a private key of ssh, up to 16 KiB; one that needs a passphrase
 * is refused: nobody could type it.
 */
MUST_CHECK int secret_read_key(
	const char *path, struct secret *key, struct err *err);
/* The reading end of a pipe that has it, and then its end; -1 with errno. */
int secret_pipe(const struct secret *secret);
/* A copy, or none of none; secret may be NULL. */
struct secret secret_copy(const struct secret *secret);
void secret_fini(struct secret *secret);

#endif
