/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP addresses with a prefix, of both families; pure. */
#ifndef NET_CIDR_H
#define NET_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CIDR_TEXT_SIZE 64 /* the longest IPv6 address, "/128" and a NUL */

struct cidr {
	int family; /* AF_INET or AF_INET6 */
	unsigned prefix;
	unsigned char at[16]; /* in network order; 4 of them for IPv4 */
};

/* "10.64.0.1/24", "fd00::1/64": a prefix must be there and in range. */
MUST_CHECK int cidr_parse(const char *text, struct cidr *out, struct err *err);
/* An address alone; its prefix becomes the whole length. */
MUST_CHECK int cidr_parse_address(
	const char *text, struct cidr *out, struct err *err);
/* Bits of an address: 32 or 128. */
unsigned cidr_bits(const struct cidr *c);
/* The address without its prefix. */
void cidr_address(const struct cidr *c, char out[CIDR_TEXT_SIZE]);
/* The network with its prefix: "10.64.0.0/24". */
void cidr_network(const struct cidr *c, char out[CIDR_TEXT_SIZE]);
/* The address with its prefix, as it was written. */
void cidr_text(const struct cidr *c, char out[CIDR_TEXT_SIZE]);
bool cidr_same_address(const struct cidr *a, const struct cidr *b);
/* True if an address (of any prefix) is in the network of c. */
bool cidr_holds(const struct cidr *c, const struct cidr *address);
/* True if the two networks share an address. */
bool cidr_overlaps(const struct cidr *a, const struct cidr *b);
/* Less, equal or greater than 0, as the addresses stand; same family. */
int cidr_compare(const struct cidr *a, const struct cidr *b);
/* True for the network's own and its broadcast address; IPv4 only. */
bool cidr_is_edge(const struct cidr *c, const struct cidr *address);
/*
 * The n-th address of the network (0: its own), with its prefix.  False if
 * it is not that large.
 */
bool cidr_nth(const struct cidr *c, uint32_t n, struct cidr *out);
/*
 * The address that a guest of that MAC makes for itself in an IPv6 network
 * of 64 bits (EUI-64), alone.  False for any other network.
 */
bool cidr_eui64(const struct cidr *net, const char *mac, struct cidr *out);
/*
 * A gateway's address like 10.64.0.1/24 whose network overlaps none of n
 * taken ones: of 10.64.0.0/10 first, then of 172.16.0.0/12 and
 * 192.168.0.0/16.  False if all are taken.
 */
bool cidr_pick(const struct cidr *taken, size_t n, struct cidr *out);

#endif
