/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All VMs of a supervisor: known from the files, from held locks and from
 * being started.  Watches the directories; a new or changed file is known at
 * once, a broken or missing one never stops or forgets a running VM.
 */
#ifndef SUPERVISOR_REGISTRY_H
#define SUPERVISOR_REGISTRY_H

#include "base/verbs.h"
#include "supervisor/graph.h"
#include "supervisor/vm.h"

struct registry;

/* Empty; env must outlive it. */
struct registry *registry_new(struct env *env);
/* Frees all VMs; the processes run on.  Accepts NULL. */
void registry_free(struct registry *registry);
/* Loads all files, recovers every VM, watches the directories. */
void registry_start(struct registry *registry);
/* The same after an upgrade: VMs of the state go on with it. */
void registry_resume(struct registry *registry, const json_t *vms);
/* The VM of `run FILE`: added and recovered; NULL with findings. */
struct vm *registry_start_file(struct registry *registry, const char *name);

/* What all VMs share. */
struct env *registry_env(const struct registry *registry);
/* VMs in order of their names. */
struct list *registry_vms(struct registry *registry);
/* By name, or NULL. */
struct vm *registry_find(const struct registry *registry, const char *name);
/*
 * The VM a person names, made known if it is an instance that the files
 * allow ("ci@4711").  NULL with ERR_NOT_FOUND and the nearest name.
 */
struct vm *registry_need(
	struct registry *registry, const char *name, struct err *err);
/* Who follows whom, by the last good files and without cycles; borrowed. */
struct graph *registry_graph(struct registry *registry);
/* The VM's node in it; its owner is the VM. */
size_t registry_node(struct registry *registry, const struct vm *vm);
/* What the VMs heed from now on; before the start. */
void registry_set_order(
	struct registry *registry, const struct vm_order *order);
/*
 * Reads the VM's files as they are now; findings are in vm->findings.  A
 * file that would close a cycle is refused like a broken one.
 */
void registry_load(struct registry *registry, struct vm *vm);
/*
 * Names by patterns: NAME, glob, @tag, or "*" for all; new, NULL-terminated,
 * sorted, without doubles.  A name without wildcard is given back as it is.
 */
char **registry_resolve(struct registry *registry, const char *const *patterns);
/* Reads all files anew; the names that changed, NULL-terminated, new. */
char **registry_reload(struct registry *registry);
/* The same for one VM: no other file is read. */
char **registry_reload_one(struct registry *registry, struct vm *vm);
/* A job by its id ("j12") or NULL. */
struct job *registry_find_job(struct registry *registry, const char *id);
/* Files that were made or changed a moment ago are known afterwards. */
void registry_catch_up(struct registry *registry);
/* Frees VMs that are down and have no file. */
void registry_sweep(struct registry *registry);

#endif
