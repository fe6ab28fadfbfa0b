/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of all networks in the kernel; see net_rules.h. */
#include "supervisor/net_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "net/tables.h"
#include "supervisor/forward.h"

#define LAST_MS 5000

/* ---- the batch ---- */

/* Arrays that the ruleset borrows. */
struct gathered {
	struct ruleset_net *nets;
	struct ruleset_port *ports;
	struct ruleset_forward *forwards;
	struct cidr *allowed; /* of each port, NET_ADDRESSES_MAX */
	size_t nnets, nports, nforwards;
};

static enum ruleset_mode mode_of(const struct net_live *net)
{
	static const enum ruleset_mode modes[] = {
		[NETWORK_NAT] = RULESET_NAT,
		[NETWORK_ROUTED] = RULESET_ROUTED,
		[NETWORK_ISOLATED] = RULESET_ISOLATED,
		[NETWORK_BRIDGE] = RULESET_BRIDGE,
	};

	return modes[net->mode];
}

/* The first address of its guest in a family; false: it has none. */
static bool guest_address(
	const struct net_port *port, int family, struct cidr *out)
{
	for (size_t i = 0; i < port->net->naddresses; i++)
		if (port->net->addresses[i].family == family &&
			net_port_address(port, i, out))
			return true;
	return false;
}

static void gather_forward(struct gathered *g, const struct net_port *port,
	const struct spec_forward *f, int family)
{
	struct ruleset_forward *to = &g->forwards[g->nforwards];
	int of = strchr(f->addr, ':') ? AF_INET6 : AF_INET;
	struct cidr guest;

	if ((*f->addr && of != family) || !guest_address(port, family, &guest))
		return;
	g->nforwards++;
	*to = (struct ruleset_forward){ .net = &g->nets[g->nnets - 1],
		.udp = f->udp,
		.first = f->host_first,
		.last = f->host_last,
		.guest_first = f->guest_first,
		.guest = guest };
	/* the text of the list goes; an empty one says: each */
	to->address = xstrdup(f->addr);
}

static void gather_forwards(struct gathered *g, const struct net_port *port)
{
	struct spec_forwards list = { 0 };
	struct err err = ERR_INIT;

	if (!net_port_is_forwarded(port) ||
		forward_parse(port->forward, &list, &err))
		return;
	g->forwards = xreallocarray(
		g->forwards, g->nforwards + 2 * list.n, sizeof(g->forwards[0]));
	for (unsigned i = 0; i < list.n; i++) {
		gather_forward(g, port, &list.at[i], AF_INET);
		gather_forward(g, port, &list.at[i], AF_INET6);
	}
	forward_release(&list);
}

static void gather_port(struct gathered *g, const struct net_port *port)
{
	struct cidr *allowed = &g->allowed[g->nports * NET_ADDRESSES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < port->net->naddresses; i++)
		n += net_port_address(port, i, &allowed[n]);
	g->ports[g->nports++] = (struct ruleset_port){ .tap = port->tap,
		.mac = port->mac,
		.check = port->check,
		.addresses = allowed,
		.naddresses = n,
		.rate = port->rates.out,
		.burst = rate_burst(&port->rates, port->rates.out),
		.hairpin = net_port_is_forwarded(port) };
	gather_forwards(g, port);
}

static void gather(struct gathered *g, const struct net_state *state)
{
	size_t nports = 0;

	list_each(&state->nets, it, next)
		nports += list_count(
			&list_entry(it, struct net_live, link)->ports);
	g->nets = xcalloc(list_count(&state->nets) + 1, sizeof(g->nets[0]));
	g->ports = xcalloc(nports + 1, sizeof(g->ports[0]));
	g->allowed = xcalloc(
		(nports + 1) * NET_ADDRESSES_MAX, sizeof(g->allowed[0]));
	list_each(&state->nets, it2, next2) {
		const struct net_live *net =
			list_entry(it2, struct net_live, link);

		g->nets[g->nnets++] =
			(struct ruleset_net){ .bridge = net->bridge,
				.mode = mode_of(net),
				.addresses = net->addresses,
				.naddresses = net->naddresses };
		list_each(&net->ports, pt, pnext)
			gather_port(g, list_entry(pt, struct net_port, link));
	}
}

json_t *net_rules_batch(const struct net_state *state, bool fresh)
{
	struct gathered g = { 0 };
	json_t *batch;

	gather(&g, state);
	batch = ruleset_batch(&(struct ruleset){ .nets = g.nets,
		.nnets = g.nnets,
		.ports = g.ports,
		.nports = g.nports,
		.forwards = g.forwards,
		.nforwards = g.nforwards,
		.table = state->table,
		.fresh = fresh });
	for (size_t i = 0; i < g.nforwards; i++)
		free((char *)(uintptr_t)g.forwards[i].address);
	free(g.nets);
	free(g.ports);
	free(g.forwards);
	free(g.allowed);
	return batch;
}

/* ---- one run of nft ---- */

static void run(struct net_rules *rules);

static void ended(struct net_rules *rules)
{
	rules->done = rules->running;
	rules->running = 0;
	if (rules->wanted > rules->done)
		run(rules);
	rules->on_done(rules);
}

/* nft's first line tells, the others repeat the batch. */
static void judge(struct spawn_tool *tool, struct err *err)
{
	AUTO_FREE char *said = xstrndup(str_text(&tool->errors),
		strcspn(str_text(&tool->errors), "\n"));

	if (!tool->exit.known || tool->exit.signalled || tool->exit.code != 0)
		err_set(err, ERR_OS, "nft refuses the rules: %s",
			*said ? said : "it was killed");
	spawn_tool_stop(tool);
}

static void pass(struct net_rules *rules);

static void on_end(struct spawn_tool *tool)
{
	struct net_rules *rules = container_of(tool, struct net_rules, tool);

	rules->err = (struct err)ERR_INIT;
	judge(tool, &rules->err);
	if (rules->err.code)
		ended(rules);
	else
		pass(rules);
}

/* The batch as nft's stdin: a file that is gone already. */
static int open_batch(
	const struct net_state *state, const json_t *batch, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s/.rules.json", state->paths->run);
	AUTO_FREE char *text = jstream_text(batch, JSON_COMPACT);
	int fd;

	if (fd_write_file(AT_FDCWD, path, text, strlen(text), 0600, false, err))
		return -1;
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		err_os(err, "cannot open '%s'", path);
	sys_unlinkat(AT_FDCWD, path, 0);
	return fd;
}

static int start(struct net_rules *rules, const json_t *batch,
	void (*on_tool_end)(struct spawn_tool *tool), struct err *err)
{
	static const char *const argv[] = { "nft", "-j", "-f", "-", NULL };
	AUTO_CLOSE int fd = open_batch(rules->state, batch, err);
	struct spawn_fd input = { fd, 0 };

	if (fd < 0)
		return -1;
	rules->tool.on_line = NULL;
	rules->tool.on_end = on_tool_end;
	rules->tool.fds = &input;
	rules->tool.nfds = 1;
	return spawn_tool_start(&rules->tool, argv, err);
}

/* ---- the rules of others: firewall = fix ---- */

/* Of networks that have it; a bridge of somebody else is left alone. */
static json_t *passing(const struct net_state *state)
{
	json_t *bridges = json_array();

	list_each(&state->nets, it, next) {
		const struct net_live *net =
			list_entry(it, struct net_live, link);

		if (net->fix && !net->joined)
			json_array_append_new(
				bridges, json_string(net->bridge));
	}
	return bridges;
}

static void end_pass(struct net_rules *rules, const struct err *err)
{
	passage_fini(&rules->passage);
	if (err->code)
		log_warn(NULL, "networks: firewall = fix: %s", err->text);
	ended(rules);
}

static void on_pass_end(struct spawn_tool *tool)
{
	struct net_rules *rules = container_of(tool, struct net_rules, tool);
	struct err err = ERR_INIT;

	judge(tool, &err);
	end_pass(rules, &err);
}

static void on_rule_line(struct spawn_tool *tool, const char *line)
{
	passage_line(
		&container_of(tool, struct net_rules, tool)->passage, line);
}

/* All rules are read: what is missing, what is too much? */
static void on_list_end(struct spawn_tool *tool)
{
	struct net_rules *rules = container_of(tool, struct net_rules, tool);
	AUTO_JSON json_t *bridges = passing(rules->state);
	struct err err = ERR_INIT;

	judge(tool, &err);
	AUTO_JSON json_t *batch =
		err.code ? NULL : passage_batch(&rules->passage, bridges);
	if (!err.code)
		rules->passed = json_array_size(bridges) > 0;
	if (!batch || start(rules, batch, on_pass_end, &err))
		end_pass(rules, &err);
}

static void pass(struct net_rules *rules)
{
	static const char *const argv[] = { "nft", "-a", "list", "ruleset",
		NULL };
	AUTO_JSON json_t *bridges = passing(rules->state);
	struct err err = ERR_INIT;

	rules->passed |= json_array_size(bridges) > 0;
	if (!rules->passed) {
		ended(rules);
		return;
	}
	passage_init(&rules->passage, rules->state->table);
	rules->tool.on_line = on_rule_line;
	rules->tool.on_end = on_list_end;
	rules->tool.fds = NULL;
	rules->tool.nfds = 0;
	if (spawn_tool_start(&rules->tool, argv, &err))
		end_pass(rules, &err);
}

/* To make the tables takes half as long as to replace them. */
static bool is_first(const struct net_state *state)
{
	return !list_is_empty(&state->nets) && tables_are_free(state->table);
}

static void run(struct net_rules *rules)
{
	AUTO_JSON json_t *batch =
		net_rules_batch(rules->state, is_first(rules->state));

	rules->running = rules->wanted;
	rules->err = (struct err)ERR_INIT;
	if (!start(rules, batch, on_end, &rules->err))
		return;
	if (rules->err.code == ERR_UNSUPPORTED)
		err_set(&rules->err, ERR_UNSUPPORTED,
			"nft is not installed: apt-get install nftables; "
			"user = yes works without");
	ended(rules);
}

static void on_kick(struct loop_kick *kick)
{
	struct net_rules *rules = container_of(kick, struct net_rules, kick);

	if (!rules->running && rules->wanted > rules->done)
		run(rules);
}

void net_rules_init(struct net_rules *rules, const struct net_state *state,
	void (*on_done)(struct net_rules *rules))
{
	*rules = (struct net_rules){ .state = state, .on_done = on_done };
}

uint64_t net_rules_want(struct net_rules *rules)
{
	loop_kick(&rules->kick, on_kick);
	return ++rules->wanted;
}

bool net_rules_settled(const struct net_rules *rules, uint64_t number)
{
	return rules->done >= number;
}

void net_rules_fini(struct net_rules *rules)
{
	int64_t end = loop_now_ms() + LAST_MS;

	while (rules->done < rules->wanted && loop_now_ms() < end)
		loop_turn(true);
	loop_kick_stop(&rules->kick);
	spawn_tool_stop(&rules->tool);
	passage_fini(&rules->passage);
}
