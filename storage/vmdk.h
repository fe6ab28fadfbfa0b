/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a vmdk image leads to: QEMU would open it without a question. */
#ifndef STORAGE_VMDK_H
#define STORAGE_VMDK_H

#include "base/err.h"

/*
 * The image is one file, with its extent in it and nothing below.  Fails with
 * ERR_UNSUPPORTED, ERR_CONFIG for a header that is cut off, or ERR_OS.
 */
MUST_CHECK int vmdk_check(int fd, const char *path, struct err *err);

#endif
