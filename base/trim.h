/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that a burst of work took (fifty VMs adopted, a long list) and freed
 * goes back to the kernel, a second after it: pages of the slab, and of the
 * heap, where the C library does not do that by itself.
 */
#ifndef BASE_TRIM_H
#define BASE_TRIM_H

/* Something was done: one second from now the heap is trimmed, once. */
void trim_soon(void);
/* Forgets the wish; before the loop goes. */
void trim_stop(void);

#endif
