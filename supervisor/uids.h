/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The uids that QEMUs run as: one each, out of a range that nobody else on
 * the host has.  Who has which is in the VMs' records; this picks a new one.
 */
#ifndef SUPERVISOR_UIDS_H
#define SUPERVISOR_UIDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct settings_uids;

/* A file that gives uids or gids away: /etc/passwd, /etc/subuid. */
struct uids_file {
	const char *path;
	bool ranges; /* "name:FIRST:COUNT", else "name:x:NUMBER" */
};

/*
 * ERR_CONFIG if one of the files (NULL at their end; NULL: those of the host)
 * gives away a number of the range.
 */
MUST_CHECK int uids_check(const struct settings_uids *range,
	const struct uids_file *files, struct err *err);
/*
 * A free one; the same for the same key as long as it is free, so that two
 * supervisors of one host seldom pick the same.  0: all are taken.
 */
uint32_t uids_pick(const struct settings_uids *range, const char *key,
	bool (*taken)(void *arg, uint32_t uid), void *arg);

#endif
