/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removal of directories that are ours alone. */
#ifndef SUPERVISOR_REMOVE_H
#define SUPERVISOR_REMOVE_H

#include "base/err.h"

/*
 * Removes a directory and all below it; follows no symbolic link.  A missing
 * one is fine.
 */
MUST_CHECK int remove_tree(const char *path, struct err *err);

#endif
