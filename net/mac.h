/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MAC addresses: the same for the same VM and nic at every start; pure. */
#ifndef NET_MAC_H
#define NET_MAC_H

#define NET_MAC_SIZE 18 /* "52:54:00:ab:cd:ef" and its NUL */

/*
 * An address with QEMU's prefix, from what names the VM (its uuid) and the
 * nic.  Two nics get the same one about once in sixteen million.
 */
void mac_derive(const char *vm, const char *nic, char out[NET_MAC_SIZE]);

/* "52:54:00:12:34:56" -> its bytes; the text is one that was checked. */
void mac_bytes(const char *text, unsigned char out[6]);

#endif
