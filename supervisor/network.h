/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks as they are written: networks/NAME.ini, read with the scanner,
 * the layers and the engine of VMs; a file with a mistake leaves what was in
 * force before.  The network `default` needs no file.  Nothing here touches
 * the kernel: supervisor/nets brings them up.
 */
#ifndef SUPERVISOR_NETWORK_H
#define SUPERVISOR_NETWORK_H

#include <stdbool.h>

#include "base/paths.h"
#include "supervisor/network_spec.h"

/* All networks of a supervisor, by name; read at the first call. */
struct list *networks_of(const struct paths *paths);
/* Reads the files anew; true if something changed. */
bool networks_follow(const struct paths *paths);
/* Forgets them all. */
void networks_drop(void);
/* All that is wrong with the files; `host`: on this host too. */
void networks_check(const struct paths *paths, bool host, struct findings *f);
/* One file that a person names; NULL with findings. */
struct network *network_read_file(
	const struct paths *paths, const char *file, struct findings *f);
/* True for a FILE that is a network's and not a VM's: networks/NAME.ini. */
bool network_is_file(const char *path);

/*
 * By name ("" is default).  Fails with ERR_NOT_FOUND and the nearest name,
 * or ERR_CONFIG when its file was never good.
 */
const struct network *network_find(
	const struct paths *paths, const char *name, struct err *err);
#endif
