/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tap devices: QEMU gets the descriptors, and the device goes when the last
 * of them is closed.  Close yours once QEMU has them.
 */
#ifndef NET_TAP_H
#define NET_TAP_H

#include <stdbool.h>

#include "base/err.h"

#define TAP_QUEUES_MAX 16
#define TAP_NAME_SIZE  16

/* "vw" and ten hexadecimal digits of the VM's and the nic's name. */
void tap_name(const char *vm, const char *nic, char out[TAP_NAME_SIZE]);
/*
 * Makes a tap, or takes one of that name that nobody has open, with one
 * descriptor a queue, ready for QEMU's virtio header.  0, or -1 with err
 * and nothing left open.
 */
MUST_CHECK int tap_open(
	const char *name, unsigned queues, int fds[], struct err *err);
/* The same for a macvtap, by the device's index: /dev/tapN. */
MUST_CHECK int tap_open_macvtap(const char *name, unsigned index,
	unsigned queues, int fds[], struct err *err);
/*
 * Makes one again that somebody deleted while a process has it: its
 * descriptors, from `first` on, become queues of a new device.
 */
MUST_CHECK int tap_make_again(int pidfd, int first, unsigned queues,
	const char *name, struct err *err);
/* Closes n of them. */
void tap_close(int fds[], unsigned n);
/* True if this process may make one. */
bool tap_possible(struct err *err);

#endif
