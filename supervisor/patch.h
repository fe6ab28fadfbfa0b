/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file of a configuration as it would be after an edit. */
#ifndef SUPERVISOR_PATCH_H
#define SUPERVISOR_PATCH_H

#include <stddef.h>

/* bytes NULL: the file would not be there. */
struct config_patch {
	const char *path; /* absolute */
	const char *bytes;
	size_t len;
};

#endif
