/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hang detector ([restart] hang-after): a monitor that does not answer
 * though asked, virtual CPUs that use no time though they should run.  It
 * tells; only where [restart] hang is restart or stop it ends the VM, by the
 * cause hang.  A VM without the key is never looked at.
 */
#ifndef SUPERVISOR_HANG_H
#define SUPERVISOR_HANG_H

#include "base/handover.h"
#include "supervisor/vm.h"

/* Begins or ends to look, as the files say now; after start and reload. */
void hang_follow(struct vm *vm);
/*
 * The question on its way is forgotten: one that hangs does not keep this
 * process from becoming another.
 */
void hang_hush(struct vm *vm);
/* What was seen so far, for the next image of this process; new. */
json_t *hang_save(struct handover *h, const struct vm *vm);
/* Goes on with it, once somebody follows; vm NULL: only checks. */
MUST_CHECK int hang_restore(const json_t *from, struct vm *vm, struct err *err);
/* QEMU is gone; harmless when nobody looked. */
void hang_end(struct vm *vm);

#endif
