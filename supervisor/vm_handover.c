/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM that moves; see vm_handover.h. */
#include "supervisor/vm_handover.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/actions.h"
#include "supervisor/config.h"
#include "supervisor/console.h"
#include "supervisor/hang.h"
#include "supervisor/ready.h"

static const struct handover_field fields[] = {
	HAND(HAND_I64, struct vm, since_real_us),
	HAND(HAND_BOOL, struct vm, transient),
	HAND(HAND_BOOL, struct vm, up_stored),
	HAND(HAND_BOOL, struct vm, ordered),
	HAND(HAND_BOOL, struct vm, start_paused),
	HAND(HAND_BOOL, struct vm, once_ephemeral),
	HAND(HAND_BOOL, struct vm, kept_paused),
	HAND(HAND_BOOL, struct vm, reboot_known),
	HAND(HAND_BOOL, struct vm, reboot_ends),
	HAND(HAND_BOOL, struct vm, reboot_held),
	HAND(HAND_WORD, struct vm, stop_step),
	HAND(HAND_WORD, struct vm, note),
	HAND(HAND_WORD, struct vm, left_sets),
	HAND(HAND_INT, struct vm, ready),
	HAND(HAND_I64, struct vm, ready_real_us),
	HAND(HAND_I64, struct vm, retry_at_ms),
	HAND(HAND_I64, struct vm, last_end_us),
	HAND(HAND_I64, struct vm, restarted_us),
	HAND(HAND_I64, struct vm, asked_ms),
	HAND(HAND_I64, struct vm, ready_ms),
};

static const struct handover_field accel_fields[] = {
	HAND(HAND_BOOL, struct accel, kvm),
	HAND(HAND_TEXT, struct accel, reason),
};

static const struct handover_field full_fields[] = {
	HAND(HAND_BOOL, struct vm_full, blocked),
	HAND(HAND_WORD, struct vm_full, path),
	HAND(HAND_INT, struct vm_full, tries),
	HAND(HAND_I64, struct vm_full, tried_ms),
};

/* What has a name or a form of its own. */
struct moved {
	bool recorded;
	char *state;       /* "RUNNING" */
	char *cause;       /* of the last end */
	char detail[48];   /* likewise */
	struct str record; /* as it stands on disk */
	char *spec;        /* the last good one of files that are broken */
};

static const struct handover_field moved_fields[] = {
	HAND(HAND_BOOL, struct moved, recorded),
	HAND(HAND_WORD, struct moved, state),
	HAND(HAND_WORD, struct moved, cause),
	HAND(HAND_TEXT, struct moved, detail),
	HAND(HAND_BYTES, struct moved, record),
	{ "spec", HAND_WORD, offsetof(struct moved, spec), sizeof(char *),
		true },
};

/* ---- away ---- */

static bool runs(const struct vm *vm)
{
	return vm->state == VM_RUNNING || vm->state == VM_PAUSED;
}

/* Out of reach: the next one begins its adoption anew. */
static bool is_lost(const struct vm *vm)
{
	return vm->state == VM_UNREACHABLE || vm->newer_record;
}

const char *vm_busy_with(const struct vm *vm)
{
	if (vm->op)
		return vm->op->kind->name;
	if (!list_is_empty(&vm->jobs))
		return list_entry(vm->jobs.next, struct job, link)->kind->name;
	if (vm->order_pending)
		return "writing its record";
	if (!ready_can_move(vm))
		return "asking whether it is ready";
	if (is_lost(vm) || !vm_is_up(vm))
		return NULL;
	if (!runs(vm))
		return vm_state_word(vm);
	return machine_can_move(&vm->machine) ? NULL : "talking to QEMU";
}

static json_t *put_consoles(struct handover *h, const struct vm *vm)
{
	json_t *consoles = json_array();

	list_each(&vm->machine.consoles, it, next) {
		json_t *console = json_object();

		console_put(h, console, list_entry(it, struct console, link));
		json_array_append_new(consoles, console);
	}
	return consoles;
}

/* What the next image cannot read any more; new, or NULL. */
static char *last_good(const struct vm *vm)
{
	AUTO_STR struct str text = STR_INIT;

	if (!vm->spec || !vm->findings.errors)
		return NULL;
	config_show(vm->spec, false, NULL, &text);
	return str_take(&text);
}

static void put_moved(struct handover *h, json_t *to, const struct vm *vm)
{
	char slot[4096];
	struct moved moved = { .recorded = vm->recorded,
		.state = xstrdup(vm_state_id(vm->state)),
		.cause = xstrdup(cause_name(vm->last.cause)),
		.spec = last_good(vm) };

	store_encode(&vm->record, 1, (unsigned char *)slot);
	str_addn(&moved.record, slot, sizeof(slot));
	snprintf(moved.detail, sizeof(moved.detail), "%s", vm->last.detail);
	handover_put(h, to, moved_fields, NELEMS(moved_fields), &moved);
	free(moved.state);
	free(moved.cause);
	free(moved.spec);
	str_fini(&moved.record);
}

static json_t *put_part(struct handover *h, const struct handover_field *f,
	size_t n, const void *from)
{
	json_t *to = json_object();

	handover_put(h, to, f, n, from);
	return to;
}

json_t *vm_put(struct handover *h, const struct vm *vm)
{
	json_t *to = json_pack("{s:o}", "consoles", put_consoles(h, vm));
	json_t *part;

	if (is_lost(vm))
		return to;
	handover_put(h, to, fields, NELEMS(fields), vm);
	put_moved(h, to, vm);
	json_object_set_new(to, "accel",
		put_part(h, accel_fields, NELEMS(accel_fields), &vm->accel));
	json_object_set_new(to, "full",
		put_part(h, full_fields, NELEMS(full_fields), &vm->full));
	json_object_set_new(to, "hang", hang_save(h, vm));
	part = ready_save(h, vm);
	if (part)
		json_object_set_new(to, "probe", part);
	if (!runs(vm))
		return to;
	part = json_object();
	machine_put(h, part, &vm->machine);
	json_object_set_new(to, "machine", part);
	return to;
}

/* ---- and back ---- */

static int state_of(const char *id)
{
	for (int state = 0; state < VM_NSTATES; state++) {
		if (str_eq(vm_state_id((enum vm_state)state), id))
			return state;
	}
	return -1;
}

/* Its files are broken by now: it goes by what the last image knew. */
static void take_last_good(struct vm *vm, const char *text)
{
	struct findings f;

	if (vm->spec || !text)
		return;
	findings_init(&f);
	vm_replace_spec_steal(vm, config_load_text(&vm->env->paths, vm->name,
					  text, strlen(text), vm->name, &f));
	findings_fini(&f);
}

static int get_moved(const json_t *from, struct vm *vm, struct err *err)
{
	struct moved moved = { .state = NULL };
	AUTO_RECORD struct record record = { 0 };
	uint64_t sequence;
	int state;
	int rc = -1;

	if (handover_get(from, moved_fields, NELEMS(moved_fields), &moved, err))
		return -1;
	state = state_of(str_or(moved.state, ""));
	if (moved.record.len != 4096 ||
		store_decode((const unsigned char *)moved.record.data, &record,
			&sequence) ||
		state < 0 || !moved.cause)
		err_set(err, ERR_CONFIG, "the state of a VM is wrong");
	else
		rc = 0;
	if (rc == 0 && vm) {
		vm->state = (enum vm_state)state;
		record_copy(&vm->record, &record);
		vm->recorded = moved.recorded;
		vm->last.cause = cause_of(moved.cause);
		snprintf(vm->last.detail, sizeof(vm->last.detail), "%s",
			moved.detail);
		take_last_good(vm, moved.spec);
	}
	free(moved.state);
	free(moved.cause);
	free(moved.spec);
	str_fini(&moved.record);
	return rc;
}

static int check_consoles(const json_t *from, struct err *err)
{
	json_t *consoles = handover_need(from, "consoles", true, err);
	json_t *console;
	size_t i;

	if (!consoles)
		return -1;
	json_array_foreach(consoles, i, console)
	{
		if (console_check(console, err))
			return -1;
	}
	return 0;
}

static int check_parts(const json_t *from, struct err *err)
{
	const json_t *accel = handover_need(from, "accel", false, err);
	const json_t *full = handover_need(from, "full", false, err);
	const json_t *probe = json_object_get(from, "probe");
	const json_t *machine = json_object_get(from, "machine");

	if (!accel || !full ||
		hang_restore(json_object_get(from, "hang"), NULL, err) ||
		handover_get(
			accel, accel_fields, NELEMS(accel_fields), NULL, err) ||
		handover_get(
			full, full_fields, NELEMS(full_fields), NULL, err) ||
		(probe && ready_restore(probe, NULL, err)) ||
		(machine && machine_get(machine, NULL, err)))
		return -1;
	return 0;
}

int vm_check_moved(const json_t *from, struct err *err)
{
	if (check_consoles(from, err))
		return -1;
	if (!json_object_get(from, "state")) /* only its consoles move */
		return 0;
	if (handover_get(from, fields, NELEMS(fields), NULL, err) ||
		get_moved(from, NULL, err))
		return -1;
	return check_parts(from, err);
}

static void get_consoles(const json_t *from, struct vm *vm)
{
	struct err err = ERR_INIT;
	json_t *console;
	size_t i;

	json_array_foreach(json_object_get(from, "consoles"), i, console)
	{
		struct console *c = console_get(console, &err);

		BUG_ON(!c); /* checked */
		vm_take_console(vm, c);
	}
}

static void get_parts(const json_t *from, struct vm *vm)
{
	const json_t *machine = json_object_get(from, "machine");
	struct err err = ERR_INIT;

	BUG_ON(get_moved(from, vm, &err));
	if (machine) {
		vm_load_running(vm);
		if (!vm->spec)
			vm->spec = vm->running;
		vm->slots.live = true;
		if (vm->running)
			vm_load_slots(vm);
		BUG_ON(machine_get(machine, &vm->machine, &err));
	}
	BUG_ON(hang_restore(json_object_get(from, "hang"), vm, &err) ||
		handover_get(from, fields, NELEMS(fields), vm, &err) ||
		handover_get(json_object_get(from, "accel"), accel_fields,
			NELEMS(accel_fields), &vm->accel, &err) ||
		handover_get(json_object_get(from, "full"), full_fields,
			NELEMS(full_fields), &vm->full, &err));
}

bool vm_get(const json_t *from, struct vm *vm)
{
	const json_t *probe = json_object_get(from, "probe");
	struct err err = ERR_INIT;

	get_consoles(from, vm);
	if (!json_object_get(from, "state"))
		return false;
	get_parts(from, vm);
	if (!vm->recorded)
		vm_record_lost(vm);
	if (probe && ready_restore(probe, vm, &err))
		vmlog_line(&vm->log, LOG_WARN, "%s", err.text);
	act_go_on(vm);
	return true;
}
