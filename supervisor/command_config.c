/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show, check, set, unset, enable, disable, reload. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "supervisor/commands.h"
#include "supervisor/config.h"
#include "supervisor/edits.h"
#include "supervisor/nets.h"
#include "supervisor/network.h"
#include "supervisor/op.h"
#include "supervisor/order_check.h"
#include "supervisor/pool.h"
#include "supervisor/report.h"
#include "supervisor/settings.h"

static void reply_text(struct request *rq, const char *text)
{
	request_reply_steal(rq, json_pack("{s:s}", "text", text));
}

/* Without a VM: the host's own file, vmward.ini. */
static void show_host(struct request *rq, const char *section)
{
	AUTO_STR struct str text = STR_INIT;

	settings_show(settings_of(registry_env(request_registry(rq))),
		request_bool(rq, "origin"), section, &text);
	if (section && text.len == 0)
		request_failf(rq, ERR_NOT_FOUND,
			"vmward.ini says nothing of [%s]", section);
	else
		reply_text(rq, str_text(&text));
}

void command_show(struct request *rq)
{
	AUTO_STR struct str text = STR_INIT;
	const char *section = request_string(rq, "section");
	struct vm *vm;

	if (request_bool(rq, "defaults")) {
		config_add_defaults(&text);
		reply_text(rq, str_text(&text));
		return;
	}
	if (!*request_string(rq, "vm")) {
		show_host(rq, *section ? section : NULL);
		return;
	}
	vm = command_vm(rq);
	if (!vm)
		return;
	if (!vm->spec) {
		struct err err = ERR_INIT;

		if (vm_check_files(vm, &err))
			request_fail(rq, &err);
		return;
	}
	config_show(vm->spec, request_bool(rq, "origin"),
		*section ? section : NULL, &text);
	if (*section && text.len == 0) {
		request_failf(rq, ERR_NOT_FOUND,
			"its files say nothing of [%s]", section);
		return;
	}
	reply_text(rq, str_text(&text));
}

/* ---- check ---- */

static void check_host(struct request *rq, struct findings *f)
{
	const struct env *env = registry_env(request_registry(rq));

	settings_free(settings_read(&env->paths, NULL, f));
	pools_check(&env->paths, true, f);
	networks_check(&env->paths, true, f);
}

/* All that can be said about one VM without starting it. */
static void check_vm(struct request *rq, struct vm *vm, struct findings *f)
{
	const struct paths *paths = &registry_env(request_registry(rq))->paths;
	bool missing = false;

	config_check(paths, vm->name, registry_env(request_registry(rq))->file,
		f, &missing);
	if (missing)
		findings_add(f, FINDING_ERROR, vm->name, 0,
			"there is no file for VM '%s'", vm->name);
}

/* What the files of all VMs say by now; NULL where that is wrong. */
struct specs {
	struct vm_spec **at;
	const char **names;
	size_t n;
};

static void specs_init(struct specs *specs, struct registry *registry)
{
	*specs = (struct specs){ .n = list_count(registry_vms(registry)) };
	specs->at = xcalloc(specs->n + 1, sizeof(specs->at[0]));
	specs->names = xcalloc(specs->n + 1, sizeof(specs->names[0]));
	specs->n = 0;
	list_each(registry_vms(registry), it2, next2) {
		const struct vm *vm = list_entry(it2, struct vm, link);
		const struct env *env = registry_env(registry);
		struct findings ignored;
		bool missing;

		findings_init(&ignored);
		specs->names[specs->n] = vm->name;
		specs->at[specs->n++] = config_load(
			&env->paths, vm->name, env->file, &ignored, &missing);
		findings_fini(&ignored);
	}
}

static void specs_fini(struct specs *specs)
{
	for (size_t i = 0; i < specs->n; i++)
		spec_free(specs->at[i]);
	free(specs->at);
	free(specs->names);
}

static bool is_known(const void *arg, const char *name)
{
	const struct registry *registry = arg;

	return registry_find(registry, name) ||
	       config_is_defined(&registry_env(registry)->paths, name);
}

/* What takes more than one VM to see; only: about this one, or NULL. */
static void check_together(
	struct request *rq, const char *only, struct findings *f)
{
	struct registry *registry = request_registry(rq);
	struct specs specs;
	struct graph *g;

	if (registry_env(registry)->file)
		return;
	specs_init(&specs, registry);
	g = order_graph(specs.at, specs.names, specs.n);
	for (size_t i = 0; i < specs.n; i++) {
		if (specs.at[i] && (!only || str_eq(specs.names[i], only)))
			order_check_names(specs.at[i], is_known, registry, f);
	}
	order_check_cycles(g, only, f);
	if (!only)
		config_check_all(specs.at, specs.n, f);
	graph_free(g);
	specs_fini(&specs);
}

void command_check(struct request *rq)
{
	json_t *findings;
	struct findings f;
	struct vm *vm;
	size_t size = 0;
	bool all;

	findings_init(&f);
	registry_catch_up(request_registry(rq));
	if (*request_string(rq, "vm")) {
		vm = command_vm(rq);
		if (!vm) {
			findings_fini(&f);
			return;
		}
		check_vm(rq, vm, &f);
		check_together(rq, vm->name, &f);
	} else {
		check_host(rq, &f);
		list_each(registry_vms(request_registry(rq)), it, next)
			check_vm(rq, list_entry(it, struct vm, link), &f);
		check_together(rq, NULL, &f);
	}
	findings = json_array();
	all = report_append_findings(findings, &f, &size);
	request_reply_steal(
		rq, json_pack("{s:o,s:b}", "findings", findings, "more", !all));
	findings_fini(&f);
}

/* ---- edits of our drop-in ---- */

/* On disk: the files are looked at again, the request is answered. */
static void on_edit_end(struct job *job, void *arg)
{
	struct request *rq = arg;
	struct vm *vm = rq->vm;
	char message[120];
	unsigned pending;

	vm_job_over(job, vm);
	rq->job = NULL;
	registry_load(request_registry(rq), vm);
	vm_changed(vm);
	if (job->err.code) {
		request_fail(rq, &job->err);
		return;
	}
	if (request_bool(rq, "runtime")) {
		request_reply_steal(
			rq, command_result(vm, true, "until it stops"));
		return;
	}
	pending = vm_pending(vm);
	snprintf(message, sizeof(message),
		"%u change%s pending: vmward plan %s", pending,
		pending == 1 ? "" : "s", vm->name);
	request_reply_steal(
		rq, command_result(vm, true, pending ? message : NULL));
}

/* What an edit would write; checked like the edit itself. */
static void reply_edits(struct request *rq, const struct config_file *file,
	const struct edits *edits)
{
	AUTO_FREE char *path = config_file_path(file);
	json_t *actions = json_array();

	for (size_t i = 0; i < edits->n; i++) {
		const struct config_edit *e = &edits->at[i];
		AUTO_FREE char *text =
			e->value ? xasprintf("write [%s] %s = %s to '%s'",
					   e->section, e->key, e->value, path)
				 : xasprintf("take [%s] %s out of '%s'",
					   e->section, e->key, path);

		json_array_append_new(actions, json_string(text));
	}
	request_reply_steal(rq, json_pack("{s:o}", "actions", actions));
}

/* For one life only what QEMU never hears of can be set: it holds at once. */
static int check_for_life(
	const struct vm *vm, const struct config_edit *e, struct err *err)
{
	const struct section *table;
	const struct key *key = keys_lookup(
		spec_sections, spec_nsections, e->section, e->key, &table);

	if (!key) /* the check of the whole says it better */
		return 0;
	if (key->live && str_eq(key->live, "apply"))
		return err_set(err, ERR_UNSUPPORTED,
			"[%s] %s: leave --runtime out, and vmward apply %s "
			"does",
			e->section, e->key, vm->name);
	if (key->live)
		return err_set(err, ERR_UNSUPPORTED,
			"[%s] %s: say vmward %s %s ... --runtime", e->section,
			e->key, key->live, vm->name);
	if (key->when != KEY_POLICY || str_eq(e->key, "template") ||
		str_eq(e->key, "instances"))
		return err_set(err, ERR_UNSUPPORTED,
			"[%s] %s: no running VM follows that: leave --runtime "
			"out, and the next start does",
			e->section, e->key);
	return 0;
}

static int check_edits(const struct request *rq, const struct vm *vm,
	const struct edits *edits, struct err *err)
{
	if (vm->env->file)
		return err_set(err, ERR_UNSUPPORTED,
			"a VM of `vmward run` has no drop-in: edit its file");
	if (!request_bool(rq, "runtime"))
		return 0;
	if ((vm->state != VM_RUNNING && vm->state != VM_PAUSED) || !vm->running)
		return err_set(err, ERR_STATE,
			"it is %s, and --runtime is for one that runs",
			vm_state_word(vm));
	for (size_t i = 0; i < edits->n; i++)
		if (check_for_life(vm, &edits->at[i], err))
			return -1;
	return 0;
}

static void begin_edit(
	struct request *rq, struct vm *vm, const struct edits *edits)
{
	rq->vm = vm;
	rq->job = op_edit_begin(vm, edits->at, edits->n, on_edit_end, rq);
	if (request_bool(rq, "runtime"))
		op_edit_for_this_life(rq->job);
	vm_job_add(vm, rq->job);
}

static void apply_edits(
	struct request *rq, struct vm *vm, struct edits *edits, struct err *err)
{
	const struct config_file file = { &vm->env->paths, vm->name,
		request_bool(rq, "runtime") };
	bool dry = request_bool(rq, "dry-run");

	if (err->code || check_edits(rq, vm, edits, err) ||
		(dry && config_change_check(&file, edits->at, edits->n, err)))
		request_fail(rq, err);
	else if (dry)
		reply_edits(rq, &file, edits);
	else
		begin_edit(rq, vm, edits);
}

void command_set(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	struct edits edits = EDITS_INIT;
	struct err err = ERR_INIT;
	const char *name;
	json_t *value;

	if (!vm)
		return;
	json_object_foreach(json_object_get(rq->args, "pairs"), name, value)
	{
		if (edits_add_named(
			    &edits, name, json_string_value(value), &err))
			break;
	}
	apply_edits(rq, vm, &edits, &err);
	edits_fini(&edits);
}

void command_unset(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	struct edits edits = EDITS_INIT;
	struct err err = ERR_INIT;
	json_t *name;
	size_t i;

	if (!vm)
		return;
	json_array_foreach(json_object_get(rq->args, "keys"), i, name)
	{
		if (edits_add_named(
			    &edits, json_string_value(name), NULL, &err))
			break;
	}
	apply_edits(rq, vm, &edits, &err);
	edits_fini(&edits);
}

static void set_autostart(struct request *rq, const char *value, int wish)
{
	struct vm *vm = command_vm(rq);
	struct edits edits = EDITS_INIT;
	struct err err = ERR_INIT;

	if (!vm)
		return;
	if (vm->spec && vm->spec->start.autostart == wish) {
		request_reply_steal(rq, command_result(vm, false, NULL));
		return;
	}
	if (edits_add_named(&edits, "start.autostart", value, &err))
		request_fail(rq, &err);
	else
		apply_edits(rq, vm, &edits, &err);
	edits_fini(&edits);
}

void command_enable(struct request *rq)
{
	set_autostart(rq, "yes", AUTOSTART_YES);
}

void command_disable(struct request *rq)
{
	set_autostart(rq, "no", AUTOSTART_NO);
}

/* What is wrong with vmward.ini, the pools and the networks. */
static bool append_host(json_t *findings, struct request *rq, size_t *size)
{
	const struct env *env = registry_env(request_registry(rq));
	struct findings f;
	bool all;

	findings_init(&f);
	settings_free(settings_read(&env->paths, NULL, &f));
	pools_check(&env->paths, false, &f);
	networks_check(&env->paths, false, &f);
	all = report_append_findings(findings, &f, size);
	findings_fini(&f);
	return all;
}

void command_reload(struct request *rq)
{
	struct registry *registry = request_registry(rq);
	struct vm *only = NULL;
	char **names;
	json_t *changed;
	json_t *findings;
	size_t size = 0;
	bool all = true;

	if (*request_string(rq, "vm")) {
		only = command_vm(rq);
		if (!only)
			return;
	}
	if (command_dry_run(rq, only))
		return;
	changed = json_array();
	findings = json_array();
	names = only ? registry_reload_one(registry, only)
		     : registry_reload(registry);
	for (size_t i = 0; names[i]; i++) {
		if (!only || str_eq(only->name, names[i]))
			all &= report_append(
				changed, json_string(names[i]), &size);
	}
	config_names_free(names);
	if (!only) {
		nets_apply_all();
		all &= append_host(findings, rq, &size);
	}
	list_each(registry_vms(registry), it, next) {
		struct vm *vm = list_entry(it, struct vm, link);

		if (only && vm != only)
			continue;
		all &= report_append_findings(findings, &vm->findings, &size);
	}
	request_reply_steal(rq, json_pack("{s:o,s:o,s:b}", "changed", changed,
					"findings", findings, "more", !all));
}
