/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From files to specs: which files make a VM (templates, drop-ins,
 * instances), the checks across keys and across VMs, and our one drop-in
 * vms/NAME.ini.d/50-vmward.ini.  Reads and writes files, touches no VM.
 */
#ifndef SUPERVISOR_CONFIG_H
#define SUPERVISOR_CONFIG_H

#include <stdbool.h>

#include "base/keys.h"
#include "base/paths.h"
#include "supervisor/patch.h"
#include "supervisor/spec.h"

/*
 * Loads a VM by name.  NULL when its files have an error (findings has all of
 * them) or when there is no such file (findings empty of errors and
 * *missing true).  file is NULL, or the path that `run FILE`, `check FILE`
 * and `plan FILE` name: then no template but an explicit one is read.
 */
struct vm_spec *config_load(const struct paths *paths, const char *name,
	const char *file, struct findings *f, bool *missing);
/* The same, as if one of its files (not the main one) were patch. */
struct vm_spec *config_load_patched(const struct paths *paths, const char *name,
	const char *file, const struct config_patch *patch, struct findings *f,
	bool *missing);
/*
 * From a merged copy that config_show() wrote: the last good config of a
 * running VM.  No other file is read.  NULL with findings.
 */
struct vm_spec *config_load_text(const struct paths *paths, const char *name,
	const char *text, size_t len, const char *shown, struct findings *f);
/*
 * `check`: everything that is wrong, on this host too, even where the files
 * have errors.
 */
void config_check(const struct paths *paths, const char *name, const char *file,
	struct findings *f, bool *missing);

/*
 * Names of all VMs that the files define (instances = expanded, web@ itself
 * not), sorted, NULL-terminated, new.  Broken files are in the list.
 */
char **config_names(const struct paths *paths);
void config_names_free(char **names);

/*
 * Checks that take more than one VM: host names that become equal, taken
 * forward ports among the specs, one image written by two.
 */
void config_check_all(
	struct vm_spec *const *specs, size_t n, struct findings *f);
/* Checks against the host: ports in use, files that exist, formats. */
void config_check_host(const struct vm_spec *spec, const struct paths *paths,
	struct findings *f);

/* Ends the name of a new VM's file until it is in place. */
#define CONFIG_NEW_MARK ".vmward-new"

struct config_edit {
	const char *section;
	const char *key;   /* NULL: of a new file, the header alone */
	const char *value; /* NULL: unset */
};

/* The file of ours that edits go to. */
struct config_file {
	const struct paths *paths;
	const char *name; /* of the VM */
	bool runtime;     /* only until it stops; else the drop-in */
};

/* An edit of such a file on its way; its steps need an fsync in between. */
struct config_change {
	char *path;
	char *temporary; /* the new text, until it is in place; or NULL */
	int fd;          /* of it: to sync before the commit; or -1 */
	int dir_fd;      /* to sync after the commit */
	int above_fd;    /* likewise: the directory may be new */
	bool removes;    /* nothing is left to say: the file goes */
	bool creates;    /* the file must not be there yet */
};

/*
 * Writes SECTION.KEY=VALUE pairs into (or with value NULL removes them from)
 * a copy of the file, keeping what else is there.  The whole merged
 * result is checked first: bad input changes nothing.  The change must be
 * finished by config_change_fini() in every case.
 */
MUST_CHECK int config_change_prepare(const struct config_file *file,
	const struct config_edit *edits, size_t n, struct config_change *out,
	struct err *err);
/* The text beside c->path, not in place yet; NULL: the file goes. */
MUST_CHECK int config_change_stage(
	struct config_change *c, const struct str *text, struct err *err);
/*
 * The text of a new vms/NAME.ini that says the edits, new: checked like a
 * file, but for what only this host can tell.  Fails with ERR_EXISTS when
 * there is such a VM, ERR_USAGE or ERR_CONFIG.
 */
char *config_new_text(const struct paths *paths, const char *name,
	const struct config_edit *edits, size_t n, struct err *err);
/* Writes it beside vms/NAME.ini, for config_change_commit(). */
MUST_CHECK int config_new_prepare(const struct paths *paths, const char *name,
	const char *text, struct config_change *out, struct err *err);
/* Removes what a create left whose supervisor died. */
void config_new_sweep(const struct paths *paths);
/* Only says whether that would be good; nothing is written. */
MUST_CHECK int config_change_check(const struct config_file *file,
	const struct config_edit *edits, size_t n, struct err *err);
/* Its path; new. */
char *config_file_path(const struct config_file *file);
/* Puts it in place, once its fd was synced. */
MUST_CHECK int config_change_commit(struct config_change *c, struct err *err);
/* Drops what was not committed, closes all. */
void config_change_fini(struct config_change *c);
/* Removes what an edit left whose supervisor died. */
void config_sweep(const struct paths *paths, const char *name);

/*
 * Text of `show`: merged INI that loads again to the same spec; origin adds
 * "; file:line" to each key; section NULL: all.
 */
void config_show(const struct vm_spec *spec, bool origin, const char *section,
	struct str *out);
/* The same without what holds only until the VM stops. */
void config_show_lasting(const struct vm_spec *spec, struct str *out);
/* True if anything of it holds only until the VM stops. */
bool config_has_runtime(const struct vm_spec *spec);
/* The commented samples of a VM's file and of vmward.ini. */
void config_add_defaults(struct str *out);
/* True if a file defines the VM, or any instance of its prefix. */
bool config_is_defined(const struct paths *paths, const char *name);
/* True if name is a VM's name (REFERENCE 1.1), instance part included. */
bool config_name_is_valid(const char *name);

#endif
