/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks of one disk that need no file and no other device. */
#ifndef SUPERVISOR_DISK_CHECK_H
#define SUPERVISOR_DISK_CHECK_H

#include "supervisor/remark.h"
#include "supervisor/spec.h"

/* Says what is wrong with it, unless its section was blamed before. */
void disk_check(const struct spec_disk *disk, const struct remarks *to);

#endif
