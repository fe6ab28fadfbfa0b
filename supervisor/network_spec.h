/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a network is: the struct that its file fills and the table that fills
 * it.  Plain data; supervisor/network reads the files.
 */
#ifndef SUPERVISOR_NETWORK_SPEC_H
#define SUPERVISOR_NETWORK_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/keys.h"
#include "base/list.h"
#include "net/link.h"
#include "supervisor/network_value.h"
#include "supervisor/other.h"

#define NETWORK_DEFAULT       "default"
#define NETWORK_BRIDGE_PREFIX "vw-"
#define NETWORK_BOND_PREFIX   "vb-"

enum network_mode {
	NETWORK_NAT,
	NETWORK_ROUTED,
	NETWORK_ISOLATED,
	NETWORK_BRIDGE
};

/* What becomes of rules of others that are in the way. */
enum network_firewall { NETWORK_CHECK, NETWORK_FIX };

struct network_keys {
	int mode; /* enum network_mode */
	const char *bridge;
	struct network_addresses address;
	struct network_range dhcp;
	bool dns;
	const char *domain;
	uint64_t mtu; /* 0: the kernel's */
	const char *uplink;
	uint64_t vlan; /* of the uplink; 0: none */
	bool filtering;
	int firewall; /* enum network_firewall */
	bool autostart;
};

/* Several devices as one, the uplink: [bond]. */
struct network_bond {
	int mode;                       /* index of bond_mode_names */
	struct network_members members; /* none: there is no bond */
	uint64_t miimon_ms;
};

/* How a bridge of ours reaches the wire. */
struct network_uplink {
	char device[LINK_NAME_SIZE]; /* "": not at all; a bond's own name */
	char port[LINK_NAME_SIZE];   /* it or its VLAN device: what joins */
	uint16_t vlan;               /* 0: untagged */
	struct network_bond bond;
};

/* A static lease of a stranger: [host.NAME]. */
struct network_host {
	struct list link; /* network.hosts */
	const char *name;
	const char *mac;
	struct cidr ip;
};

struct network {
	struct list link; /* the table, by name */
	char *name;
	struct network_keys network;
	struct network_bond bond;
	struct list hosts;            /* network_host.link */
	struct network_uplink uplink; /* settled by the checks */
	char bridge[LINK_NAME_SIZE];  /* written, or "vw-NAME" */
	bool usable;                  /* its file is good, or was */
	char *file;                   /* networks/NAME.ini; NULL: it has none */
	char *error;                  /* of a file that was refused; or NULL */
	struct ini ini;
};

extern const struct section network_sections[];
extern const size_t network_nsections;
extern const struct other_kind network_kind;
extern const char *const network_mode_names[];

/* True if its bridge is somebody else's, which is joined only. */
bool network_is_joined(const struct network *network);
/* An empty one, without a bridge. */
struct network *network_new(const char *name);
void network_free(struct network *network); /* accepts NULL */
/* As text that reads again to the same; as config_show(). */
void network_show(const struct network *network, bool origin,
	const char *section, struct str *out);

/*
 * The addresses that DHCP gives of a network of the host's address: written,
 * or all but the network's own, the broadcast and the host's.  False: none.
 */
bool network_dhcp_range(const struct network_range *range,
	const struct cidr *host, struct cidr *first, struct cidr *last);

#endif
