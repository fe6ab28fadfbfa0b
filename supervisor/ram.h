/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the guest's memory is from, as [limits] numa and hugepages say:
 * QEMU's backends, and whether this host has what they take.
 */
#ifndef SUPERVISOR_RAM_H
#define SUPERVISOR_RAM_H

#include <jansson.h>
#include <stdbool.h>

#include "supervisor/remark.h"
#include "supervisor/spec.h"

/* True if it needs a backend of its own. */
bool ram_is_chosen(const struct vm_spec *spec);
/* A backend of that id and size; new. */
json_t *ram_backend(const struct vm_spec *spec, const char *id, uint64_t size);
/* Huge pages that are not free, nodes that are not there. */
void ram_check(const struct vm_spec *spec, const struct remarks *to);

#endif
