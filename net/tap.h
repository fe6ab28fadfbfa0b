/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tap devices: QEMU gets the descriptors, and the device goes when the last
 * of them is closed.  Close yours once QEMU has them.
 */
#ifndef NET_TAP_H
#define NET_TAP_H

#include <stdbool.h>
#include <sys/types.h>

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

/*
 * The size of the header in front of each packet, of a queue's device, as the
 * last who set it said; -1 with errno.
 */
int tap_header(int fd);
int tap_set_header(int fd, int size);
/*
 * The queues of a device that another process has, by its pid and pidfd:
 * descriptors of the same ones, so that both may read.  How many there are,
 * at most max; -1 with err.
 */
MUST_CHECK int tap_share(pid_t pid, int pidfd, const char *name, int fds[],
	unsigned max, struct err *err);

#endif
