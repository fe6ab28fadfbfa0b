/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the QEMU of a VM gives up; see confinement.h. */
#include "supervisor/confinement.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/landlock.h"
#include "base/mem.h"
#include "base/sys.h"
#include "storage/remote.h"
#include "supervisor/keeper_ask.h"
#include "supervisor/settings.h"
#include "supervisor/uids.h"

#define TASKS  512         /* threads of QEMU besides its CPUs */
#define LOCKED (64u << 20) /* what io_uring takes on older kernels */

/* What a record says of a QEMU that was started without anything. */
#define KNOWN CONFINE_BIT(CONFINE_NONE)

/* What makes it whole, as people are told what it lacks. */
static const struct {
	enum confine_part part;
	const char *name;
} wanted[] = {
	{ CONFINE_USER, "own user" },
	{ CONFINE_PRIVILEGES, "no privileges" },
	{ CONFINE_FILES, "Landlock" },
	{ CONFINE_LIMITS, "limits" },
};

/* The VM's own word, else the command line's, else the host's. */
static enum confinement mode_of(const struct vm *vm)
{
	int word = vm->running->vm.confinement ? vm->running->vm.confinement
					       : vm->env->confinement_given;

	return (enum confinement)(
		word ? word - 1 : settings_of(vm->env)->confinement.mode);
}

/* ---- its user ---- */

static bool is_taken(void *arg, uint32_t uid)
{
	const struct vm *me = arg;

	list_each(me->env->vms, it, next) {
		const struct vm *vm = list_entry(it, struct vm, link);

		if (vm != me && vm->record.uid == uid)
			return true;
	}
	return false;
}

/* A VM keeps its user; one that another has got by now gets a new one. */
static int choose_user(struct vm *vm, struct err *err)
{
	const struct settings_uids *range =
		&settings_of(vm->env)->confinement.uids;
	AUTO_FREE char *key =
		xasprintf("%s/%s", vm->env->paths.state, vm->name);
	uint32_t uid = vm->record.uid;

	if (uids_check(range, NULL, err))
		return -1;
	if (uid >= range->first && uid <= range->last && !is_taken(vm, uid))
		return 0;
	uid = uids_pick(range, key, is_taken, vm);
	if (!uid)
		return err_set(err, ERR_LIMIT,
			"all uids of [confinement] uid-range are taken");
	vm->record.uid = uid;
	return 0;
}

/* ---- devices of the host ---- */

static bool has_tap(const struct vm_spec *spec)
{
	list_each(&spec->nics, it, next)
		if (!list_entry(it, struct spec_nic, link)->user)
			return true;
	return false;
}

/*
 * By others, or by one more group; else it gets nodes of its own.  All
 * devices that exist have one group on most hosts.
 */
static void open_device(const char *path, struct host_confine *c)
{
	struct stat st;

	if (sys_fstatat(AT_FDCWD, path, &st, 0) || (st.st_mode & 06) == 06)
		return;
	if ((st.st_mode & 060) == 060 && st.st_gid &&
		(!c->group || c->group == st.st_gid))
		c->group = st.st_gid;
	else
		c->parts |= CONFINE_BIT(CONFINE_DEVICES);
}

static void open_devices(const struct vm *vm, struct host_confine *c)
{
	if (vm->accel.kvm)
		open_device("/dev/kvm", c);
	if (vm->env->vhost && has_tap(vm->running))
		open_device("/dev/vhost-net", c);
	if (vm->running->start.ready.kind == READY_NOTIFY)
		open_device("/dev/vhost-vsock", c);
}

/* Names are looked up by QEMU itself. */
static bool is_online(const struct vm_spec *spec)
{
	list_each(&spec->nics, it, next)
		if (list_entry(it, struct spec_nic, link)->user)
			return true;
	list_each(&spec->disks, it2, next2)
		if (list_entry(it2, struct spec_disk, link)->url)
			return true;
	return false;
}

static bool logs_in(const struct vm_spec *spec)
{
	list_each(&spec->disks, it, next) {
		const char *url = list_entry(it, struct spec_disk, link)->url;

		if (url && remote_logs_in(url))
			return true;
	}
	return false;
}

int confinement_plan(struct vm *vm, struct host_confine *out, struct err *err)
{
	enum confinement mode = mode_of(vm);
	const struct spec_vm *spec = &vm->running->vm;
	struct err why = ERR_INIT;

	*out = (struct host_confine){ .must = mode == CONFINE_FULL,
		.online = is_online(vm->running),
		.ssh = logs_in(vm->running) };
	if (mode == CONFINE_OFF)
		return 0;
	out->parts =
		CONFINE_BIT(CONFINE_LIMITS) | CONFINE_BIT(CONFINE_PRIVILEGES);
	if (landlock_version() > 0)
		out->parts |= CONFINE_BIT(CONFINE_FILES);
	if (geteuid() != 0 && !keeper_ask_is_on())
		return 0;
	if (choose_user(vm, &why)) {
		if (!out->must) {
			vmlog_line(&vm->log, LOG_WARN, "%s", why.text);
			return 0;
		}
		*err = why;
		return -1;
	}
	out->parts |= CONFINE_BIT(CONFINE_USER);
	out->uid = vm->record.uid;
	out->tasks = TASKS + 2 * (spec->cpus_max > spec->cpus ? spec->cpus_max
							      : spec->cpus);
	out->locked = LOCKED;
	open_devices(vm, out);
	return 0;
}

/* ---- for people ---- */

void confinement_note(struct vm *vm, unsigned parts)
{
	vm->record.confined = parts | KNOWN;
}

static bool lacks(const struct vm *vm, size_t i)
{
	return !(vm->record.confined & CONFINE_BIT(wanted[i].part));
}

const char *confinement_word(const struct vm *vm)
{
	size_t n = 0;

	if (!vm_is_up(vm))
		return "-";
	if (!vm->accel.kvm)
		return "none (tcg)";
	for (size_t i = 0; i < NELEMS(wanted); i++)
		n += lacks(vm, i);
	return n == 0 ? "full" : n < NELEMS(wanted) ? "partial" : "seccomp";
}

json_t *confinement_json(const struct vm *vm)
{
	json_t *names;
	bool user = vm->record.confined & CONFINE_BIT(CONFINE_USER);

	if (!vm_is_up(vm) || !vm->record.confined)
		return json_null();
	names = json_array();
	for (size_t i = 0; i < NELEMS(wanted); i++)
		if (lacks(vm, i))
			json_array_append_new(
				names, json_string(wanted[i].name));
	return json_pack("{s:o,s:o}", "user",
		user ? json_integer(vm->record.uid) : json_null(), "lacks",
		names);
}
