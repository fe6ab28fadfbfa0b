/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All VMs go down; see shutdown.h. */
#include "supervisor/shutdown.h"

#include "base/log.h"
#include "base/mem.h"
#include "supervisor/lifecycle.h"
#include "supervisor/op_save.h"

#define GRACE_MS 10000 /* for the ends of the ladders */
#define YEAR_MS  ((int64_t)365 * 24 * 3600 * 1000)

/* One VM that goes down. */
struct one {
	struct vm_watch watch;
	struct shutdown *shutdown;
	char *name;
	bool saved;   /* it was told to save itself */
	bool ordered; /* to stop */
};

struct shutdown {
	struct registry *registry;
	enum shutdown_kind kind;
	int64_t until_ms;
	struct one *all;
	size_t n;
	struct loop_kick kick;
	struct loop_timer limit;
	void (*on_done)(void *arg); /* NULL: it was called */
	void *arg;
};

/* What becomes of a VM. */
static int fate_of(const struct shutdown *s, const struct vm *vm)
{
	const struct vm_spec *spec = vm_spec_now(vm);

	if (s->kind == SHUTDOWN_ALL || !spec)
		return HOST_SHUTDOWN;
	return spec->stop.on_host_shutdown;
}

/* It is down, or nobody gets it down. */
static bool is_over(const struct vm *vm)
{
	if (vm->state == VM_UNREACHABLE)
		return true;
	return !vm_is_up(vm) && vm->state != VM_WAITING && !vm->order_pending;
}

/* The order, as soon as the VM takes it: an adoption comes to its end. */
static void order_one(struct one *one)
{
	struct shutdown *s = one->shutdown;
	struct vm *vm = one->watch.vm;
	int64_t left = s->until_ms - loop_now_ms();
	struct err err = ERR_INIT;

	if (one->ordered || is_over(vm) || vm->state == VM_STOPPING ||
		vm->state == VM_ENDED || lifecycle_accepts(vm, EV_STOP, &err))
		return;
	vm->record.left = true; /* it comes back as its autostart says */
	if (fate_of(s, vm) == HOST_SAVE && !one->saved &&
		!op_save_check(vm, &err)) {
		one->saved = true;
		vm->stop = (struct vm_stop_order){ .host_shutdown = true };
		vm_post(vm, EV_SAVE);
		return;
	}
	one->ordered = true;
	vm->stop = (struct vm_stop_order){ .host_shutdown = true,
		.now = fate_of(s, vm) == HOST_STOP,
		.shared = true,
		.timeout_ms = left > 0 ? left : 1 };
	vm_post(vm, EV_STOP);
}

static void finish(struct shutdown *s)
{
	void (*on_done)(void *arg) = TAKE(s->on_done);

	loop_timer_stop(&s->limit);
	if (on_done)
		on_done(s->arg);
}

static void on_kick(struct loop_kick *kick)
{
	struct shutdown *s = container_of(kick, struct shutdown, kick);
	bool over = true;

	for (size_t i = 0; i < s->n; i++) {
		if (!s->all[i].watch.vm)
			continue;
		order_one(&s->all[i]);
		over &= is_over(s->all[i].watch.vm);
	}
	if (over)
		finish(s);
}

static void on_change(struct vm_watch *watch, struct vm *vm UNUSED)
{
	struct one *one = container_of(watch, struct one, watch);

	loop_kick(&one->shutdown->kick, on_kick);
}

static void on_limit(struct loop_timer *timer)
{
	finish(container_of(timer, struct shutdown, limit));
}

struct shutdown *shutdown_begin(struct registry *registry,
	enum shutdown_kind kind, int64_t limit_ms, void (*on_done)(void *arg),
	void *arg)
{
	struct shutdown *s = NEW(struct shutdown);

	s->registry = registry;
	s->kind = kind;
	s->on_done = on_done;
	s->arg = arg;
	if (limit_ms > YEAR_MS) /* infinity */
		limit_ms = YEAR_MS;
	s->until_ms = loop_now_ms() + limit_ms;
	registry_env(registry)->stopping++;
	s->all = xcalloc(
		list_count(registry_vms(registry)) + 1, sizeof(s->all[0]));
	s->n = 0;
	list_each(registry_vms(registry), it2, next2) {
		struct vm *vm = list_entry(it2, struct vm, link);
		struct one *one = &s->all[s->n];

		if (is_over(vm) || fate_of(s, vm) == HOST_LEAVE)
			continue;
		s->n++;
		one->shutdown = s;
		one->name = xstrdup(vm->name);
		vm_watch(vm, &one->watch, on_change);
	}
	loop_timer_start(&s->limit, limit_ms + GRACE_MS, on_limit);
	loop_kick(&s->kick, on_kick); /* all of them in one turn */
	return s;
}

void shutdown_kill(struct shutdown *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct vm *vm = s->all[i].watch.vm;
		struct err err = ERR_INIT;

		if (is_over(vm) || lifecycle_accepts(vm, EV_KILL, &err))
			continue;
		vm->stop.host_shutdown = true;
		vm_post(vm, EV_KILL);
	}
}

static bool is_one_of(const struct shutdown *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (str_eq(s->all[i].name, name))
			return true;
	}
	return false;
}

json_t *shutdown_report(const struct shutdown *s)
{
	json_t *stopped = json_array();
	json_t *left = json_array();
	json_t *up = json_array();

	for (size_t i = 0; i < s->n; i++) {
		const struct vm *vm =
			registry_find(s->registry, s->all[i].name);

		json_array_append_new(vm && vm_is_up(vm) ? up : stopped,
			json_string(s->all[i].name));
	}
	list_each(registry_vms(s->registry), it, next) {
		const struct vm *vm = list_entry(it, struct vm, link);

		if (vm_is_up(vm) && !is_one_of(s, vm->name))
			json_array_append_new(left, json_string(vm->name));
	}
	return json_pack(
		"{s:o,s:o,s:o}", "stopped", stopped, "left", left, "up", up);
}

void shutdown_free(struct shutdown *s)
{
	if (!s)
		return;
	registry_env(s->registry)->stopping--;
	for (size_t i = 0; i < s->n; i++) {
		vm_unwatch(&s->all[i].watch);
		free(s->all[i].name);
	}
	loop_kick_stop(&s->kick);
	loop_timer_stop(&s->limit);
	free(s->all);
	free(s);
}
