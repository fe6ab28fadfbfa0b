/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A medium for one life of a VM (`start --cdrom`, `install`): the disc boots
 * first and the VM has a display; the guest's first reboot ends both, because
 * it is a cold one and what follows is what the files say.
 */
#ifndef SUPERVISOR_INSTALL_H
#define SUPERVISOR_INSTALL_H

#include <sys/stat.h>

#include "supervisor/vm.h"

/*
 * Whether a VM with this spec (NULL: a new one) can have that disc, of which
 * st is what its descriptor says; path is where its caller found it.
 */
MUST_CHECK int install_check(const struct vm_spec *spec, const char *path,
	const struct stat *st, struct err *err);
/* The next life has the disc: fd is taken over. */
void install_keep(struct vm *vm, const char *path, int fd);
/* Puts it into a spec that is going to run, and says so in its entries. */
MUST_CHECK int install_apply(struct vm_spec *spec, const char *path,
	const struct paths *paths, struct err *err);
/* The disc that the entries of a saved spec tell of; or NULL. */
const char *install_of(const struct vm_spec *spec);
/* Whether QEMU is to serve a display. */
bool install_display(const struct vm *vm);
/* The VM ended: is the disc for the next life too? */
void install_ended(struct vm *vm);

#endif
