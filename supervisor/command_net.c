/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net up, confirm, down, leases; ip. */
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/addresses.h"
#include "supervisor/argv.h"
#include "supervisor/commands.h"
#include "supervisor/forward.h"
#include "supervisor/net_address.h"
#include "supervisor/net_dhcp.h"
#include "supervisor/nets.h"
#include "supervisor/network.h"
#include "supervisor/tasks.h"

#define UP_MS    30000
#define AGENT_MS 3000

static const struct paths *paths_of(const struct request *rq)
{
	return &registry_env(request_registry(rq))->paths;
}

/* ---- leases ---- */

void command_net_leases(struct request *rq)
{
	const char *name = request_string(rq, "network");
	struct err err = ERR_INIT;

	if (*name && !network_find(paths_of(rq), name, &err)) {
		request_fail(rq, &err);
		return;
	}
	request_reply_steal(rq, json_pack("{s:o}", "leases",
					addresses_leases(paths_of(rq), name)));
}

/* ---- up and down ---- */

struct op_net {
	struct job job;
	struct request *rq;
	char *name;
	struct nets_wait wait;
	int64_t confirm_ms; /* or 0 */
	bool changed;
};

/* 0: not yet; else it is up, or the job failed. */
static bool is_settled(struct op_net *op)
{
	struct err err = ERR_INIT;
	int rc = nets_is_up(op->name, &err);

	if (rc < 0)
		job_fail_err(&op->job, &err);
	return rc != 0;
}

static enum job_state net_run(struct job *job)
{
	struct op_net *op = container_of(job, struct op_net, job);

	JOB_BEGIN(job);
	if (op->confirm_ms ? nets_try(op->name, op->confirm_ms, &job->err)
			   : nets_start(op->name, &job->err))
		return JOB_ENDS;
	JOB_AWAIT(job, is_settled(op), UP_MS);
	JOB_END(job);
}

static void net_cleanup(struct job *job)
{
	struct op_net *op = container_of(job, struct op_net, job);

	nets_unwait(&op->wait);
	free(op->name);
	free(op);
}

static const struct job_kind net_kind = { "net-up", net_run, NULL,
	net_cleanup };

static void on_up_end(struct job *job, void *arg)
{
	struct op_net *op = container_of(job, struct op_net, job);
	struct request *rq = arg;

	if (command_task_ends_well(rq, job))
		request_reply_steal(rq, json_pack("{s:b,s:s}", "changed",
						op->changed, "state", "up"));
}

/*
 * What the host loses on its own line while the network is up, as a question;
 * new.  NULL: nothing, or it comes back unless somebody confirms it.
 */
static char *question_of(const struct network *n, bool confirmed)
{
	const struct network_uplink *up = &n->uplink;
	AUTO_STR struct str has = STR_INIT;

	if (confirmed || !up->device[0] || up->vlan)
		return NULL;
	net_address_add_of(up->device, &has);
	for (size_t i = 0; !has.len && i < up->bond.members.n; i++)
		net_address_add_of(up->bond.members.at[i], &has);
	return has.len ? xasprintf("bring up '%s', which takes %s of this host "
				   "to bridge '%s' (--confirm 60s undoes it "
				   "unless net confirm comes)?",
				 n->name, str_text(&has), n->bridge)
		       : NULL;
}

/* What it would do; nothing if the network is up. */
static void reply_plan(struct request *rq, const struct network *n, bool is_up)
{
	AUTO_FREE char *question =
		is_up ? NULL : question_of(n, request_ms(rq, "confirm") > 0);
	json_t *actions = json_array();

	if (!is_up)
		json_array_append_new(
			actions, json_pack("s+", "net up ", n->name));
	request_reply_steal(rq, json_pack("{s:o,s:s?}", "actions", actions,
					"question", question));
}

void command_net_up(struct request *rq)
{
	const struct network *n = command_network(rq);
	const struct net_state *state = nets_state();
	bool is_up = n && state && net_state_find(state, n->name);
	struct op_net *op;

	if (n && request_bool(rq, "dry-run"))
		reply_plan(rq, n, is_up);
	if (!n || request_bool(rq, "dry-run"))
		return;
	op = NEW(struct op_net);
	op->rq = rq;
	op->name = xstrdup(n->name);
	op->confirm_ms = request_ms(rq, "confirm");
	op->changed = !is_up;
	job_start(&op->job, &net_kind, op->name, on_up_end, rq);
	nets_wait(&op->wait, &op->job);
	tasks_add(&op->job, rq->id);
	rq->job = &op->job;
}

void command_net_confirm(struct request *rq)
{
	const struct network *n = command_network(rq);
	struct err err = ERR_INIT;

	if (!n || command_dry_run(rq, NULL))
		return;
	if (nets_confirm(n->name, &err))
		request_fail(rq, &err);
	else
		request_reply_steal(rq,
			json_pack("{s:b,s:s}", "changed", true, "state", "up"));
}

void command_net_down(struct request *rq)
{
	const struct network *n = command_network(rq);
	const struct net_state *state = nets_state();
	struct err err = ERR_INIT;
	bool was_up;

	if (!n || command_dry_run(rq, NULL))
		return;
	was_up = state && net_state_find(state, n->name);
	if (nets_stop(n->name, &err))
		request_fail(rq, &err);
	else
		request_reply_steal(rq, json_pack("{s:b,s:s}", "changed",
						was_up, "state", "down"));
}

/* ---- ip ---- */

/* Where ssh reaches it: an address, or a forward of user mode. */
static json_t *ssh_of(const struct vm *vm, const json_t *addresses)
{
	const struct vm_spec *spec = vm->running;
	const json_t *first = json_array_get(addresses, 0);
	const char *user = spec->seed.written ? spec->seed.user : "";

	list_each(&spec->nics, it, next) {
		const struct spec_nic *nic =
			list_entry(it, struct spec_nic, link);

		for (unsigned i = 0; nic->user && i < nic->forward.n; i++) {
			const struct spec_forward *f = &nic->forward.at[i];
			int at = 22 - f->guest_first;

			if (!f->udp && at >= 0 &&
				at <= f->host_last - f->host_first)
				return json_pack("{s:s,s:i,s:s}", "host",
					forward_addr(f), "port",
					f->host_first + at, "user", user);
		}
	}
	if (!first ||
		str_eq(json_string_value(json_object_get(first, "source")),
			"user-mode"))
		return json_null();
	return json_pack("{s:O,s:i,s:s}", "host",
		json_object_get(first, "address"), "port", 22, "user", user);
}

static void reply_addresses(struct request *rq, json_t *addresses)
{
	if (json_array_size(addresses) == 0) {
		json_decref(addresses);
		request_failf(rq, ERR_STATE,
			"no address is known: it has no lease, the host has "
			"not heard of it, and no guest agent tells one");
		return;
	}
	request_reply_steal(
		rq, json_pack("{s:o,s:o}", "ssh", ssh_of(rq->vm, addresses),
			    "addresses", addresses));
}

/* What the guest says of its own; its loopback is nobody's way to it. */
static void add_interface(json_t *all, const json_t *interface)
{
	const char *nic = json_string_value(json_object_get(interface, "name"));
	const json_t *address;
	size_t i;

	json_array_foreach(
		json_object_get(interface, "ip-addresses"), i, address)
	{
		const char *text = json_string_value(
			json_object_get(address, "ip-address"));

		if (!text || !nic || str_eq(nic, "lo") ||
			str_starts(text, "fe80:"))
			continue;
		json_array_append_new(
			all, json_pack("{s:s,s:s,s:i,s:s}", "address", text,
				     "source", "agent", "age", 0, "nic", nic));
	}
}

static void on_agent(struct agent *agent, json_t *result, const struct err *err)
{
	struct request *rq = agent->owner;
	json_t *all = json_array();
	const json_t *interface;
	size_t i;

	rq->on_free = NULL;
	if (!err)
		json_array_foreach(result, i, interface)
			add_interface(all, interface);
	reply_addresses(rq, all);
}

static void forget_agent(struct request *rq)
{
	agent_cancel(&rq->vm->agent);
}

static void ask_agent(struct request *rq)
{
	static const struct agent_command ask = {
		"{\"execute\":\"guest-network-get-interfaces\"}", false,
		AGENT_MS
	};
	struct vm *vm = rq->vm;
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "agent");
	struct err err = ERR_INIT;

	if (!vm->running->agent.enabled ||
		agent_call(&vm->agent, path, &ask, on_agent, rq, &err))
		reply_addresses(rq, json_array());
	else
		rq->on_free = forget_agent;
}

void command_ip(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	json_t *addresses;

	if (!vm)
		return;
	if (!vm_is_up(vm) || !vm->running) {
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
		return;
	}
	rq->vm = vm;
	addresses = addresses_of(vm, true);
	if (json_array_size(addresses) > 0) {
		reply_addresses(rq, addresses);
		return;
	}
	json_decref(addresses);
	ask_agent(rq);
}
