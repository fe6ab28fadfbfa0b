/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passt(1) for nics with user = passt: one process a nic, at the other end
 * of a pair of sockets, so that it goes when its QEMU goes, whether or not
 * there is a supervisor by then.
 */
#ifndef SUPERVISOR_PASST_H
#define SUPERVISOR_PASST_H

#include "supervisor/spec.h"
#include "supervisor/taps.h"
#include "supervisor/vm.h"

/*
 * Starts one; QEMU's end is added to the descriptors, as its number `to`.
 * Fails with ERR_UNSUPPORTED where passt is not installed.
 */
MUST_CHECK int passt_start(const char *vm, const struct spec_nic *nic,
	struct taps *taps, int to, struct err *err);
/*
 * QEMU's backend of that id has lost its line, which QEMU 7.2 does not make
 * again: the nic is shown as broken, with the remedy, and told as NIC_BROKEN.
 */
void passt_lost(const struct vm *vm, const char *backend);
/* What is told of such a nic; NULL: it is well. */
const char *passt_note(const struct spec_nic *nic);

#endif
