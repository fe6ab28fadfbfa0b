/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flight recorder of one VM: what was said on its monitor, with secrets
 * masked, its transitions and the lines of its log, QEMU's stderr among
 * them.  Lines in RUN/NAME/priv/recorder, 32 KiB and one older file, so that
 * a successor of ours can read what led to an end.
 *
 * It costs one write a turn of the loop in which something happened, no
 * descriptor and no memory in between.  Where there is no directory so far
 * it keeps nothing.  What repeats itself (polls, storms) is counted.
 */
#ifndef SUPERVISOR_RECORDER_H
#define SUPERVISOR_RECORDER_H

#include <jansson.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/str.h"

#define RECORDER_KEYS 8

struct recorder {
	const char *path;
	struct loop_kick kick;
	struct str pending; /* lines of this turn */
	/* How often a command or event of a name came in its minute. */
	struct recorder_key {
		uint32_t name;
		int32_t minute;
		uint32_t n;
	} keys[RECORDER_KEYS];
	int64_t second;
	unsigned lines;   /* in that second */
	uint64_t skipped; /* ids (their low six bits) left out */
};

/* Path is taken over; makes nothing. */
void recorder_init(struct recorder *r, char *path);
/* What is pending is written first. */
void recorder_fini(struct recorder *r);
/* One line of the kind ("state", "log"), time in front. */
void recorder_line(struct recorder *r, const char *kind, const char *text);
/* A command on its way to QEMU: one JSON object as text. */
void recorder_sent(struct recorder *r, const char *text);
/* What QEMU said; NULL: something that is no JSON. */
void recorder_received(struct recorder *r, json_t *message);
/* Writes what is pending now. */
void recorder_flush(struct recorder *r);
/* The last `max` bytes that were recorded, whole lines; new. */
char *recorder_tail(struct recorder *r, size_t max);

#endif
