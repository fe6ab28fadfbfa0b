/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass over JSON text before jansson sees it: bytes, depth, estimated
 * heap (object 220, array 140, string length + 32, number or word 24).
 * Pure; keeps its state between chunks, so a stream is scanned once.
 */
#ifndef BASE_PRESCAN_H
#define BASE_PRESCAN_H

#include <stdbool.h>
#include <stddef.h>

struct prescan_limits {
	size_t bytes;
	size_t heap;
	unsigned depth;
};

/* Heap; text as well, but for QMP 1 MiB. */
extern const struct prescan_limits prescan_qmp;    /* 2 MiB, depth 32 */
extern const struct prescan_limits prescan_agent;  /* 256 KiB, depth 16 */
extern const struct prescan_limits prescan_client; /* 256 KiB, depth 8 */

enum prescan_result {
	PRESCAN_MORE,    /* no complete value yet */
	PRESCAN_DONE,    /* a value ends at *used */
	PRESCAN_TOO_BIG, /* bytes or heap */
	PRESCAN_TOO_DEEP,
};

struct prescan {
	size_t bytes;
	size_t heap;
	unsigned depth;
	bool in_string;
	bool escaped;
	char quote; /* ' or ", QEMU accepts both */
	bool in_word;
	bool started;
};

/* Starts anew, before the first byte of a value. */
void prescan_reset(struct prescan *scan);
/*
 * Goes on with `len` fresh bytes.  A value is an object or array whose
 * braces balance, or a bare word/string up to the next newline.  On
 * PRESCAN_DONE *used is the number of these bytes that belong to the value;
 * otherwise *used = len.  Blanks before a value are skipped.
 */
enum prescan_result prescan_feed(struct prescan *scan, const char *bytes,
	size_t len, const struct prescan_limits *limits, size_t *used);

#endif
