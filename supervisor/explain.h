/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a VM is as it is, in sentences: state, last end, policy, next try. */
#ifndef SUPERVISOR_EXPLAIN_H
#define SUPERVISOR_EXPLAIN_H

#include "base/str.h"
#include "supervisor/vm.h"

/* Appends the sentences, one a line; from memory, asks nobody. */
void explain_vm(const struct vm *vm, struct str *out);
/* What a cause means, as half a sentence; static text. */
const char *explain_cause(enum cause cause);

#endif
