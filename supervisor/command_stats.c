/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats and metrics: QEMU is asked, but waited for only a moment. */
#include "base/mem.h"
#include "supervisor/commands.h"
#include "supervisor/metrics.h"
#include "supervisor/report.h"
#include "supervisor/stats.h"

#define WAIT_MS 100 /* then the answer is what is remembered */

/* A request that waits for QEMUs. */
struct asking {
	struct stats_wait wait;
	struct request *rq;
	void (*answer)(struct request *rq);
};

static void ask(struct stats_wait *wait, struct vm *vm)
{
	struct stats_scope scope = {
		/* of an adopted one we do not know: QEMU does */
		.kvm = vm->accel.kvm || vm->machine.adopted,
		.balloon = vm->running && vm->running->balloon.enabled,
	};

	if (!vm_is_up(vm))
		return;
	if (!vm->stats)
		vm->stats = stats_new(&vm->machine);
	stats_ask(vm->stats, &scope);
	stats_wait_for(wait, vm->stats);
}

static void free_asking(struct request *rq)
{
	struct asking *a = container_of(rq->cursor, struct asking, wait.hopes);

	stats_wait_stop(&a->wait);
	free(a);
}

static void on_over(struct stats_wait *wait)
{
	struct asking *a = container_of(wait, struct asking, wait);

	a->answer(a->rq);
}

/* Asks one VM, or all (NULL), and answers soon. */
static void ask_and_answer(
	struct request *rq, struct vm *vm, void (*answer)(struct request *rq))
{
	struct asking *a = NEW(struct asking);

	a->rq = rq;
	a->answer = answer;
	list_init(&a->wait.hopes);
	rq->cursor = &a->wait.hopes;
	rq->on_free = free_asking;
	if (vm)
		ask(&a->wait, vm);
	else
		list_each(registry_vms(request_registry(rq)), it, next)
			ask(&a->wait, list_entry(it, struct vm, link));
	if (!stats_wait_start(&a->wait, WAIT_MS, on_over))
		answer(rq);
}

/* By name again: it may have been forgotten meanwhile. */
static void answer_stats(struct request *rq)
{
	struct vm *vm = command_vm(rq);

	if (vm)
		request_reply_steal(rq, report_stats(vm));
}

static void answer_metrics(struct request *rq)
{
	AUTO_STR struct str text = STR_INIT;
	AUTO_FREE char *next = metrics_page(registry_vms(request_registry(rq)),
		request_bool(rq, "libvirt-names"), request_string(rq, "after"),
		&text);

	request_reply_steal(rq,
		json_pack("{s:s,s:s*}", "text", str_text(&text), "next", next));
}

/* The first page asks; those behind it tell what was answered then. */
void command_metrics(struct request *rq)
{
	if (*request_string(rq, "after")) {
		answer_metrics(rq);
	} else {
		registry_catch_up(request_registry(rq));
		ask_and_answer(rq, NULL, answer_metrics);
	}
}

void command_stats(struct request *rq)
{
	struct vm *vm = command_vm(rq);

	if (vm)
		ask_and_answer(rq, vm, answer_stats);
}
