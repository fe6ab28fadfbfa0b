/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a VM can become what a snapshot holds; see snapshot_fit.h. */
#include "supervisor/snapshot_fit.h"

#include <string.h>

#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "supervisor/config.h"
#include "supervisor/diff.h"
#include "supervisor/install.h"

int snapshot_fit_live(const struct vm *vm, struct err *err)
{
	if (vm->once_ephemeral)
		return err_set(
			err, ERR_UNSUPPORTED, "its disks are thrown away");
	if (install_of(vm->running))
		return err_set(err, ERR_STATE, "it is being installed");
	if (vm->full.blocked || vm->machine.seen.io_error)
		return err_set(err, ERR_STATE, "a disk of it has failed: %s",
			vm->note);
	if (vm->machine.seen.shutdown_seen)
		return err_set(err, ERR_STATE, "its guest is off");
	return 0;
}

/* Text that is no UTF-8 is kept as "", which nothing equals. */
static void put(json_t *snapshot, const char *key, const char *text)
{
	json_t *value = json_string(text);

	json_object_set_new(snapshot, key, value ? value : json_string(""));
}

void snapshot_fit_describe(const struct vm *vm, json_t *snapshot)
{
	AUTO_STR struct str config = STR_INIT;
	bool up = vm_is_up(vm) && vm->running;

	config_show(up ? vm->running : vm->spec, false, NULL, &config);
	put(snapshot, "config", str_text(&config));
	if (!up)
		return;
	put(snapshot, "machine", vm->record.machine);
	put(snapshot, "slots", str_or(vm->record.slots, ""));
	put(snapshot, "accel", vm->accel.kvm ? "kvm" : "tcg");
	json_object_set_new(
		snapshot, "qemu", json_integer(vm->machine.qmp.version));
}

static void on_difference(void *arg, const struct difference *d)
{
	struct err *err = arg;

	if (err->code)
		return; /* the first one will do */
	if (d->key)
		err_set(err, ERR_STATE,
			"%s of [%s] has changed since the snapshot", d->key,
			d->section);
	else
		err_set(err, ERR_STATE, "[%s] is %s since the snapshot",
			d->section, d->old ? "new" : "gone");
}

/* Keys of policy may differ: they are no part of the machine. */
static int compare(const struct vm *vm, const json_t *snapshot, struct err *err)
{
	const char *text = member_text(snapshot, "config");
	struct findings f;
	struct vm_spec *then;

	findings_init(&f);
	then = config_load_text(
		&vm->env->paths, vm->name, text, strlen(text), vm->name, &f);
	findings_fini(&f);
	if (!then)
		return err_set(err, ERR_CONFIG,
			"the VM's file of then cannot be read any more");
	diff_specs(then, vm->running, on_difference, err);
	spec_free(then);
	return err->code ? -1 : 0;
}

int snapshot_fit_check(
	const struct vm *vm, const json_t *snapshot, struct err *err)
{
	const struct {
		const char *key, *now, *what;
	} same[] = {
		{ "machine", vm->record.machine, "its machine type" },
		{ "accel", vm->accel.kvm ? "kvm" : "tcg", "its accelerator" },
		{ "slots", str_or(vm->record.slots, ""),
			"the order of its devices" },
	};

	if (!json_is_true(json_object_get(snapshot, "memory")))
		return err_set(err, ERR_STATE,
			"the snapshot has no memory: stop the VM, then revert "
			"its disks");
	if (json_integer_value(json_object_get(snapshot, "qemu")) !=
		vm->machine.qmp.version)
		return err_set(err, ERR_STATE,
			"it was made by another version of QEMU: stop the VM, "
			"then revert its disks");
	if (compare(vm, snapshot, err))
		return -1;
	for (size_t i = 0; i < NELEMS(same); i++) {
		if (!str_eq(member_text(snapshot, same[i].key), same[i].now))
			return err_set(err, ERR_STATE,
				"%s was another one: '%s', not '%s'",
				same[i].what,
				member_text(snapshot, same[i].key),
				same[i].now);
	}
	return 0;
}
