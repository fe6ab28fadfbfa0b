/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Room for what a guest can be given while it runs: memory between memory
 * and memory-max is a virtio-mem device, there from the start.
 */
#ifndef SUPERVISOR_ROOM_H
#define SUPERVISOR_ROOM_H

#include <stdint.h>

#include "supervisor/device.h"

#define ROOM_PATH  "/machine/peripheral/vmem0"
#define ROOM_BLOCK (UINT64_C(2) << 20) /* it grows by these */
#define ROOM_CPU   "cpu-" /* begins the id of a vCPU that was plugged in */

/* Bytes that its memory can grow by; 0: there is no such device. */
uint64_t room_memory(const struct vm_spec *spec);
/* The memory of the device, and the device; new. */
json_t *room_backend(const struct vm_spec *spec);
json_t *room_device(const struct vm_spec *spec);

#endif
