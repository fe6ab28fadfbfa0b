/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [limits] of a VM; see limits.h. */
#include "supervisor/limits.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

void limits_of(const struct vm_spec *spec, struct cgroup_limits *out)
{
	const struct spec_host_limits *wish = &spec->limits;

	*out = (struct cgroup_limits){ .cpu = wish->cpu,
		.cpu_weight = wish->cpu_weight,
		.memory = wish->memory,
		.io_weight = wish->io_weight,
		.pids = wish->pids };
	snprintf(out->cpuset, sizeof(out->cpuset), "%s",
		str_or(wish->cpuset, ""));
	out->set = (out->cpu ? CGROUP_BIT(CGROUP_CPU) : 0) |
		   (out->cpu_weight ? CGROUP_BIT(CGROUP_CPU_WEIGHT) : 0) |
		   (out->memory ? CGROUP_BIT(CGROUP_MEMORY) : 0) |
		   (out->io_weight ? CGROUP_BIT(CGROUP_IO_WEIGHT) : 0) |
		   (out->pids ? CGROUP_BIT(CGROUP_PIDS) : 0) |
		   (*out->cpuset ? CGROUP_BIT(CGROUP_CPUSET) : 0);
}

void limits_prepare(struct vm *vm, struct cgroup_birth *birth)
{
	struct cgroup_limits limits;

	*birth = (struct cgroup_birth){ .into = -1, .procs = -1 };
	limits_of(vm->running, &limits);
	if (!limits.set || !vm->env->cgroups)
		return;
	cgroup_make(vm->env->cgroups, vm->name, &limits, birth);
	for (enum cgroup_knob k = 0; k < CGROUP_NKNOBS; k++)
		if (birth->lacks & CGROUP_BIT(k))
			vmlog_line(&vm->log, LOG_WARN,
				"[limits] %s does not hold: %s", cgroup_key(k),
				birth->why.text);
}

/* ---- whom the kernel kills first ---- */

void limits_born(struct vm *vm, pid_t pid)
{
	int score = vm->running->limits.oom_score;
	struct err err = ERR_INIT;

	/* ours is low, and not for guests */
	if (cgroup_score(pid, score, &err) && score)
		vmlog_line(&vm->log, LOG_WARN, "%s", err.text);
}

/* ---- while it runs ---- */

/* What the host could not limit at the start is no reason to refuse others. */
static void forgo(const struct vm *vm, struct cgroup_limits *limits)
{
	struct cgroup_limits before;

	limits_of(vm->running, &before);
	for (enum cgroup_knob k = 0; k < CGROUP_NKNOBS; k++) {
		AUTO_FREE char *was = cgroup_wish(&before, k);
		AUTO_FREE char *wish = cgroup_wish(limits, k);
		AUTO_FREE char *is = limits_text(vm, k);

		if (!is && str_eq(was, wish))
			limits->set &= ~CGROUP_BIT(k);
	}
}

static int apply(struct vm *vm, const struct vm_spec *spec, struct err *err)
{
	struct cgroup_limits limits;
	pid_t pid = vm->machine.pid;

	limits_of(spec, &limits);
	forgo(vm, &limits);
	if (spec->limits.oom_score != vm->running->limits.oom_score &&
		cgroup_score(pid, spec->limits.oom_score, err))
		return -1;
	if (!vm->env->cgroups)
		return 0;
	return cgroup_set(vm->env->cgroups, vm->name, pid, &limits, err);
}

int limits_apply(struct vm *vm, const struct vm_spec *spec, struct err *err)
{
	struct err undone = ERR_INIT;

	if (vm->machine.pid <= 0)
		return err_set(err, ERR_GONE, "QEMU is gone");
	if (!apply(vm, spec, err))
		return 0;
	if (apply(vm, vm->running, &undone) ||
		cgroup_score(vm->machine.pid, vm->running->limits.oom_score,
			&undone))
		vmlog_line(&vm->log, LOG_WARN, "%s", undone.text);
	return -1;
}

bool limits_ran_out(const struct vm *vm)
{
	return vm->env->cgroups &&
	       cgroup_oom_kills(vm->env->cgroups, vm->name) > 0;
}

int limits_end(const struct vm *vm, struct err *err)
{
	if (!vm->env->cgroups || cgroup_remove(vm->env->cgroups, vm->name))
		return 0;
	return err_set(err, ERR_BUSY, "its control group is in use still");
}

/* ---- for people ---- */

char *limits_text(const struct vm *vm, enum cgroup_knob knob)
{
	if (!vm->env->cgroups)
		return NULL;
	return cgroup_text(vm->env->cgroups, vm->name, knob);
}

/* cpuset: a leaf that limits none has those above it: no difference. */
char *limits_wish(const struct vm *vm, enum cgroup_knob knob)
{
	struct cgroup_limits limits;

	limits_of(vm->running, &limits);
	if (knob == CGROUP_CPUSET && !*limits.cpuset)
		return limits_text(vm, knob);
	return cgroup_wish(&limits, knob);
}

static void tell(const struct vm *vm, const struct cgroup_limits *wish,
	enum cgroup_knob k, json_t *holds, json_t *lacks)
{
	const struct cgroups *groups = vm->env->cgroups;
	AUTO_FREE char *is = limits_text(vm, k);
	AUTO_FREE char *should = cgroup_wish(wish, k);

	if (is && *is)
		json_object_set_new(holds, cgroup_key(k), json_string(is));
	if (!is || !str_eq(is, should))
		json_array_append_new(
			lacks, json_pack("{s:s,s:s}", "key", cgroup_key(k),
				       "why", cgroup_why(groups, vm->name, k)));
}

json_t *limits_json(const struct vm *vm)
{
	struct cgroup_limits wish;
	json_t *holds;
	json_t *lacks;

	if (!vm_is_up(vm) || !vm->running)
		return json_null();
	limits_of(vm->running, &wish);
	if (!wish.set && !vm->running->limits.oom_score)
		return json_null();
	holds = json_object();
	lacks = json_array();
	for (enum cgroup_knob k = 0; k < CGROUP_NKNOBS; k++)
		if (wish.set & CGROUP_BIT(k))
			tell(vm, &wish, k, holds, lacks);
	if (vm->running->limits.oom_score)
		json_object_set_new(holds, "oom-score",
			json_integer(vm->running->limits.oom_score));
	json_object_set_new(holds, "lacks", lacks);
	return holds;
}
