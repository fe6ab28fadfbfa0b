/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files may be run as hooks. */
#ifndef SUPERVISOR_HOOK_FILE_H
#define SUPERVISOR_HOOK_FILE_H

#include "base/err.h"

/*
 * 0 for a program that nobody but root and ourselves can change: else
 * whoever can write it would have our rights.  ERR_CONFIG or ERR_OS.
 */
MUST_CHECK int hook_file_check(const char *path, struct err *err);

#endif
