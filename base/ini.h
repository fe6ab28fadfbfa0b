/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading INI files.  Three passes over the same bytes: our strict scan
 * (comments blanked, duplicates, bad sections, glued comments, continuation
 * lines, encoding), iniparser from a memfd, and a cross-check that both saw
 * the same entries.  The only module that knows iniparser.
 */
#ifndef BASE_INI_H
#define BASE_INI_H

#include "base/entry.h"
#include "base/finding.h"

/*
 * The value as a file must write it: quoted if it has to be.  Fails with
 * ERR_CONFIG for a value that no file can hold.
 */
MUST_CHECK int ini_add_quoted(
	struct str *out, const char *value, struct err *err);
/*
 * Reads one file (at most 256 KiB) and appends its entries.  dirfd may be
 * AT_FDCWD; shown is the name used in findings.  -1 if it had any error
 * (findings has them all); then nothing was appended.
 */
MUST_CHECK int ini_read(struct ini *ini, int dirfd, const char *path,
	const char *shown, struct findings *f);
/* The same for bytes in memory. */
MUST_CHECK int ini_read_bytes(struct ini *ini, const char *bytes, size_t len,
	const char *shown, const char *dir, struct findings *f);

#endif
