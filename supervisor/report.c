/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VM as JSON; see report.h.  What is known of it is one table: a function
 * per member, list and status take theirs, a client those that it names.
 */
#include "supervisor/report.h"

#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/addresses.h"
#include "supervisor/confinement.h"
#include "supervisor/console.h"
#include "supervisor/limits.h"
#include "supervisor/ready.h"
#include "supervisor/schedule.h"

#define LOG_LINES 10 /* of the log in a status */

static json_t *strings(char **words)
{
	json_t *all = json_array();

	for (size_t i = 0; words && words[i]; i++)
		json_array_append_new(all, json_string(words[i]));
	return all;
}

static json_t *time_or_null(int64_t real_us)
{
	char text[32];

	if (real_us <= 0)
		return json_null();
	vmlog_time(real_us, text);
	return json_string(text);
}

static json_t *seconds_or_null(int64_t ms)
{
	return ms < 0 ? json_null() : json_real((double)ms / 1000);
}

static json_t *error_of(const struct vm *vm)
{
	list_each(&vm->findings.list, it, next) {
		const struct finding *f = list_entry(it, struct finding, link);

		if (f->level == FINDING_ERROR)
			return json_pack("{s:s,s:i,s:s}", "file", f->file,
				"line", (int)f->line, "text", f->text);
	}
	return json_null();
}

static json_t *known_addresses(const struct vm *vm)
{
	return addresses_of(vm, false);
}

/* ---- the note: what a person should know first ---- */

static void note_end(const struct vm *vm, struct str *out)
{
	time_t seconds = (time_t)(vm->record.last_end_real_us / 1000000);
	char when[32];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
	str_addf(out, "%s%s%s %s", cause_name(vm->last.cause),
		*vm->last.detail ? " " : "", vm->last.detail, when);
}

static void note_of(const struct vm *vm, struct str *out)
{
	struct err err = ERR_INIT;
	unsigned pending = vm_pending(vm);

	if (!vm_is_up(vm) && vm_check_files(vm, &err))
		str_add(out, err.text);
	else if (vm->waits && vm->order)
		vm->order->describe(vm, out);
	else if (*vm->note)
		str_add(out, vm->note);
	else if (vm->probe)
		ready_describe(vm, out);
	else if (vm->record.fallback)
		str_addf(out,
			"a crash loop: runs its last good configuration: "
			"vmward explain %s",
			vm->name);
	else if (vm->record.revert)
		str_addf(out,
			"a crash loop: went back to a snapshot: vmward "
			"explain %s",
			vm->name);
	else if (pending)
		str_addf(out, "%u change%s pending: vmward plan %s", pending,
			pending == 1 ? "" : "s", vm->name);
	else if (vm->gone && vm_is_up(vm))
		str_add(out, "its file is gone");
	else if (vm->findings.errors && findings_to_err(&vm->findings, &err))
		str_add(out, err.text);
	else if (!vm->recorded)
		str_add(out, "its state could not be recorded");
	else if (vm_is_up(vm) && *vm->accel.reason)
		str_add(out, vm->accel.reason);
	else if (!vm_is_up(vm) && vm->last.cause)
		note_end(vm, out);
}

/* ---- one value each ---- */

static json_t *name_of(const struct vm *vm)
{
	return json_string(vm->name);
}

static json_t *state_of(const struct vm *vm)
{
	return json_string(vm_state_word(vm));
}

static json_t *cause_value(const struct vm *vm)
{
	return vm->last.cause ? json_string(cause_name(vm->last.cause))
			      : json_null();
}

static json_t *since_of(const struct vm *vm)
{
	return time_or_null(vm->since_real_us);
}

static json_t *uptime_of(const struct vm *vm)
{
	return seconds_or_null(vm_uptime_ms(vm));
}

static json_t *pid_of(const struct vm *vm)
{
	return vm->machine.pid > 0 ? json_integer(vm->machine.pid)
				   : json_null();
}

static json_t *cpus_of(const struct vm *vm)
{
	const struct vm_spec *spec = vm_spec_now(vm);

	return spec ? json_integer((json_int_t)spec->vm.cpus) : json_null();
}

static json_t *memory_of(const struct vm *vm)
{
	const struct vm_spec *spec = vm_spec_now(vm);

	return spec ? json_integer((json_int_t)spec->vm.memory) : json_null();
}

static json_t *restarts_of(const struct vm *vm)
{
	return json_integer(vm->record.history.restarts);
}

static json_t *autostart_of(const struct vm *vm)
{
	static const char *const words[] = { "no", "yes", "last" };

	return json_string(vm->spec ? words[vm->spec->start.autostart] : "no");
}

static json_t *uuid_of(const struct vm *vm)
{
	const struct vm_spec *spec = vm_spec_now(vm);

	return spec ? json_string(spec->uuid) : json_null();
}

static json_t *tags_of(const struct vm *vm)
{
	const struct vm_spec *spec = vm_spec_now(vm);

	return strings(spec ? spec->vm.tags : NULL);
}

static json_t *owner_of(const struct vm *vm)
{
	const struct vm_spec *spec = vm_spec_now(vm);

	return spec && spec->vm.owner && *spec->vm.owner
		       ? json_string(spec->vm.owner)
		       : json_null();
}

static json_t *pending_of(const struct vm *vm)
{
	return json_integer(vm_pending(vm));
}

static json_t *isolation_of(const struct vm *vm)
{
	return json_string(confinement_word(vm));
}

static json_t *note_value(const struct vm *vm)
{
	AUTO_STR struct str note = STR_INIT;

	note_of(vm, &note);
	return json_string(str_text(&note));
}

/* All of it is known now. */
static json_t *age_of(const struct vm *vm UNUSED)
{
	return json_integer(0);
}

static json_t *description_of(const struct vm *vm)
{
	const struct vm_spec *spec = vm_spec_now(vm);

	return json_string(
		spec && spec->vm.description ? spec->vm.description : "");
}

static json_t *none_of(const struct vm *vm UNUSED)
{
	return json_array();
}

static json_t *consoles_of(const struct vm *vm)
{
	json_t *all = json_array();

	list_each(&vm->machine.consoles, it, next) {
		const struct console *c = list_entry(it, struct console, link);

		json_array_append_new(
			all, json_pack("{s:s,s:s?,s:s,s:i,s:I}", "name",
				     c->name, "socket", c->socket_path, "log",
				     c->log_path, "readers", (int)c->nreaders,
				     "lost", (json_int_t)c->lost));
	}
	return all;
}

static json_t *qemu_of(const struct vm *vm)
{
	unsigned v = vm->machine.qmp.version;
	char version[24];

	if (!vm_is_up(vm) || !vm->machine.ready)
		return json_null();
	snprintf(version, sizeof(version), "%u.%u.%u", v / 10000, v / 100 % 100,
		v % 100);
	return json_pack("{s:s,s:s,s:s,s:I,s:I}", "version", version, "accel",
		vm->accel.kvm ? "kvm" : "tcg", "reason", vm->accel.reason,
		"commands", (json_int_t)vm->machine.qmp.commands, "bytes_sent",
		(json_int_t)vm->machine.qmp.stream.tx_bytes);
}

/* Pinned at the first start. */
static json_t *machine_of(const struct vm *vm)
{
	return *vm->record.machine ? json_string(vm->record.machine)
				   : json_null();
}

static json_t *free_ports_of(const struct vm *vm)
{
	return json_integer((json_int_t)argv_free_slots(&vm->slots));
}

/* How often it ended, by cause, ever since there is a record of it. */
static json_t *ends_of(const struct vm *vm)
{
	json_t *ends = json_object();

	for (int c = 0; c < NCAUSES; c++)
		if (vm->record.tally.ends[c])
			json_object_set_new(ends, cause_name((enum cause)c),
				json_integer(
					(json_int_t)vm->record.tally.ends[c]));
	return ends;
}

static json_t *string_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

/* The step of a stop that worked. */
static json_t *stop_step_of(const struct vm *vm)
{
	return string_or_null(vm->stop_step);
}

/* Of a back-off. */
static json_t *next_try_of(const struct vm *vm)
{
	int64_t ms = vm->retry_at_ms - (int64_t)(sys_now_us() / 1000);

	return vm->state == VM_WAITING ? seconds_or_null(ms > 0 ? ms : 0)
				       : json_null();
}

static json_t *incident_of(const struct vm *vm)
{
	return string_or_null(vm->record.incident);
}

static json_t *restarts_total_of(const struct vm *vm)
{
	return json_integer((json_int_t)vm->record.tally.restarts);
}

static json_t *last_end_of(const struct vm *vm)
{
	return time_or_null(vm->record.last_end_real_us);
}

static json_t *hang_of(const struct vm *vm)
{
	return vm->hang.what ? json_string(vm->hang.what) : json_null();
}

static json_t *next_of(const struct vm *vm, enum schedule which)
{
	int64_t next = schedule_next(vm, which);

	return time_or_null(next == INT64_MAX ? 0 : next);
}

static json_t *next_backup_of(const struct vm *vm)
{
	return next_of(vm, SCHEDULE_BACKUP);
}

static json_t *next_snapshot_of(const struct vm *vm)
{
	return next_of(vm, SCHEDULE_SNAPSHOT);
}

static json_t *detail_of(const struct vm *vm)
{
	return json_string(vm->last.detail);
}

static json_t *recorded_of(const struct vm *vm)
{
	return json_boolean(vm->recorded);
}

static json_t *restart_us_of(const struct vm *vm)
{
	return json_integer(
		vm->last_end_us && vm->restarted_us >= vm->last_end_us
			? (json_int_t)((int64_t)vm->machine.spawned_us -
				       vm->last_end_us)
			: 0);
}

static json_t *config_of(const struct vm *vm)
{
	return json_pack("{s:o,s:I,s:I}", "files",
		strings(vm->spec ? vm->spec->files : NULL), "generation",
		(json_int_t)vm->record.generation, "running_generation",
		(json_int_t)vm->machine.generation);
}

static json_t *log_of(const struct vm *vm)
{
	AUTO_JSON json_t *log = vmlog_read(&vm->log, LOG_LINES, -1, 0);

	return json_incref(json_object_get(log, "lines"));
}

/* ---- which of them ---- */

/* One row a line. */
/* clang-format off */
static const struct report_field {
	const char *name;
	json_t *(*get)(const struct vm *vm);
	bool status; /* not in a list */
} fields[] = {
	{ "name", name_of, false },
	{ "state", state_of, false },
	{ "ready", vm_ready_json, false },
	{ "cause", cause_value, false },
	{ "since", since_of, false },
	{ "uptime", uptime_of, false },
	{ "pid", pid_of, false },
	{ "cpus", cpus_of, false },
	{ "memory", memory_of, false },
	{ "restarts", restarts_of, false },
	{ "addresses", known_addresses, false },
	{ "autostart", autostart_of, false },
	{ "uuid", uuid_of, false },
	{ "tags", tags_of, false },
	{ "owner", owner_of, false },
	{ "pending", pending_of, false },
	{ "isolation", isolation_of, false },
	{ "note", note_value, false },
	{ "age", age_of, false },
	{ "error", error_of, false },
	{ "description", description_of, false },
	{ "disks", report_disks, true },
	{ "cdroms", report_cdroms, true },
	{ "nics", report_nics, true },
	{ "devices", none_of, true },
	{ "consoles", consoles_of, true },
	{ "ports_free", free_ports_of, true },
	{ "machine", machine_of, true },
	{ "helpers", none_of, true },
	{ "qemu", qemu_of, true },
	{ "confinement", confinement_json, true },
	{ "limits", limits_json, true },
	{ "stop_step", stop_step_of, true },
	{ "next_try", next_try_of, true },
	{ "last_incident", incident_of, true },
	{ "restarts_total", restarts_total_of, true },
	{ "ends", ends_of, true },
	{ "last_end", last_end_of, true },
	{ "hang", hang_of, true },
	{ "next_backup", next_backup_of, true },
	{ "next_snapshot", next_snapshot_of, true },
	{ "detail", detail_of, true },
	{ "recorded", recorded_of, true },
	{ "restart_us", restart_us_of, true },
	{ "config", config_of, true },
	{ "log", log_of, true },
};
/* clang-format on */

_Static_assert(NELEMS(fields) <= REPORT_FIELDS, "room for each once");

static const struct report_field *find_field(const char *name, bool status)
{
	for (size_t i = 0; i < NELEMS(fields); i++)
		if (str_eq(fields[i].name, name) &&
			(status || !fields[i].status))
			return &fields[i];
	return NULL;
}

static int unknown_field(const char *name, bool status, struct err *err)
{
	const char *names[NELEMS(fields) + 1] = { NULL };
	const char *near;

	for (size_t i = 0, n = 0; i < NELEMS(fields); i++)
		if (status || !fields[i].status)
			names[n++] = fields[i].name;
	near = str_nearest(name, names);
	return err_set(err, ERR_USAGE,
		"Parameter 'fields' does not accept value '%.64s'%s%s%s", name,
		near ? " (did you mean '" : "", str_or(near, ""),
		near ? "'?)" : "");
}

int report_choose(struct report_choice *out, const json_t *names, bool status,
	struct err *err)
{
	out->n = 0;
	for (size_t i = 0; !names && i < NELEMS(fields); i++)
		if (status || !fields[i].status)
			out->list[out->n++] = &fields[i];
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		const struct report_field *field = find_field(name, status);

		if (!field)
			return unknown_field(name, status, err);
		for (size_t k = 0; k < out->n; k++)
			if (out->list[k] == field)
				return err_set(err, ERR_USAGE,
					"Parameter 'fields' names '%s' twice",
					name);
		out->list[out->n++] = field;
	}
	return 0;
}

json_t *report_value(const struct vm *vm, const struct report_field *field)
{
	json_t *value = field->get(vm);

	return value ? value : json_null(); /* what is no UTF-8 */
}

const char *report_name(const struct report_field *field)
{
	return field->name;
}

json_t *report_vm(const struct vm *vm, const struct report_choice *choice)
{
	json_t *o = json_object();

	for (size_t i = 0; i < choice->n; i++)
		json_object_set_new(o, choice->list[i]->name,
			report_value(vm, choice->list[i]));
	return o;
}
