/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The addresses of a running guest, as the host knows them: what user mode
 * gives, what dnsmasq leased, whom the kernel's neighbour table has seen.
 */
#ifndef SUPERVISOR_ADDRESSES_H
#define SUPERVISOR_ADDRESSES_H

#include "supervisor/vm.h"

/*
 * [{address, source, age, nic}], new; source is user-mode, lease or
 * neighbour.  Without `look` the kernel is not asked: for lists.
 */
json_t *addresses_of(const struct vm *vm, bool look);
/* True if dnsmasq gave it an address since it was started. */
bool addresses_has_lease(const struct vm *vm);
/* [{network, address, mac, host, vm, nic, expires}] of one or all; new. */
json_t *addresses_leases(const struct paths *paths, const char *network);

#endif
