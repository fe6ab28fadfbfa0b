/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File descriptors: cleanup attributes and whole-file helpers. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

void fd_auto_close(int *fd); /* for AUTO_CLOSE only */
#define AUTO_CLOSE __attribute__((cleanup(fd_auto_close)))

/* Gives the fd away: yields it and sets the variable to -1. */
#define TAKE_FD(fd)               \
	(__extension__({          \
		int take_ = (fd); \
		(fd) = -1;        \
		take_;            \
	}))

/* Closes if open, sets to -1; keeps errno. */
void fd_close(int *fd);

/*
 * Reads a regular file of at most max bytes into out (emptied first).
 * Fails with ERR_OS, or ERR_LIMIT if the file is larger, or ERR_CONFIG if it
 * is not a regular file.  Never blocks on FIFOs and devices.
 */
MUST_CHECK int fd_read_file(int dirfd, const char *path, size_t max,
	struct str *out, struct err *err);
/* The same of one that was opened O_NONBLOCK; path: its name in errors. */
MUST_CHECK int fd_read_open(
	int fd, const char *path, size_t max, struct str *out, struct err *err);

/*
 * Replaces a small file: write to PATH.tmp (O_EXCL|O_NOFOLLOW), rename.
 * With sync, fsyncs file and directory (blocks: start-up and client only).
 */
MUST_CHECK int fd_write_file(int dirfd, const char *path, const char *data,
	size_t len, mode_t mode, bool sync, struct err *err);

/* Creates PATH and its missing parents (mode for all); existing is fine. */
MUST_CHECK int fd_make_dirs(const char *path, mode_t mode, struct err *err);

#endif
