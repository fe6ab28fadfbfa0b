/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The privileged verbs of networks: what needs CAP_NET_ADMIN, as one const
 * table over fixed-size arguments (as supervisor/host for VMs).  Each makes
 * sure that something is so, and is harmless if it is so already.
 */
#ifndef SUPERVISOR_HOST_NET_H
#define SUPERVISOR_HOST_NET_H

#include <stdbool.h>

#include "net/cidr.h"
#include "net/link.h"
#include "net/rate.h"
#include "net/tap.h"
#include "net/vlan.h"

enum host_net_verb {
	HOST_NET_BRIDGE,  /* one of ours: name, alias, mtu, mac; not up */
	HOST_NET_LOOK,    /* somebody else's bridge `name` is there */
	HOST_NET_ADDRESS, /* the bridge `name` has the address */
	HOST_NET_UP,      /* the bridge `name` is up */
	HOST_NET_LOCAL,   /* 127.0.0.1 of the host may go out by `name` */
	HOST_NET_LOOSE,   /* `name` takes what has its way back elsewhere */
	HOST_NET_FORWARD, /* the host forwards packets of family */
	HOST_NET_RA,      /* `name` takes router advertisements then, too */
	HOST_NET_REMOVE,  /* the device `name` with that alias is gone */
	HOST_NET_VLAN,    /* one of ours: VLAN `vlan` of the device `lower` */
	HOST_NET_BOND,    /* one of ours: bond_mode, miimon; no members */
	HOST_NET_TAKE,    /* `name` is a port of `bridge` or the bond, and */
			  /* what the host had on it is on that */
	HOST_NET_GIVE,    /* as it was before */
	HOST_NET_RESTORE, /* the bridge has what is kept in the file */
	HOST_NET_TAP,     /* a tap `name` of `queues` -> fds */
	HOST_NET_MACVTAP, /* a macvtap `name` of `queues` on `lower` -> fds */
	HOST_NET_RATE,    /* the tap `name` sends its guest rates.in */
	HOST_NET_JOIN,    /* the tap `name` is an up port of `bridge` */
	HOST_NET_PORT,    /* the port `name`: isolate, hairpin, vlans as said */
	HOST_NET_NVERBS
};

#define HOST_NET_PATH_MAX 256

struct host_net_request {
	enum host_net_verb verb;
	char name[LINK_NAME_SIZE];
	char bridge[LINK_NAME_SIZE];
	char alias[LINK_ALIAS_SIZE];
	bool has_mac;
	unsigned char mac[6];
	unsigned mtu;       /* 0: as it is */
	unsigned guest_mtu; /* that a guest may use; or 0 */
	unsigned queues;
	bool isolate;
	bool hairpin;
	struct rate_limits rates; /* rates.in alone */
	struct cidr address;
	bool filtering; /* HOST_NET_BRIDGE: keeps VLANs apart */
	char lower[LINK_NAME_SIZE];
	uint16_t vlan;
	uint8_t bond_mode;
	uint32_t miimon;
	char kept[HOST_NET_PATH_MAX]; /* file: what the host has on it */
	struct vlan_set vlans; /* of the port; all zero: as the bridge has it */
};

struct host_net_reply {
	bool changed; /* it was not so before */
	int fds[TAP_QUEUES_MAX];
};

/*
 * Does one verb.  Fails with ERR_EXISTS where the name is somebody else's,
 * with ERR_DENIED where a right is missing: the text says which.
 */
typedef int host_net_fn(const struct host_net_request *request,
	struct host_net_reply *reply, struct err *err);
MUST_CHECK host_net_fn host_net_call;
/* tap_make_again() of net/tap, for the descriptors of a QEMU. */
typedef int host_net_tap_fn(int pidfd, int first, unsigned queues,
	const char *name, struct err *err);
MUST_CHECK host_net_tap_fn host_net_tap_again;
/* From now on somebody else does them who has the power; NULL: we again. */
void host_net_by(host_net_fn *other, host_net_tap_fn *tap);

#endif
