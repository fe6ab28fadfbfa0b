/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The networks of a supervisor at work; see nets.h. */
#include "supervisor/nets.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/net_address.h"
#include "supervisor/net_bridge.h"
#include "supervisor/net_change.h"
#include "supervisor/net_confirm.h"
#include "supervisor/net_dhcp.h"
#include "supervisor/net_mend.h"
#include "supervisor/net_rules.h"
#include "supervisor/net_watch.h"
#include "supervisor/network.h"

struct nets {
	struct net_state state;
	struct net_rules rules;
	struct list waits;     /* nets_wait.link */
	struct loop_kick idle; /* looks for networks that nobody needs */
	struct net_watch watch;
	struct net_confirm confirm;
	struct net_mend mend;
	int64_t patience_ms; /* of the next network to be confirmed; or 0 */
	int64_t flushed_ms;  /* since when rules are missing; or 0 */
};

static struct nets *nets;

/* ---- who waits ---- */

void nets_wait(struct nets_wait *wait, struct job *job)
{
	wait->job = job;
	if (nets)
		list_add(&nets->waits, &wait->link);
	else
		list_init(&wait->link);
}

void nets_unwait(struct nets_wait *wait)
{
	if (wait->link.next)
		list_del(&wait->link);
}

static void on_idle(struct loop_kick *kick);

/* Something was settled. */
static void wake_all(void)
{
	list_each(&nets->waits, it, next)
		job_wake(list_entry(it, struct nets_wait, link)->job);
	loop_kick(&nets->idle, on_idle);
}

/* Rules that went, but not by an nft of ours. */
static void look_at_rules(struct net_watch *watch)
{
	bool busy = nets->rules.done < nets->rules.wanted;

	if (busy || list_is_empty(&nets->state.nets) ||
		!net_watch_rules_gone(watch))
		return;
	if (!nets->flushed_ms)
		nets->flushed_ms = loop_now_ms();
	net_rules_want(&nets->rules);
}

static void tell_rules(void)
{
	list_each(&nets->state.nets, it, next)
		net_tell_repair(list_entry(it, struct net_live, link)->name,
			"rules", nets->flushed_ms);
	nets->flushed_ms = 0;
}

static void on_rules(struct net_rules *rules)
{
	if (rules->err.code)
		log_error(NULL, "networks: %s", rules->err.text);
	else if (nets->flushed_ms)
		tell_rules();
	if (!rules->err.code)
		look_at_rules(&nets->watch); /* while nft was at work */
	wake_all();
}

static void on_dhcp(struct net_dhcp *dhcp UNUSED)
{
	wake_all();
}

static void save(void)
{
	struct err err = ERR_INIT;

	if (net_state_save(&nets->state, &err))
		log_warn(NULL, "%s", err.text);
}

/* ---- up ---- */

static int make(
	struct net_live *net, const struct network *network, struct err *err)
{
	bool made = false;

	if (net->macvtap)
		return 0; /* its device is looked for with each port */
	if (net->joined)
		return net_bridge_look(&nets->state, net, err);
	if (net_address_settle(&nets->state, net, network, err) ||
		net_state_save(&nets->state, err))
		return -1;
	if (net_bridge_make(&nets->state, net, &made, err)) {
		net_bridge_remove(&nets->state, net);
		return -1;
	}
	return 0;
}

/* By its file, or of somebody else; NULL with err. */
static struct net_live *new_net(const struct net_port_want *want,
	const struct network **network, struct err *err)
{
	AUTO_FREE char *name = net_port_network(want);
	struct net_live *net;

	if (want->network) {
		*network = network_find(nets->state.paths, name, err);
		return *network ? net_live_new(&nets->state, *network) : NULL;
	}
	net = net_live_new_joined(&nets->state, name,
		want->macvtap ? want->macvtap : want->bridge);
	net->macvtap = want->macvtap != NULL;
	return net;
}

/* A network that is up, or on its way; NULL with err. */
static struct net_live *bring_up(
	const struct net_port_want *want, struct err *err)
{
	AUTO_FREE char *name = net_port_network(want);
	const struct network *network = NULL;
	struct net_live *net;

	if (!nets) {
		err_set(err, ERR_UNSUPPORTED, "there are no networks here");
		return NULL;
	}
	net = net_state_find(&nets->state, name);
	if (net && net->confirm_ms && want->vm) {
		err_set(err, ERR_STATE,
			"network '%s' waits for `vmward net confirm %s`", name,
			name);
		return NULL;
	}
	if (net)
		return net;
	net = new_net(want, &network, err);
	if (!net)
		return NULL;
	if (nets->patience_ms) /* known before anything is changed */
		net->confirm_ms = loop_now_ms() + nets->patience_ms;
	if (make(net, network, err)) {
		err_wrap(err, "network '%s': ", net->name);
		net_live_free(net);
		save();
		return NULL;
	}
	net_watch_begin(&nets->watch, nets->state.table);
	net_dhcp_begin(&nets->state, net, on_dhcp);
	net->rules = net_rules_want(&nets->rules);
	net_tell_state(net, "up");
	return net;
}

/* ---- down ---- */

static bool is_starting(const struct net_live *net)
{
	return net->dhcp && net->dhcp->is == NET_DHCP_STARTING;
}

static void take_down(struct net_live *net)
{
	net_dhcp_end(net, true);
	net_bridge_remove(&nets->state, net);
	net_tell_state(net, "down");
	net_live_free(net);
	net_rules_want(&nets->rules);
	if (list_is_empty(&nets->state.nets))
		net_watch_end(&nets->watch);
	save();
}

/* A dnsmasq that starts just now is waited for. */
static bool is_needed(const struct net_live *net)
{
	return net->wanted || !list_is_empty(&net->ports) || is_starting(net);
}

static void on_idle(struct loop_kick *kick UNUSED)
{
	list_each(&nets->state.nets, it, next) {
		struct net_live *net = list_entry(it, struct net_live, link);

		if (!is_needed(net))
			take_down(net);
	}
}

/* ---- ports ---- */

static void drop_port(struct net_port *port)
{
	if (port->net->macvtap)
		net_port_remove(&nets->state, port);
	net_dhcp_host(&nets->state, port, false);
	net_port_free(port);
	net_rules_want(&nets->rules);
	loop_kick(&nets->idle, on_idle);
}

int nets_plug(const struct net_port_want *want, struct net_port **out,
	struct err *err)
{
	struct net_live *net = bring_up(want, err);
	struct net_port *port;

	if (!net)
		return -1;
	port = net_port_find(&nets->state, want->vm, want->nic);
	*out = port;
	if (port && net_port_is_as(port, want))
		return 0;
	if (port)
		drop_port(port);
	port = net_port_new(net, want->vm, want->nic);
	if (net_port_fill(&nets->state, port, want, err) ||
		net_state_save(&nets->state, err)) {
		drop_port(port);
		return -1;
	}
	net_dhcp_host(&nets->state, port, true);
	port->rules = net_rules_want(&nets->rules);
	*out = port;
	return 0;
}

static int settled(const struct net_live *net, uint64_t rules, struct err *err)
{
	if (!net_rules_settled(&nets->rules, rules))
		return 0;
	if (nets->rules.err.code) {
		*err = nets->rules.err;
		return -1;
	}
	if (is_starting(net))
		return 0;
	if (net->dhcp && net->dhcp->is == NET_DHCP_FAILED) {
		*err = net->dhcp->err;
		return err_wrap(err, "network '%s': ", net->name);
	}
	return 1;
}

int nets_settled(const struct net_port *port, struct err *err)
{
	return settled(port->net, port->rules, err);
}

int nets_join(struct net_port *port, struct err *err)
{
	bool changed;

	return net_port_join(port, &changed, err);
}

int nets_rate(const char *vm, const char *nic, const struct rate_limits *rates,
	struct err *err)
{
	struct net_port *port =
		nets ? net_port_find(&nets->state, vm, nic) : NULL;

	if (net_port_limit(port, rates, err))
		return -1;
	net_rules_want(&nets->rules);
	return net_state_save(&nets->state, err);
}

int nets_change(const struct net_port_want *want, struct err *err)
{
	struct net_port *port =
		nets ? net_port_find(&nets->state, want->vm, want->nic) : NULL;

	if (net_port_change(port, want, err))
		return -1;
	net_rules_want(&nets->rules);
	return net_state_save(&nets->state, err);
}

/* Of one nic, or (NULL) of all. */
static void release_from(struct net_live *net, const char *vm, const char *nic)
{
	list_each(&net->ports, it, next) {
		struct net_port *port = list_entry(it, struct net_port, link);

		if (str_eq(port->vm, vm) && (!nic || str_eq(port->nic, nic)))
			drop_port(port);
	}
}

void nets_unplug(const char *vm, const char *nic)
{
	bool any = false;

	if (!nets)
		return;
	list_each(&nets->state.nets, it, next) {
		struct net_live *net = list_entry(it, struct net_live, link);
		unsigned before = list_count(&net->ports);

		release_from(net, vm, nic);
		any |= list_count(&net->ports) != before;
	}
	if (any)
		save();
}

void nets_release(const char *vm)
{
	nets_unplug(vm, NULL);
}

/* ---- by a person ---- */

int nets_start(const char *name, struct err *err)
{
	const struct net_port_want want = { .network = name };
	struct net_live *net = bring_up(&want, err);

	if (!net)
		return -1;
	net->wanted = true;
	return net_state_save(&nets->state, err);
}

int nets_try(const char *name, int64_t ms, struct err *err)
{
	int rc;

	if (nets && net_state_find(&nets->state, name))
		return err_set(
			err, ERR_STATE, "network '%s' is up already", name);
	if (!nets)
		return nets_start(name, err);
	nets->patience_ms = ms;
	rc = nets_start(name, err);
	nets->patience_ms = 0;
	net_confirm_look(&nets->confirm);
	return rc;
}

int nets_confirm(const char *name, struct err *err)
{
	return net_confirm_keep(nets ? &nets->confirm : NULL, name, err);
}

static void undo(struct net_live *net UNUSED)
{
	save();
	loop_kick(&nets->idle, on_idle);
}

int nets_is_up(const char *name, struct err *err)
{
	const struct net_live *net =
		nets ? net_state_find(&nets->state, name) : NULL;

	if (net)
		return settled(net, net->rules, err);
	return err_set(err, ERR_STATE, "network '%s' is down", name);
}

static int refuse_busy(const struct net_live *net, struct err *err)
{
	AUTO_STR struct str names = STR_INIT;

	list_each(&net->ports, it, next)
		str_addf(&names, "%s%s", names.len ? ", " : "",
			list_entry(it, struct net_port, link)->vm);
	return err_set(err, ERR_STATE, "network '%s' is in use by %s",
		net->name, str_text(&names));
}

int nets_stop(const char *name, struct err *err)
{
	struct net_live *net = nets ? net_state_find(&nets->state, name) : NULL;

	if (!net)
		return 0;
	if (!list_is_empty(&net->ports))
		return refuse_busy(net, err);
	net->wanted = false;
	loop_kick(&nets->idle, on_idle);
	return net_state_save(&nets->state, err);
}

/* ---- its file changed ---- */

int nets_apply(const char *name, bool *changed, struct err *err)
{
	struct net_live *net = nets ? net_state_find(&nets->state, name) : NULL;
	const struct network *network;
	unsigned acts;

	*changed = false;
	if (!net)
		return 0;
	network = network_find(nets->state.paths, name, err);
	if (!network)
		return -1;
	if (is_starting(net)) /* a daemon just forked would not be known */
		return err_set(err, ERR_BUSY,
			"network '%s': its dnsmasq is just starting", name);
	acts = net_change_take(&nets->state, net, network);
	*changed = acts != 0;
	if (acts & NET_CHANGE_DHCP) {
		net_dhcp_end(net, true);
		net_dhcp_begin(&nets->state, net, on_dhcp);
		list_each(&net->ports, it, next)
			net_dhcp_host(&nets->state,
				list_entry(it, struct net_port, link), true);
	}
	if (acts & NET_CHANGE_RULES)
		net->rules = net_rules_want(&nets->rules);
	return acts ? net_state_save(&nets->state, err) : 0;
}

void nets_apply_all(void)
{
	if (!nets)
		return;
	list_each(&nets->state.nets, it, next) {
		const struct net_live *net =
			list_entry(it, struct net_live, link);
		struct err err = ERR_INIT;
		bool changed;

		if (nets_apply(net->name, &changed, &err) &&
			err.code != ERR_NOT_FOUND) /* a bridge of others */
			log_warn(NULL, "%s", err.text);
	}
}

/* ---- what others did ---- */

static void look_at_links(struct net_watch *watch)
{
	net_mend_look(&nets->mend, watch->since_ms);
}

/* ---- from one supervisor to the next ---- */

static void go_on_with(struct net_live *net)
{
	struct err err = ERR_INIT;
	bool made = false;

	if (!net->joined && net_bridge_make(&nets->state, net, &made, &err))
		log_error(NULL, "network %s: %s", net->name, err.text);
	net_dhcp_begin(&nets->state, net, on_dhcp);
	list_each(&net->ports, it, next) {
		struct net_port *port = list_entry(it, struct net_port, link);

		net_dhcp_host(&nets->state, port, true);
		if (nets_join(port, &err))
			log_warn(port->vm, "%s", err.text);
	}
}

static void recover(void)
{
	struct err err = ERR_INIT;

	net_state_load(&nets->state);
	if (list_is_empty(&nets->state.nets))
		return;
	if (net_mend_forget(&nets->state, &err)) {
		log_error(NULL, "%s", err.text);
		return;
	}
	list_each(&nets->state.nets, it, next)
		go_on_with(list_entry(it, struct net_live, link));
	net_watch_begin(&nets->watch, nets->state.table);
	net_rules_want(&nets->rules);
	save();
}

void nets_open(const struct paths *paths, const struct net_guests *guests)
{
	struct err err = ERR_INIT;

	nets = NEW(struct nets);
	nets->mend = (struct net_mend){ &nets->state, *guests };
	net_state_init(&nets->state, paths);
	list_init(&nets->waits);
	net_rules_init(&nets->rules, &nets->state, on_rules);
	nets->watch.on_links = look_at_links;
	nets->watch.on_rules = look_at_rules;
	nets->confirm.state = &nets->state;
	nets->confirm.on_due = undo;
	recover();
	net_confirm_look(&nets->confirm);
	list_each(networks_of(paths), it, next) {
		const struct network *n = list_entry(it, struct network, link);

		if (n->usable && n->network.autostart &&
			nets_start(n->name, &err))
			log_error(NULL, "%s", err.text);
	}
}

void nets_close(void)
{
	if (!nets)
		return;
	net_rules_fini(&nets->rules);
	net_watch_end(&nets->watch);
	net_confirm_stop(&nets->confirm);
	loop_kick_stop(&nets->idle);
	list_each(&nets->waits, wt, wnext)
		list_del(wt);
	list_each(&nets->state.nets, it, next)
		net_dhcp_end(list_entry(it, struct net_live, link), false);
	net_state_fini(&nets->state);
	free(TAKE(nets));
}

const struct net_state *nets_state(void)
{
	return nets ? &nets->state : NULL;
}

bool nets_is_quiet(void)
{
	if (!nets)
		return true;
	list_each(&nets->state.nets, it, next) {
		const struct net_live *net =
			list_entry(it, struct net_live, link);

		if (is_starting(net))
			return false;
	}
	return nets->rules.done >= nets->rules.wanted;
}
