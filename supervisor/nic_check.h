/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checks of one nic that need no other device and no network. */
#ifndef SUPERVISOR_NIC_CHECK_H
#define SUPERVISOR_NIC_CHECK_H

#include "supervisor/remark.h"
#include "supervisor/spec.h"

/* Which keys its kind has; `section` is "net.NAME". */
void nic_check(const struct spec_nic *nic, const char *section,
	const struct remarks *to);

#endif
