/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all VMs of one supervisor share: plain data, made by main. */
#ifndef SUPERVISOR_ENV_H
#define SUPERVISOR_ENV_H

#include <stdbool.h>

#include "base/paths.h"

struct store;
struct settings;
struct image;
struct list;
struct cgroups;

struct env {
	struct paths paths;
	struct store *store;
	char *lock_key; /* in the names of locks; nobody else can guess it */
	struct settings *settings; /* of vmward.ini; read by settings_of() */
	char *qemu;       /* path of qemu-system-x86_64, or NULL: not found */
	char *qemu_img;   /* path of qemu-img, or NULL */
	const char *file; /* of `run FILE`, else NULL */
	bool ephemeral;   /* `run --rm`: every disk is thrown away */
	struct list *vms; /* of the registry: vm.link */
	int confinement_given; /* --confinement, plus 1; 0: as vmward.ini */
	bool level_given;      /* --log-level: the file is not asked */
	unsigned stopping;     /* so many times all VMs are being stopped */
	struct image *image;   /* of the process; NULL: no upgrade */
	bool io_uring;
	bool vhost;              /* the kernel moves packets for QEMU */
	unsigned processors;     /* of the host; 0: not known */
	struct cgroups *cgroups; /* for [limits]; NULL: none */
};

/* Fails with ERR_UNSUPPORTED where qemu-img is not installed. */
MUST_CHECK int env_needs_qemu_img(const struct env *env, struct err *err);
/* The same where it cannot be locked in, as what opens strangers' files is. */
MUST_CHECK int env_needs_cage(const struct env *env, struct err *err);

#endif
