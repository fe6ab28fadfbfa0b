/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM as JSON for list and status; see report.h. */
#include "supervisor/report.h"

#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/console.h"
#include "supervisor/ready.h"

#define LINE_BYTES 60000 /* of an array that fills a line */

static const struct vm_spec *spec_of(const struct vm *vm)
{
	return vm->running ? vm->running : vm->spec;
}

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

static json_t *ready_of(const struct vm *vm)
{
	return vm->ready == VM_READY_NONE
		       ? json_null()
		       : json_boolean(vm->ready == VM_READY_YES);
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

/* User mode hands every guest the same first address. */
static json_t *addresses_of(const struct vm *vm)
{
	const struct vm_spec *spec = spec_of(vm);
	json_t *all = json_array();

	if (!spec || !vm_is_up(vm))
		return all;
	list_each(&spec->nics, it, next) {
		if (list_entry(it, struct spec_nic, link)->user)
			json_array_append_new(
				all, json_pack("{s:s,s:s,s:n}", "address",
					     "10.0.2.15", "source", "user-mode",
					     "age"));
	}
	return all;
}

static const char *autostart_of(const struct vm *vm)
{
	static const char *const words[] = { "no", "yes", "last" };

	return vm->spec ? words[vm->spec->start.autostart] : "no";
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
	else if (pending)
		str_addf(out, "%u change%s pending: vmward plan %s", pending,
			pending == 1 ? "" : "s", vm->name);
	else if (vm->gone && vm_is_up(vm))
		str_add(out, "its file is gone");
	else if (!vm->recorded)
		str_add(out, "its state could not be recorded");
	else if (vm_is_up(vm) && *vm->accel.reason)
		str_add(out, vm->accel.reason);
	else if (!vm_is_up(vm) && vm->last.cause)
		note_end(vm, out);
}

json_t *report_list(const struct vm *vm)
{
	const struct vm_spec *spec = spec_of(vm);
	AUTO_STR struct str note = STR_INIT;
	json_t *o;

	note_of(vm, &note);
	o = json_pack("{s:s,s:s,s:o,s:s?,s:o}", "name", vm->name, "state",
		vm_state_word(vm), "ready", ready_of(vm), "cause",
		vm->last.cause ? cause_name(vm->last.cause) : NULL, "since",
		time_or_null(vm->since_real_us));
	json_object_set_new(o, "uptime", seconds_or_null(vm_uptime_ms(vm)));
	json_object_set_new(o, "pid",
		vm->machine.pid > 0 ? json_integer(vm->machine.pid)
				    : json_null());
	json_object_set_new(o, "cpus",
		spec ? json_integer((json_int_t)spec->vm.cpus) : json_null());
	json_object_set_new(o, "memory",
		spec ? json_integer((json_int_t)spec->vm.memory) : json_null());
	json_object_set_new(
		o, "restarts", json_integer(vm->record.history.restarts));
	json_object_set_new(o, "addresses", addresses_of(vm));
	json_object_set_new(o, "autostart", json_string(autostart_of(vm)));
	json_object_set_new(
		o, "uuid", spec ? json_string(spec->uuid) : json_null());
	json_object_set_new(o, "tags", strings(spec ? spec->vm.tags : NULL));
	json_object_set_new(o, "owner",
		spec && spec->vm.owner && *spec->vm.owner
			? json_string(spec->vm.owner)
			: json_null());
	json_object_set_new(o, "pending", json_integer(vm_pending(vm)));
	json_object_set_new(o, "isolation",
		json_string(!vm_is_up(vm)   ? "-"
			    : vm->accel.kvm ? "seccomp"
					    : "none (tcg)"));
	json_object_set_new(o, "note", json_string(str_text(&note)));
	json_object_set_new(o, "age", json_integer(0));
	json_object_set_new(o, "error", error_of(vm));
	return o;
}

json_t *report_disks(const struct vm *vm)
{
	const struct vm_spec *spec = spec_of(vm);
	json_t *all = json_array();

	if (!spec)
		return all;
	list_each(&spec->disks, it, next) {
		struct spec_disk *disk = list_entry(it, struct spec_disk, link);
		AUTO_FREE char *path =
			argv_disk_path(spec, disk, vm->env->paths.images);
		struct err err = ERR_INIT;
		int format = argv_disk_format(disk, path, &err);

		json_array_append_new(
			all, json_pack("{s:s,s:s,s:s?,s:s,s:b,s:b}", "name",
				     disk->name, "image", path, "format",
				     format == FORMAT_NONE
					     ? NULL
					     : spec_format_names[format],
				     "bus", spec_bus_names[disk->bus],
				     "readonly", disk->readonly, "attached",
				     vm->running != NULL));
	}
	return all;
}

static json_t *nics_of(const struct vm *vm)
{
	const struct vm_spec *spec = spec_of(vm);
	json_t *all = json_array();

	if (!spec)
		return all;
	list_each(&spec->nics, it, next) {
		struct spec_nic *nic = list_entry(it, struct spec_nic, link);
		char mac[18];

		argv_nic_mac(spec, nic, mac);
		json_array_append_new(all,
			json_pack("{s:s,s:s,s:s,s:b}", "name", nic->name, "mac",
				mac, "mode", nic->user ? "user" : "tap", "link",
				nic->up));
	}
	return all;
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

static int free_ports(const struct vm *vm)
{
	int n = 0;

	for (unsigned i = 0; i < vm->slots.n; i++)
		n += !vm->slots.names[i][0];
	return n;
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

/* The step of a stop that worked, the next try of a back-off. */
static void add_progress(const struct vm *vm, json_t *o)
{
	int64_t ms = vm->retry_at_ms - (int64_t)(sys_now_us() / 1000);

	json_object_set_new(o, "stop_step",
		*vm->stop_step ? json_string(vm->stop_step) : json_null());
	json_object_set_new(o, "next_try",
		vm->state == VM_WAITING ? seconds_or_null(ms > 0 ? ms : 0)
					: json_null());
	json_object_set_new(o, "last_incident",
		*vm->record.incident ? json_string(vm->record.incident)
				     : json_null());
	json_object_set_new(o, "restarts_total",
		json_integer((json_int_t)vm->record.tally.restarts));
	json_object_set_new(o, "ends", ends_of(vm));
	json_object_set_new(
		o, "last_end", time_or_null(vm->record.last_end_real_us));
	json_object_set_new(o, "hang",
		vm->hang.what ? json_string(vm->hang.what) : json_null());
	json_object_set_new(o, "detail", json_string(vm->last.detail));
	json_object_set_new(o, "recorded", json_boolean(vm->recorded));
	json_object_set_new(o, "restart_us",
		json_integer(
			vm->last_end_us && vm->restarted_us >= vm->last_end_us
				? (json_int_t)((int64_t)vm->machine.spawned_us -
					       vm->last_end_us)
				: 0));
}

json_t *report_status(const struct vm *vm)
{
	const struct vm_spec *spec = spec_of(vm);
	json_t *o = report_list(vm);
	json_t *log = vmlog_read(&vm->log, 10, -1, 0);

	json_object_set_new(o, "description",
		json_string(spec && spec->vm.description ? spec->vm.description
							 : ""));
	json_object_set_new(o, "disks", report_disks(vm));
	json_object_set_new(o, "nics", nics_of(vm));
	json_object_set_new(o, "devices", json_array());
	json_object_set_new(o, "consoles", consoles_of(vm));
	json_object_set_new(o, "ports_free", json_integer(free_ports(vm)));
	json_object_set_new(o, "helpers", json_array());
	json_object_set_new(o, "qemu", qemu_of(vm));
	add_progress(vm, o);
	json_object_set_new(o, "config",
		json_pack("{s:o,s:I,s:I}", "files",
			strings(vm->spec ? vm->spec->files : NULL),
			"generation", (json_int_t)vm->record.generation,
			"running_generation",
			(json_int_t)vm->machine.generation));
	json_object_set(o, "log", json_object_get(log, "lines"));
	json_decref(log);
	return o;
}

json_t *report_error(const struct err *err)
{
	const char *class = err->code == ERR_NOT_FOUND     ? "DeviceNotFound"
			    : err->code == ERR_UNSUPPORTED ? "CommandNotFound"
							   : "GenericError";

	return json_pack("{s:{s:s,s:s,s:s}}", "error", "class", class, "desc",
		err->text, "code", err_code_name(err->code));
}

json_t *report_job(const struct job *job)
{
	char id[16];

	snprintf(id, sizeof(id), "j%u", job->id);
	return json_pack("{s:s,s:s,s:s,s:f,s:s?,s:I,s:I}", "job", id, "kind",
		job->kind->name, "vm", job->target, "age",
		(double)((int64_t)(sys_now_us() / 1000) - job->started_ms) /
			1000,
		"phase", job->progress.phase, "done",
		(json_int_t)job->progress.done, "total",
		(json_int_t)job->progress.total);
}

json_t *report_task(const struct job *job)
{
	json_t *result = report_job(job);

	json_object_set_new(result, "image", json_string(job->target));
	json_object_set_new(result, "vm", json_null());
	return result;
}

bool report_append(json_t *array, json_t *item, size_t *size)
{
	size_t len =
		json_dumpb(item, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) + 1;

	if (*size + len > LINE_BYTES) {
		json_decref(item);
		return false;
	}
	*size += len;
	json_array_append_new(array, item);
	return true;
}

static json_t *report_finding(const struct finding *f)
{
	return json_pack("{s:s,s:i,s:s,s:s}", "file", f->file, "line",
		(int)f->line, "level",
		f->level == FINDING_ERROR ? "error" : "note", "text", f->text);
}

json_t *report_findings(const struct findings *findings)
{
	json_t *all = json_array();

	list_each(&findings->list, it, next)
		json_array_append_new(all,
			report_finding(list_entry(it, struct finding, link)));
	return all;
}

bool report_append_findings(
	json_t *array, const struct findings *findings, size_t *size)
{
	list_each(&findings->list, it, next) {
		const struct finding *f = list_entry(it, struct finding, link);

		if (!report_append(array, report_finding(f), size))
			return false;
	}
	return true;
}
