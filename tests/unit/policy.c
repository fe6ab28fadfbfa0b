/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which ends restart a VM, when, and when it is given up. */
#include "supervisor/policy.h"

#include "tests/unit/tap.h"

#define NOW  POLICY_RESTART_NOW
#define STAY POLICY_STAY_STOPPED

static struct spec_restart usual(int policy)
{
	return (struct spec_restart){ .policy = policy,
		.backoff = { 1000, 60000 },
		.burst = { 5, 600000 },
		.on_guest_reboot = REBOOT_COLD_IF_PENDING };
}

static enum policy_action first(int policy, enum cause cause)
{
	struct spec_restart spec = usual(policy);
	struct policy_history history = { 0 };

	return policy_decide(&spec, cause, &history, 5000, 0).action;
}

static void test_policies(void)
{
	static const struct {
		enum cause cause;
		enum policy_action no, failure, crash, always;
	} rows[] = {
		{ CAUSE_GUEST_POWEROFF, STAY, STAY, STAY, NOW },
		{ CAUSE_GUEST_REBOOT, NOW, NOW, NOW, NOW },
		{ CAUSE_ADMIN_STOP, STAY, STAY, STAY, STAY },
		{ CAUSE_ADMIN_KILL, STAY, STAY, STAY, STAY },
		{ CAUSE_HOST_SHUTDOWN, STAY, STAY, STAY, STAY },
		{ CAUSE_PANIC, STAY, NOW, NOW, NOW },
		{ CAUSE_WATCHDOG, STAY, NOW, STAY, NOW },
		{ CAUSE_IO_ERROR, STAY, NOW, STAY, NOW },
		{ CAUSE_OUT_OF_MEMORY, STAY, NOW, STAY, NOW },
		{ CAUSE_QEMU_EXIT, STAY, NOW, NOW, NOW },
		{ CAUSE_QEMU_SIGNAL, STAY, NOW, NOW, NOW },
		{ CAUSE_SANDBOX, STAY, NOW, STAY, NOW },
		{ CAUSE_HANG, STAY, NOW, NOW, NOW },
		{ CAUSE_START_FAILED, STAY, NOW, STAY, NOW },
		{ CAUSE_UNKNOWN, STAY, NOW, STAY, NOW },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum cause c = rows[i].cause;

		ok(first(POLICY_NO, c) == rows[i].no &&
				first(POLICY_ON_FAILURE, c) ==
					rows[i].failure &&
				first(POLICY_ON_CRASH, c) == rows[i].crash &&
				first(POLICY_ALWAYS, c) == rows[i].always &&
				first(POLICY_UNLESS_STOPPED, c) ==
					rows[i].always,
			"%s under every policy", cause_name(c));
	}
}

static void test_overrides(void)
{
	struct spec_restart spec = usual(POLICY_NO);
	struct policy_history history = { 0 };

	spec.on_cause[CAUSE_PANIC] = ACTION_PAUSE;
	spec.on_cause[CAUSE_HANG] = ACTION_RESTART;
	spec.on_guest_reboot = REBOOT_STOP;
	is_int(policy_decide(&spec, CAUSE_PANIC, &history, 0, 0).action,
		POLICY_KEEP_PAUSED, "panic = pause keeps it");
	is_int(history.n, 0, "a kept VM has no failure entered");
	is_int(policy_decide(&spec, CAUSE_HANG, &history, 0, 0).action, NOW,
		"hang = restart beats policy = no");
	is_int(policy_decide(&spec, CAUSE_GUEST_REBOOT, &history, 0, 0).action,
		STAY, "on-guest-reboot = stop");
	spec = usual(POLICY_ALWAYS);
	spec.on_cause[CAUSE_QEMU_EXIT] = ACTION_STOP;
	is_int(policy_decide(&spec, CAUSE_QEMU_EXIT, &history, 0, 0).action,
		STAY, "qemu-exit = stop beats policy = always");
}

/* One failure each `gap` ms: the delays, then failed. */
static void test_burst(void)
{
	static const int64_t delays[] = { 0, 1000, 2000, 4000, 8000 };
	struct spec_restart spec = usual(POLICY_ON_FAILURE);
	struct policy_history history = { 0 };
	struct policy_decision got;
	int64_t now = 100; /* the first life lasts 0.1 s */

	for (unsigned i = 0; i < 5; i++) {
		got = policy_decide(&spec, CAUSE_PANIC, &history, now, 0);
		is_int(got.action, i == 0 ? NOW : POLICY_RESTART_LATER,
			"restart %u", i + 1);
		is_int(got.delay_ms, delays[i], "its delay");
		now += got.delay_ms + 100;
	}
	got = policy_decide(&spec, CAUSE_PANIC, &history, now, 0);
	is_int(got.action, POLICY_FAILED, "the sixth failure is the last");
	is_int(history.restarts, 5, "five restarts were made");
	got = policy_decide(&spec, CAUSE_PANIC, &history, now, 0);
	is_int(got.action, POLICY_FAILED, "and it stays so");
	policy_forgive(&history);
	got = policy_decide(&spec, CAUSE_PANIC, &history, now, 0);
	is_int(got.action, NOW, "reset-failed forgives");
}

static void test_window(void)
{
	struct spec_restart spec = usual(POLICY_ON_FAILURE);
	struct policy_history history = { 0 };
	unsigned at_once = 0;

	for (int i = 0; i < 50; i++)
		at_once += policy_decide(&spec, CAUSE_PANIC, &history,
				   i * (int64_t)600000, 0)
				   .action == NOW;
	is_int(at_once, 50, "a failure each window is always the first");
	policy_forgive(&history);
	policy_decide(&spec, CAUSE_PANIC, &history, 0, 0);
	is_int(policy_decide(&spec, CAUSE_PANIC, &history, 599999, 0).delay_ms,
		1000, "the last millisecond of the window counts");
	history.n = 3;
	history.at_ms[2] = 999999999; /* the clock of another boot */
	is_int(policy_decide(&spec, CAUSE_PANIC, &history, 600001, 0).delay_ms,
		1000, "times ahead of the clock are dropped");
	history.n = 4000;
	policy_decide(&spec, CAUSE_PANIC, &history, 600002, 0);
	ok(history.n <= POLICY_HISTORY, "a wild count is cut");
}

static void test_backoff(void)
{
	struct spec_restart spec = usual(POLICY_ON_FAILURE);
	struct policy_history history = { 0 };
	int64_t last = 0;

	spec.burst.count = 0;
	for (int i = 0; i < 100; i++)
		last = policy_decide(&spec, CAUSE_PANIC, &history, i, 0)
			       .delay_ms;
	is_int(last, 60000, "burst 0 has no end, back-off has");
	policy_forgive(&history);
	spec.backoff.max_ms = spec.backoff.first_ms = 3000;
	for (int i = 0; i < 10; i++)
		last = policy_decide(&spec, CAUSE_PANIC, &history, i, 0)
			       .delay_ms;
	is_int(last, 3000, "one value does not grow");
	policy_forgive(&history);
	spec.backoff = (struct spec_backoff){ 10000, 15000 };
	for (int i = 0; i < 3; i++)
		last = policy_decide(&spec, CAUSE_PANIC, &history, i, 0)
			       .delay_ms;
	is_int(last, 15000, "doubling stops at the maximum");
	spec.burst.count = 1000;
	policy_forgive(&history);
	for (int i = 0; i < 15; i++)
		policy_decide(&spec, CAUSE_PANIC, &history, i, 0);
	is_int(policy_decide(&spec, CAUSE_PANIC, &history, 16, 0).action,
		POLICY_FAILED, "a burst beyond the history still ends");
}

static void test_jitter(void)
{
	static const struct {
		uint32_t chance;
		int64_t delay;
	} rows[] = { { 0, 4000 }, { UINT32_MAX / 2 + 1, 3500 },
		{ UINT32_MAX, 3001 } };
	struct spec_restart spec = usual(POLICY_ON_FAILURE);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_history history = { .n = 3,
			.at_ms = { 1, 2, 3 } };

		is_int(policy_decide(
			       &spec, CAUSE_PANIC, &history, 4, rows[i].chance)
				.delay_ms,
			rows[i].delay, "chance %u: up to a quarter less",
			rows[i].chance);
	}
}

int main(void)
{
	test_policies();
	test_overrides();
	test_burst();
	test_window();
	test_backoff();
	test_jitter();
	return done();
}
