/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All VMs of a supervisor; see supervisor/registry.h. */
#include "supervisor/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/trim.h"
#include "supervisor/actions.h"
#include "supervisor/chain_record.h"
#include "supervisor/config.h"
#include "supervisor/ephemeral.h"
#include "supervisor/events.h"
#include "supervisor/fingerprint.h"
#include "supervisor/incidents.h"
#include "supervisor/journal.h"
#include "supervisor/lifecycle.h"
#include "supervisor/names.h"
#include "supervisor/network.h"
#include "supervisor/op_rename.h"
#include "supervisor/pool.h"
#include "supervisor/reading.h"
#include "supervisor/remove.h"
#include "supervisor/settings.h"
#include "supervisor/tasks.h"
#include "supervisor/vm_handover.h"
#include "supervisor/watch.h"

struct registry {
	struct env *env;
	struct list vms; /* vm.link, by name */
	struct watch *watch;
	struct events_sub states; /* a VM that went down may be forgotten */
	struct loop_kick sweep;
	bool file; /* `run FILE`: one VM, no directories */
	const struct vm_order *order;
	struct graph *graph; /* NULL: something changed since */
};

struct env *registry_env(const struct registry *registry)
{
	return registry->env;
}

struct list *registry_vms(struct registry *registry)
{
	return &registry->vms;
}

static void on_sweep(struct loop_kick *kick)
{
	registry_sweep(container_of(kick, struct registry, sweep));
}

static void on_idle(struct vm *vm)
{
	struct registry *registry = vm->registry;

	loop_kick(&registry->sweep, on_sweep);
}

static void on_vm_event(struct events_sub *sub, const struct event *event)
{
	trim_soon();
	if (str_eq(event->name, "VM_STATE"))
		loop_kick(&container_of(sub, struct registry, states)->sweep,
			on_sweep);
}

struct registry *registry_new(struct env *env)
{
	struct registry *registry = NEW(struct registry);
	registry->env = env;
	list_init(&registry->vms);
	env->vms = &registry->vms;
	events_subscribe(&registry->states, on_vm_event);
	return registry;
}

void registry_free(struct registry *registry)
{
	if (!registry)
		return;
	events_unsubscribe(&registry->states);
	loop_kick_stop(&registry->sweep);
	watch_free(registry->watch);
	list_each(&registry->vms, it, next)
		vm_free(list_entry(it, struct vm, link));
	graph_free(registry->graph);
	free(registry);
}

struct vm *registry_find(const struct registry *registry, const char *name)
{
	list_each(&registry->vms, it, next) {
		struct vm *vm = list_entry(it, struct vm, link);

		if (str_eq(vm->name, name))
			return vm;
	}
	return NULL;
}

void registry_set_order(struct registry *registry, const struct vm_order *order)
{
	registry->order = order;
}

static void drop_graph(struct registry *registry)
{
	graph_free(TAKE(registry->graph));
}

struct graph *registry_graph(struct registry *registry)
{
	struct graph *g = registry->graph;
	size_t *cycle;
	size_t n;

	if (g)
		return g;
	g = graph_new();
	list_each(&registry->vms, it, next) {
		struct vm *vm = list_entry(it, struct vm, link);

		graph_add(g, vm->name, vm);
	}
	for (size_t i = 0; i < graph_size(g); i++) {
		const struct vm *vm = graph_owner(g, i);

		if (vm->spec)
			graph_say(g, i, &vm->spec->start);
	}
	/* what runs may be older than the files: nobody waits for ever */
	while ((cycle = graph_cycle(g, &n)) != NULL) {
		graph_cut(g, cycle[n - 1], cycle[0]);
		free(cycle);
	}
	registry->graph = g;
	return g;
}

size_t registry_node(struct registry *registry, const struct vm *vm)
{
	return graph_find(registry_graph(registry), vm->name);
}

/* Keeps the list in order of names. */
static void insert(struct registry *registry, struct vm *vm)
{
	list_each(&registry->vms, it, next) {
		if (strcmp(list_entry(it, struct vm, link)->name, vm->name) >
			0) {
			list_add(it, &vm->link); /* in front of it */
			return;
		}
	}
	list_add(&registry->vms, &vm->link);
}

static struct vm *add(struct registry *registry, const char *name)
{
	struct vm *vm = lifecycle_new(registry->env, name);

	vm->registry = registry;
	vm->on_idle = on_idle;
	vm->order = registry->order;
	insert(registry, vm);
	drop_graph(registry);
	return vm;
}

/* Frees a VM, and what knows of it. */
static void drop(struct registry *registry, struct vm *vm)
{
	drop_graph(registry);
	vm_free(vm);
}

/* ---- reading files ---- */

/* What was read holds from now on. */
static void accept_reading(struct registry *registry, struct reading *r)
{
	struct vm *vm = r->vm;

	findings_fini(&vm->findings);
	findings_init(&vm->findings);
	findings_move(&vm->findings, &r->findings);
	vm->gone = r->missing;
	if (reading_changes_order(r))
		drop_graph(registry);
	if (r->spec) {
		ephemeral_apply(r->spec, registry->env);
		vm_replace_spec_steal(vm, r->spec);
	}
	if (!r->spec && r->missing && !vm_is_up(vm) && vm->state != VM_WAITING)
		vm_replace_spec_steal(vm, NULL);
	act_follow_files(vm);
}

/* The readings are in the order of names. */
static void accept_all(
	struct registry *registry, struct reading *readings, size_t n)
{
	readings_refuse_cycles(&registry->vms, readings, n);
	for (size_t i = 0; i < n; i++)
		accept_reading(registry, &readings[i]);
}

void registry_load(struct registry *registry, struct vm *vm)
{
	struct reading r;

	reading_take(&r, registry->env, vm);
	accept_all(registry, &r, 1);
}

/* All of them, so that a change in two files at once is one change. */
static void load_all(struct registry *registry)
{
	AUTO_FREE struct reading *readings =
		xcalloc(list_count(&registry->vms) + 1, sizeof(readings[0]));
	size_t n = 0;

	list_each(&registry->vms, it, next)
		reading_take(&readings[n++], registry->env,
			list_entry(it, struct vm, link));
	accept_all(registry, readings, n);
}

char **registry_resolve(struct registry *registry, const char *const *patterns)
{
	return names_resolve(&registry->vms, patterns);
}

/* ---- instances that come to be by being named ---- */

static bool is_instance(const char *name)
{
	const char *at = strchr(name, '@');

	return at && at > name && at[1];
}

struct vm *registry_need(
	struct registry *registry, const char *name, struct err *err)
{
	struct vm *vm = registry_find(registry, name);

	if (vm)
		return vm;
	if (!config_name_is_valid(name) || registry->file) {
		names_not_found(&registry->vms, name, err);
		return NULL;
	}
	vm = add(registry, name); /* a file made a moment ago, or an instance */
	vm->transient = is_instance(name);
	registry_load(registry, vm);
	if (vm->gone) {
		drop(registry, vm);
		names_not_found(&registry->vms, name, err);
		return NULL;
	}
	lifecycle_recover(vm, false);
	drop_graph(registry);
	loop_kick(&registry->sweep, on_sweep); /* unless it is started now */
	return vm;
}

/* Of throw-away VMs only what tells of a failure is kept. */
static void forget_logs(const struct vm *vm)
{
	AUTO_FREE char *dir = xasprintf("%s/%s", vm->env->paths.log, vm->name);
	struct err err = ERR_INIT;

	if (remove_tree(dir, &err))
		log_warn(vm->name, "%s", err.text);
}

static void forget(struct registry *registry, struct vm *vm)
{
	store_remove(vm->env->store, vm->name);
	chain_record_remove(vm);
	if (!vm->gone && vm->last.cause && !cause_is_failure(vm->last.cause))
		forget_logs(vm);
	drop(registry, vm);
}

/* An instance that was only asked about, or throws all away when it ends. */
static bool is_passing(const struct vm *vm)
{
	if (!vm->transient)
		return false;
	return vm->record.generation == 0 || vm->once_ephemeral ||
	       (vm->spec && vm->spec->vm.ephemeral);
}

/* Nothing of it runs or is under way. */
static bool is_at_rest(const struct vm *vm)
{
	return vm->state == VM_STOPPED && !vm->op && list_is_empty(&vm->jobs);
}

/* It may go; who waits for one without a file is told that it will not come. */
static void let_go(struct registry *registry, struct vm *vm)
{
	if (list_is_empty(&vm->watches)) {
		forget(registry, vm);
		return;
	}
	vm->leaves = vm->gone;
	if (vm->leaves)
		vm_changed(vm); /* the last to go has it swept again */
}

void registry_sweep(struct registry *registry)
{
	list_each(&registry->vms, it, next) {
		struct vm *vm = list_entry(it, struct vm, link);

		vm->leaves = false;
		if (!is_at_rest(vm))
			continue;
		if (vm->gone)
			registry_load(registry, vm); /* its file may be back */
		if (vm->gone || is_passing(vm))
			let_go(registry, vm);
	}
}

/* ---- files ---- */

/* VMs whose files are new. */
static void add_new(struct registry *registry)
{
	char **names =
		registry->file ? NULL : config_names(&registry->env->paths);

	for (size_t i = 0; names && names[i]; i++) {
		struct vm *vm = registry_find(registry, names[i]);

		if (vm) {
			vm->transient = false;
			continue;
		}
		add(registry, names[i])->is_new = true;
	}
	config_names_free(names);
}

/* What the files said before; new, by the order of names. */
static char **fingerprints(struct registry *registry)
{
	char **prints = xcalloc(list_count(&registry->vms) + 1, sizeof(char *));
	size_t n = 0;

	list_each(&registry->vms, it, next)
		prints[n++] = fingerprint_of(list_entry(it, struct vm, link));
	return prints;
}

char **registry_reload(struct registry *registry)
{
	struct names changed = names_new();
	char **prints;
	size_t at = 0;

	if (settings_follow(registry->env))
		names_add(&changed, "vmward.ini");
	if (pools_follow(&registry->env->paths))
		names_add(&changed, "pools");
	if (networks_follow(&registry->env->paths))
		names_add(&changed, "networks");
	add_new(registry);
	prints = fingerprints(registry);
	load_all(registry);
	list_each(&registry->vms, it, next) {
		struct vm *vm = list_entry(it, struct vm, link);

		if (vm->is_new)
			lifecycle_recover(vm, false);
		if (fingerprint_tell(vm, vm->is_new ? "" : prints[at]))
			names_add(&changed, vm->name);
		vm->is_new = false;
		at++;
	}
	config_names_free(prints);
	drop_graph(registry); /* some specs came from what runs */
	loop_kick(&registry->sweep, on_sweep);
	return changed.at;
}

char **registry_reload_one(struct registry *registry, struct vm *vm)
{
	struct names changed = names_new();
	AUTO_FREE char *before = fingerprint_of(vm);

	registry_load(registry, vm);
	if (fingerprint_tell(vm, before))
		names_add(&changed, vm->name);
	loop_kick(&registry->sweep, on_sweep);
	return changed.at;
}

struct job *registry_find_job(struct registry *registry, const char *id)
{
	uint64_t number = *id == 'j' ? str_digits(id + 1) : 0;

	list_each(&registry->vms, it, next) {
		struct vm *vm = list_entry(it, struct vm, link);

		list_each(&vm->jobs, jt, jnext) {
			struct job *job = list_entry(jt, struct job, link);

			if (job->id == number)
				return job;
		}
	}
	return tasks_find(number);
}

static void on_files_changed(void *arg)
{
	config_names_free(registry_reload(arg));
}

void registry_catch_up(struct registry *registry)
{
	watch_catch_up(registry->watch);
}

/* A VM without file whose directory is there may still run. */
static void add_orphan(void *arg, const char *name)
{
	struct registry *registry = arg;
	AUTO_FREE char *dir =
		xasprintf("%s/%s", registry->env->paths.run, name);
	struct stat st;

	if (!config_name_is_valid(name) || registry_find(registry, name) ||
		sys_fstatat(AT_FDCWD, dir, &st, AT_SYMLINK_NOFOLLOW) ||
		!S_ISDIR(st.st_mode))
		return;
	add(registry, name)->transient = true;
}

/* All VMs that there may be, with their files. */
static void know_all(struct registry *registry)
{
	config_new_sweep(&registry->env->paths);
	journal_recover(registry->env);
	op_rename_recover(registry->env);
	incidents_sweep(registry->env->paths.state);
	char **names = config_names(&registry->env->paths);
	for (size_t i = 0; names[i]; i++)
		add(registry, names[i]);
	config_names_free(names);
	sys_listdir(AT_FDCWD, registry->env->paths.run, add_orphan, registry);
}

static void begin_watching(struct registry *registry)
{
	drop_graph(registry); /* some specs came from what runs */
	loop_kick(&registry->sweep, on_sweep);
	registry->watch = watch_new(
		registry->env->paths.config, on_files_changed, registry);
}

void registry_start(struct registry *registry)
{
	know_all(registry);
	load_all(registry);
	list_each(&registry->vms, it, next)
		lifecycle_recover(list_entry(it, struct vm, link), true);
	begin_watching(registry);
}

void registry_resume(struct registry *registry, const json_t *vms)
{
	const char *name;
	const json_t *saved;

	know_all(registry);
	json_object_foreach((json_t *)(uintptr_t)vms, name, saved)
	{
		if (!registry_find(registry, name))
			add(registry, name);
	}
	load_all(registry);
	list_each(&registry->vms, it, next) {
		struct vm *vm = list_entry(it, struct vm, link);

		saved = json_object_get(vms, vm->name);
		if (!saved || !vm_get(saved, vm))
			lifecycle_recover(vm, false);
	}
	begin_watching(registry);
}

struct vm *registry_start_file(struct registry *registry, const char *name)
{
	struct vm *vm = add(registry, name);

	registry->file = true;
	registry_load(registry, vm);
	lifecycle_recover(vm, false);
	return vm;
}
