/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [watchdog]: a device that the guest must pet, and what follows when it
 * does not.  QEMU only resets or pauses: what ends is ended by us, so that
 * it is known why.
 */
#ifndef SUPERVISOR_WATCHDOG_H
#define SUPERVISOR_WATCHDOG_H

#include <jansson.h>

#include "supervisor/remark.h"
#include "supervisor/spec.h"

/* True if the VM has a watchdog. */
bool watchdog_is_there(const struct vm_spec *spec);
/* QEMU's word for -action watchdog=. */
const char *watchdog_action(const struct vm_spec *spec);
/* The device, new; NULL for a model that the machine itself has. */
json_t *watchdog_device(const struct vm_spec *spec);
/* "ICH9-LPC.noreboot=off" for -global, or NULL. */
const char *watchdog_global(const struct vm_spec *spec);
/*
 * Checks the model against the machine; an action that leaves the VM down or
 * paused becomes the policy for that cause, unless [restart] says another.
 */
void watchdog_settle(struct vm_spec *spec, const struct remarks *to);

#endif
