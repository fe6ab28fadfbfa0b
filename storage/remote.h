/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks behind a network: from `url =` to the options of QEMU's own drivers
 * (nbd, iscsi, rbd, ssh).  Pure; nothing is connected to.
 */
#ifndef STORAGE_REMOTE_H
#define STORAGE_REMOTE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct remote_wish {
	const char *url;
	const char *node;     /* name of the node; or NULL */
	const char *secret;   /* id of the secret object; or NULL */
	int64_t reconnect_ms; /* how long requests wait for a lost server */
};

/* Whether the text is a URL of a disk; ERR_CONFIG with what to write. */
MUST_CHECK int remote_check(const char *url, struct err *err);
/*
 * The node of the protocol, new; NULL with err.  Without "read-only",
 * "cache" and the like, which all nodes have.
 */
json_t *remote_node(const struct remote_wish *wish, struct err *err);
/* "%20" becomes a blank; new, NULL for what is no line of UTF-8. */
char *remote_decode(const char *text, size_t len);
/* Whether it is a file of a host that QEMU logs in to. */
bool remote_logs_in(const char *url);
/* Whether its protocol takes a password (iscsi with a user, rbd). */
bool remote_takes_secret(const char *url);

#endif
