/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long VMs took to be ready, and who had to wait for whom. */
#ifndef SUPERVISOR_ANALYZE_H
#define SUPERVISOR_ANALYZE_H

#include "supervisor/registry.h"

/*
 * {"vms":[..],"chain":[..],"text":".."}: times in seconds since the first of
 * them was asked for; the chain ends at vm, or (NULL) at who was ready last.
 */
json_t *analyze_report(struct registry *registry, const struct vm *vm);

#endif
