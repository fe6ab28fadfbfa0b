/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The strict scan of one file: the inside of base/ini. */
#ifndef BASE_INI_SCAN_H
#define BASE_INI_SCAN_H

#include "base/entry.h"
#include "base/finding.h"

struct ini_source {
	const struct ini_file *file;
	const char *bytes;
	size_t len;
};

/*
 * Appends the entries of the file to ini and its mistakes to f.  copy has
 * room for all bytes and gets them, with blanks for comments and CRs.
 */
void ini_scan(const struct ini_source *source, struct ini *ini, char *copy,
	struct findings *f);

#endif
