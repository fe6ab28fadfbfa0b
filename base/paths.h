/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things are: system-wide, --user, or `run FILE`; --root DIR in front
 * of all of it.  Shared by both programs.
 */
#ifndef BASE_PATHS_H
#define BASE_PATHS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"

enum paths_scope { PATHS_SYSTEM, PATHS_USER, PATHS_FILE };

struct paths {
	enum paths_scope scope;
	char *root;    /* "" or DIR */
	char *config;  /* .../etc/vmward */
	char *run;     /* .../run/vmward */
	char *state;   /* .../var/lib/vmward */
	char *images;  /* .../var/lib/vmward/images */
	char *log;     /* .../var/log/vmward */
	char *control; /* run/control.sock */
	char *file;    /* of `run FILE`, absolute; NULL in other scopes */
	char *home;    /* for ~/ in paths; NULL in system scope */
	char *shared;  /* our directory in /tmp, whose owner is checked, or
			  NULL: the run directory is nobody else's anyway */
};

/*
 * System or user paths below root (NULL or "": none).  User scope follows
 * XDG_*; without XDG_RUNTIME_DIR it is /tmp/vmward-UID, whose owner and mode
 * are checked by paths_make().  Creates nothing.
 */
MUST_CHECK int paths_init(struct paths *p, enum paths_scope scope,
	const char *root, struct err *err);
/*
 * Paths of `run FILE` (REFERENCE 2.6): durable things in NAME.vmward/ beside
 * the file or in state_dir, sockets in the run directory under
 * run/NAME-HASH8/.  name is the VM's.
 */
MUST_CHECK int paths_init_file(struct paths *p, const char *file,
	const char *name, const char *state_dir, const char *root,
	struct err *err);
void paths_fini(struct paths *p);
/* Creates the directories with their modes; refuses a foreign /tmp one. */
MUST_CHECK int paths_make(const struct paths *p, struct err *err);
/*
 * The VM's name of a file: base name without .ini; new, NULL if not valid.
 * A file of instances keeps its '@' ("web@").
 */
char *paths_vm_name(const char *file);
/*
 * True for [a-z0-9][a-z0-9._-]{0,31} that does not end in .ini, for both
 * sides of an '@'.
 */
bool paths_name_is_valid(const char *name);

#endif
