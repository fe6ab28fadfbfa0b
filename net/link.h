/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network devices of the kernel: bridges and their ports, addresses,
 * neighbours and routes.  Names are the caller's; a bridge of ours carries
 * an alias (ifalias), by which a successor finds it again.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/cidr.h"
#include "net/netlink.h"

#define LINK_NAME_SIZE  IF_NAMESIZE /* 15 bytes and a NUL */
#define LINK_ALIAS_SIZE 64
#define LINK_ALIAS_OURS "vmward " /* what aliases of ours begin with */

struct link_info {
	unsigned index; /* 0: there is no such device */
	unsigned master;
	unsigned lower; /* of a macvtap or a VLAN: what it sits on; or 0 */
	unsigned mtu;
	bool up;
	bool carrier;
	bool filtering; /* a bridge that knows VLANs */
	uint16_t vlan;  /* of a VLAN device; or 0 */
	char name[LINK_NAME_SIZE];
	char kind[16]; /* "bridge", "tun", "veth" ...; "" for hardware */
	char alias[LINK_ALIAS_SIZE];
	unsigned char mac[6];
	uint64_t rx_bytes;
	uint64_t tx_bytes;
	uint64_t rx_packets;
	uint64_t tx_packets;
};

/* What to change; what is left at 0, NULL or -1 stays as it is. */
struct link_change {
	int up;     /* 1, 0 or -1 */
	int master; /* an index, 0: of none, or -1 */
	unsigned mtu;
	const unsigned char *mac;
	const char *alias;
};

#define LINK_CHANGE_INIT        \
	{                       \
		-1, -1, 0, 0, 0 \
	}

struct link_neighbour {
	unsigned index; /* of the device */
	struct cidr address;
	unsigned char mac[6];
};

struct link_route {
	unsigned index;      /* of the device; 0: of several */
	bool is_default;     /* of the whole family */
	struct cidr to;      /* family only if is_default */
	struct cidr gateway; /* family 0: none */
};

/* Fills *out, all zero if there is no such device.  0, or -1 with errno. */
MUST_CHECK int link_find(
	struct netlink *nl, const char *name, struct link_info *out);
/* All devices.  0, or -1 with errno. */
MUST_CHECK int link_each(struct netlink *nl,
	void (*each)(void *arg, const struct link_info *link), void *arg);
/*
 * Makes a bridge that forwards at once (no spanning tree), down, with the
 * alias.  -1 with EEXIST if the name is taken.
 */
MUST_CHECK int link_add_bridge(
	struct netlink *nl, const char *name, const char *alias);

/* A device while it is told; between begin and end: the data of its kind. */
struct link_new {
	struct netlink_request request;
	struct nlattr *info, *data;
};
struct link_want {
	const char *name;
	const char *kind;
	unsigned lower;           /* the device it sits on; or 0 */
	const unsigned char *mac; /* NULL: the kernel's choice */
};
/* Starts a new device, which will be down. */
void link_new_begin(struct link_new *new_link, const struct link_want *want);
/* Makes it, with an alias unless that is NULL. */
MUST_CHECK int link_new_end(
	struct netlink *nl, struct link_new *new_link, const char *alias);
/* Starts a change of what a device of that kind is. */
void link_data_begin(struct link_new *change, unsigned index, const char *kind);
/* Makes the change. */
MUST_CHECK int link_data_end(struct netlink *nl, struct link_new *change);
/* Makes a macvtap in bridge mode on another device. */
MUST_CHECK int link_add_macvtap(struct netlink *nl, const char *name,
	unsigned lower, const unsigned char mac[6]);
/* 0 also if it is gone already. */
MUST_CHECK int link_delete(struct netlink *nl, unsigned index);
MUST_CHECK int link_set(
	struct netlink *nl, unsigned index, const struct link_change *change);
/*
 * How a bridge treats a port: `isolate` cuts it off from all other isolated
 * ones, `hairpin` lets what came from it go back to it.
 */
MUST_CHECK int link_set_port(
	struct netlink *nl, unsigned index, bool isolate, bool hairpin);

/* 0 also if it has the address already. */
MUST_CHECK int link_add_address(
	struct netlink *nl, unsigned index, const struct cidr *address);
MUST_CHECK int link_each_address(struct netlink *nl,
	void (*each)(void *arg, unsigned index, const struct cidr *address),
	void *arg);
/* Those whose MAC address the kernel knows. */
MUST_CHECK int link_each_neighbour(struct netlink *nl,
	void (*each)(void *arg, const struct link_neighbour *neighbour),
	void *arg);
/* Routes of the main table. */
MUST_CHECK int link_each_route(struct netlink *nl,
	void (*each)(void *arg, const struct link_route *route), void *arg);

/* True for a name that the kernel takes: 1 to 15 bytes, no '/', no blank. */
bool link_name_ok(const char *name);

#endif
