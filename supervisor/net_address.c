/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which addresses are free; see net_address.h. */
#include "supervisor/net_address.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/net_dhcp.h"
#include "supervisor/network.h"

#define LEASES_MAX (1024 * 1024)

/* ---- leases ---- */

/* The next word of the line, "" if it is too long; what follows it. */
static const char *take_word(const char *line, char *out, size_t size)
{
	size_t len = strcspn(line, " \n");

	if (len < size) {
		memcpy(out, line, len);
		out[len] = '\0';
	} else {
		out[0] = '\0';
	}
	line += len;
	return *line == ' ' ? line + 1 : line;
}

/* EXPIRES MAC ADDRESS NAME CLIENT */
static bool parse_lease(const char *line, struct net_lease *out)
{
	char expires[24];
	char address[CIDR_TEXT_SIZE];
	struct err err = ERR_INIT;

	*out = (struct net_lease){ .expires = 0 };
	line = take_word(line, expires, sizeof(expires));
	line = take_word(line, out->mac, sizeof(out->mac));
	line = take_word(line, address, sizeof(address));
	take_word(line, out->host, sizeof(out->host));
	if (strlen(out->mac) != 17 ||
		cidr_parse_address(address, &out->address, &err))
		return false;
	out->expires = (int64_t)str_digits(expires);
	if (str_eq(out->host, "*"))
		out->host[0] = '\0';
	return true;
}

struct net_lease *net_leases_read(
	const struct paths *paths, const char *network, size_t *n)
{
	AUTO_FREE char *path = net_dhcp_leases(paths, network);
	AUTO_STR struct str text = STR_INIT;
	struct net_lease *all = NULL;
	struct err err = ERR_INIT;

	*n = 0;
	if (fd_read_file(AT_FDCWD, path, LEASES_MAX, &text, &err))
		return NULL;
	for (const char *line = str_text(&text); *line;
		line += strcspn(line, "\n"), line += *line == '\n') {
		all = xreallocarray(all, *n + 1, sizeof(all[0]));
		*n += parse_lease(line, &all[*n]);
	}
	return all;
}

/* ---- a network's own ---- */

struct taken {
	struct cidr *at;
	size_t n;
	unsigned but; /* a device that does not count */
};

static void add_taken(struct taken *t, const struct cidr *c)
{
	t->at = xreallocarray(t->at, t->n + 1, sizeof(t->at[0]));
	t->at[t->n++] = *c;
}

static void on_address(void *arg, unsigned index, const struct cidr *address)
{
	struct taken *t = arg;

	if (index != t->but)
		add_taken(t, address);
}

static void on_route(void *arg, const struct link_route *route)
{
	struct taken *t = arg;

	if (!route->is_default && (!t->but || route->index != t->but))
		add_taken(t, &route->to);
}

/* What the host has; routes only where an address is to be picked. */
static int look_at_host(
	struct taken *t, const char *bridge, bool routes, struct err *err)
{
	struct netlink nl = NETLINK_INIT;
	struct link_info link;
	int rc;

	if (netlink_open(&nl, err))
		return -1;
	rc = link_find(&nl, bridge, &link);
	t->but = link.index;
	if (!rc)
		rc = link_each_address(&nl, on_address, t);
	if (!rc && routes)
		rc = link_each_route(&nl, on_route, t);
	if (rc)
		err_os(err, "cannot read the host's addresses");
	netlink_close(&nl);
	return rc;
}

static int refuse_overlap(
	const struct net_live *net, const struct taken *t, struct err *err)
{
	for (size_t i = 0; i < net->naddresses; i++)
		for (size_t k = 0; k < t->n; k++) {
			char mine[CIDR_TEXT_SIZE];
			char its[CIDR_TEXT_SIZE];

			if (!cidr_overlaps(&net->addresses[i], &t->at[k]))
				continue;
			cidr_text(&net->addresses[i], mine);
			cidr_text(&t->at[k], its);
			return err_set(err, ERR_EXISTS,
				"address %s overlaps %s, which this host has "
				"already",
				mine, its);
		}
	return 0;
}

/* Networks that are written, or up, and need not be on the host by now. */
static void add_known(struct taken *t, const struct net_state *state,
	const struct net_live *but)
{
	list_each(networks_of(state->paths), it, next) {
		const struct network *n = list_entry(it, struct network, link);

		for (size_t i = 0; i < n->network.address.n; i++)
			add_taken(t, &n->network.address.at[i]);
	}
	list_each(&state->nets, it2, next2) {
		const struct net_live *net =
			list_entry(it2, struct net_live, link);

		for (size_t i = 0; net != but && i < net->naddresses; i++)
			add_taken(t, &net->addresses[i]);
	}
}

static char *picked_path(const struct net_state *state, const char *network)
{
	return xasprintf(
		"%s/networks/%s.address", state->paths->state, network);
}

/* The one it had the last time. */
static bool recall(
	const struct net_state *state, struct net_live *net, struct cidr *out)
{
	AUTO_FREE char *path = picked_path(state, net->name);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	if (fd_read_file(AT_FDCWD, path, CIDR_TEXT_SIZE, &text, &err))
		return false;
	if (text.len > 0)
		str_cut(&text, strcspn(str_text(&text), "\n"));
	return !cidr_parse(str_text(&text), out, &err) &&
	       out->family == AF_INET;
}

static void remember(const struct net_state *state, const struct net_live *net)
{
	AUTO_FREE char *dir = xasprintf("%s/networks", state->paths->state);
	AUTO_FREE char *path = picked_path(state, net->name);
	char text[CIDR_TEXT_SIZE];
	struct err err = ERR_INIT;

	cidr_text(&net->addresses[0], text);
	if (fd_make_dirs(dir, 0711, &err) ||
		fd_write_file(
			AT_FDCWD, path, text, strlen(text), 0600, false, &err))
		log_warn(NULL, "%s", err.text);
}

static int pick(const struct net_state *state, struct net_live *net,
	struct taken *t, struct err *err)
{
	struct cidr *c = &net->addresses[0];

	net->naddresses = 1;
	if (recall(state, net, c)) {
		struct err ignored = ERR_INIT;

		if (!refuse_overlap(net, t, &ignored))
			return 0;
	}
	if (!cidr_pick(t->at, t->n, c))
		return err_set(err, ERR_LIMIT,
			"no IPv4 network of 256 private addresses is free: say "
			"address = ADDRESS/PREFIX");
	remember(state, net);
	return 0;
}

void net_address_take_written(
	struct net_live *net, const struct network *network)
{
	const struct network_addresses *list = &network->network.address;

	net->naddresses =
		list->n < NET_ADDRESSES_MAX ? list->n : NET_ADDRESSES_MAX;
	memcpy(net->addresses, list->at, net->naddresses * sizeof(list->at[0]));
}

void net_address_take_range(struct net_live *net, const struct network *network)
{
	net->first.family = 0;
	for (size_t i = 0; !net->first.family && i < net->naddresses; i++)
		if (!network_dhcp_range(&network->network.dhcp,
			    &net->addresses[i], &net->first, &net->last))
			net->first.family = 0;
}

int net_address_settle(const struct net_state *state, struct net_live *net,
	const struct network *network, struct err *err)
{
	const struct network_addresses *list = &network->network.address;
	struct taken t = { 0 };
	int rc;

	if (net->mode == NETWORK_BRIDGE)
		return 0; /* who is on the wire gives them */
	if (list->n > NET_ADDRESSES_MAX)
		return err_set(err, ERR_LIMIT,
			"it has %zu addresses, %d is "
			"the most",
			list->n, NET_ADDRESSES_MAX);
	rc = look_at_host(&t, net->bridge, list->n == 0, err);
	if (!rc && list->n > 0) {
		net_address_take_written(net, network);
		rc = refuse_overlap(net, &t, err);
	} else if (!rc) {
		add_known(&t, state, net);
		rc = pick(state, net, &t, err);
	}
	free(t.at);
	if (!rc)
		net_address_take_range(net, network);
	return rc;
}

struct of_device {
	unsigned index;
	struct str *out;
};

/* Each kernel gives a device an address of its own: that is no loss. */
static void on_device_address(
	void *arg, unsigned index, const struct cidr *address)
{
	const struct of_device *of = arg;
	char text[CIDR_TEXT_SIZE];

	if (index != of->index ||
		(address->family == AF_INET6 && address->at[0] == 0xfe))
		return;
	cidr_text(address, text);
	str_addf(of->out, "%s%s", of->out->len ? ", " : "", text);
}

void net_address_add_of(const char *device, struct str *out)
{
	struct netlink nl = NETLINK_INIT;
	struct of_device of = { .out = out };
	struct err err = ERR_INIT;
	struct link_info link;

	if (netlink_open(&nl, &err))
		return;
	if (!link_find(&nl, device, &link) && link.index) {
		of.index = link.index;
		if (link_each_address(&nl, on_device_address, &of))
			str_cut(out, 0);
	}
	netlink_close(&nl);
}

/* ---- a guest's ---- */

/* The address of the network whose prefix holds it; NULL: it is no guest's. */
static const struct cidr *home_of(
	const struct net_live *net, const struct cidr *address)
{
	for (size_t i = 0; i < net->naddresses; i++) {
		const struct cidr *c = &net->addresses[i];

		if (c->family == address->family && cidr_holds(c, address) &&
			!cidr_same_address(c, address) &&
			!cidr_is_edge(c, address))
			return c;
	}
	return NULL;
}

/* Another port has it, or a stranger whose lease is written. */
static const char *holder_of(
	const struct net_port *port, const struct cidr *address)
{
	char plain[CIDR_TEXT_SIZE];
	char text[CIDR_TEXT_SIZE + 2];

	list_each(&port->net->ports, it, next) {
		const struct net_port *other =
			list_entry(it, struct net_port, link);

		if (other != port && other->address.family &&
			cidr_same_address(&other->address, address))
			return other->vm;
	}
	cidr_address(address, plain);
	snprintf(text, sizeof(text), ",%s,", plain);
	return strstr(port->net->hosts, text) ? "a [host.NAME]" : NULL;
}

static int take_wish(struct net_port *port, const char *wish, struct err *err)
{
	struct cidr c;
	const char *holder;

	if (cidr_parse_address(wish, &c, err))
		return -1;
	if (!home_of(port->net, &c))
		return err_set(err, ERR_CONFIG,
			"ip = %s is no guest's address on network '%s'", wish,
			port->net->name);
	holder = holder_of(port, &c);
	if (holder)
		return err_set(
			err, ERR_EXISTS, "ip = %s is that of %s", wish, holder);
	port->address = c;
	return 0;
}

struct leases {
	struct net_lease *at;
	size_t n;
};

static bool is_free(const struct net_port *port, const struct leases *leases,
	const struct cidr *c)
{
	if (!home_of(port->net, c) || holder_of(port, c))
		return false;
	for (size_t i = 0; i < leases->n; i++)
		if (cidr_same_address(&leases->at[i].address, c) &&
			!str_eq(leases->at[i].mac, port->mac))
			return false;
	return true;
}

static uint32_t number(const struct cidr *c)
{
	return (uint32_t)c->at[0] << 24 | (uint32_t)c->at[1] << 16 |
	       (uint32_t)c->at[2] << 8 | c->at[3];
}

static struct cidr numbered(uint32_t n)
{
	return (struct cidr){ AF_INET, 32,
		{ (unsigned char)(n >> 24), (unsigned char)(n >> 16),
			(unsigned char)(n >> 8), (unsigned char)n } };
}

/* From where its MAC points to, the first one that nobody has. */
static bool probe(struct net_port *port, const struct leases *leases)
{
	uint32_t first = number(&port->net->first);
	uint32_t size = number(&port->net->last) - first + 1;
	uint32_t start =
		(uint32_t)(hash_add(HASH_START, port->mac, strlen(port->mac)) %
			   size);

	for (uint32_t i = 0; i < size; i++) {
		struct cidr c = numbered(first + (start + i) % size);

		if (!is_free(port, leases, &c))
			continue;
		port->address = c;
		return true;
	}
	return false;
}

static bool had_lease(struct net_port *port, const struct leases *leases)
{
	for (size_t i = 0; i < leases->n; i++) {
		if (!str_eq(leases->at[i].mac, port->mac) ||
			leases->at[i].address.family != AF_INET ||
			!is_free(port, leases, &leases->at[i].address))
			continue;
		port->address = leases->at[i].address;
		return true;
	}
	return false;
}

int net_address_give(const struct net_state *state, struct net_port *port,
	const char *wish, struct err *err)
{
	struct leases leases = { 0 };
	bool found;

	if (*wish)
		return take_wish(port, wish, err);
	if (!port->net->first.family)
		return 0;
	leases.at = net_leases_read(state->paths, port->net->name, &leases.n);
	found = had_lease(port, &leases) || probe(port, &leases);
	if (!found) { /* rather the one of a lease than none */
		leases.n = 0;
		found = probe(port, &leases);
	}
	free(leases.at);
	return found ? 0
		     : err_set(err, ERR_LIMIT,
			       "network '%s' has no address left: give it a "
			       "larger dhcp range",
			       port->net->name);
}
