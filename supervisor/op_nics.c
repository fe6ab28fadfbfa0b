/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nics of a VM on networks; see op_nics.h. */
#include "supervisor/op_nics.h"

#include "base/mem.h"
#include "supervisor/argv.h"
#include "supervisor/nets.h"
#include "supervisor/passt.h"

#define NETWORK_MS 30000
#define NICS_MAX   32

struct op_nics {
	struct job job;
	struct vm *vm;
	const struct spec_nic *only; /* that one, not those that run */
	struct taps *taps;           /* NULL: QEMU has them */
	struct nets_wait wait;
	struct net_port *ports[NICS_MAX];
	size_t nports;
};

/* What of a nic concerns its network; mac is the caller's. */
static int want_of(const struct vm *vm, const struct spec_nic *nic,
	char mac[NET_MAC_SIZE], struct net_port_want *want, struct err *err)
{
	argv_nic_mac(vm->running, nic, mac);
	*want = (struct net_port_want){ .vm = vm->name,
		.nic = nic->name,
		.network = nic->network,
		.bridge = nic->bridge,
		.macvtap = nic->macvtap,
		.mac = mac,
		.ip = nic->ip,
		.forward = &nic->forward,
		.check = nic->spoof,
		.isolate = nic->isolate,
		.rates = nic->rates,
		.mtu = (unsigned)nic->mtu,
		.vlans = { .native = (uint16_t)nic->vlan } };
	return vlan_parse(nic->trunk, &want->vlans, err);
}

static int plug(struct op_nics *op, const struct spec_nic *nic, struct err *err)
{
	const struct vm_spec *spec = op->vm->running;
	char mac[NET_MAC_SIZE];
	struct net_port *port;
	struct net_port_want want;

	if (op->nports == NICS_MAX)
		return err_set(
			err, ERR_LIMIT, "%d nics are the most", NICS_MAX);
	if (want_of(op->vm, nic, mac, &want, err) ||
		nets_plug(&want, &port, err))
		return -1;
	op->ports[op->nports++] = port;
	return op->taps ? taps_open(op->taps, port, (unsigned)nic->queues,
				  argv_nic_first_fd(spec, nic), err)
			: 0;
}

int op_nics_change(
	const struct vm *vm, const struct spec_nic *nic, struct err *err)
{
	char mac[NET_MAC_SIZE];
	struct net_port_want want;

	return want_of(vm, nic, mac, &want, err) || nets_change(&want, err) ? -1
									    : 0;
}

static int plug_all(struct op_nics *op, struct err *err)
{
	if (op->only)
		return plug(op, op->only, err);
	list_each(&op->vm->running->nics, it, next) {
		const struct spec_nic *nic =
			list_entry(it, struct spec_nic, link);

		if (nic->user == USER_PASST && op->taps &&
			passt_start(op->vm->name, nic, op->taps,
				argv_nic_first_fd(op->vm->running, nic), err))
			return err_wrap(err, "net '%s': ", nic->name);
		if (!nic->user && plug(op, nic, err))
			return err_wrap(err, "net '%s': ", nic->name);
	}
	return 0;
}

/* True when there is nothing to wait for any more, be it for a failure. */
static bool is_settled(struct op_nics *op)
{
	for (size_t i = 0; i < op->nports; i++) {
		struct err err = ERR_INIT;
		int rc = nets_settled(op->ports[i], &err);

		if (rc < 0) {
			err_wrap(&err, "net '%s': ", op->ports[i]->nic);
			job_fail_err(&op->job, &err);
			return true;
		}
		if (rc == 0)
			return false;
	}
	return true;
}

static int join_all(struct op_nics *op, struct err *err)
{
	for (size_t i = 0; i < op->nports; i++)
		if (nets_join(op->ports[i], err))
			return err_wrap(err, "net '%s': ", op->ports[i]->nic);
	return 0;
}

static enum job_state nics_run(struct job *job)
{
	struct op_nics *op = container_of(job, struct op_nics, job);

	JOB_BEGIN(job);
	if (plug_all(op, &job->err))
		return JOB_ENDS;
	JOB_AWAIT(job, is_settled(op), NETWORK_MS);
	if (job->err.code || join_all(op, &job->err))
		return JOB_ENDS;
	JOB_END(job);
}

static void nics_cleanup(struct job *job)
{
	struct op_nics *op = container_of(job, struct op_nics, job);

	nets_unwait(&op->wait);
	free(op);
}

static const struct job_kind nics_kind = { "network", nics_run, NULL,
	nics_cleanup };

/* NULL: no nic is on a network, or all have the ports that they need. */
static struct op_nics *begin(struct vm *vm, bool has_taps)
{
	const struct net_state *state = nets_state();
	bool any = false;

	list_each(&vm->running->nics, it, next) {
		const struct spec_nic *nic =
			list_entry(it, struct spec_nic, link);

		any |= nic->user == USER_PASST && !has_taps;
		any |= !nic->user &&
		       (!has_taps || (state && !net_port_find(state, vm->name,
						       nic->name)));
	}
	if (!any)
		return NULL;
	struct op_nics *op = NEW(struct op_nics);
	op->vm = vm;
	nets_wait(&op->wait, &op->job);
	return op;
}

struct job *op_nics_begin(struct vm *vm, struct taps *taps, struct job *parent,
	void (*on_end)(struct job *job, void *arg))
{
	struct op_nics *op = begin(vm, false);

	if (!op)
		return NULL;
	op->taps = taps;
	job_start(&op->job, &nics_kind, vm->name, on_end, parent);
	op->job.parent = parent;
	return &op->job;
}

struct job *op_nics_plug_begin(struct vm *vm, const struct spec_nic *nic,
	struct taps *taps, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	struct op_nics *op = NEW(struct op_nics);

	op->vm = vm;
	op->only = nic;
	op->taps = taps;
	nets_wait(&op->wait, &op->job);
	job_start(&op->job, &nics_kind, vm->name, on_end, arg);
	op->job.parent = parent;
	return &op->job;
}

struct job *op_nics_adopt_begin(
	struct vm *vm, void (*on_end)(struct job *job, void *arg), void *arg)
{
	struct op_nics *op = begin(vm, true);

	if (!op)
		return NULL;
	job_start(&op->job, &nics_kind, vm->name, on_end, arg);
	return &op->job;
}
