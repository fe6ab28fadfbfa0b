/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `vmward run FILE` (REFERENCE 2.6): one VM, no daemon, no root. */
#ifndef SUPERVISOR_RUN_H
#define SUPERVISOR_RUN_H

#include <stdbool.h>
#include <stdint.h>

struct run_options {
	const char *file;
	const char *name;  /* NULL: of the file */
	const char *state; /* --state DIR, or NULL */
	const char *root;
	bool remove; /* --rm */
	bool quiet;
	int64_t timeout_ms; /* 0: none */
	int notify_fd;
	int confinement;   /* enum confinement, plus 1; 0: the default */
	char *const *exec; /* --exec CMD ARGS, NULL-terminated; or NULL */
};

/* Runs the VM to its end; the exit status. */
int run_file(const struct run_options *options);

#endif
