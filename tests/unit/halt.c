/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A panic, a watchdog, a disk error: the end, or kept for a look. */
#include "supervisor/halt.h"

#include "supervisor/diskfull.h"
#include "tests/unit/vmkit.h"

static const struct machine_hooks no_hooks;
static struct vm *vm;

static void fresh(const char *text)
{
	vm_free(vm);
	vm = vm_new(&kit, "web", &no_hooks, kit_post);
	vm->spec = kit_spec(text);
	vm->running = vm->spec;
}

/* What QEMU says, as machine and lifecycle hand it on. */
static bool tells(enum qmp_event_type type, const char *data)
{
	AUTO_JSON json_t *object = json_loads(data, 0, NULL);
	struct qmp_event ev = { .type = type, .data = object };
	struct cause_inputs *seen = &vm->machine.seen;

	seen->panicked |= type == QMP_EV_GUEST_PANICKED;
	seen->watchdog |= type == QMP_EV_WATCHDOG && strstr(data, "pause");
	seen->io_error |= type == QMP_EV_BLOCK_IO_ERROR;
	return halt_on_event(vm, &ev);
}

#define PAUSED   "{\"action\":\"pause\"}"
#define NO_SPACE "\"nospace\":true"
#define IO(more) "{\"action\":\"stop\",\"node-name\":\"disk-root\"," more "}"
#define EIO_     IO("\"nospace\":false")

static void test_events(void)
{
	fresh("");
	ok(tells(QMP_EV_GUEST_PANICKED, PAUSED), "a panic ends it");
	ok(halt_is_over(vm), "and is its end");
	fresh("[restart]\npanic = pause\n");
	ok(!tells(QMP_EV_GUEST_PANICKED, PAUSED), "or it is kept");
	ok(!halt_is_over(vm), "and not over");
	is_str(vm->note, "panicked; kept for a look", "with a note");

	fresh("[watchdog]\n");
	ok(tells(QMP_EV_WATCHDOG, PAUSED), "a watchdog ends it");
	fresh("[watchdog]\naction = poweroff\n");
	is_int(vm->spec->restart.on_cause[CAUSE_WATCHDOG], ACTION_STOP,
		"poweroff leaves it down");
	ok(tells(QMP_EV_WATCHDOG, PAUSED), "after its end");
	fresh("[watchdog]\naction = pause\n");
	ok(!tells(QMP_EV_WATCHDOG, PAUSED), "or it is kept");
	is_str(vm->note, "its watchdog fired; kept for a look", "with a note");
	fresh("[watchdog]\naction = pause\n[restart]\nwatchdog = restart\n");
	ok(tells(QMP_EV_WATCHDOG, PAUSED), "[restart] has the last word");
	fresh("[watchdog]\naction = reset\n");
	ok(!tells(QMP_EV_WATCHDOG, "{\"action\":\"reset\"}"),
		"a reset ends nothing");
	ok(!halt_is_over(vm), "nor later");
}

static void test_disk(void)
{
	fresh("");
	ok(!tells(QMP_EV_BLOCK_IO_ERROR, EIO_), "a disk error only pauses");
	is_str(vm->note, "disk error: disk-root", "with a note");
	ok(!halt_is_over(vm), "not over");
	fresh("[restart]\nio-error = restart\n");
	ok(tells(QMP_EV_BLOCK_IO_ERROR, EIO_), "unless policy says so");
	ok(halt_is_over(vm), "then it is over");
	fresh("[restart]\nio-error = stop\n");
	ok(!tells(QMP_EV_BLOCK_IO_ERROR, IO(NO_SPACE)),
		"no space is never an end");
	ok(!halt_is_over(vm), "nor later");
	diskfull_end(vm);
	ok(!tells(QMP_EV_BLOCK_IO_ERROR,
		   "{\"action\":\"report\",\"node-name\":\"disk-root\"}"),
		"an error that the guest is told of");
}

#define FAR    "{\"action\":\"stop\",\"node-name\":\"disk-far\"}"
#define SERVER "[disk.far]\nurl = nbd://h/x\n"

static void test_server(void)
{
	fresh(SERVER);
	ok(!tells(QMP_EV_BLOCK_IO_ERROR, FAR), "a server that went away");
	is_str(vm->note, "disk far fails: nbd://h/x", "has its note");
	ok(vm->full.timed, "it is tried again by the clock");
	ok(!halt_is_over(vm), "and not over");
	diskfull_end(vm);
	fresh("[restart]\nio-error = restart\n" SERVER);
	ok(tells(QMP_EV_BLOCK_IO_ERROR, FAR), "unless policy says so");
	fresh(SERVER "on-eio = report\n");
	ok(!tells(QMP_EV_BLOCK_IO_ERROR, FAR),
		"what QEMU stopped all the same");
	is_str(vm->note, "disk error: disk-far", "is only kept");
	fresh(SERVER);
	ok(halt_found(vm, "io-error", "disk-far"), "found by a successor");
	is_str(vm->note, "disk far fails: nbd://h/x", "it has the same note");
	diskfull_end(vm);
}

static void finds(const char *full_node, const char *note, bool over)
{
	fresh("[restart]\nio-error = stop\n");
	ok(halt_found(vm, "io-error", full_node), "an io-error is found");
	ok(str_starts(vm->note, note), "noted: %s", vm->note);
	is_int(halt_is_over(vm), over, "over or not");
	diskfull_end(vm);
}

static void test_found(void)
{
	fresh("");
	ok(!halt_found(vm, "running", ""), "running is no halt");
	ok(!halt_found(vm, "paused", ""), "nor an admin's pause");
	ok(halt_found(vm, "watchdog", ""), "a watchdog is found");
	ok(halt_is_over(vm), "and ends it");
	finds("", "", true);
	finds("disk-root", "disk full: ", false);
	finds("strange", "disk full: strange", false);
	fresh("");
	halt_found(vm, "io-error", "");
	is_str(vm->note, "stopped by a disk error", "what is only kept");
	ok(!halt_is_over(vm), "is not over");
}

int main(void)
{
	kit_start();
	test_events();
	test_disk();
	test_server();
	test_found();
	vm_free(vm);
	kit_end();
	return done();
}
