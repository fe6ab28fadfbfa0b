/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a QEMU: what it is called, and what follows from it. */
#include "supervisor/settle.h"

#include "tests/unit/vmkit.h"

static struct vm *vm;

static void no_event(struct machine *m, const struct qmp_event *ev)
{
	(void)m;
	(void)ev;
}

static const struct machine_hooks hooks = { no_event, NULL, NULL, NULL };

/* A VM that ran and ended so. */
static void fresh(const char *spec, struct cause_inputs seen)
{
	vm_free(vm);
	vm = vm_new(&kit, "web", &hooks, kit_post);
	vm->spec = spec ? kit_spec(spec) : NULL;
	vm->state = VM_RUNNING;
	vm->ready = VM_READY_YES;
	vm->machine.seen = seen;
	kit_events();
}

static struct cause_inputs crash(void)
{
	return (struct cause_inputs){ .started = true,
		.exit = { .known = true, .signalled = true, .code = 11 } };
}

static struct cause_inputs poweroff(void)
{
	return (struct cause_inputs){ .started = true,
		.shutdown_seen = true,
		.shutdown_reason = "guest-shutdown",
		.exit = { .known = true } };
}

static void settles(enum cause cause, const char *posted, const char *what)
{
	settle(vm);
	is_str(kit_events(), posted, "%s", what);
	is_int(vm->last.cause, cause, "its cause");
	is_int(vm->record.last_cause, cause, "is recorded");
}

static void test_ends(void)
{
	fresh("", poweroff());
	settles(CAUSE_GUEST_POWEROFF, "END_STOPPED ", "a poweroff");
	is_int(vm->ready, VM_READY_NONE, "is ready no more");
	ok(kit_logged(vm, "ended: guest-poweroff"), "it is logged");
	fresh("[restart]\npolicy = always\n", poweroff());
	settles(CAUSE_GUEST_POWEROFF, "END_RESTART ", "with policy always");
	fresh("", crash());
	settles(CAUSE_QEMU_SIGNAL, "END_RESTART ", "a crash");
	is_str(vm->last.detail, "11", "of signal 11");
	is_str(vm->record.last_detail, "11", "which is recorded");
	ok(kit_logged(vm, "ended: qemu-signal 11"), "and logged");
	fresh("[restart]\npolicy = no\n", crash());
	settles(CAUSE_QEMU_SIGNAL, "END_STOPPED ", "with policy no");
	fresh("", (struct cause_inputs){ .started = false });
	settles(CAUSE_START_FAILED, "END_RESTART ", "a start that failed");
	fresh("", (struct cause_inputs){ .started = false });
	vm->ordered = true;
	settles(CAUSE_START_FAILED, "END_STOPPED ", "one by order");
}

static int most(void *buf, size_t len)
{
	memset(buf, 0xff, len);
	return 0;
}

static int none(void *buf, size_t len)
{
	(void)buf;
	(void)len;
	return -1;
}

/* Two VMs that fell together do not rise together; the count stays. */
static void test_spread(void)
{
	int64_t now;

	fresh("[restart]\nbackoff = 4s\n", crash());
	settle(vm);
	clock_sys.random = none;
	vm->machine.seen = crash();
	now = loop_now_ms();
	settle(vm);
	is_int(vm->retry_at_ms - now, 4000, "no random: the delay itself");
	clock_sys.random = most;
	vm->machine.seen = crash();
	settle(vm);
	is_int(vm->retry_at_ms - now, 3001, "at most a quarter less");
	clock_sys.random = sys_real.random;
	is_int((long long)vm->record.tally.restarts, 3, "restarts are counted");
	is_int((long long)vm->record.tally.ends[CAUSE_QEMU_SIGNAL], 3,
		"and ends by their cause");
	policy_forgive(&vm->record.history);
	is_int((long long)vm->record.tally.restarts, 3, "for ever");
}

static void test_orders(void)
{
	fresh("", crash());
	vm->intent_stop = true;
	settles(CAUSE_ADMIN_STOP, "END_STOPPED ", "a stop by order");
	fresh("[restart]\npolicy = always\n", crash());
	vm->intent_kill = true;
	settles(CAUSE_ADMIN_KILL, "END_STOPPED ", "a kill, whatever policy");
	fresh("", crash());
	vm->intent_stop = vm->stop.restart = true;
	settles(CAUSE_ADMIN_STOP, "END_RESTART ", "a restart by order");
	ok(!vm->intent_stop && !vm->stop.restart, "orders are done then");
	vm->intent_kill = vm->intent_stop = vm->stop.restart = true;
	settle(vm);
	is_str(kit_events(), "END_STOPPED ", "a restart that was killed");
	fresh("", poweroff());
	vm->intent_stop = vm->stop.runtime = true;
	settles(CAUSE_ADMIN_STOP, "END_STOPPED ", "its time was over");
	is_str(vm->last.detail, "runtime-max", "which is its detail");
	fresh("", crash());
	vm->stop.host_shutdown = vm->intent_stop = true;
	settles(CAUSE_HOST_SHUTDOWN, "END_STOPPED ", "the host goes down");
	fresh("", crash());
	kit.stopping = true;
	settle(vm);
	is_str(kit_events(), "END_STOPPED ", "the supervisor goes");
	kit.stopping = false;
	fresh("[restart]\npolicy = always\n", crash());
	vm->gone = true;
	settle(vm);
	is_str(kit_events(), "END_STOPPED ", "its file is gone");
}

/* The one that runs may be another than the one that is written. */
static void test_specs(void)
{
	fresh("", crash());
	vm->running = kit_spec("[restart]\npolicy = no\n");
	settle(vm);
	is_str(kit_events(), "END_RESTART ", "policy is what is written now");
	ok(!vm->running, "nothing runs any more");
	fresh(NULL, crash());
	vm->running = kit_spec("");
	settle(vm);
	is_str(kit_events(), "END_RESTART ",
		"a broken file: the last good one");
	ok(vm->spec && !vm->running, "is kept");
	fresh(NULL, crash());
	settle(vm);
	is_str(kit_events(), "END_STOPPED ", "without any it rests");
}

static void test_backoff(void)
{
	AUTO_STR struct str posted = STR_INIT;
	int64_t waited = 0;

	fresh("[restart]\nbackoff = 1s-4s\nburst = 5/10min\n", crash());
	for (int i = 0; i < 6; i++) {
		settle(vm);
		str_add(&posted, kit_events());
		waited = vm->retry_at_ms - loop_now_ms();
		loop_sim_advance(waited);
		vm->machine.seen = crash();
	}
	ok(str_starts(str_text(&posted), "END_RESTART END_BACKOFF "),
		"at once, then later: %s", str_text(&posted));
	ok(str_ends(str_text(&posted), "END_FAILED "), "then never");
}

static void test_record(void)
{
	AUTO_STR struct str seen = STR_INIT;
	json_t *events;
	json_t *event;
	size_t i;

	fresh("", poweroff());
	vm->record.pid = 4711;
	settle(vm);
	is_int(vm->record.pid, 0, "no process is recorded");
	is_int(vm->record.last_end_real_us, clock_realtime(), "its time is");
	is_int(vm->last_end_us, loop_sim_now_us(), "on both clocks");
	events = events_since(events_last() - 4);
	json_array_foreach(events, i, event) str_addf(&seen, "%s ",
		json_string_value(json_object_get(event, "event")));
	json_decref(events);
	ok(strstr(str_text(&seen), "VM_ENDED "), "told: %s", str_text(&seen));
}

int main(void)
{
	kit_start();
	test_ends();
	test_spread();
	test_orders();
	test_specs();
	test_backoff();
	test_record();
	vm_free(vm);
	kit_end();
	return done();
}
