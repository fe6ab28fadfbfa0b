/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A way through the rules of others for bridges of ours; pure.  It reads what
 * `nft -a list ruleset` says and answers with a batch for `nft -j -f -`: in
 * each chain of others that drops what is forwarded two rules let a bridge
 * pass, in each that drops what comes in two let its guests ask for addresses
 * and names, and those of bridges that went are taken away.  Each rule of ours
 * carries the tag as its comment; nothing else of others is touched.
 */
#ifndef NET_PASSAGE_H
#define NET_PASSAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/str.h"

#define PASSAGE_NAME_SIZE 64

struct passage {
	const char *tag; /* borrowed; the name of our own tables as well */
	char family[PASSAGE_NAME_SIZE]; /* of the table that is being read */
	char table[PASSAGE_NAME_SIZE];
	char chain[PASSAGE_NAME_SIZE];
	json_t *chains; /* [family, table, chain, hook] that need rules */
	json_t *there;  /* [family, table, chain, handle] of rules of ours */
	struct str is;  /* as passage_batch() would write them */
};

/* Empty; the tag is borrowed. */
void passage_init(struct passage *passage, const char *tag);
/* Frees what was read; harmless on a zeroed one. */
void passage_fini(struct passage *passage);
/* Bridges of ours get a way through chains of this family, as nft says it. */
bool passage_is_possible(const char *family);
/* One line of the listing. */
void passage_line(struct passage *passage, const char *line);
/* New; NULL if all is so already.  `bridges` is an array of names. */
json_t *passage_batch(const struct passage *passage, const json_t *bridges);

#endif
