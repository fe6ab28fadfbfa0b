/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether what runs can be of another size: refused with the remedy before
 * QEMU is asked, which dies of some of it.
 */
#ifndef SUPERVISOR_SIZE_CHECK_H
#define SUPERVISOR_SIZE_CHECK_H

#include "supervisor/vm.h"

/* So many vCPUs. */
MUST_CHECK int size_check_cpus(
	const struct vm *vm, uint64_t cpus, struct err *err);
/* So much memory. */
MUST_CHECK int size_check_memory(
	const struct vm *vm, uint64_t bytes, struct err *err);

#endif
