/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest of a simulated QEMU: it runs, is paused, powers off, reboots,
 * and writes to a disk that may be full.
 */
#include <stdarg.h>
#include <stdio.h>

#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

enum { WRITE_MS = 100, HELLO_MS = 300 };

void guest_trace(const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (world_write(2, text, strlen(text)) < 0)
		sim_note("nobody takes its stderr");
}

void guest_start(struct sim_qemu *q, const char *const *argv)
{
	for (size_t i = 0; argv[i]; i++)
		q->reboot_ends |= strstr(argv[i], "reboot=shutdown") != NULL;
}

void guest_set_action(struct sim_qemu *q, const json_t *arguments)
{
	const char *reboot =
		json_string_value(json_object_get(arguments, "reboot"));

	if (reboot)
		q->reboot_ends = str_eq(reboot, "shutdown");
}

/* QEMU stays, as -action shutdown=pause says. */
void guest_off(struct sim_qemu *q, const char *reason)
{
	bool reboot = str_eq(reason, "guest-reset");
	AUTO_FREE char *data =
		xasprintf("\"guest\": true, \"reason\": \"%s\"", reason);

	if (q->off)
		return;
	sim_note("%s: the guest is off: %s", q->vm->name, reason);
	q->off = true;
	q->paused = true;
	q->off_us = q->write_us = 0;
	guest_trace(
		"1@1 qemu_system_shutdown_request reason=%d\n", reboot ? 7 : 6);
	qemu_event(q, "SHUTDOWN", data);
	qemu_event(q, "STOP", "");
}

void guest_reset(struct sim_qemu *q, const char *reason)
{
	AUTO_FREE char *data = xasprintf("\"guest\": %s, \"reason\": \"%s\"",
		str_starts(reason, "host") ? "false" : "true", reason);

	if (q->off)
		return;
	if (q->reboot_ends && str_starts(reason, "host"))
		sim_breach("policy", "%s: its reset would end it", q->vm->name);
	if (q->reboot_ends)
		guest_off(q, reason);
	else
		qemu_event(q, "RESET", data);
}

const char *guest_status(const struct sim_qemu *q)
{
	return q->off       ? "shutdown"
	       : !q->ran    ? "prelaunch"
	       : q->blocked ? "io-error"
	       : q->paused  ? "paused"
			    : "running";
}

void guest_go(struct sim_qemu *q)
{
	bool first = !q->ran;

	if (q->off || (q->ran && !q->paused))
		return;
	q->ran = true;
	q->paused = q->held = false;
	if (q->blocked) /* what could not be written is written again */
		guest_write(q);
	q->blocked = false;
	qemu_event(q, "RESUME", "");
	if (first)
		q->hello_us = (int64_t)loop_sim_now_us() + HELLO_MS * 1000;
	if (first && sim.diamond)
		diamond_runs(q);
}

void guest_pause(struct sim_qemu *q)
{
	q->held = true;
	if (!q->ran || q->paused)
		return;
	q->paused = true;
	qemu_event(q, "STOP", "");
}

void guest_write(struct sim_qemu *q)
{
	q->write_us = (int64_t)loop_sim_now_us() + WRITE_MS * 1000;
}

static void write_now(struct sim_qemu *q)
{
	q->write_us = 0;
	if (world_space() > 0 || q->off || q->paused || !q->ran)
		return;
	sim_note("%s: its disk is full", q->vm->name);
	qemu_event(q, "BLOCK_IO_ERROR",
		"\"device\": \"\", \"node-name\": \"disk-root\", "
		"\"nospace\": true, \"action\": \"stop\", "
		"\"operation\": \"write\", \"reason\": \"No space\"");
	q->paused = q->blocked = true;
	qemu_event(q, "STOP", "");
}

static void say_hello(struct sim_qemu *q)
{
	q->hello_us = 0;
	if (q->serial >= 0 && world_write(q->serial, "hello\n", 6) < 0)
		sim_note("%s: its console is full", q->vm->name);
}

bool guest_pump(struct sim_qemu *q)
{
	int64_t now = (int64_t)loop_sim_now_us();
	bool did = false;

	if (q->hello_us && q->hello_us <= now) {
		say_hello(q);
		did = true;
	}
	if (q->write_us && q->write_us <= now) {
		write_now(q);
		did = true;
	}
	return did;
}
