/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files make a VM, merged in their order: templates, the main file,
 * drop-ins (REFERENCE 1.2).
 */
#ifndef SUPERVISOR_LAYERS_H
#define SUPERVISOR_LAYERS_H

#include "base/keys.h"
#include "base/paths.h"
#include "supervisor/patch.h"

struct layers_want {
	const struct paths *paths;
	const char *name;   /* web@7 */
	const char *prefix; /* web */
	const char *file;   /* of run, check, plan FILE; or NULL */
	const struct config_patch *patch; /* or NULL */
};

struct layers {
	struct ini ini; /* merged; of bad files what is good */
	char **files;   /* that were read, in order, NULL-terminated */
	size_t nfiles;
	char *shown; /* the main file */
};

/*
 * Reads and merges; mistakes go to f.  False: there is no such file.  To be
 * released by layers_fini() in any case.
 */
bool layers_read(
	const struct layers_want *want, struct layers *out, struct findings *f);
void layers_fini(struct layers *layers);
/*
 * The files of something that is no VM: KIND/NAME.ini ("pools") and its
 * drop-ins, without templates.  To be released by layers_fini().
 */
void layers_read_other(const struct paths *paths, const char *kind,
	const char *name, struct layers *out, struct findings *f);
/* The same for a file that a person named. */
void layers_read_file(const struct paths *paths, const char *file,
	struct layers *out, struct findings *f);
/* The instances that PREFIX@.ini and its drop-ins name; NULL if none. */
char **layers_instances(const struct paths *paths, const char *prefix);
/* Our drop-in's path for a VM, new. */
char *layers_dropin_path(const struct paths *paths, const char *name);
/*
 * Our second one, above all others: what holds only until the VM stops.  It
 * goes with the other files of that life.  New.
 */
char *layers_runtime_path(const struct paths *paths, const char *name);
/* True of such a path, or of what findings call it. */
bool layers_is_runtime(const char *path);
/*
 * Names in a directory that end in .ini and do not start with a dot, in
 * byte order, NULL-terminated, new; empty if there is no directory.
 */
char **layers_list_dir(const char *dir);
void layers_list_free(char **list);

#endif
