/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of others as nft lists them: what of them drops or rejects what
 * guests ask the host or send through it, and whether bridges of ours are
 * let through.  Pure.
 */
#ifndef SUPERVISOR_FIREWALLS_H
#define SUPERVISOR_FIREWALLS_H

#include <jansson.h>

/*
 * [{check, ok, found, remedy}] of a ruleset as `nft -j list ruleset` says it,
 * new: a check of each chain that stands in the way of the bridges, an array
 * of names, and one that is well if none does.
 */
json_t *firewalls_look(const char *ruleset, const json_t *bridges);

#endif
