/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of handlers, and those that fit nowhere else; see commands.h. */
#include "supervisor/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "supervisor/config.h"
#include "supervisor/console.h"
#include "supervisor/events.h"
#include "supervisor/explain.h"
#include "supervisor/lifecycle.h"
#include "supervisor/op.h"
#include "supervisor/report.h"
#include "supervisor/tasks.h"
#include "supervisor/upgrade.h"

#define LOG_LINES 200

/* ---- what handlers share ---- */

struct vm *command_vm(struct request *rq)
{
	struct err err = ERR_INIT;
	struct vm *vm = registry_need(
		request_registry(rq), request_string(rq, "vm"), &err);

	if (!vm)
		request_fail(rq, &err);
	return vm;
}

json_t *command_result(const struct vm *vm, bool changed, const char *message)
{
	json_t *result = json_pack("{s:b,s:s,s:s*}", "changed", changed,
		"state", vm_state_word(vm), "message", message);

	if (!vm->recorded)
		json_object_set_new(result, "recorded", json_false());
	return result;
}

static bool is_ending(const struct verb *verb)
{
	return str_eq(verb->wire, "vm-stop") || str_eq(verb->wire, "vm-kill");
}

bool command_dry_run(struct request *rq, const struct vm *vm)
{
	AUTO_FREE char *action = NULL;

	if (!request_bool(rq, "dry-run"))
		return false;
	if (vm && !vm_is_up(vm) && is_ending(rq->verb)) {
		request_reply_steal(rq, json_pack("{s:[]}", "actions"));
		return true;
	}
	action = vm ? xasprintf("%s %s (it is %s)", rq->verb->name, vm->name,
			      vm_state_word(vm))
		    : xstrdup(rq->verb->name);
	request_reply_steal(rq, json_pack("{s:[s]}", "actions", action));
	return true;
}

bool command_job(struct request *rq, struct vm *vm, struct job *job)
{
	char id[16];

	rq->vm = vm;
	rq->began_op = true;
	if (!request_bool(rq, "job"))
		return false;
	snprintf(id, sizeof(id), "j%u", job->id);
	request_reply_steal(rq, json_pack("{s:s}", "job", id));
	return true;
}

bool command_is_alone(const struct request *rq)
{
	return request_bool(rq, "job");
}

op_end_fn *command_end(const struct request *rq, op_end_fn *on_end)
{
	return command_is_alone(rq) ? vm_job_over : on_end;
}

void *command_listener(struct request *rq, struct vm *vm)
{
	return command_is_alone(rq) ? (void *)vm : (void *)rq;
}

void command_follow(struct request *rq, struct vm *vm, struct job *job)
{
	vm_job_add(vm, job);
	if (!command_is_alone(rq)) {
		rq->vm = vm;
		rq->job = job;
		return;
	}
	request_reply_steal(
		rq, json_pack("{s:o}", "job", json_sprintf("j%u", job->id)));
}

static bool is_good(struct request *rq, const struct job *job)
{
	rq->job = NULL;
	if (job->err.code)
		request_fail(rq, &job->err);
	return !job->err.code;
}

bool command_ends_well(struct request *rq, struct job *job)
{
	vm_job_over(job, rq->vm);
	return is_good(rq, job);
}

bool command_task_ends_well(struct request *rq, struct job *job)
{
	tasks_end(job);
	return is_good(rq, job);
}

bool command_job_ends(struct request *rq, struct job *job)
{
	vm_job_over(job, rq->vm);
	rq->job = NULL;
	rq->vm = NULL;
	if (job->err.code) {
		request_fail(rq, &job->err);
		return false;
	}
	registry_catch_up(request_registry(rq));
	return true;
}

/* ---- about the server ---- */

static void command_capabilities(struct request *rq)
{
	json_t *enable = json_object_get(rq->args, "enable");
	json_t *word;
	size_t i;

	json_array_foreach(enable, i, word)
	{
		if (!str_eq(json_string_value(word), "vmward")) {
			request_failf(rq, ERR_USAGE,
				"Parameter 'enable' does not accept value "
				"'%s'",
				json_string_value(word));
			return;
		}
	}
	if (json_array_size(enable))
		request_enable_events(rq);
	request_negotiated(rq);
	request_reply_steal(rq, NULL);
}

static void command_version(struct request *rq)
{
	request_reply_steal(
		rq, json_pack("{s:{s:i,s:i,s:i},s:s}", "qemu", "major",
			    VMWARD_MAJOR, "minor", VMWARD_MINOR, "micro",
			    VMWARD_MICRO, "package", "vmward " VMWARD_VERSION));
}

static void command_commands(struct request *rq)
{
	json_t *all = json_array();

	for (size_t i = 0; i < nverbs; i++) {
		if (verbs[i].wire)
			json_array_append_new(
				all, json_pack("{s:s}", "name", verbs[i].wire));
	}
	request_reply_steal(rq, all);
}

static json_t *schema_of_args(const struct verb *verb)
{
	static const char *const types[] = { [ARG_VM] = "str",
		[ARG_STRING] = "str",
		[ARG_INT] = "int",
		[ARG_BOOL] = "bool",
		[ARG_SIZE] = "size",
		[ARG_DURATION] = "number",
		[ARG_AGO] = "number",
		[ARG_PAIRS] = "object",
		[ARG_WORDS] = "[str]",
		[ARG_OBJECT] = "object",
		[ARG_FILE] = "str",
		[ARG_VOLUME] = "str" };
	json_t *members = json_array();

	if (verb->flags & (VERB_MANY | VERB_ONE))
		json_array_append_new(members,
			json_pack("{s:s,s:s,s:b}", "name", "vm", "type", "str",
				"optional", (verb->flags & VERB_MAYBE) != 0));
	for (size_t i = 0; i < verb->nargs; i++) {
		const struct arg *arg = &verb->args[i];

		if (!(arg->flags & ARG_LOCAL))
			json_array_append_new(members,
				json_pack("{s:s,s:s,s:b,s:s}", "name",
					arg->name, "type", types[arg->type],
					"optional",
					(arg->flags & (ARG_OPTIONAL |
							      ARG_OPTION)) != 0,
					"help", arg->help));
	}
	return members;
}

static void command_schema(struct request *rq)
{
	json_t *commands = json_array();
	json_t *events = json_array();

	for (size_t i = 0; i < nverbs; i++) {
		if (verbs[i].wire)
			json_array_append_new(commands,
				json_pack("{s:s,s:s,s:s,s:o}", "name",
					verbs[i].wire, "help", verbs[i].help,
					"role", role_name(verbs[i].role),
					"arguments",
					schema_of_args(&verbs[i])));
	}
	for (const struct event_doc *e = event_docs; e->name; e++)
		json_array_append_new(events,
			json_pack("{s:s,s:s,s:s}", "name", e->name, "members",
				e->members, "help", e->help));
	request_reply_steal(rq,
		json_pack("{s:o,s:o}", "commands", commands, "events", events));
}

static void command_event_replay(struct request *rq)
{
	json_t *events;
	json_t *event;
	size_t i;

	if (!request_has_events(rq)) {
		request_failf(rq, ERR_STATE,
			"event-replay needs the capability 'vmward'");
		return;
	}
	events = events_since((uint64_t)request_int(rq, "since", 0));
	json_array_foreach(events, i, event) request_send_event(rq, event);
	json_decref(events);
	request_reply_steal(
		rq, json_pack("{s:I}", "seq", (json_int_t)events_last()));
}

/* ---- about one VM ---- */

static void command_status(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	struct report_choice choice;
	struct err err = ERR_INIT;

	if (!vm)
		return;
	if (report_choose(
		    &choice, json_object_get(rq->args, "fields"), true, &err))
		request_fail(rq, &err);
	else
		request_reply_steal(rq, report_vm(vm, &choice));
}

static void command_explain(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	AUTO_STR struct str text = STR_INIT;

	if (!vm)
		return;
	explain_vm(vm, &text);
	request_reply_steal(rq, json_pack("{s:s}", "text", str_text(&text)));
}

/* ---- log, console, qmp ---- */

static void read_console_log(struct request *rq, const struct vm *vm)
{
	const struct console *c = vm_console(vm, NULL);
	json_t *lines = json_array();
	AUTO_FREE char *tail = c ? console_tail(c, 40000) : xstrdup("");
	AUTO_STR struct str text = STR_INIT;
	char *rest = tail;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		str_cut(&text, 0);
		str_add_visible(&text, line, strcspn(line, "\r"));
		if (*line || rest)
			json_array_append_new(lines,
				json_pack("{s:n,s:n,s:s}", "time", "level",
					"text", str_text(&text)));
	}
	while ((json_int_t)json_array_size(lines) >
		request_int(rq, "lines", LOG_LINES))
		json_array_remove(lines, 0);
	request_reply_steal(
		rq, json_pack("{s:o,s:i}", "lines", lines, "next", 0));
}

void command_log(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	json_int_t lines = request_int(rq, "lines", LOG_LINES);
	int64_t since = request_ms(rq, "since") * 1000;

	if (!vm)
		return;
	if (request_bool(rq, "console")) {
		read_console_log(rq, vm);
		return;
	}
	request_reply_steal(
		rq, vmlog_read(&vm->log, lines > 0 ? (size_t)lines : LOG_LINES,
			    request_int(rq, "after", -1), since));
}

void command_console(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	const char *serial = request_string(rq, "serial");
	const struct console *c;

	if (!vm)
		return;
	c = vm_console(vm, *serial ? serial : NULL);
	if (c && c->socket_path)
		request_reply_steal(
			rq, json_pack("{s:s,s:s}", "path", c->socket_path,
				    "serial", c->name));
	else if (!vm_is_up(vm))
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
	else
		request_failf(
			rq, ERR_NOT_FOUND, "it has no console '%s'", serial);
}

static void on_qmp_end(struct job *job, void *arg)
{
	struct request *rq = arg;

	if (command_ends_well(rq, job))
		request_reply_steal(rq, json_incref(op_qmp_result(job)));
}

void command_qmp(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	json_t *args = json_object_get(rq->args, "arguments");

	if (!vm)
		return;
	if (!vm->machine.ready) {
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
		return;
	}
	rq->vm = vm;
	rq->job = op_qmp_begin_steal(vm, request_string(rq, "execute"),
		json_incref(args), on_qmp_end, rq);
	vm_job_add(vm, rq->job);
}

/* ---- jobs ---- */

void command_job_list(struct request *rq)
{
	json_t *all = json_array();

	list_each(registry_vms(request_registry(rq)), it, next) {
		struct vm *vm = list_entry(it, struct vm, link);

		list_each(&vm->jobs, jt, jnext)
			json_array_append_new(all,
				report_job(list_entry(jt, struct job, link)));
	}
	list_each(tasks_list(), it, next)
		json_array_append_new(
			all, report_task(list_entry(it, struct job, link)));
	request_reply_steal(rq, json_pack("{s:o}", "jobs", all));
}

struct job_waiter {
	struct events_sub sub;
	struct request *rq;
};

static void free_waiter(struct request *rq)
{
	struct job_waiter *waiter =
		container_of(rq->cursor, struct job_waiter, sub.link);

	events_unsubscribe(&waiter->sub);
	free(waiter);
}

static void on_job_event(struct events_sub *sub, const struct event *event)
{
	struct request *rq = container_of(sub, struct job_waiter, sub)->rq;
	const json_t *data = event->data;
	const char *job = json_string_value(json_object_get(data, "job"));
	const char *status = json_string_value(json_object_get(data, "status"));
	const char *desc = json_string_value(json_object_get(data, "error"));

	if (!job || !str_eq(job, request_string(rq, "job")) ||
		str_eq(status, "running"))
		return;
	if (str_eq(status, "done"))
		request_reply_steal(rq, json_pack("{s:s}", "status", status));
	else
		request_failf(rq,
			err_code_of(json_string_value(
				json_object_get(data, "code"))),
			"%s", desc ? desc : status);
}

static void on_job_deadline(struct loop_timer *timer)
{
	request_failf(container_of(timer, struct request, deadline),
		ERR_TIMEOUT, "the job goes on");
}

void command_job_wait(struct request *rq)
{
	const char *id = request_string(rq, "job");
	int64_t ms = request_ms(rq, "timeout");
	struct job_waiter *waiter;

	if (!registry_find_job(request_registry(rq), id)) {
		request_failf(rq, ERR_NOT_FOUND, "no job '%s' runs", id);
		return;
	}
	waiter = NEW(struct job_waiter);
	waiter->rq = rq;
	events_subscribe(&waiter->sub, on_job_event);
	rq->cursor = &waiter->sub.link;
	rq->on_free = free_waiter;
	if (ms > 0)
		loop_timer_start(&rq->deadline, ms, on_job_deadline);
}

void command_job_cancel(struct request *rq)
{
	json_t *id = json_object_get(rq->args, "request");
	struct request *other = id ? request_sibling(rq, id) : NULL;
	struct job *job = NULL;

	if (other)
		job = other->began_op ? other->vm->op : other->job;
	else if (!id)
		job = registry_find_job(
			request_registry(rq), request_string(rq, "job"));
	if (!job) {
		request_failf(rq, ERR_NOT_FOUND, "no such job runs");
		return;
	}
	job_cancel(job);
	request_reply_steal(rq, NULL);
}

/* ---- the table ---- */

const struct handler command_handlers[] = {
	{ "qmp_capabilities", command_capabilities },
	{ "query-version", command_version },
	{ "query-commands", command_commands },
	{ "query-schema", command_schema },
	{ "event-replay", command_event_replay },
	{ "vm-list", command_list },
	{ "vm-resolve", command_resolve },
	{ "vm-status", command_status },
	{ "vm-start", command_start },
	{ "vm-stop", command_stop },
	{ "vm-kill", command_kill },
	{ "vm-restart", command_restart },
	{ "vm-pause", command_pause },
	{ "vm-resume", command_resume },
	{ "vm-reset", command_reset },
	{ "vm-reboot", command_reboot },
	{ "vm-save", command_save },
	{ "vm-refresh", command_refresh },
	{ "vm-restore", command_restore },
	{ "vm-backup-create", command_backup_create },
	{ "vm-backup-list", command_backup_list },
	{ "vm-backup-verify", command_backup_verify },
	{ "vm-backup-restore", command_backup_restore },
	{ "vm-wait", command_wait },
	{ "vm-reset-failed", command_reset_failed },
	{ "vm-upgrade-machine", command_upgrade_machine },
	{ "vm-explain", command_explain },
	{ "vm-incident-list", command_incident_list },
	{ "vm-incident-show", command_incident_show },
	{ "vm-incident-read", command_incident_read },
	{ "vm-analyze", command_analyze },
	{ "host-shutdown", command_host_shutdown },
	{ "vm-show", command_show },
	{ "vm-check", command_check },
	{ "vm-plan", command_plan },
	{ "vm-apply", command_apply },
	{ "vm-drift", command_drift },
	{ "vm-create", command_create },
	{ "vm-install", command_install },
	{ "vm-clone", command_clone },
	{ "vm-rename", command_rename },
	{ "vm-delete", command_delete },
	{ "vm-set", command_set },
	{ "vm-unset", command_unset },
	{ "vm-enable", command_enable },
	{ "vm-disable", command_disable },
	{ "reload", command_reload },
	{ "vm-snapshot-create", command_snapshot_create },
	{ "vm-snapshot-list", command_snapshot_list },
	{ "vm-snapshot-show", command_snapshot_show },
	{ "vm-snapshot-revert", command_snapshot_revert },
	{ "vm-snapshot-delete", command_snapshot_delete },
	{ "vm-snapshot-rename", command_snapshot_rename },
	{ "vm-snapshot-mount", command_snapshot_mount },
	{ "vm-snapshot-unmount", command_snapshot_unmount },
	{ "vm-snapshot-export", command_snapshot_export },
	{ "vm-disk-list", command_disk_list },
	{ "vm-disk-attach", command_disk_attach },
	{ "vm-disk-detach", command_disk_detach },
	{ "vm-disk-throttle", command_disk_throttle },
	{ "vm-disk-resize", command_disk_resize },
	{ "vm-disk-accept", command_disk_accept },
	{ "vm-device-list", command_device_list },
	{ "vm-cdrom-insert", command_cdrom_insert },
	{ "vm-cdrom-eject", command_cdrom_eject },
	{ "vm-cpu-set", command_cpu_set },
	{ "vm-memory-set", command_memory_set },
	{ "vm-balloon", command_balloon },
	{ "vm-nic-list", command_nic_list },
	{ "vm-nic-attach", command_nic_attach },
	{ "vm-nic-detach", command_nic_detach },
	{ "vm-nic-rate", command_nic_rate },
	{ "vm-nic-link", command_nic_link },
	{ "image-list", command_image_list },
	{ "image-info", command_image_info },
	{ "image-create", command_image_create },
	{ "image-resize", command_image_resize },
	{ "image-check", command_image_check },
	{ "image-convert", command_image_convert },
	{ "image-clone", command_image_clone },
	{ "image-rebase", command_image_rebase },
	{ "image-flatten", command_image_flatten },
	{ "image-commit", command_image_commit },
	{ "image-compare", command_image_compare },
	{ "image-map", command_image_map },
	{ "image-delete", command_image_delete },
	{ "image-import", command_image_import },
	{ "image-pull", command_image_pull },
	{ "image-catalogue", command_image_catalogue },
	{ "pool-list", command_pool_list },
	{ "pool-info", command_pool_info },
	{ "net-list", command_net_list },
	{ "net-show", command_net_show },
	{ "net-apply", command_net_apply },
	{ "net-up", command_net_up },
	{ "net-confirm", command_net_confirm },
	{ "net-down", command_net_down },
	{ "net-leases", command_net_leases },
	{ "net-doctor", command_net_doctor },
	{ "vm-ip", command_ip },
	{ "vm-qmp", command_qmp },
	{ "vm-screenshot", command_screenshot },
	{ "vm-send-key", command_send_key },
	{ "vm-type", command_type },
	{ "vm-agent-ping", command_agent },
	{ "vm-agent-info", command_agent },
	{ "vm-agent-fstrim", command_agent },
	{ "vm-agent-set-time", command_agent },
	{ "vm-agent-set-password", command_agent },
	{ "vm-agent-ssh-keys", command_agent },
	{ "vm-agent-shutdown", command_agent },
	{ "vm-agent-exec", command_agent_exec },
	{ "vm-agent-push", command_agent_push },
	{ "vm-agent-pull", command_agent_pull },
	{ "vm-agent-freeze", command_agent_freeze },
	{ "vm-agent-thaw", command_agent_thaw },
	{ "vm-console", command_console },
	{ "vm-log", command_log },
	{ "vm-stats", command_stats },
	{ "upgrade", command_upgrade },
	{ "vm-metrics", command_metrics },
	{ "job-list", command_job_list },
	{ "job-wait", command_job_wait },
	{ "job-cancel", command_job_cancel },
	{ NULL, NULL },
};
