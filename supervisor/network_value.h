/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of a network's file that are more than a number or a word:
 * parse() and release() functions for the tables of supervisor/network.
 */
#ifndef SUPERVISOR_NETWORK_VALUE_H
#define SUPERVISOR_NETWORK_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/cidr.h"
#include "net/link.h"

struct network_addresses {
	struct cidr *at; /* of the host, with the network's prefix */
	size_t n;
};

struct network_range {
	bool off;
	bool written; /* else all that is free of the first IPv4 network */
	struct cidr first, last;
};

#define NETWORK_MEMBERS_MAX 8

struct network_members {
	size_t n;
	char at[NETWORK_MEMBERS_MAX][LINK_NAME_SIZE];
};

/* struct network_members: a list of devices, none of them twice */
MUST_CHECK int network_value_members(
	const char *text, void *field, struct err *err);
/* char *: a name of a device, 1 to 15 bytes; "" is a default only */
MUST_CHECK int network_value_device(
	const char *text, void *field, struct err *err);
/* struct network_addresses: a list of ADDRESS/PREFIX */
MUST_CHECK int network_value_addresses(
	const char *text, void *field, struct err *err);
void network_value_addresses_release(void *field);
/* struct network_range: FIRST-LAST, yes or no */
MUST_CHECK int network_value_range(
	const char *text, void *field, struct err *err);
/* char *: a DNS domain */
MUST_CHECK int network_value_domain(
	const char *text, void *field, struct err *err);
/* struct cidr: one IPv4 address without a prefix; "": family 0 */
MUST_CHECK int network_value_address(
	const char *text, void *field, struct err *err);

#endif
