/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every way a VM ends, and the name it gets. */
#include "supervisor/cause.h"

#include <signal.h>
#include <stdio.h>

#include "base/mem.h"

#include "tests/unit/tap.h"

#define EXIT(n)                            \
	{                                  \
		.known = true, .code = (n) \
	}
#define SIGNAL(n)                                             \
	{                                                     \
		.known = true, .signalled = true, .code = (n) \
	}
#define RAN .started = true

static const struct row {
	const char *name;
	struct cause_inputs in;
	enum cause cause;
	const char *detail;
} rows[] = {
	{ "kill verb", { RAN, .intent_kill = true, .exit = SIGNAL(9) },
		CAUSE_ADMIN_KILL, "" },
	{ "kill beats stop", { RAN, .intent_kill = true, .intent_stop = true },
		CAUSE_ADMIN_KILL, "" },
	{ "stop obeyed",
		{ RAN, .intent_stop = true, .shutdown_seen = true,
			.shutdown_reason = "guest-shutdown" },
		CAUSE_ADMIN_STOP, "" },
	{ "stop by quit",
		{ RAN, .intent_stop = true, .shutdown_seen = true,
			.shutdown_reason = "host-qmp-quit", .exit = EXIT(0) },
		CAUSE_ADMIN_STOP, "" },
	{ "stop by term",
		{ RAN, .intent_stop = true, .shutdown_seen = true,
			.shutdown_reason = "host-signal", .exit = EXIT(0) },
		CAUSE_ADMIN_STOP, "" },
	{ "stop ends in kill", { RAN, .intent_stop = true, .exit = SIGNAL(9) },
		CAUSE_ADMIN_STOP, "signal 9" },
	{ "panic while stopping",
		{ RAN, .intent_stop = true, .panicked = true },
		CAUSE_ADMIN_STOP, "panic" },
	{ "stop before it ran", { .intent_stop = true, .exit = EXIT(0) },
		CAUSE_ADMIN_STOP, "" },
	{ "stop beats host", { RAN, .intent_stop = true, .intent_host = true },
		CAUSE_ADMIN_STOP, "" },
	{ "host shutdown", { RAN, .intent_host = true, .exit = EXIT(0) },
		CAUSE_HOST_SHUTDOWN, "" },
	{ "bad argument", { .exit = EXIT(1) }, CAUSE_START_FAILED, "exit 1" },
	{ "dies at start", { .exit = SIGNAL(SIGABRT) }, CAUSE_START_FAILED,
		"signal 6" },
	{ "never ran, unknown", { .adopted = true }, CAUSE_START_FAILED, "" },
	{ "hang", { RAN, .hang = true, .exit = SIGNAL(9) }, CAUSE_HANG, "" },
	{ "sandbox", { RAN, .exit = SIGNAL(SIGSYS) }, CAUSE_SANDBOX, "" },
	{ "out of memory", { RAN, .oom_killed = true, .exit = SIGNAL(9) },
		CAUSE_OUT_OF_MEMORY, "" },
	{ "out of memory, adopted",
		{ RAN, .oom_killed = true, .adopted = true },
		CAUSE_OUT_OF_MEMORY, "" },
	{ "oom of another in the cgroup",
		{ RAN, .oom_killed = true, .shutdown_seen = true,
			.shutdown_reason = "guest-shutdown", .exit = EXIT(0) },
		CAUSE_GUEST_POWEROFF, "" },
	{ "segfault while another was killed for memory",
		{ RAN, .oom_killed = true, .exit = SIGNAL(SIGSEGV) },
		CAUSE_QEMU_SIGNAL, "11" },
	{ "killed by a stranger", { RAN, .exit = SIGNAL(9) }, CAUSE_QEMU_SIGNAL,
		"9" },
	{ "segfault", { RAN, .exit = SIGNAL(SIGSEGV) }, CAUSE_QEMU_SIGNAL,
		"11" },
	{ "killed after a panic", { RAN, .panicked = true, .exit = SIGNAL(9) },
		CAUSE_QEMU_SIGNAL, "9" },
	{ "panic, qemu kept", { RAN, .panicked = true }, CAUSE_PANIC, "" },
	{ "panic by reason",
		{ RAN, .shutdown_seen = true, .shutdown_reason = "guest-panic",
			.exit = EXIT(0) },
		CAUSE_PANIC, "" },
	{ "panic then shutdown",
		{ RAN, .panicked = true, .shutdown_seen = true,
			.shutdown_reason = "guest-shutdown" },
		CAUSE_PANIC, "" },
	{ "watchdog", { RAN, .watchdog = true, .exit = EXIT(0) },
		CAUSE_WATCHDOG, "" },
	{ "io error", { RAN, .io_error = true, .exit = EXIT(0) },
		CAUSE_IO_ERROR, "" },
	{ "power off",
		{ RAN, .shutdown_seen = true,
			.shutdown_reason = "guest-shutdown" },
		CAUSE_GUEST_POWEROFF, "" },
	{ "power off found later", { RAN, .shutdown_seen = true },
		CAUSE_GUEST_POWEROFF, "" },
	{ "reboot",
		{ RAN, .shutdown_seen = true,
			.shutdown_reason = "guest-reset" },
		CAUSE_GUEST_REBOOT, "" },
	{ "term by a stranger",
		{ RAN, .shutdown_seen = true, .shutdown_reason = "host-signal",
			.exit = EXIT(0) },
		CAUSE_QEMU_EXIT, "SIGTERM from outside" },
	{ "quit by a stranger",
		{ RAN, .shutdown_seen = true,
			.shutdown_reason = "host-qmp-quit", .exit = EXIT(0) },
		CAUSE_QEMU_EXIT, "quit from outside" },
	{ "a reason of a newer QEMU",
		{ RAN, .shutdown_seen = true, .shutdown_reason = "whim",
			.exit = EXIT(0) },
		CAUSE_QEMU_EXIT, "0" },
	{ "exit 1", { RAN, .exit = EXIT(1) }, CAUSE_QEMU_EXIT, "1" },
	{ "exit 0 unseen", { RAN, .exit = EXIT(0) }, CAUSE_QEMU_EXIT, "0" },
	{ "nothing is known", { RAN, .adopted = true }, CAUSE_UNKNOWN, "" },
};

static void test_rows(void)
{
	for (size_t i = 0; i < NELEMS(rows); i++) {
		struct cause_verdict got = { CAUSE_NONE, "x" };

		cause_classify(&rows[i].in, &got);
		is_str(cause_name(got.cause), cause_name(rows[i].cause), "%s",
			rows[i].name);
		is_str(got.detail, rows[i].detail, "%s: detail", rows[i].name);
	}
}

/* Whatever else was seen, an order explains the end and nothing restarts. */
static void test_orders_win(void)
{
	unsigned wrong = 0;

	for (unsigned bits = 0; bits < 512; bits++) {
		struct cause_inputs in = { .intent_stop = true,
			.started = bits & 1,
			.adopted = bits & 2,
			.shutdown_seen = bits & 4,
			.panicked = bits & 8,
			.watchdog = bits & 16,
			.io_error = bits & 32,
			.oom_killed = bits & 64,
			.hang = bits & 128,
			.exit = SIGNAL(SIGSEGV) };
		struct cause_verdict got;

		in.exit.known = bits & 256;
		cause_classify(&in, &got);
		wrong += got.cause != CAUSE_ADMIN_STOP;
		in.intent_kill = true;
		cause_classify(&in, &got);
		wrong += got.cause != CAUSE_ADMIN_KILL;
	}
	is_int(wrong, 0, "orders explain an end in 1024 cases");
}

static void test_table(void)
{
	bool round = true;

	for (int i = 0; i < NCAUSES; i++)
		round &= cause_of(cause_name((enum cause)i)) == (enum cause)i;
	ok(round, "names and causes go both ways");
	is_int(cause_of("nonsense"), CAUSE_UNKNOWN, "a name that is none");
	ok(cause_is_failure(CAUSE_PANIC) && cause_is_crash(CAUSE_PANIC),
		"a panic is a failure and a crash");
	ok(!cause_is_failure(CAUSE_ADMIN_STOP), "a stop is no failure");
	ok(!cause_is_crash(CAUSE_WATCHDOG), "a watchdog is no crash");
	is_int(cause_exit_status(CAUSE_QEMU_SIGNAL), 107, "exit status of run");
	is_str(cause_name((enum cause)99), "unknown", "a cause out of range");
}

int main(void)
{
	test_rows();
	test_orders_win();
	test_table();
	return done();
}
