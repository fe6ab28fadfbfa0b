/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests that come while their VM is being adopted; see held.h. */
#include "supervisor/held.h"

#define HELD_MS 20000 /* adoption gives up before */

static void on_time(struct loop_timer *timer)
{
	struct request *rq = container_of(timer, struct request, deadline);
	void (*run)(struct request * request) = rq->held;

	rq->held = NULL;
	vm_unwatch(&rq->watch);
	run(rq);
}

/* From the loop: the handler may change the VM, too. */
static void on_change(struct vm_watch *watch, struct vm *vm)
{
	struct request *rq = container_of(watch, struct request, watch);

	if (vm->state != VM_ADOPTING)
		loop_timer_start(&rq->deadline, 0, on_time);
}

bool held_begin(struct request *rq, void (*run)(struct request *request))
{
	struct vm *vm = NULL;

	if ((rq->verb->flags & (VERB_MANY | VERB_ONE)) &&
		(rq->verb->flags & VERB_CHANGES) &&
		!(rq->verb->flags & VERB_AT_ONCE))
		vm = registry_find(
			request_registry(rq), request_string(rq, "vm"));
	if (!vm || vm->state != VM_ADOPTING)
		return false;
	rq->held = run;
	vm_watch(vm, &rq->watch, on_change);
	loop_timer_start(&rq->deadline, HELD_MS, on_time);
	return true;
}
