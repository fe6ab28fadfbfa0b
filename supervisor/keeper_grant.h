/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the keeper may open for the unprivileged half, and which programs it
 * may start: what the admin named.  Nothing is parsed: a path, or the words
 * of a hook, must stand as the value of a line in a file of the configuration
 * that belongs to root and that nobody else can write.  What the
 * unprivileged half wrote itself belongs to it, and grants nothing.
 */
#ifndef SUPERVISOR_KEEPER_GRANT_H
#define SUPERVISOR_KEEPER_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/paths.h"

/* "/a/b": absolute, no "." and "..", no "//", no control bytes. */
bool keeper_path_is_plain(const char *path);
/* True for what is in a directory, however deep; "/" has nothing. */
bool keeper_path_is_below(const char *path, const char *dir);
/*
 * True if `path` may be opened with these flags: a file of the configuration
 * to read, a device that QEMU uses, a path that a value names to read, one
 * that `image =` names to write, too, and what is in a directory that `path
 * =` of a pool's file names.  What belongs to the unprivileged half is never
 * asked for.
 */
bool keeper_may_open(const struct paths *paths, const char *path, int flags);
/* True for what is in our own pool: it is, or becomes, the brain's. */
bool keeper_is_own_image(const struct paths *paths, const char *path);
/*
 * The program of a hook, new, if a value has just these words and nobody but
 * root can put another one in its place; else NULL.
 */
char *keeper_may_run(const struct paths *paths, const char *const *argv);
/*
 * True if nobody but root can change that program or put another one in its
 * place; links to it count as what they lead to.
 */
bool keeper_is_roots_program(const char *path);
/* True if a value names this network device: as a bridge, or an uplink. */
bool keeper_may_use_device(const struct paths *paths, const char *name);
/* "web.ini", "web.ini.d", "web.ini.d/50-vmward.ini.tmp" below vms. */
bool keeper_name_is_vm_file(const char *name);
/* Both are in one directory: vms itself, or the parts of one file. */
bool keeper_names_are_beside(const char *name, const char *other);
/*
 * The device of that name is ours by its looks: a tap's.  True for "vw" and
 * ten hex digits.
 */
bool keeper_name_is_tap(const char *name);

#endif
