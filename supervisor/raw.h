/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [raw]: options and QMP lines by number, for what has no key. */
#ifndef SUPERVISOR_RAW_H
#define SUPERVISOR_RAW_H

#include "base/err.h"

/* For the key table: arg-N and qmp-N of a struct vm_spec; "" removes. */
MUST_CHECK int raw_set(
	void *spec, const char *key, const char *text, struct err *err);

#endif
