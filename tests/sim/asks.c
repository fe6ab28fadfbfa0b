/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the simulated clients ask for; see asks.h. */
#include "tests/sim/asks.h"

#include <stdio.h>

#include "base/log.h"

static const struct asks_kind kinds[] = {
	{ "vm-start", 30, ORDERS | STARTS, PROMISED_UP },
	{ "vm-stop", 16, ORDERS | STOPS, PROMISED_DOWN },
	{ "vm-kill", 5, ORDERS | STOPS, PROMISED_DOWN },
	{ "vm-restart", 8, ORDERS | STOPS | STARTS, PROMISED_UP },
	{ "vm-pause", 6, 0, 0 },
	{ "vm-resume", 6, 0, 0 },
	{ "vm-status", 8, AT_ONCE, 0 },
	{ "vm-list", 8, AT_ONCE, 0 },
	{ "vm-explain", 2, AT_ONCE, 0 },
	{ "vm-set", 6, SETS, 0 },
	{ "vm-unset", 2, SETS, 0 },
	{ "vm-enable", 1, STARTUP, 0 },
	{ "vm-disable", 1, STARTUP, 0 },
	{ "vm-disk-attach", 5, PLUGS, 0 },
	{ "vm-disk-detach", 5, PLUGS, 0 },
	{ "vm-reboot", 3, 0, 0 },
	{ "vm-reset", 3, 0, 0 },
	{ "vm-qmp", 2, 0, 0 },
	{ "vm-wait", 3, LONG, 0 },
	{ "vm-reset-failed", 3, AT_ONCE, 0 },
	{ "vm-show", 2, AT_ONCE, 0 },
	{ "vm-plan", 2, 0, 0 }, /* asks QEMU */
	{ "vm-log", 2, AT_ONCE, 0 },
	{ "vm-disk-list", 2, AT_ONCE, 0 },
	{ "job-list", 2, AT_ONCE, 0 },
	{ "job-cancel", 3, CANCELS, 0 },
	{ "query-version", 1, AT_ONCE, 0 },
	{ "reload", 3, AT_ONCE, 0 },
	{ "qmp_capabilities", 0, AT_ONCE, 0 },
	{ "host-shutdown", 0, LONG, 0 },
	{ "vm-delete", 3, DELETES | RARE, 0 },
	{ "vm-clone", 8, CLONES | RARE, 0 },
	{ "upgrade", 8, RARE, 0 },
};

static unsigned weight_of(const struct asks_kind *kind)
{
	return (kind->flags & RARE) && !sim.upgrades ? 0 : kind->weight;
}

const struct asks_kind *asks_any(void)
{
	unsigned sum = 0;

	for (size_t i = 0; i < NELEMS(kinds); i++)
		sum += weight_of(&kinds[i]);
	unsigned at = world_random(sum);
	for (size_t i = 0;; i++) {
		if (at < weight_of(&kinds[i]))
			return &kinds[i];
		at -= weight_of(&kinds[i]);
	}
}

const struct asks_kind *asks_named(const char *wire)
{
	for (size_t i = 0; i < NELEMS(kinds); i++)
		if (str_eq(kinds[i].wire, wire))
			return &kinds[i];
	log_bug(__FILE__, __LINE__, wire);
}

static bool takes_vm(const struct asks_kind *kind)
{
	return str_starts(kind->wire, "vm-") && !str_eq(kind->wire, "vm-list");
}

static void add_change(struct asks *rq, json_t *args)
{
	rq->order = ++rq->vm->sets;
	if (str_eq(rq->kind->wire, "vm-unset")) {
		json_object_set_new(
			args, "keys", json_pack("[s]", "vm.description"));
		return;
	}
	const char *key = rq->must ? "vm.memory" : "vm.description";
	if (rq->must) /* what waits for a new QEMU */
		snprintf(rq->value, sizeof(rq->value), "%uM",
			65 + rq->order % 63);
	else
		snprintf(rq->value, sizeof(rq->value), "text-%s-%u",
			rq->vm->name, rq->order);
	json_object_set_new(args, "pairs", json_pack("{s:s}", key, rq->value));
}

static void add_clone(const struct asks *rq, json_t *args)
{
	AUTO_FREE char *name = twin_name(rq->vm);

	json_object_set_new(args, "new", json_string(name));
	json_object_set_new(args, "full", json_boolean(world_random(3) == 0));
}

/* Once all is well nobody is in the state that is waited for. */
static void add_state(json_t *args)
{
	const char *state = world_random(2) ? "running" : "stopped";

	json_object_set_new(
		args, "state", json_string(sim.healed ? "paused" : state));
}

/* How an order is to be done. */
static void add_manner(const struct asks *rq, json_t *args)
{
	if (str_eq(rq->kind->wire, "vm-start") && world_random(6) == 0)
		json_object_set_new(args, "paused", json_true());
	if (str_eq(rq->kind->wire, "vm-stop") && world_random(4) == 0)
		json_object_set_new(args, "now", json_true());
	if (str_starts(rq->kind->wire, "vm-st") && world_random(4) == 0 &&
		(rq->kind->flags & ORDERS))
		json_object_set_new(
			args, "timeout", json_integer(1 + world_random(20)));
}

json_t *asks_arguments(struct asks *rq)
{
	json_t *args = json_object();

	if (takes_vm(rq->kind))
		json_object_set_new(args, "vm", json_string(rq->vm->name));
	if (rq->kind->flags & SETS)
		add_change(rq, args);
	if (rq->kind->flags & CLONES)
		add_clone(rq, args);
	if (rq->kind->flags & PLUGS)
		json_object_set_new(args, "disk", json_string("data"));
	if (str_eq(rq->kind->wire, "vm-disk-attach"))
		json_object_set_new(args, "pairs",
			json_pack("{s:o}", "image",
				json_sprintf("%s-data.raw", rq->vm->name)));
	if (str_eq(rq->kind->wire, "vm-qmp"))
		json_object_set_new(
			args, "execute", json_string("query-status"));
	if (rq->kind->flags & CANCELS)
		json_object_set_new(
			args, "job", json_sprintf("j%u", 1 + world_random(40)));
	if (str_eq(rq->kind->wire, "vm-wait"))
		add_state(args);
	if (!rq->must && !sim.diamond && !sim.slow_births)
		add_manner(rq, args);
	return args;
}
