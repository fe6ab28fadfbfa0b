/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is written of a VM and what runs of it: the last good version of its
 * files, and the copy that a start went by, kept for the next adoption.
 */
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "supervisor/config.h"
#include "supervisor/diff.h"
#include "supervisor/ephemeral.h"
#include "supervisor/install.h"
#include "supervisor/vm.h"

/* Once per change, not once per question: list asks for every VM. */
static void compare(struct vm *vm)
{
	vm->pending = diff_count(vm->spec, vm->running);
}

/* Other files get their own chance. */
static void end_fallback(struct vm *vm)
{
	vm->record.fallback = false;
	if (vm->record.revert == REVERT_DONE)
		vm->record.revert = REVERT_NONE;
}

void vm_replace_spec_steal(struct vm *vm, struct vm_spec *spec)
{
	if ((vm->record.fallback || vm->record.revert) && spec && vm->spec &&
		diff_count(vm->spec, spec))
		end_fallback(vm);
	if (vm->spec != vm->running)
		spec_free(vm->spec);
	vm->spec = spec;
	compare(vm);
}

void vm_drop_running(struct vm *vm)
{
	if (vm->running != vm->spec)
		spec_free(vm->running);
	vm->running = NULL;
	vm->pending = 0;
}

/* In the saved copy of what runs; x-* keys are no difference to the files. */
#define ONCE_EPHEMERAL "x-ephemeral-once"

/* The spec with all its disks thrown away, or with a disc; NULL with err. */
static struct vm_spec *spec_for_once(struct vm *vm, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;
	struct findings f;
	struct vm_spec *spec;

	config_show(vm->spec, false, NULL, &text);
	findings_init(&f);
	spec = config_load_text(&vm->env->paths, vm->name, str_text(&text),
		text.len, vm->name, &f);
	findings_fini(&f);
	if (!spec) {
		err_set(err, ERR_CONFIG,
			"its files cannot be copied for one life");
		return NULL;
	}
	if (vm->once_disc &&
		install_apply(spec, vm->once_disc, &vm->env->paths, err)) {
		spec_free(spec);
		return NULL;
	}
	if (vm->once_ephemeral && !spec->vm.ephemeral) {
		ini_add(&spec->ini, "vm", ONCE_EPHEMERAL, "yes", vm->name, "/");
		spec->vm.ephemeral = true;
	}
	ephemeral_apply(spec, vm->env);
	return spec;
}

int vm_run_spec(struct vm *vm, struct vm_spec *other, struct err *err)
{
	struct vm_spec *once = other;

	if (vm->once_disc || (vm->once_ephemeral && !vm->spec->vm.ephemeral)) {
		once = spec_for_once(vm, err);
		if (!once)
			return -1;
	}
	vm_drop_running(vm);
	vm->running = once ? once : vm->spec;
	vm->pending = 0;
	vm->record.fallback = other != NULL;
	return 0;
}

void vm_load_slots(struct vm *vm)
{
	argv_name_slots(&vm->slots, vm->record.slots);
	argv_plan_slots(vm->running, &vm->slots);
	record_name_slots(&vm->record, vm->slots.names);
}

const struct vm_spec *vm_spec_now(const struct vm *vm)
{
	return vm->running ? vm->running : vm->spec;
}

void vm_save_running(struct vm *vm)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "config.ini");
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	compare(vm);
	config_show(vm->running, false, NULL, &text);
	if (fd_write_file(AT_FDCWD, path, str_text(&text), text.len, 0600,
		    false, &err))
		vmlog_line(&vm->log, LOG_WARN, "%s", err.text);
}

/* Mostly nobody changed the file: then what is written is what runs. */
static bool is_text_of(const struct vm_spec *spec, const struct str *text)
{
	AUTO_STR struct str own = STR_INIT;

	if (!spec)
		return false;
	config_show(spec, false, NULL, &own);
	return str_eq(str_text(&own), str_text(text));
}

/* How many overlays each disk got while it runs. */
static void know_layers(struct vm_spec *running)
{
	list_each(&running->disks, it, next) {
		struct spec_disk *disk = list_entry(it, struct spec_disk, link);
		AUTO_FREE char *section = xasprintf("disk.%s", disk->name);
		const struct ini_entry *e =
			ini_find(&running->ini, section, SPEC_LAYERS);

		disk->layers = e ? (unsigned)str_digits(e->value) : 0;
	}
}

void vm_load_running(struct vm *vm)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, "config.ini");
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	struct findings f;

	vm_drop_running(vm);
	findings_init(&f);
	if (!fd_read_file(AT_FDCWD, path, 256 * 1024, &text, &err) &&
		!is_text_of(vm->spec, &text))
		vm->running = config_load_text(&vm->env->paths, vm->name,
			str_text(&text), text.len, path, &f);
	findings_fini(&f);
	if (vm->running && ini_find(&vm->running->ini, "vm", ONCE_EPHEMERAL))
		vm->once_ephemeral = vm->running->vm.ephemeral = true;
	if (vm->running && install_of(vm->running) &&
		install_apply(vm->running, install_of(vm->running),
			&vm->env->paths, &err))
		vmlog_line(&vm->log, LOG_WARN, "%s", err.text);
	if (vm->running) {
		know_layers(vm->running);
		ephemeral_apply(vm->running, vm->env);
	} else {
		vm->running = vm->spec;
	}
	compare(vm);
}

struct vm_spec *vm_copy_spec(const struct vm *vm, const struct vm_spec *spec)
{
	AUTO_STR struct str text = STR_INIT;
	struct vm_spec *copy;
	struct findings f;

	config_show(spec, false, NULL, &text);
	findings_init(&f);
	copy = config_load_text(&vm->env->paths, vm->name, str_text(&text),
		text.len, vm->name, &f);
	findings_fini(&f);
	if (copy)
		ephemeral_apply(copy, vm->env);
	return copy;
}

bool vm_own_running(struct vm *vm)
{
	struct vm_spec *own;

	if (!vm->running || vm->running != vm->spec)
		return vm->running != NULL;
	own = vm_copy_spec(vm, vm->spec);
	if (!own)
		return false;
	vm->running = own;
	return true;
}
