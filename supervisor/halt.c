/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stops a guest against its will; see halt.h. */
#include "supervisor/halt.h"

#include "base/mem.h"
#include "supervisor/diskfull.h"

static const struct halt {
	const char *status; /* QEMU's run state */
	enum cause cause;
	size_t seen; /* the flag in struct cause_inputs */
	const char *note;
} halts[] = {
	{ "guest-panicked", CAUSE_PANIC,
		offsetof(struct cause_inputs, panicked),
		"panicked; kept for a look" },
	{ "watchdog", CAUSE_WATCHDOG, offsetof(struct cause_inputs, watchdog),
		"its watchdog fired; kept for a look" },
	{ "io-error", CAUSE_IO_ERROR, offsetof(struct cause_inputs, io_error),
		"stopped by a disk error" },
};

static bool *flag_of(struct cause_inputs *seen, const struct halt *halt)
{
	return (bool *)(void *)((char *)seen + halt->seen);
}

/* A disk error may heal: it ends a life only where a person said so. */
static bool ends(const struct vm *vm, enum cause cause)
{
	int action = vm->running ? vm->running->restart.on_cause[cause]
				 : ACTION_BY_POLICY;

	if (cause == CAUSE_IO_ERROR)
		return !vm->full.blocked &&
		       (action == ACTION_RESTART || action == ACTION_STOP);
	return action != ACTION_PAUSE;
}

static bool is_seen(const struct vm *vm, const struct halt *halt)
{
	const char *seen = (const char *)&vm->machine.seen;

	return *(const bool *)(const void *)(seen + halt->seen);
}

bool halt_is_over(const struct vm *vm)
{
	for (size_t i = 0; i < NELEMS(halts); i++)
		if (is_seen(vm, &halts[i]) && ends(vm, halts[i].cause))
			return true;
	return false;
}

/* The guest stands still: over, or kept with a note. */
static bool halted(struct vm *vm, enum cause cause)
{
	for (size_t i = 0; i < NELEMS(halts); i++)
		if (halts[i].cause == cause && !ends(vm, cause))
			vm_set_note(vm, "%s", halts[i].note);
	return ends(vm, cause);
}

static bool stopped_by_disk(struct vm *vm, const struct qmp_event *ev)
{
	const char *node = qmp_event_string(ev, "node-name");

	bool nospace = qmp_event_bool(ev, "nospace");

	if (nospace || diskfull_heals(vm, node)) {
		diskfull_begin(vm, node, nospace);
		return false;
	}
	if (halted(vm, CAUSE_IO_ERROR))
		return true;
	vm_set_note(vm, "disk error: %s", node);
	return false;
}

bool halt_on_event(struct vm *vm, const struct qmp_event *ev)
{
	if (ev->type == QMP_EV_GUEST_PANICKED)
		return halted(vm, CAUSE_PANIC);
	if (ev->type == QMP_EV_WATCHDOG && vm->machine.seen.watchdog)
		return halted(vm, CAUSE_WATCHDOG);
	if (ev->type == QMP_EV_BLOCK_IO_ERROR &&
		str_eq(qmp_event_string(ev, "action"), "stop"))
		return stopped_by_disk(vm, ev);
	return false;
}

bool halt_found(struct vm *vm, const char *status, const char *full_node)
{
	for (size_t i = 0; i < NELEMS(halts); i++) {
		if (!str_eq(halts[i].status, status))
			continue;
		*flag_of(&vm->machine.seen, &halts[i]) = true;
		if (*full_node)
			diskfull_begin(
				vm, full_node, !diskfull_heals(vm, full_node));
		else
			halted(vm, halts[i].cause);
		return true;
	}
	return false;
}
