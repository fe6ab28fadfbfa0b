/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chains of all disks of a VM: what QEMU gets of them, and as text.  The
 * text, one image a line ("root 0 qcow2 /images/web-root.qcow2", the top with
 * 0), is what is recorded (supervisor/chain_record) and shown.
 */
#ifndef SUPERVISOR_CHAINS_H
#define SUPERVISOR_CHAINS_H

#include <jansson.h>

#include "base/err.h"
#include "base/list.h"
#include "base/spawn.h"
#include "base/str.h"
#include "storage/chain.h"

#define CHAINS_FDS_MAX 160 /* descriptors of all images of a VM */

struct disk_chain {
	struct list link; /* chains.list */
	char *disk;
	struct chain chain;
};

struct chains {
	struct list list; /* disk_chain.link, in the order of the disks */
};

/* No disk yet. */
void chains_init(struct chains *chains);
/* Closes and frees all of it. */
void chains_fini(struct chains *chains);
/* An empty chain of one more disk. */
struct chain *chains_add(struct chains *chains, const char *disk);
/* The chain of a disk, or NULL. */
const struct chain *chains_find(const struct chains *chains, const char *disk);

/*
 * Numbers fd sets from 1 on and QEMU's descriptors from `first` on; fails
 * when a VM would need too many.
 */
MUST_CHECK int chains_number(struct chains *chains, int first, struct err *err);
/* What QEMU gets, after chains_number(); how many.  At most CHAINS_FDS_MAX. */
size_t chains_fds(const struct chains *chains, struct spawn_fd *out);
/* QEMU's words with paths in place of "/dev/fdset/N"; new. */
char *chains_name_sets(const struct chains *chains, const char *words);
/* Closes our descriptors. */
void chains_close(struct chains *chains);

/* Appends the lines of one chain. */
void chains_add_text(
	struct str *text, const char *disk, const struct chain *chain);
/* The chain of a disk with this image on top, without descriptors. */
bool chains_parse(
	const char *text, const char *disk, const char *top, struct chain *out);
/* [{path, format}], top first, of a disk; new, empty if it is not known. */
json_t *chains_json(const char *text, const char *disk, const char *top);
/* One line of the text; what is in it is not terminated. */
struct chains_line {
	const char *disk, *format, *path;
	size_t disk_len, format_len, path_len;
	bool top;
};

/* Reads the next line that can be understood; false at the end. */
bool chains_next(const char **at, struct chains_line *line);

#endif
