/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State on its way from one process image of ours to the next one (vmward
 * upgrade): structs as JSON objects by tables of fields, descriptors by
 * their numbers.  A field is a line in a table; what a later version adds is
 * `optional`, so that it reads what an earlier one wrote.
 */
#ifndef BASE_HANDOVER_H
#define BASE_HANDOVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define HANDOVER_VERSION 1

enum handover_type {
	HAND_BOOL,  /* bool */
	HAND_INT,   /* int, unsigned, enum, pid_t: 4 bytes */
	HAND_I64,   /* int64_t, uint64_t */
	HAND_TEXT,  /* char[N] */
	HAND_WORD,  /* char *, or NULL */
	HAND_ATOM,  /* the same of base/atom, const */
	HAND_BYTES, /* struct str */
	HAND_FD,    /* int, or -1 */
};

struct handover_field {
	const char *name;
	enum handover_type type;
	size_t offset;
	size_t size;
	bool optional;
};

/* A row for a member of a struct. */
#define HAND(type, of, member)                           \
	{                                                \
#member, type, offsetof(of, member),     \
			sizeof(((of *)0)->member), false \
	}

struct handover {
	json_t *root;
	int *fds; /* named in root, when writing */
	size_t nfds;
};

/* Empty: root is an object with our version. */
void handover_init(struct handover *h);
void handover_fini(struct handover *h);
/* Appends the fields of a struct to an object; the fds are remembered. */
void handover_put(struct handover *h, json_t *to,
	const struct handover_field *fields, size_t n, const void *from);
/*
 * Fills the struct from the object: words, bytes and descriptors become its
 * own, which it must not have had before.  to NULL: only checks.  On failure
 * nothing was filled.
 */
MUST_CHECK int handover_get(const json_t *from,
	const struct handover_field *fields, size_t n, void *to,
	struct err *err);
/* A member that must be an array or object; NULL with err. */
json_t *handover_need(
	const json_t *from, const char *name, bool array, struct err *err);

/* All of it as text; new. */
char *handover_text(const struct handover *h);
/* Reads such a text: ERR_UNSUPPORTED for another version. */
MUST_CHECK int handover_parse(
	struct handover *h, const char *text, size_t len, struct err *err);
/* The descriptors named stay open over exec, or close again. */
void handover_keep_fds(const struct handover *h, bool keep);

#endif
