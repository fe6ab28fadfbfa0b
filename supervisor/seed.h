/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [seed]: what a cloud image is told at its first boot, as the three files
 * of cloud-init's NoCloud.  Here are its checks, its disk "seed" and its
 * texts; supervisor/op_seed makes the volume.  All values are written as
 * JSON in ASCII, which is YAML that no value can break out of.
 */
#ifndef SUPERVISOR_SEED_H
#define SUPERVISOR_SEED_H

#include "base/paths.h"
#include "base/str.h"
#include "supervisor/remark.h"
#include "supervisor/spec.h"

/* The name of its disk: QEMU's disk-seed. */
#define SEED_DISK "seed"
/* What ends the names of a volume that is being made, and of its files. */
#define SEED_NEW   ".new"
#define SEED_FILES ".files"

/* The files; to be finished by seed_fini() in any case. */
struct seed {
	struct str user_data;
	struct str meta_data;
	struct str network; /* empty: there is no network-config */
	char id[17];        /* of all of it, hex */
};

/*
 * Reads the files that [seed] names and fills in the rest.  The instance-id
 * is the VM's uuid and a hash of what cloud-init does once per instance, so
 * that a new hostname alone is no new instance.  Fails with ERR_CONFIG or
 * ERR_OS, naming key and file.
 */
MUST_CHECK int seed_render(
	const struct vm_spec *spec, struct seed *out, struct err *err);
void seed_fini(struct seed *seed);
/* The checks that need no file; a good one gets its disk. */
void seed_settle(struct vm_spec *spec, const struct paths *paths,
	const struct remarks *to);
/* The checks of the files that it names. */
void seed_check_files(const struct vm_spec *spec, const struct remarks *to);
/* Where the volume of a VM is; new. */
char *seed_path(const struct paths *paths, const char *vm);
/* True if there is one, of whatever. */
bool seed_is_there(const struct paths *paths, const char *vm);
/* True if the volume there was made of what has this id. */
bool seed_is_made(const char *path, const char *id);
/* What the volume says of itself to tell that; new. */
char *seed_mark(const char *id);
/* A deleted VM's volume goes. */
void seed_remove(const struct paths *paths, const char *vm);
/* Removes what a supervisor left that died while it made one. */
void seed_sweep(const struct paths *paths);

/* For the table: a host name; a user's name; what is a key, not a path. */
MUST_CHECK int seed_value_hostname(
	const char *text, void *field, struct err *err);
MUST_CHECK int seed_value_user(const char *text, void *field, struct err *err);
bool seed_is_key(const char *text);

#endif
