/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a VM that was saved: STATE/saved/NAME/ has "memory", QEMU's
 * own stream, and "saved.json", which makes it count: what ran, and what its
 * disks were like.
 *
 * While there is a saved.json no guest has run since: it is written before
 * the QEMU that was saved is ended, and is "used.json" before a guest goes on
 * from it.  So it is used once, and a restore that fails has lost nothing.
 */
#ifndef SUPERVISOR_SAVED_H
#define SUPERVISOR_SAVED_H

#include <jansson.h>

#include "supervisor/vm.h"

/* saved.json is there. */
bool saved_is_there(const struct vm *vm);
/* used.json is: a restore was cut short, or its guest was just let go. */
bool saved_was_used(const struct vm *vm);
/* The path of a file in the VM's directory; new. */
char *saved_path(const struct vm *vm, const char *leaf);
#define SAVED_MEMORY "memory"
#define SAVED_STATE  "saved.json"

/*
 * An empty file for the memory, if there is room for it: its descriptor, or
 * -1.  What was saved before goes.
 */
MUST_CHECK int saved_create(const struct vm *vm, struct err *err);
/* What runs, and what its disks are like now, is written: it counts. */
MUST_CHECK int saved_commit(const struct vm *vm, bool running, struct err *err);
/* Reads saved.json; NULL with err. */
json_t *saved_read(const struct vm *vm, struct err *err);
/* Fails where a disk is not as it was: ERR_STATE that names it. */
MUST_CHECK int saved_check_disks(
	const struct vm *vm, const json_t *saved, struct err *err);
/* What ran, as it was written then; NULL with err. */
struct vm_spec *saved_spec(
	const struct vm *vm, const json_t *saved, struct err *err);
/* saved.json becomes used.json, or the other way round. */
MUST_CHECK int saved_use(const struct vm *vm, struct err *err);
void saved_put_back(const struct vm *vm);
/* All of it goes. */
void saved_forget(const struct vm *vm);
void saved_remove(const struct env *env, const char *name);

/* The directory has room for the memory of a running VM; else ERR_LIMIT. */
MUST_CHECK int saved_check_space(
	const struct vm *vm, const char *dir, struct err *err);
/* The start that saved it; so one of a later generation restores. */
uint64_t saved_generation(const struct vm *vm);

#endif
