/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The privileged verbs of networks; see host_net.h. */
#include "supervisor/host_net.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "net/bond.h"
#include "net/carry.h"
#include "net/ra.h"

#define KEPT_MAX (1024 * 1024)

struct call {
	const struct host_net_request *rq;
	struct host_net_reply *reply;
	struct netlink nl;
	struct link_info link; /* of rq->name; index 0: there is none */
	struct err *err;
};

static int fail(const struct call *c, const char *what)
{
	if (errno == EPERM || errno == EACCES)
		return err_set(c->err, ERR_DENIED,
			"no right to %s '%s': this needs root or "
			"CAP_NET_ADMIN; user = yes works without",
			what, c->rq->name);
	return err_os(c->err, "cannot %s '%s'", what, c->rq->name);
}

/* The kernel has no devices of a kind: their module is missing. */
static int lacks(const struct call *c, const char *what)
{
	if (errno == EOPNOTSUPP)
		return err_set(c->err, ERR_UNSUPPORTED,
			"this kernel has no %s: '%s' cannot be made", what,
			c->rq->name);
	return fail(c, "make");
}

static int look(struct call *c)
{
	return link_find(&c->nl, c->rq->name, &c->link)
		       ? fail(c, "look at device")
		       : 0;
}

static int change(struct call *c, const struct link_change *change)
{
	c->reply->changed = true;
	return link_set(&c->nl, c->link.index, change) ? fail(c, "set up") : 0;
}

static int do_bridge(struct call *c)
{
	const struct host_net_request *rq = c->rq;
	struct link_change set = LINK_CHANGE_INIT;

	if (c->link.index && !str_eq(c->link.alias, rq->alias))
		return err_set(c->err, ERR_EXISTS,
			"there is a device '%s' already, and it is not this "
			"network's: say bridge = another name, or mode = "
			"bridge to join it",
			rq->name);
	if (!c->link.index) {
		if (link_add_bridge(&c->nl, rq->name, rq->alias))
			return fail(c, "make bridge");
		c->reply->changed = true;
		if (look(c))
			return -1;
	}
	if (rq->filtering && !c->link.filtering &&
		vlan_filter(&c->nl, c->link.index))
		return lacks(c, "VLAN filtering of bridge");
	/* a bridge without an address of its own takes its ports' */
	if (rq->has_mac && memcmp(c->link.mac, rq->mac, sizeof(rq->mac)) != 0)
		set.mac = rq->mac;
	if (rq->mtu && c->link.mtu != rq->mtu)
		set.mtu = rq->mtu;
	return set.mac || set.mtu ? change(c, &set) : 0;
}

static int do_look(struct call *c)
{
	if (!c->link.index)
		return err_set(c->err, ERR_CONFIG, "there is no bridge '%s'",
			c->rq->name);
	if (!str_eq(c->link.kind, "bridge"))
		return err_set(
			c->err, ERR_CONFIG, "'%s' is no bridge", c->rq->name);
	return 0;
}

static int do_address(struct call *c)
{
	if (link_add_address(&c->nl, c->link.index, &c->rq->address))
		return fail(c, "give an address to");
	return 0;
}

static int do_up(struct call *c)
{
	struct link_change set = LINK_CHANGE_INIT;

	set.up = 1;
	return c->link.up ? 0 : change(c, &set);
}

/* A switch of the kernel's says so. */
static int switch_to(struct call *c, const char *path, char value)
{
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path, O_RDWR, 0);
	const char text[] = { value, '\n' };
	char now = '0';

	if (fd < 0 || sys_read(fd, &now, 1) < 1)
		return err_os(c->err, "cannot read '%s'", path);
	if (now == value)
		return 0;
	if (sys_pwrite(fd, text, sizeof(text), 0) < 0)
		return err_os(c->err, "cannot write '%s'", path);
	c->reply->changed = true;
	return 0;
}

static int do_local(struct call *c)
{
	AUTO_FREE char *path = xasprintf(
		"/proc/sys/net/ipv4/conf/%s/route_localnet", c->rq->name);

	return switch_to(c, path, '1');
}

/* The stricter of all's and its own: 2 is above all's 1. */
static int do_loose(struct call *c)
{
	AUTO_FREE char *path =
		xasprintf("/proc/sys/net/ipv4/conf/%s/rp_filter", c->rq->name);

	return switch_to(c, path, '2');
}

#define FORWARD_6 "/proc/sys/net/ipv6/conf/all/forwarding"

static int do_forward(struct call *c)
{
	AUTO_CLOSE int fd = -1;
	char now = '\0';

	if (c->rq->address.family == AF_INET)
		return switch_to(c, "/proc/sys/net/ipv4/ip_forward", '1');
	fd = sys_openat(AT_FDCWD, FORWARD_6, O_RDONLY, 0);
	/* before: the switch drops the ways that were learnt */
	if (fd >= 0 && sys_read(fd, &now, 1) == 1 && now == '0' &&
		ra_keep_all(&c->nl, LINK_ALIAS_OURS, c->err))
		return -1;
	return switch_to(c, FORWARD_6, '1');
}

static int do_ra(struct call *c)
{
	return ra_keep(c->rq->name, &c->reply->changed, c->err);
}

static int do_remove(struct call *c)
{
	if (!c->link.index || !str_eq(c->link.alias, c->rq->alias))
		return 0;
	c->reply->changed = true;
	return link_delete(&c->nl, c->link.index) ? fail(c, "remove") : 0;
}

/* ---- uplinks ---- */

/* A device of ours is there; else the one that has its name is refused. */
static int is_ours(const struct call *c, const char *kind, bool *there)
{
	*there = c->link.index != 0;
	if (!*there || (str_eq(c->link.alias, c->rq->alias) &&
			       str_eq(c->link.kind, kind)))
		return 0;
	return err_set(c->err, ERR_EXISTS,
		"there is a device '%s' already, and it is not this "
		"network's: name it as uplink, or take it away",
		c->rq->name);
}

static int find_lower(struct call *c, struct link_info *out)
{
	struct link_change set = LINK_CHANGE_INIT;

	if (link_find(&c->nl, c->rq->lower, out))
		return fail(c, "look for the uplink of");
	if (!out->index)
		return err_set(c->err, ERR_CONFIG, "there is no device '%s'",
			c->rq->lower);
	set.up = 1;
	if (!out->up && link_set(&c->nl, out->index, &set))
		return fail(c, "set up the uplink of");
	return 0;
}

static int do_vlan(struct call *c)
{
	const struct host_net_request *rq = c->rq;
	struct link_info lower;
	bool there;

	if (is_ours(c, "vlan", &there) || find_lower(c, &lower))
		return -1;
	if (there && c->link.lower == lower.index && c->link.vlan == rq->vlan)
		return 0;
	if (there && link_delete(&c->nl, c->link.index))
		return fail(c, "remove");
	if (vlan_add(&c->nl, rq->name, rq->alias, lower.index, rq->vlan))
		return lacks(c, "VLAN devices");
	c->reply->changed = true;
	return 0;
}

static int do_bond(struct call *c)
{
	const struct host_net_request *rq = c->rq;
	struct link_change set = LINK_CHANGE_INIT;
	bool there;

	if (is_ours(c, "bond", &there))
		return -1;
	if (!there && bond_add(&c->nl, rq->name, rq->alias, rq->bond_mode,
			      rq->miimon))
		return lacks(c, "bonds");
	if (!there && look(c))
		return -1;
	set.up = 1;
	return c->link.up ? 0 : change(c, &set);
}

/* What the host has on one of two devices goes to the other. */
static int carry(struct call *c, unsigned from, unsigned to)
{
	unsigned n;

	if (carry_count(&c->nl, from, &n))
		return fail(c, "look at the addresses of");
	if (n == 0)
		return 0;
	if (carry_over(&c->nl, from, to))
		return fail(c, "carry over the addresses of");
	c->reply->changed = true;
	return 0;
}

/* The bridge or bond that a device joins: up, and as the device known. */
static int find_master(struct call *c, struct link_info *out)
{
	struct link_change set = LINK_CHANGE_INIT;

	if (link_find(&c->nl, c->rq->bridge, out))
		return fail(c, "look for the bridge of");
	if (!out->index)
		return err_set(c->err, ERR_NOT_FOUND, "there is no device '%s'",
			c->rq->bridge);
	if (c->link.master && c->link.master != out->index)
		return err_set(c->err, ERR_BUSY,
			"'%s' is part of another bridge or bond already",
			c->rq->name);
	if (str_eq(out->kind, "bridge") &&
		memcmp(out->mac, c->link.mac, sizeof(out->mac)) != 0)
		set.mac = c->link.mac;
	if (!out->up)
		set.up = 1;
	if ((set.mac || set.up == 1) && link_set(&c->nl, out->index, &set))
		return fail(c, "set up the bridge of");
	return 0;
}

/* A bond takes only what is down. */
static int enslave(struct call *c, const struct link_info *master)
{
	struct link_change set = LINK_CHANGE_INIT;
	bool is_bond = str_eq(master->kind, "bond");

	set.up = 0;
	if (is_bond && c->link.up && change(c, &set))
		return -1;
	set.up = -1;
	set.master = (int)master->index;
	return change(c, &set);
}

/*
 * What the host has on a device is written down: who deletes the bridge that
 * it will be on deletes it, too.
 */
static int keep(struct call *c, unsigned index)
{
	AUTO_STR struct str text = STR_INIT;

	if (!c->rq->kept[0])
		return 0;
	if (carry_save(&c->nl, index, &text))
		return fail(c, "look at the addresses of");
	if (text.len == 0)
		return 0;
	return fd_write_file(AT_FDCWD, c->rq->kept, str_text(&text), text.len,
		0600, false, c->err);
}

static int do_restore(struct call *c)
{
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	if (fd_read_file(AT_FDCWD, c->rq->kept, KEPT_MAX, &text, &err)) {
		if (err.os == ENOENT)
			return 0;
		*c->err = err;
		return -1;
	}
	c->reply->changed = true;
	return carry_restore(&c->nl, &text, c->link.index)
		       ? fail(c, "give its addresses again to")
		       : 0;
}

static int do_take(struct call *c)
{
	struct link_change up = LINK_CHANGE_INIT;
	struct link_info master;

	if (find_master(c, &master) || keep(c, c->link.index) ||
		carry(c, c->link.index, master.index))
		return -1;
	up.up = 1;
	if (c->link.master == master.index)
		return c->link.up ? 0 : change(c, &up);
	if (enslave(c, &master))
		return -1;
	if (master.filtering &&
		vlan_set_port(&c->nl, c->link.index, &c->rq->vlans))
		return fail(c, "set the VLANs of");
	return change(c, &up);
}

static int do_give(struct call *c)
{
	struct link_change set = LINK_CHANGE_INIT;
	struct link_info master;

	if (link_find(&c->nl, c->rq->bridge, &master))
		return fail(c, "look for the bridge of");
	if (!c->link.index || !master.index ||
		!str_eq(master.alias, c->rq->alias) ||
		(c->link.master && c->link.master != master.index))
		return 0;
	set.master = c->link.master ? 0 : -1;
	if (c->link.master && change(c, &set))
		return -1;
	set = (struct link_change)LINK_CHANGE_INIT;
	set.up = 1; /* a bond leaves its members down */
	return change(c, &set) || carry(c, master.index, c->link.index) ? -1
									: 0;
}

/* ---- taps ---- */

static int do_tap(struct call *c)
{
	return tap_open(c->rq->name, c->rq->queues, c->reply->fds, c->err);
}

/* One of ours of that name is left of a QEMU that is gone: made anew. */
static int clear_macvtap(struct call *c)
{
	if (!c->link.index)
		return 0;
	if (!str_eq(c->link.kind, "macvtap") ||
		(c->link.alias[0] && !str_eq(c->link.alias, c->rq->alias)))
		return err_set(c->err, ERR_EXISTS,
			"there is a device '%s' already", c->rq->name);
	return link_delete(&c->nl, c->link.index) ? fail(c, "remove") : 0;
}

static int make_macvtap(struct call *c)
{
	struct link_info lower;

	if (find_lower(c, &lower))
		return -1;
	if (c->rq->guest_mtu > lower.mtu)
		return err_set(c->err, ERR_CONFIG,
			"mtu = %u is more than the %u of '%s'",
			c->rq->guest_mtu, lower.mtu, c->rq->lower);
	if (link_add_macvtap(&c->nl, c->rq->name, lower.index, c->rq->mac)) {
		if (errno == EBUSY)
			return err_set(c->err, ERR_BUSY,
				"'%s' is part of a bridge or bond: say bridge "
				"= its name",
				c->rq->lower);
		return lacks(c, "macvtap devices");
	}
	return look(c);
}

static int do_macvtap(struct call *c)
{
	struct link_change alias = LINK_CHANGE_INIT;

	if (clear_macvtap(c) || make_macvtap(c))
		return -1;
	alias.alias = c->rq->alias;
	if (change(c, &alias) ||
		tap_open_macvtap(c->rq->name, c->link.index, c->rq->queues,
			c->reply->fds, c->err)) {
		if (link_delete(&c->nl, c->link.index))
			return fail(c, "remove");
		return -1;
	}
	return 0;
}

static bool has_vlans(const struct vlan_set *set)
{
	return set->native || set->n;
}

/* What the bridge must be for the port. */
static int suits(const struct call *c, const struct link_info *bridge)
{
	const struct host_net_request *rq = c->rq;

	if (!bridge->index || !str_eq(bridge->kind, "bridge"))
		return err_set(c->err, ERR_CONFIG, "there is no bridge '%s'",
			rq->bridge);
	if (has_vlans(&rq->vlans) && !bridge->filtering)
		return err_set(c->err, ERR_CONFIG,
			"bridge '%s' does not keep VLANs apart: vlan and "
			"trunk need vlan-filtering",
			rq->bridge);
	if (rq->guest_mtu > bridge->mtu)
		return err_set(c->err, ERR_CONFIG,
			"mtu = %u is more than the %u of bridge '%s'",
			rq->guest_mtu, bridge->mtu, rq->bridge);
	return 0;
}

/* Who joins is down still: nothing passes before all of this is so. */
static int set_port(struct call *c)
{
	if (link_set_port(
		    &c->nl, c->link.index, c->rq->isolate, c->rq->hairpin))
		return fail(c, "set up port");
	if (has_vlans(&c->rq->vlans) &&
		vlan_set_port(&c->nl, c->link.index, &c->rq->vlans))
		return fail(c, "set the VLANs of");
	return 0;
}

static int do_rate(struct call *c)
{
	if (!rate_set(&c->nl, c->link.index, &c->rq->rates))
		return 0;
	if (errno == ENOENT)
		return err_set(c->err, ERR_UNSUPPORTED,
			"this kernel has no tbf (sch_tbf): rate-in cannot be");
	return fail(c, "limit the rate of");
}

static int do_join(struct call *c)
{
	struct link_change set = LINK_CHANGE_INIT;
	struct link_info bridge;

	if (!c->link.index)
		return err_set(
			c->err, ERR_NOT_FOUND, "tap '%s' is gone", c->rq->name);
	if (link_find(&c->nl, c->rq->bridge, &bridge))
		return fail(c, "look for the bridge of");
	if (suits(c, &bridge))
		return -1;
	if (c->link.master == bridge.index && c->link.up)
		return 0;
	set.mtu = c->rq->mtu ? c->rq->mtu : bridge.mtu;
	set.master = (int)bridge.index;
	if (change(c, &set) || set_port(c) || (c->rq->rates.in && do_rate(c)))
		return -1;
	set = (struct link_change)LINK_CHANGE_INIT;
	set.up = 1;
	return change(c, &set);
}

/* A port at work; without VLANs of its own it has the bridge's. */
static int do_port(struct call *c)
{
	static const struct vlan_set plain = { .native = VLAN_FIRST };
	struct link_info bridge;

	if (link_find(&c->nl, c->rq->bridge, &bridge))
		return fail(c, "look for the bridge of");
	if (suits(c, &bridge) || set_port(c))
		return -1;
	if (bridge.filtering && !has_vlans(&c->rq->vlans) &&
		vlan_set_port(&c->nl, c->link.index, &plain))
		return fail(c, "set the VLANs of");
	return 0;
}

static const struct host_net_entry {
	bool needs; /* the device must be there */
	int (*run)(struct call *c);
} table[HOST_NET_NVERBS] = {
	[HOST_NET_BRIDGE] = { false, do_bridge },
	[HOST_NET_LOOK] = { false, do_look },
	[HOST_NET_ADDRESS] = { true, do_address },
	[HOST_NET_UP] = { true, do_up },
	[HOST_NET_LOCAL] = { true, do_local },
	[HOST_NET_LOOSE] = { true, do_loose },
	[HOST_NET_FORWARD] = { false, do_forward },
	[HOST_NET_RA] = { true, do_ra },
	[HOST_NET_REMOVE] = { false, do_remove },
	[HOST_NET_VLAN] = { false, do_vlan },
	[HOST_NET_BOND] = { false, do_bond },
	[HOST_NET_TAKE] = { true, do_take },
	[HOST_NET_GIVE] = { false, do_give },
	[HOST_NET_RESTORE] = { true, do_restore },
	[HOST_NET_TAP] = { false, do_tap },
	[HOST_NET_MACVTAP] = { false, do_macvtap },
	[HOST_NET_RATE] = { true, do_rate },
	[HOST_NET_JOIN] = { true, do_join },
	[HOST_NET_PORT] = { true, do_port },
};

static int call_here(const struct host_net_request *rq,
	struct host_net_reply *reply, struct err *err)
{
	struct call c = {
		.rq = rq, .reply = reply, .nl = NETLINK_INIT, .err = err
	};
	int rc;

	*reply = (struct host_net_reply){ .changed = false };
	if (rq->verb >= HOST_NET_NVERBS || !link_name_ok(rq->name) ||
		rq->queues > TAP_QUEUES_MAX)
		return err_set(err, ERR_BUG, "bad request to the host");
	if (netlink_open(&c.nl, err))
		return -1;
	rc = look(&c);
	if (!rc && table[rq->verb].needs && !c.link.index)
		rc = err_set(err, ERR_NOT_FOUND, "there is no device '%s'",
			rq->name);
	if (!rc)
		rc = table[rq->verb].run(&c);
	netlink_close(&c.nl);
	return rc;
}

static host_net_fn *by;
static host_net_tap_fn *tap_by;

void host_net_by(host_net_fn *other, host_net_tap_fn *tap)
{
	by = other;
	tap_by = tap;
}

int host_net_call(const struct host_net_request *rq,
	struct host_net_reply *reply, struct err *err)
{
	return by ? by(rq, reply, err) : call_here(rq, reply, err);
}

int host_net_tap_again(int pidfd, int first, unsigned queues, const char *name,
	struct err *err)
{
	return tap_by ? tap_by(pidfd, first, queues, name, err)
		      : tap_make_again(pidfd, first, queues, name, err);
}
