/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who needs an image: VMs by their files and by what they run, overlays by
 * their headers.  All needs are collected once, each file looked at once;
 * then many images can be asked about.
 */
#ifndef SUPERVISOR_NEEDS_H
#define SUPERVISOR_NEEDS_H

#include <jansson.h>

#include "supervisor/registry.h"

/* Whose need counts. */
enum need_kind {
	NEED_RUNNING = 1, /* of VMs whose QEMU has it open, or may */
	NEED_ABOVE = 2,   /* of what is on top of it: it must not change */
	NEED_WRITTEN = 4, /* of VMs whose file names it as their disk */
	NEED_WRITES = 8,  /* of VMs whose QEMU writes to it, or may */
	NEED_WANTED = 16, /* of VMs that are to be up, whose file names it */
	NEED_DOUBT = 32,  /* of what cannot be read: it may be on top of it */
	NEED_ANY = NEED_RUNNING | NEED_ABOVE | NEED_WRITTEN | NEED_DOUBT
};

struct needs {
	struct need *at;
	size_t n, room;
	bool sorted;
	const char *but; /* what needs it only for this image does not count */
};

/* Those of all VMs; kinds: of enum need_kind.  Freed by needs_fini. */
void needs_collect(
	struct needs *needs, struct registry *registry, unsigned kinds);
/*
 * One more: text (taken over) needs what is at path (NULL: nothing), for an
 * image on top of it (or NULL).
 */
void needs_add_steal(
	struct needs *needs, const char *path, const char *above, char *text);
void needs_fini(struct needs *needs);
/* Who needs the image at path, in the order they were added: ["web (its
 * disk root)"].  New. */
json_t *needs_of(struct needs *needs, const char *path);

#endif
