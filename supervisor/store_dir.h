/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory that keeps records: made once, in the order that leaves no
 * directory behind whose name a power loss could take away.
 */
#ifndef SUPERVISOR_STORE_DIR_H
#define SUPERVISOR_STORE_DIR_H

#include "base/err.h"

/*
 * Makes the directory last, when all above it is on disk: where it is there,
 * only its own name may still be missing, and is synced.
 */
MUST_CHECK int store_dir_make(const char *dir, struct err *err);

#endif
