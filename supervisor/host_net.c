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
	/* a bridge without an address of its own takes its ports' */
	if (memcmp(c->link.mac, rq->mac, sizeof(rq->mac)) != 0)
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

/* A switch of the kernel's is on. */
static int switch_on(struct call *c, const char *path)
{
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path, O_RDWR, 0);
	char now = '0';

	if (fd < 0 || sys_read(fd, &now, 1) < 1)
		return err_os(c->err, "cannot read '%s'", path);
	if (now == '1')
		return 0;
	if (sys_pwrite(fd, "1\n", 2, 0) < 0)
		return err_os(c->err, "cannot write '%s'", path);
	c->reply->changed = true;
	return 0;
}

static int do_local(struct call *c)
{
	AUTO_FREE char *path = xasprintf(
		"/proc/sys/net/ipv4/conf/%s/route_localnet", c->rq->name);

	return switch_on(c, path);
}

static int do_forward(struct call *c)
{
	return switch_on(c, c->rq->address.family == AF_INET
				    ? "/proc/sys/net/ipv4/ip_forward"
				    : "/proc/sys/net/ipv6/conf/all/forwarding");
}

static int do_remove(struct call *c)
{
	if (!c->link.index || !str_eq(c->link.alias, c->rq->alias))
		return 0;
	c->reply->changed = true;
	return link_delete(&c->nl, c->link.index) ? fail(c, "remove bridge")
						  : 0;
}

static int do_tap(struct call *c)
{
	return tap_open(c->rq->name, c->rq->queues, c->reply->fds, c->err);
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
	if (!bridge.index || !str_eq(bridge.kind, "bridge"))
		return err_set(c->err, ERR_CONFIG, "there is no bridge '%s'",
			c->rq->bridge);
	if (c->link.master == bridge.index && c->link.up)
		return 0;
	set.mtu = c->rq->mtu ? c->rq->mtu : bridge.mtu;
	set.master = (int)bridge.index;
	if (change(c, &set))
		return -1;
	if (link_set_port(
		    &c->nl, c->link.index, c->rq->isolate, c->rq->hairpin))
		return fail(c, "set up port");
	set = (struct link_change)LINK_CHANGE_INIT;
	set.up = 1; /* only now: nothing passes a port that is not isolated */
	return change(c, &set);
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
	[HOST_NET_FORWARD] = { false, do_forward },
	[HOST_NET_REMOVE] = { false, do_remove },
	[HOST_NET_TAP] = { false, do_tap },
	[HOST_NET_JOIN] = { true, do_join },
};

int host_net_call(const struct host_net_request *rq,
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
