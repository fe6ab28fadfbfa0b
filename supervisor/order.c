/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts and stops ask here whose turn it is; see order.h.  Nothing is
 * planned ahead: who waits is asked again when another VM has changed, so
 * that a VM which dies, or is started by hand, is no special case.
 */
#include "supervisor/order.h"

#include <stdio.h>

#include "base/mem.h"
#include "supervisor/config.h"
#include "supervisor/far.h"
#include "supervisor/lifecycle.h"
#include "supervisor/ready.h"
#include "supervisor/settings.h"
#include "supervisor/volume.h"

/* A guest that is up so long has done most of its booting. */
#define SLOT_MS 30000

struct order {
	struct vm_order hooks;
	struct registry *registry;
	struct loop_kick kick;
	struct loop_timer slot_over;
	bool waited_for;     /* somebody waits */
	bool counted;        /* slots_used is right */
	unsigned slots_used; /* of the parallel starts */
};

static struct order *order_of(const struct vm *vm)
{
	return container_of(vm->order, struct order, hooks);
}

/* ---- how another one stands ---- */

enum standing { STANDS_UP, STANDS_COMING, STANDS_HIDDEN, STANDS_DOWN };

static enum standing stands(const struct vm *vm)
{
	switch (vm->state) {
	case VM_RUNNING:
		if (vm->ready == VM_READY_YES)
			return STANDS_UP;
		return vm->probe || vm->ready == VM_READY_NONE ? STANDS_COMING
							       : STANDS_DOWN;
	case VM_PAUSED:
		return vm->ready == VM_READY_YES ? STANDS_UP : STANDS_COMING;
	case VM_STARTING:
	case VM_STOPPING:
	case VM_ENDED:
	case VM_SAVING:
	case VM_WAITING:
	case VM_ADOPTING:
		return STANDS_COMING;
	case VM_UNREACHABLE:
		return STANDS_HIDDEN;
	case VM_STOPPED:
	case VM_SAVED:
	case VM_FAILED:
	case VM_NSTATES:
		break;
	}
	return STANDS_DOWN;
}

static bool goes_down(const struct vm *vm)
{
	return vm->state == VM_STOPPING || vm->state == VM_ENDED ||
	       (vm->state == VM_STARTING && vm->intent_stop);
}

static void describe_other(const struct vm *vm, struct str *out)
{
	str_addf(out, "%s (%s", vm->name, vm_state_word(vm));
	if (vm->probe) {
		str_add(out, ", ");
		ready_describe(vm, out);
	} else if (*vm->note) {
		str_addf(out, ", %s", vm->note);
	}
	str_add(out, ")");
}

/* ---- starting ---- */

/* A start that somebody asked for; a successor is none. */
static bool is_fresh(const struct vm *vm)
{
	return vm->ordered || vm->boot;
}

struct look {
	enum vm_turn turn;
	const struct vm *other; /* for whom, or because of whom */
};

static bool does_require(
	const struct graph *g, size_t node, const struct vm *other)
{
	size_t n;
	const struct graph_link *links = graph_links(g, node, &n);

	for (size_t i = 0; i < n; i++) {
		if (links[i].kind == GRAPH_REQUIRES &&
			graph_owner(g, links[i].to) == other)
			return true;
	}
	return false;
}

/* What one of those that it follows means for its start. */
static enum vm_turn turn_after(
	const struct vm *vm, const struct vm *other, bool required)
{
	switch (stands(other)) {
	case STANDS_UP:
		break;
	case STANDS_COMING:
		return VM_WAIT;
	case STANDS_HIDDEN:
		return required ? VM_WAIT : VM_GO;
	case STANDS_DOWN:
		return required && is_fresh(vm) ? VM_NEVER : VM_GO;
	}
	return VM_GO;
}

static struct look look_around(const struct vm *vm)
{
	struct look worst = { VM_GO, NULL };
	const struct graph *g = registry_graph(vm->registry);
	size_t node = registry_node(vm->registry, vm);
	size_t n;
	const struct graph_link *links = graph_links(g, node, &n);

	for (size_t i = 0; i < n && worst.turn != VM_NEVER; i++) {
		const struct vm *other = graph_owner(g, links[i].to);
		enum vm_turn turn;

		if (links[i].kind != GRAPH_AFTER)
			continue;
		turn = turn_after(vm, other, does_require(g, node, other));
		if (turn > worst.turn)
			worst = (struct look){ turn, other };
	}
	return worst;
}

/* ---- pulling in ---- */

struct batch {
	struct vm **at;
	size_t n;
};

static bool is_in(const struct batch *batch, const struct vm *vm)
{
	for (size_t i = 0; i < batch->n; i++) {
		if (batch->at[i] == vm)
			return true;
	}
	return false;
}

static void add_to(struct batch *batch, struct vm *vm)
{
	batch->at =
		xreallocarray(batch->at, batch->n + 1, sizeof(batch->at[0]));
	batch->at[batch->n++] = vm;
}

bool order_protects(const struct vm *vm, const char *verb)
{
	char **words = vm->spec ? vm->spec->vm.protect : NULL;

	for (size_t i = 0; words && words[i]; i++) {
		if (str_eq(words[i], verb))
			return true;
	}
	return false;
}

/* Reads its files; fails if it cannot be started. */
static int check_startable(struct vm *vm, struct err *err)
{
	if (lifecycle_accepts(vm, EV_START, err))
		return -1;
	registry_load(vm->registry, vm);
	if (vm_check_files(vm, err))
		return -1;
	if (order_protects(vm, "start"))
		return err_set(err, ERR_DENIED, "[vm] protect = start");
	return 0;
}

static int gather(struct vm *vm, struct batch *batch, struct err *err);

/* One that is named: into the batch, with all that it needs itself. */
static int gather_one(const struct vm *for_whom, const char *name,
	struct batch *batch, struct err *err)
{
	struct vm *vm;

	if (str_starts(name, "net:"))
		return err_set(err, ERR_UNSUPPORTED,
			"networks are not supported by this version yet");
	vm = registry_need(for_whom->registry, name, err);
	if (!vm)
		return -1;
	if (is_in(batch, vm) || vm == for_whom)
		return 0;
	if (vm->state == VM_STOPPING && !vm->stop.restart)
		return err_set(err, ERR_STATE, "it is stopping");
	if (vm->state != VM_STOPPED && vm->state != VM_SAVED &&
		(vm->state != VM_FAILED || for_whom->boot))
		return 0;
	if (check_startable(vm, err))
		return -1;
	add_to(batch, vm);
	return gather(vm, batch, err);
}

static int gather(struct vm *vm, struct batch *batch, struct err *err)
{
	const struct spec_start *start = vm->spec ? &vm->spec->start : NULL;

	for (char **name = start ? start->requires : NULL; name && *name;
		name++) {
		if (gather_one(vm, *name, batch, err))
			return err_wrap(err, "requires %s: ", *name);
	}
	for (char **name = start ? start->wants : NULL; name && *name; name++) {
		struct err why = ERR_INIT;
		size_t before = batch->n;

		if (!gather_one(vm, *name, batch, &why))
			continue;
		batch->n = before; /* it is only wanted */
		vmlog_line(&vm->log, LOG_WARN, "wants %s: %s", *name, why.text);
	}
	return 0;
}

char **order_pulls(struct vm *vm, struct err *err)
{
	struct batch batch = { NULL, 0 };
	char **names = NULL;

	add_to(&batch, vm);
	if (!gather(vm, &batch, err)) {
		names = xcalloc(batch.n + 1, sizeof(char *));
		for (size_t i = 1; i < batch.n; i++)
			names[i - 1] = xstrdup(batch.at[i]->name);
	}
	free(batch.at);
	return names;
}

/* Starts all that it needs; each waits for its own turn. */
static int pull(struct vm *vm, struct err *err)
{
	struct batch batch = { NULL, 0 };
	int rc;

	vm->pulled = true;
	add_to(&batch, vm);
	rc = gather(vm, &batch, err);
	for (size_t i = 1; !rc && i < batch.n; i++) {
		struct vm *other = batch.at[i];

		vmlog_line(&other->log, LOG_INFO, "started for %s", vm->name);
		loop_timer_stop(&other->retry_timer);
		other->ordered = vm->ordered;
		other->boot = vm->boot;
		other->start_paused = other->once_ephemeral = false;
		vm_forget_disc(other);
		other->record.history.restarts = 0;
		vm_post(other, EV_START);
	}
	free(batch.at);
	return rc;
}

/* ---- how many at once ---- */

static bool holds_slot(const struct vm *vm)
{
	if (vm->slot_ms == 0)
		return false;
	return vm->state == VM_STARTING ||
	       (vm->state == VM_RUNNING && vm->probe &&
		       loop_now_ms() < vm->slot_ms);
}

static void on_kick(struct loop_kick *kick)
{
	struct order *order = container_of(kick, struct order, kick);

	order->waited_for = false;
	list_each(registry_vms(order->registry), it, next) {
		struct vm *vm = list_entry(it, struct vm, link);

		if (vm->waits && vm->op)
			job_wake(vm->op);
	}
}

static void ask_again(struct order *order)
{
	order->counted = false;
	if (order->waited_for)
		loop_kick(&order->kick, on_kick);
}

static void on_slot_over(struct loop_timer *timer)
{
	ask_again(container_of(timer, struct order, slot_over));
}

static void count_slots(struct order *order)
{
	int64_t first = INT64_MAX;

	if (order->counted)
		return;
	order->slots_used = 0;
	list_each(registry_vms(order->registry), it, next) {
		const struct vm *vm = list_entry(it, struct vm, link);

		if (!holds_slot(vm))
			continue;
		order->slots_used++;
		if (vm->state == VM_RUNNING && vm->slot_ms < first)
			first = vm->slot_ms;
	}
	order->counted = true;
	if (first < INT64_MAX)
		loop_timer_start(&order->slot_over, first - loop_now_ms() + 1,
			on_slot_over);
}

static unsigned parallel_starts(const struct vm *vm)
{
	const struct settings *settings = settings_of(vm->env);

	if (settings->vmward.parallel_starts)
		return (unsigned)settings->vmward.parallel_starts;
	return vm->env->processors ? vm->env->processors : 2;
}

static bool take_slot(struct order *order, struct vm *vm)
{
	unsigned most = parallel_starts(vm);

	if (!vm->boot)
		return true;
	count_slots(order);
	if (order->slots_used >= most)
		return false;
	order->slots_used++;
	vm->slot_ms = loop_now_ms() + SLOT_MS;
	return true;
}

/* ---- the hooks ---- */

static enum vm_turn may_start(struct vm *vm, struct err *err)
{
	struct order *order = order_of(vm);
	struct look look = { VM_GO, NULL };
	AUTO_STR struct str why = STR_INIT;

	vm->waits = false;
	if (far_ask_for_start(vm))
		return VM_WAIT;
	if (is_fresh(vm) && volume_check_bases(vm->registry, vm, err))
		return VM_NEVER;
	if (vm->alone || vm->env->file)
		return VM_GO;
	if (is_fresh(vm) && !vm->pulled && pull(vm, err))
		return VM_NEVER;
	look = look_around(vm);
	if (look.turn == VM_NEVER) {
		describe_other(look.other, &why);
		err_set(err, ERR_STATE, "requires %s", str_text(&why));
		return VM_NEVER;
	}
	if (look.turn == VM_GO && take_slot(order, vm))
		return VM_GO;
	vm->waits = true;
	order->waited_for = true;
	return VM_WAIT;
}

/* One that follows it and is on its way down, or NULL. */
static const struct vm *follower(const struct vm *vm)
{
	const struct graph *g = registry_graph(vm->registry);
	size_t node = registry_node(vm->registry, vm);
	size_t n;
	const struct graph_link *links = graph_back(g, node, &n);

	for (size_t i = 0; i < n; i++) {
		const struct vm *other = graph_owner(g, links[i].to);

		if (links[i].kind == GRAPH_AFTER && goes_down(other))
			return other;
	}
	return NULL;
}

static bool may_stop(struct vm *vm)
{
	if (vm->stop.alone || vm->env->file || !follower(vm))
		return true;
	order_of(vm)->waited_for = true;
	return false;
}

static int64_t stop_need_ms(const struct vm *vm)
{
	const struct vm_spec *spec = vm->spec ? vm->spec : vm->running;

	return spec ? spec->stop.timeout_ms : 0;
}

static int64_t stop_share(struct vm *vm, int64_t left_ms)
{
	const struct graph *g = registry_graph(vm->registry);
	size_t n = graph_size(g);
	AUTO_FREE int64_t *need = xcalloc(n + 1, sizeof(int64_t));

	for (size_t i = 0; i < n; i++) {
		const struct vm *other = graph_owner(g, i);

		if (goes_down(other))
			need[i] = stop_need_ms(other);
	}
	return graph_share_ms(left_ms, stop_need_ms(vm),
		graph_chain_ms(g, registry_node(vm->registry, vm), need));
}

static void describe(const struct vm *vm, struct str *out)
{
	const struct vm *other;

	if (!vm->waits)
		return;
	other = vm->state == VM_STARTING ? look_around(vm).other : follower(vm);
	if (other) {
		str_add(out, "waits for ");
		describe_other(other, out);
	} else {
		str_addf(out, "waits for its turn: %u start at a time",
			parallel_starts(vm));
	}
}

static void changed(struct vm *vm)
{
	ask_again(order_of(vm));
}

/* ---- going down ---- */

static bool is_to_stop(const struct vm *vm, bool restart)
{
	if (vm->state == VM_STOPPING || vm->state == VM_ENDED)
		return false;
	return vm_is_up(vm) || (vm->state == VM_WAITING && !restart);
}

int order_stop_dependents(
	struct vm *vm, struct vm_stop_order *stop, struct err *err)
{
	const struct graph *g = registry_graph(vm->registry);
	AUTO_FREE bool *marks = xcalloc(graph_size(g) + 1, sizeof(bool));
	AUTO_STR struct str names = STR_INIT;

	graph_mark_dependents(g, registry_node(vm->registry, vm), marks);
	for (size_t i = 0; i < graph_size(g); i++) {
		const struct vm *other = graph_owner(g, i);

		marks[i] &= other != vm && is_to_stop(other, stop->restart);
		if (!marks[i])
			continue;
		if (order_protects(other, "stop"))
			return err_set(err, ERR_DENIED,
				"%s goes down with it and is protected: take "
				"[vm] protect = stop out of its file, or say "
				"--no-deps",
				other->name);
		if (lifecycle_accepts(other, EV_STOP, err))
			return err_wrap(
				err, "%s goes down with it: ", other->name);
		str_addf(&names, "%s%s", names.len ? ", " : "", other->name);
	}
	for (size_t i = 0; i < graph_size(g); i++) {
		struct vm *other = graph_owner(g, i);

		if (!marks[i])
			continue;
		vmlog_line(
			&other->log, LOG_INFO, "goes down with %s", vm->name);
		other->stop = *stop;
		vm_post(other, EV_STOP);
	}
	snprintf(stop->first, sizeof(stop->first), "%s", str_text(&names));
	return 0;
}

struct vm *order_latest_before(const struct vm *vm)
{
	const struct graph *g = registry_graph(vm->registry);
	struct vm *latest = NULL;
	size_t n;
	const struct graph_link *links =
		graph_links(g, registry_node(vm->registry, vm), &n);

	for (size_t i = 0; i < n; i++) {
		struct vm *other = graph_owner(g, links[i].to);

		if (links[i].kind == GRAPH_AFTER && vm_is_up(other) &&
			other->ready == VM_READY_YES &&
			other->ready_ms <= vm->ready_ms &&
			(!latest || other->ready_ms > latest->ready_ms))
			latest = other;
	}
	return latest;
}

static void reread(struct vm *vm)
{
	registry_load(vm->registry, vm);
}

/* ---- its life ---- */

struct order *order_new(struct registry *registry)
{
	struct order *order = NEW(struct order);

	order->registry = registry;
	order->hooks = (struct vm_order){ may_start, may_stop, stop_share,
		describe, changed, reread };
	registry_set_order(registry, &order->hooks);
	return order;
}

void order_free(struct order *order)
{
	if (!order)
		return;
	loop_kick_stop(&order->kick);
	loop_timer_stop(&order->slot_over);
	free(order);
}
