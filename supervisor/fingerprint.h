/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of a VM say, as one text: to see a change, and to tell of
 * it.
 */
#ifndef SUPERVISOR_FINGERPRINT_H
#define SUPERVISOR_FINGERPRINT_H

#include <stdbool.h>

#include "supervisor/vm.h"

/* New. */
char *fingerprint_of(const struct vm *vm);
/* Tells of it, once, if the files say something else than before. */
bool fingerprint_tell(struct vm *vm, const char *before);

#endif
