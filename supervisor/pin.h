/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine type of a VM: what its file says ("q35") is the newest of its
 * kind, and a newer QEMU makes another machine of it.  So the one that its
 * first start got ("pc-q35-7.2") is what its record has from then on, until
 * the file asks for another kind, or somebody for the newest.
 */
#ifndef SUPERVISOR_PIN_H
#define SUPERVISOR_PIN_H

#include <jansson.h>

#include "supervisor/vm.h"

/* Before a start: what the record has, if the spec still means it. */
void pin_settle(struct record *record, const struct vm_spec *spec);
/* The arguments of qom-get, which tells it; new. */
json_t *pin_question(void);
/* Its answer: what the word of the file became; written, once. */
void pin_take(struct vm *vm, const json_t *answer);

#endif
