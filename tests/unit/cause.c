/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every way a VM ends, and the name it gets. */
#include "supervisor/cause.h"

#include <signal.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"

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

/* ---- the order in which it is seen ---- */

#define RUNSTATE "runstate_set current_run_state 9 (x) new_state 1 "
#define REQUEST  "qemu_system_shutdown_request reason="
#define NSTREAMS 4
#define NSTEPS   5

/*
 * What comes of one end, each stream in its own order and all of them in any:
 * "q NAME member=value" from the monitor, "t LINE" a trace, "x N" an exit,
 * "s N" a signal, "m N" that with the memory counter moved, "? -" an exit
 * that is not known, "i WHO" an order, "h -" the hang detector.
 */
static const struct end {
	const char *verdict;
	bool never_ran;
	const char *streams[NSTREAMS][NSTEPS];
} ends[] = {
	{ "guest-poweroff", false,
		{ { "q SHUTDOWN reason=guest-shutdown", "q STOP -",
			  "q SHUTDOWN reason=host-qmp-quit" },
			{ "t " REQUEST "6", "t " RUNSTATE "(shutdown)",
				"t " REQUEST "2" },
			{ "x 0" } } },
	{ "guest-reboot", false,
		{ { "q SHUTDOWN reason=guest-reset", "q STOP -",
			  "q SHUTDOWN reason=host-qmp-quit" },
			{ "t " REQUEST "7", "t " RUNSTATE "(shutdown)" },
			{ "x 0" } } },
	{ "admin-stop", false,
		{ { "q SHUTDOWN reason=guest-shutdown", "q STOP -" },
			{ "t " REQUEST "6", "t " RUNSTATE "(shutdown)" },
			{ "x 0" }, { "i stop" } } },
	{ "admin-kill", false, { { "s 9" }, { "i kill" }, { "i stop" } } },
	{ "host-shutdown", false,
		{ { "q SHUTDOWN reason=guest-shutdown", "q STOP -" },
			{ "t " REQUEST "6" }, { "x 0" }, { "i host" } } },
	{ "panic", false,
		{ { "q RESUME -", "q GUEST_PANICKED action=pause", "q STOP -",
			  "q SHUTDOWN reason=host-qmp-quit" },
			{ "t " RUNSTATE "(running)",
				"t " RUNSTATE "(guest-panicked)",
				"t " REQUEST "2" },
			{ "x 0" } } },
	{ "watchdog", false,
		{ { "q WATCHDOG action=pause", "q STOP -",
			  "q SHUTDOWN reason=host-qmp-quit" },
			{ "t " RUNSTATE "(watchdog)", "t " REQUEST "2" },
			{ "x 0" } } },
	{ "io-error", false,
		{ { "q BLOCK_IO_ERROR action=stop", "q STOP -",
			  "q SHUTDOWN reason=host-qmp-quit" },
			{ "t " RUNSTATE "(io-error)", "t " REQUEST "2" },
			{ "x 0" } } },
	{ "out-of-memory", false,
		{ { "q RESET -" }, { "t " RUNSTATE "(running)" }, { "m 9" } } },
	{ "qemu-exit 29", false,
		{ { "q RESUME -" }, { "t " RUNSTATE "(running)" },
			{ "x 29" } } },
	{ "qemu-exit SIGTERM from outside", false,
		{ { "q SHUTDOWN reason=host-signal" }, { "t " REQUEST "4" },
			{ "x 0" } } },
	{ "qemu-signal 11", false,
		{ { "q STOP -", "q RESUME -" },
			{ "t " RUNSTATE "(paused)", "t " RUNSTATE "(running)" },
			{ "s 11" } } },
	{ "sandbox", false,
		{ { "q RESUME -" }, { "t " RUNSTATE "(running)" },
			{ "s 31" } } },
	{ "hang", false, { { "h -" }, { "s 9" }, { "q STOP -" } } },
	{ "start-failed exit 1", true, { { "x 1" }, { "t nothing" } } },
	{ "unknown", false,
		{ { "q RESUME -" }, { "t " RUNSTATE "(running)" },
			{ "? -" } } },
};

static void note_event(struct cause_inputs *in, const char *text)
{
	char name[32] = "";
	char member[16] = "";
	char value[32] = "";
	struct qmp_event ev;

	sscanf(text, "%31s %15[^=]=%31s", name, member, value);
	ev = (struct qmp_event){ .type = qmp_event_type_of(name),
		.name = name,
		.data = json_pack("{s:s}", member, value) };
	cause_note_event(in, &ev);
	json_decref(ev.data);
}

static void note(struct cause_inputs *in, const char *step)
{
	const char *rest = step + 2;
	struct sys_exit how = { .known = *step != '?',
		.signalled = *step == 's' || *step == 'm' };

	how.code = how.known ? (int)str_digits(rest) : 0;
	if (*step == 'q')
		note_event(in, rest);
	else if (*step == 't')
		cause_note_trace(in, rest);
	else if (*step == 'h')
		in->hang = true;
	else if (*step != 'i')
		cause_note_exit(in, &how, *step == 'm');
	in->intent_stop |= str_eq(step, "i stop");
	in->intent_kill |= str_eq(step, "i kill");
	in->intent_host |= str_eq(step, "i host");
}

struct walk {
	const struct end *end;
	unsigned at[NSTREAMS];
	unsigned orders, wrong;
};

static void judge(struct walk *w, const struct cause_inputs *in)
{
	struct cause_verdict got;
	char text[96];

	cause_classify(in, &got);
	snprintf(text, sizeof(text), "%s%s%s", cause_name(got.cause),
		*got.detail ? " " : "", got.detail);
	w->orders++;
	w->wrong += !str_eq(text, w->end->verdict);
}

/* Every way in which the streams can be read. */
static void walk(struct walk *w, const struct cause_inputs *in)
{
	bool over = true;

	for (unsigned s = 0; s < NSTREAMS; s++) {
		const char *step =
			w->at[s] < NSTEPS ? w->end->streams[s][w->at[s]] : NULL;
		struct cause_inputs then = *in;

		if (!step)
			continue;
		over = false;
		note(&then, step);
		w->at[s]++;
		walk(w, &then);
		w->at[s]--;
	}
	if (over)
		judge(w, in);
}

static void test_orders_of_arrival(void)
{
	bool told[NCAUSES] = { [CAUSE_NONE] = true };

	for (size_t i = 0; i < NELEMS(ends); i++) {
		struct cause_inputs in = { .started = !ends[i].never_ran };
		struct walk w = { .end = &ends[i] };
		char name[24] = "";

		walk(&w, &in);
		ok(w.orders > 1 && w.wrong == 0,
			"%s in %u orders of arrival, %u wrong", ends[i].verdict,
			w.orders, w.wrong);
		sscanf(ends[i].verdict, "%23s", name);
		told[cause_of(name)] = true;
	}
	for (int i = 0; i < NCAUSES; i++)
		ok(told[i], "%s is among them", cause_name((enum cause)i));
}

int main(void)
{
	test_orders_of_arrival();
	test_rows();
	test_orders_win();
	test_table();
	return done();
}
