/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What on this host is in the way of networks, each with the command that
 * remedies it.  Only looks.
 */
#ifndef SUPERVISOR_NET_DOCTOR_H
#define SUPERVISOR_NET_DOCTOR_H

#include <jansson.h>

#include "base/paths.h"

/* [{check, ok, found, remedy}] of all but the rules of others; new. */
json_t *net_doctor_look(const struct paths *paths);
/*
 * Appends what is found in the rules that `nft -j list ruleset` says; NULL:
 * they are too many to be read.
 */
void net_doctor_add_rules(json_t *checks, const char *ruleset);

#endif
