/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64 as guest agents and QEMU write bytes in JSON (RFC 4648). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/str.h"

/*
 * Appends the bytes that text stands for.  -1: no base64, and nothing was
 * appended.
 */
MUST_CHECK int base64_decode(const char *text, struct str *out);
/* Appends the text that stands for len bytes. */
void base64_encode(const void *bytes, size_t len, struct str *out);

#endif
