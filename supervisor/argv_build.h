/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vector that is being built: what it is built from, and how options are
 * added.  For supervisor/argv and the builders of its parts.
 */
#ifndef SUPERVISOR_ARGV_BUILD_H
#define SUPERVISOR_ARGV_BUILD_H

#include <jansson.h>

#include "supervisor/argv.h"
#include "supervisor/device.h"

struct argv_vector {
	char **at;
	size_t n;
	size_t size;
};

struct argv_build {
	const struct vm_spec *spec;
	const struct argv_host *host;
	const struct argv_slots *slots;
	struct err *err;
	enum machine_kind kind;
	struct argv_vector argv;
	int sata; /* disks placed so far */
};

/* One word; the _steal one takes it over. */
void argv_add(struct argv_build *b, const char *text);
void argv_add_steal(struct argv_build *b, char *text);
/* An option and its value. */
void argv_add_option(
	struct argv_build *b, const char *option, const char *value);
void argv_addf(struct argv_build *b, const char *option, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * An option whose value is JSON, which is taken over; NULL (its builder
 * failed, err is set) gives -1.
 */
MUST_CHECK int argv_add_json(
	struct argv_build *b, const char *option, json_t *json);
MUST_CHECK int argv_add_device(struct argv_build *b, json_t *device);
/* The root port of a device by plan; -1 on machines that have none. */
MUST_CHECK int argv_port_of(
	struct argv_build *b, const char *class, const char *name, int *out);

/* The parts of a vector, in their order; -1 with b->err. */
MUST_CHECK int argv_add_machine(struct argv_build *b);
MUST_CHECK int argv_add_fixed(struct argv_build *b);
MUST_CHECK int argv_add_serials(struct argv_build *b);
MUST_CHECK int argv_add_disks(struct argv_build *b);
MUST_CHECK int argv_add_nics(struct argv_build *b);

#endif
