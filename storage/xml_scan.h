/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded scan of XML that a stranger wrote: elements, attributes and text,
 * in order.  No document types, no entities but the five of XML and numbers,
 * no sections of raw text; what is not well formed is refused.  Prefixes of
 * names are cut off: what uses one name with two meanings is not for us.
 */
#ifndef STORAGE_XML_SCAN_H
#define STORAGE_XML_SCAN_H

#include <stddef.h>

#include "base/err.h"

enum {
	XML_DEEPEST = 32,
	XML_ATTRIBUTES = 16, /* of one element */
	XML_NAME_SIZE = 64   /* with its end */
};

struct xml_attribute {
	char name[XML_NAME_SIZE];
	char *value;
};

/* All texts are valid during the call only. */
struct xml_hooks {
	void (*on_start)(void *arg, const char *name,
		const struct xml_attribute *attributes, size_t n);
	/* text: what stands between its tags, without that of others in it. */
	void (*on_end)(void *arg, const char *name, const char *text);
};

/* Fails with ERR_CONFIG and the line: "line 3: ...". */
MUST_CHECK int xml_scan(const char *text, size_t len,
	const struct xml_hooks *hooks, void *arg, struct err *err);
/* The value of an attribute; NULL: it has none. */
const char *xml_attribute(
	const struct xml_attribute *attributes, size_t n, const char *name);

#endif
