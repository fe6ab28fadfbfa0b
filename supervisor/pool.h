/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pools: directories that volumes are in, pools/NAME.ini.  Read with the
 * scanner, the layers and the engine of VMs; a file with a mistake leaves
 * what was in force before.  The pool `default` needs no file.
 */
#ifndef SUPERVISOR_POOL_H
#define SUPERVISOR_POOL_H

#include <stdbool.h>

#include "base/keys.h"
#include "base/paths.h"
#include "supervisor/remark.h"
#include "supervisor/spec.h"

#define POOL_DEFAULT "default"

enum pool_prealloc {
	PREALLOC_OFF,
	PREALLOC_METADATA,
	PREALLOC_FALLOC,
	PREALLOC_FULL
};

struct pool_keys {
	const char *path; /* absolute; NULL: the directory of default */
	int format;       /* enum spec_format; FORMAT_NONE: by suffix */
	uint64_t quota;   /* bytes; 0: none */
	int prealloc;     /* enum pool_prealloc */
};

struct pool {
	struct list link; /* the table, by name */
	char *name;
	struct pool_keys pool;
	char *dir;   /* where it is; NULL: its file was never good */
	char *file;  /* pools/NAME.ini, as shown; NULL: it has none */
	char *error; /* of a file that was refused since; or NULL */
	struct ini ini;
};

extern const struct section pool_sections[];
extern const size_t pool_nsections;
extern const char *const pool_prealloc_names[];

/* All pools of a supervisor, by name; read at the first call. */
struct list *pools_of(const struct paths *paths);
/* Reads the files anew; true if something changed. */
bool pools_follow(const struct paths *paths);
/* Forgets them all. */
void pools_drop(void);
/* All that is wrong with the files; `host`: on this host too. */
void pools_check(const struct paths *paths, bool host, struct findings *f);
/* One file that a person names (pools/NAME.ini); NULL with findings. */
struct pool *pool_read_file(
	const struct paths *paths, const char *file, struct findings *f);
void pool_free(struct pool *pool); /* accepts NULL */
/* True for a FILE that is a pool's and not a VM's: pools/NAME.ini. */
bool pool_is_file(const char *path);
/* As text that reads again to the same; as config_show(). */
void pool_show(const struct pool *pool, bool origin, const char *section,
	struct str *out);

/*
 * By name ("" is default).  Fails with ERR_NOT_FOUND and the nearest name,
 * or ERR_CONFIG when its file was never good.
 */
const struct pool *pool_find(
	const struct paths *paths, const char *name, struct err *err);
/* The pool whose directory holds the file itself; NULL: none. */
const struct pool *pool_of_file(const struct paths *paths, const char *path);
/*
 * Gives a disk the directory of its pool, and the pool's format where the
 * name does not tell one.
 */
void pool_apply(struct spec_disk *disk, const struct paths *paths,
	const struct remarks *to);
/*
 * The volume's name does not lead out of the pool, by a link say.  Fails
 * with ERR_DENIED.  What is not there is no failure.
 */
MUST_CHECK int pool_admits(
	const struct pool *pool, const char *volume, struct err *err);
/* qemu-img's preallocation= for a new image of that format, or NULL. */
const char *pool_preallocation(const struct pool *pool, const char *format);

#endif
