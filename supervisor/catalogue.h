/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The catalogue of images: catalogue.ini of the configuration, one section a
 * name, with where it is and its checksum.  Read when it is asked for.
 */
#ifndef SUPERVISOR_CATALOGUE_H
#define SUPERVISOR_CATALOGUE_H

#include <jansson.h>

#include "base/err.h"
#include "base/paths.h"

/* What is to be pulled; catalogue_item_fini() frees it. */
struct catalogue_item {
	char *url;
	char *sha256; /* 64 digits, lower case; or NULL */
	char *format; /* or NULL: by the suffix of the URL */
};

/*
 * The item of a name.  ERR_NOT_FOUND names those that are there; ERR_CONFIG:
 * the first mistake, with its line.
 */
MUST_CHECK int catalogue_find(const struct paths *paths, const char *name,
	struct catalogue_item *out, struct err *err);
void catalogue_item_fini(struct catalogue_item *item);
/*
 * [{name, url, sha256, format, description, error}] of all sections, in the
 * order of the file, new; what a section lacks or has wrong is null and said
 * in its error.  NULL: the file cannot be read.
 */
MUST_CHECK json_t *catalogue_list(const struct paths *paths, struct err *err);

/* https://, http:// or file:///, with no password, blank or control byte. */
MUST_CHECK int catalogue_check_url(const char *url, struct err *err);
/* 64 hexadecimal digits in lower case, new; NULL with err. */
char *catalogue_digest(const char *text, struct err *err);

#endif
