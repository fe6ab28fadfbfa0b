/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [display]: the screen of a VM, and the VNC socket that shows it. */
#ifndef SUPERVISOR_DISPLAY_H
#define SUPERVISOR_DISPLAY_H

#include <jansson.h>

#include "supervisor/device.h"
#include "supervisor/remark.h"
#include "supervisor/spec.h"

/* The video device, new; NULL: the VM has none. */
json_t *display_device(const struct vm_spec *spec, enum machine_kind kind);
/* Whether it is to be shown by VNC. */
bool display_has_vnc(const struct vm_spec *spec);
/* Says what is wrong with it. */
void display_check(const struct vm_spec *spec, const struct remarks *to);

#endif
