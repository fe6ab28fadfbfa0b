/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's own file, vmward.ini: what holds for a supervisor and not for
 * one VM.  A key is a field here, a line in the table of settings.c, and a
 * use of settings_of(env)->SECTION.FIELD at the moment it is needed: a
 * reload puts new settings in place of the old ones.
 */
#ifndef SUPERVISOR_SETTINGS_H
#define SUPERVISOR_SETTINGS_H

#include <stdbool.h>

#include "base/keys.h"
#include "base/verbs.h"
#include "supervisor/env.h"

enum on_exit { ON_EXIT_LEAVE, ON_EXIT_SHUTDOWN };
enum confinement { CONFINE_FULL, CONFINE_BEST_EFFORT, CONFINE_OFF };

struct settings_vmward {
	uint64_t parallel_starts; /* 0: as many as there are processors */
	int64_t shutdown_timeout; /* ms, for all VMs together */
	int on_exit;              /* enum on_exit */
	int log_level;            /* enum log_level */
};

/* One word of [roles], looked up. */
struct settings_who {
	enum role role;
	bool group;
	uint32_t id;
};

struct settings_roles { /* users, numbers of users, @groups */
	char **admin;
	char **operator_;
	char **viewer;
	struct settings_who *who; /* all of them */
	size_t nwho;
};

struct settings_uids {
	uint32_t first;
	uint32_t last;
};

struct settings_confinement {
	int mode; /* enum confinement */
	struct settings_uids uids;
};

struct settings {
	struct settings_vmward vmward;
	struct settings_roles roles;
	struct settings_confinement confinement;
	struct ini ini; /* what the file says */
	char *error;    /* of a file that was refused since; or NULL */
};

extern const struct section settings_sections[];
extern const size_t settings_nsections;

/* The settings in force; the defaults where env has none.  Never NULL. */
const struct settings *settings_of(const struct env *env);
/*
 * Reads the file of env.paths (none: the defaults) and puts it in force.  A
 * bad file is logged and changes nothing.  True if something changed.
 */
bool settings_follow(struct env *env);
/* Forgets them. */
void settings_drop(struct env *env);
/*
 * One file, named by a person (shown) or the one of paths (path NULL): all
 * that is wrong in it.  New; NULL with findings.
 */
struct settings *settings_read(
	const struct paths *paths, const char *path, struct findings *f);
void settings_free(struct settings *settings); /* accepts NULL */
/* An enum confinement by its word; -1: none. */
int settings_confinement_of(const char *word);
/* True for a FILE that is the host's and not a VM's. */
bool settings_is_file(const char *path);
/* As text that reads again to the same; as config_show(). */
void settings_show(const struct settings *settings, bool origin,
	const char *section, struct str *out);

#endif
