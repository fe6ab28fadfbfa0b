/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another disc in a drive of a running VM, or none.  The new one is opened
 * before the old one is touched; the guest may hold the tray shut.
 */
#ifndef SUPERVISOR_OP_CDROM_H
#define SUPERVISOR_OP_CDROM_H

#include "supervisor/op.h"

struct cdrom_wish {
	const char *drive;
	struct spec_disk *disc; /* taken over; NULL: the drive gets empty */
	const char *image;      /* as its file says it; NULL: not at all */
	bool force;             /* whatever the guest says */
	int64_t timeout_ms;     /* for the guest to open the tray; 0: 5 s */
};

/*
 * Fails with ERR_GUEST when the guest keeps the tray shut: then nothing was
 * changed.  When QEMU refuses the new disc the drive is empty.
 */
struct job *op_cdrom_begin(struct vm *vm, const struct cdrom_wish *wish,
	op_end_fn *on_end, void *arg);

#endif
