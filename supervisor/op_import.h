/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images from outside, as a job: looked at by their headers, then by a
 * qemu-img in a cage, then copied by another one into a pool.
 */
#ifndef SUPERVISOR_OP_IMPORT_H
#define SUPERVISOR_OP_IMPORT_H

#include "supervisor/op_image.h"

/*
 * op->from is the file, op->volume what it becomes; op->copy is set.  With
 * op->snapshots its internal snapshots are left out, else they are refused.
 */
void op_image_import(struct op_image *op, op_image_end *on_end, void *arg);

#endif
