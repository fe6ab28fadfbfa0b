/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net list, show, apply: what networks are, and what their files say. */
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/commands.h"
#include "supervisor/net_change.h"
#include "supervisor/net_confirm.h"
#include "supervisor/net_dhcp.h"
#include "supervisor/nets.h"
#include "supervisor/network.h"
#include "supervisor/tasks.h"

#define SETTLE_MS 30000

static const struct paths *paths_of(const struct request *rq)
{
	return &registry_env(request_registry(rq))->paths;
}

/* ---- list ---- */

static json_t *address_list(const struct cidr *at, size_t n)
{
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++) {
		char text[CIDR_TEXT_SIZE];

		cidr_text(&at[i], text);
		json_array_append_new(all, json_string(text));
	}
	return all;
}

static json_t *vms_on(const struct net_live *net)
{
	json_t *all = json_array();

	list_each(&net->ports, it, next)
		json_array_append_new(all,
			json_string(list_entry(it, struct net_port, link)->vm));
	return all;
}

static const char *dhcp_word(const struct net_live *net)
{
	static const char *const words[] = { "starting", "up", "failed" };

	return net->dhcp ? words[net->dhcp->is] : "off";
}

static json_t *network_report(const struct network *n)
{
	const struct net_state *state = nets_state();
	const struct net_live *net =
		state ? net_state_find(state, n->name) : NULL;
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:b,s:s?,s:s?}", "name",
		n->name, "mode", network_mode_names[n->network.mode], "state",
		net ? "up" : "down", "bridge", n->bridge, "autostart",
		n->network.autostart, "file", n->file, "error", n->error);

	json_object_set_new(o, "addresses",
		net ? address_list(net->addresses, net->naddresses)
		    : address_list(
			      n->network.address.at, n->network.address.n));
	if (net && net->confirm_ms) {
		json_object_set_new(o, "state", json_string("unconfirmed"));
		json_object_set_new(
			o, "confirm_s", json_integer(net_confirm_left(net)));
	}
	json_object_set_new(o, "vms", net ? vms_on(net) : json_array());
	json_object_set_new(
		o, "dhcp", json_string(net ? dhcp_word(net) : "off"));
	json_object_set_new(o, "pending", net_change_json(state, net, n));
	return o;
}

void command_net_list(struct request *rq)
{
	json_t *all = json_array();

	registry_catch_up(request_registry(rq));
	list_each(networks_of(paths_of(rq)), it, next)
		json_array_append_new(all,
			network_report(list_entry(it, struct network, link)));
	request_reply_steal(rq, json_pack("{s:o}", "networks", all));
}

/* What one is to become; NULL: nothing, or it is not up. */
static json_t *pending_of(const struct paths *paths, const char *name)
{
	const struct net_state *state = nets_state();
	const struct net_live *net =
		state && name ? net_state_find(state, name) : NULL;
	struct err err = ERR_INIT;
	const struct network *n = net ? network_find(paths, name, &err) : NULL;
	AUTO_JSON json_t *all = n ? net_change_json(state, net, n) : NULL;

	return json_array_size(all) > 0
		       ? json_pack("{s:s,s:O}", "name", name, "pending", all)
		       : NULL;
}

static bool is_listed(const json_t *all, const json_t *item)
{
	const json_t *other;
	size_t i;

	json_array_foreach(all, i, other)
	{
		if (json_equal(other, item))
			return true;
	}
	return false;
}

json_t *command_networks_pending(
	const struct request *rq, const struct vm_spec *spec)
{
	json_t *all = json_array();

	list_each(&spec->nics, it, next) {
		AUTO_JSON json_t *one = pending_of(paths_of(rq),
			list_entry(it, struct spec_nic, link)->network);

		if (one && !is_listed(all, one))
			json_array_append(all, one);
	}
	return all;
}

const struct network *command_network(struct request *rq)
{
	struct err err = ERR_INIT;
	const struct network *n;

	registry_catch_up(request_registry(rq));
	n = network_find(paths_of(rq), request_string(rq, "network"), &err);
	if (!n)
		request_fail(rq, &err);
	return n;
}

/* What its file says that is in force at once, too. */
void command_net_show(struct request *rq)
{
	const struct network *n = command_network(rq);
	AUTO_STR struct str text = STR_INIT;
	json_t *o;

	if (!n)
		return;
	o = network_report(n);
	network_show(n, false, NULL, &text);
	json_object_set_new(o, "text", json_string(str_text(&text)));
	request_reply_steal(rq, o);
}

/* ---- apply ---- */

struct op_apply_nets {
	struct job job;
	char **names; /* of networks that are up, ends with NULL */
	size_t at;
	struct nets_wait wait;
	bool changed; /* any of them */
};

/* 0: not yet, for its dnsmasq starts just now. */
static bool is_applied(struct op_apply_nets *op)
{
	struct err err = ERR_INIT;
	bool changed = false;
	int rc = nets_apply(op->names[op->at], &changed, &err);

	op->changed |= changed;
	if (rc && err.code != ERR_BUSY)
		job_fail_err(&op->job, &err);
	return !rc || err.code != ERR_BUSY;
}

/* A network that went down meanwhile has nothing to settle. */
static bool is_settled(struct op_apply_nets *op)
{
	struct err err = ERR_INIT;
	int rc = nets_is_up(op->names[op->at], &err);

	if (rc < 0 && err.code != ERR_STATE)
		job_fail_err(&op->job, &err);
	return rc != 0;
}

static enum job_state apply_run(struct job *job)
{
	struct op_apply_nets *op = container_of(job, struct op_apply_nets, job);

	JOB_BEGIN(job);
	for (; op->names[op->at]; op->at++) {
		JOB_AWAIT(job, is_applied(op), SETTLE_MS);
		if (job->err.code)
			return JOB_ENDS;
		JOB_AWAIT(job, is_settled(op), SETTLE_MS);
		if (job->err.code)
			return JOB_ENDS;
	}
	JOB_END(job);
}

static void apply_cleanup(struct job *job)
{
	struct op_apply_nets *op = container_of(job, struct op_apply_nets, job);

	nets_unwait(&op->wait);
	for (size_t i = 0; op->names[i]; i++)
		free(op->names[i]);
	free(op->names);
	free(op);
}

static const struct job_kind apply_kind = { "net-apply", apply_run, NULL,
	apply_cleanup };

/* Of one network, or (NULL) of all: [{"name":..,"pending":[..]}]. */
static json_t *pending(struct request *rq, const char *only)
{
	json_t *all = json_array();

	list_each(networks_of(paths_of(rq)), it, next) {
		const struct network *n = list_entry(it, struct network, link);
		const struct net_state *state = nets_state();

		if (only && !str_eq(only, n->name))
			continue;
		json_array_append_new(all,
			json_pack("{s:s,s:o}", "name", n->name, "pending",
				net_change_json(state,
					state ? net_state_find(state, n->name)
					      : NULL,
					n)));
	}
	return all;
}

static const char *only_of(struct request *rq)
{
	const char *name = request_string(rq, "network");

	return *name ? name : NULL;
}

static void reply(struct request *rq, bool changed)
{
	request_reply_steal(rq, json_pack("{s:b,s:o}", "changed", changed,
					"networks", pending(rq, only_of(rq))));
}

static void on_apply_end(struct job *job, void *arg)
{
	const struct op_apply_nets *op =
		container_of(job, struct op_apply_nets, job);
	struct request *rq = arg;

	if (command_task_ends_well(rq, job))
		reply(rq, op->changed);
}

/* The names of those that are up and have a file; new. */
static char **names_up(struct request *rq, const char *only)
{
	const struct net_state *state = nets_state();
	struct list *all = networks_of(paths_of(rq));
	char **names = xcalloc(list_count(all) + 1, sizeof(char *));
	size_t n = 0;

	list_each(all, it, next) {
		const char *name = list_entry(it, struct network, link)->name;

		if (state && net_state_find(state, name) &&
			(!only || str_eq(only, name)))
			names[n++] = xstrdup(name);
	}
	return names;
}

void command_net_apply(struct request *rq)
{
	const char *only = only_of(rq);
	struct op_apply_nets *op;

	registry_catch_up(request_registry(rq));
	if (only && !command_network(rq))
		return;
	if (request_bool(rq, "dry-run")) {
		reply(rq, false);
		return;
	}
	op = NEW(struct op_apply_nets);
	op->names = names_up(rq, only);
	job_start(&op->job, &apply_kind, "networks", on_apply_end, rq);
	nets_wait(&op->wait, &op->job);
	tasks_add(&op->job, rq->id);
	rq->job = &op->job;
}
