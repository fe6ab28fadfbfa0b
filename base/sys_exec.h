/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the seam that replaces this process by another program: its
 * own path, descriptors that stay open over exec, bytes in a sealed memfd.
 * The simulator has a side of its own: tests/sim/replace.c.
 */
#ifndef BASE_SYS_EXEC_H
#define BASE_SYS_EXEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* The absolute path of the running program, new; NULL if it is not known. */
char *exec_own_path(void);
/* Whether fd stays open over exec; harmless on one that is closed. */
void exec_keep(int fd, bool keep);
/*
 * True if an inherited descriptor is a UNIX socket that listens at the path
 * (NULL: anywhere); it does not block from now on, and no child gets it.
 */
bool exec_take_listener(int fd, const char *path);
/* A sealed memfd of these bytes, or -1. */
int exec_memfd(const char *bytes, size_t len, struct err *err);
/* Signals that end or reload us wait from now on, or come again. */
void exec_hold_signals(bool hold);
/* Replaces the process; returns -1 with err, or not at all. */
MUST_CHECK int exec_over(const char *path, char *const *argv, struct err *err);
/* Closes every descriptor from `first` on. */
void exec_close_from(int first);

#endif
