/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long VMs took to be ready; see analyze.h. */
#include "supervisor/analyze.h"

#include "base/mem.h"
#include "supervisor/order.h"
#include "supervisor/report.h"

struct times {
	const struct vm **at; /* those that are ready */
	size_t n;
	int64_t base_ms;
};

static int64_t started_ms(const struct vm *vm)
{
	return vm->record.started_mono_ms;
}

/* An adopted one was asked for when nobody knows. */
static int64_t asked_ms(const struct vm *vm)
{
	return vm->asked_ms ? vm->asked_ms : started_ms(vm);
}

static int64_t own_ms(const struct vm *vm)
{
	int64_t ms = vm->ready_ms - started_ms(vm);

	return ms > 0 ? ms : 0;
}

static int compare(const void *a, const void *b)
{
	int64_t one = own_ms(*(const struct vm *const *)a);
	int64_t other = own_ms(*(const struct vm *const *)b);

	return (one < other) - (one > other);
}

static void times_init(struct times *t, struct registry *registry)
{
	*t = (struct times){ .base_ms = INT64_MAX };
	list_each(registry_vms(registry), it, next) {
		const struct vm *vm = list_entry(it, struct vm, link);

		if (!vm_is_up(vm) || vm->ready != VM_READY_YES ||
			started_ms(vm) == 0)
			continue;
		t->at = xreallocarray(t->at, t->n + 1, sizeof(t->at[0]));
		t->at[t->n++] = vm;
		if (asked_ms(vm) < t->base_ms)
			t->base_ms = asked_ms(vm);
	}
	if (t->n > 1)
		qsort(t->at, t->n, sizeof(t->at[0]), compare);
}

/* Who was ready last: of those that came with us, if there are any. */
static const struct vm *last_of(const struct times *t)
{
	const struct vm *last = NULL;

	for (size_t i = 0; i < t->n; i++) {
		if (!last || t->at[i]->boot > last->boot ||
			(t->at[i]->boot == last->boot &&
				t->at[i]->ready_ms > last->ready_ms))
			last = t->at[i];
	}
	return last;
}

static double seconds(int64_t ms)
{
	return (double)ms / 1000;
}

static json_t *blame(const struct times *t, struct str *text)
{
	json_t *all = json_array();
	size_t size = 0;
	bool fits = true;

	for (size_t i = 0; i < t->n && fits; i++) {
		const struct vm *vm = t->at[i];
		int64_t waited = started_ms(vm) - asked_ms(vm);

		fits = report_append(all,
			json_pack("{s:s,s:f,s:f,s:f,s:f}", "name", vm->name,
				"asked", seconds(asked_ms(vm) - t->base_ms),
				"ready", seconds(vm->ready_ms - t->base_ms),
				"time", seconds(own_ms(vm)), "waited",
				seconds(waited > 0 ? waited : 0)),
			&size);
		size += 40; /* the line of the text */
		if (fits)
			str_addf(text, "%8.1f s  %s\n", seconds(own_ms(vm)),
				vm->name);
	}
	return all;
}

static json_t *chain(
	const struct times *t, const struct vm *vm, struct str *out)
{
	json_t *all = json_array();

	if (vm)
		str_add(out, "\ncritical chain: ready after, of that itself\n");
	for (int depth = 0; vm && depth < 100; depth++) {
		json_array_append_new(all,
			json_pack("{s:s,s:f,s:f}", "name", vm->name, "ready",
				seconds(vm->ready_ms - t->base_ms), "time",
				seconds(own_ms(vm))));
		str_addf(out, "%8.1f s  +%.1f s  %s\n",
			seconds(vm->ready_ms - t->base_ms), seconds(own_ms(vm)),
			vm->name);
		vm = order_latest_before(vm);
	}
	return all;
}

json_t *analyze_report(struct registry *registry, const struct vm *vm)
{
	AUTO_STR struct str text = STR_INIT;
	struct times t;
	json_t *vms;
	json_t *links;

	times_init(&t, registry);
	if (t.n == 0)
		str_add(&text, "no VM is ready\n");
	vms = blame(&t, &text);
	links = chain(&t, vm ? vm : last_of(&t), &text);
	free(t.at);
	return json_pack("{s:o,s:o,s:s}", "vms", vms, "chain", links, "text",
		str_text(&text));
}
