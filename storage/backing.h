/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an image is on top of.  A header can name any file of the host, and
 * qemu-img would open it: so before it runs, every link of the chain is
 * looked at here, and one that leads elsewhere is refused.
 */
#ifndef STORAGE_BACKING_H
#define STORAGE_BACKING_H

#include <stdbool.h>

#include "base/err.h"
#include "storage/chain.h"

struct backing {
	char *path;         /* of the image below; NULL: none */
	bool is_file;       /* path is absolute; else "json:...", "nbd://..." */
	char format[8];     /* of it, as the header says; "" */
	bool has_data_file; /* its data is in another file */
	bool encrypted;
};

/*
 * What the header of an image says.  Fails with ERR_CONFIG for a header that
 * is unsound.  Released by backing_fini, in every case.
 */
MUST_CHECK int backing_read(const char *path, const char *format,
	struct backing *backing, struct err *err);
void backing_fini(struct backing *backing);

/*
 * The image, and (unless only_itself) all below it: files or block devices
 * with a plain format that their headers do not contradict, beside the image
 * or allowed; no circle, no data file, no extents or parents elsewhere.
 */
MUST_CHECK int backing_check(const char *path, const char *format,
	const struct chain_rules *rules, struct err *err);

#endif
