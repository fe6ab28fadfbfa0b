/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manifest (.mf) of an OVA: lines as "SHA256(disk.vmdk)= HEX".  What they
 * say is noted at the files of the archive; who reads those compares.
 */
#ifndef STORAGE_OVA_MANIFEST_H
#define STORAGE_OVA_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define OVA_NAME_SIZE   101 /* with its end */
#define OVA_DIGEST_SIZE 129 /* of the longest, SHA512, with its end */

/* A plain file of an archive. */
struct ova_member {
	char name[OVA_NAME_SIZE];
	uint64_t offset;
	uint64_t bytes;
	const char *program; /* that prints its digest; NULL: none is said */
	char digest[OVA_DIGEST_SIZE]; /* in lower case */
};

/*
 * Notes at the members what a manifest says (text ends with a NUL, and is
 * changed).  path is for messages: fails with ERR_CONFIG for a line that is
 * no digest, is of a file that is not there, or is the second one of a file.
 */
MUST_CHECK int ova_manifest_note(char *text, const char *path,
	struct ova_member *members, size_t n, struct err *err);
/* "'PATH' is refused: its .mf WHY 'NAME'", the name as it can be shown. */
int ova_manifest_refuse(
	const char *path, const char *name, const char *why, struct err *err);

#endif
