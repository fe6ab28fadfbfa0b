/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The moment of a start in which QEMU comes to be; see launch.h. */
#include "supervisor/launch.h"

#include "base/fd.h"
#include "base/mem.h"
#include "supervisor/chain_open.h"
#include "supervisor/chain_record.h"
#include "supervisor/confinement.h"
#include "supervisor/install.h"
#include "supervisor/intent.h"
#include "supervisor/limits.h"
#include "supervisor/login.h"
#include "supervisor/tpm.h"

void launch_init(struct launch *launch)
{
	*launch = (struct launch){ .lock = VM_LOCK_INIT,
		.boot = BOOT_FILES_INIT,
		.firmware = FIRMWARE_FILES_INIT,
		.tpm = -1,
		.login = -1 };
	chains_init(&launch->chains);
}

void launch_let_go(struct launch *launch)
{
	chains_close(&launch->chains);
	taps_close(&launch->taps);
	boot_files_close(&launch->boot);
	firmware_close(&launch->firmware);
	fd_close(&launch->tpm);
	fd_close(&launch->login);
	lock_drop(&launch->lock);
}

void launch_fini(struct launch *launch)
{
	launch_let_go(launch);
	chains_fini(&launch->chains);
}

int launch_open_images(struct launch *launch, struct vm *vm, struct err *err)
{
	const struct chains_from from = { .spec = vm->running,
		.paths = &vm->env->paths,
		.known = chain_record(vm),
		.disc = vm->once_disc_fd };

	if (chains_open(&launch->chains, &from, err))
		return -1;
	return chains_number(&launch->chains, ARGV_FD_DISK, err);
}

static int open_firmware(struct launch *launch, struct vm *vm, struct err *err)
{
	return firmware_open(&launch->firmware, vm->running, &vm->env->paths,
		vm->record.machine, err);
}

/* The locks, the files and the confinement, as a QEMU is started with them. */
static void fill(const struct launch *launch, struct machine_start *start)
{
	start->lock_fd = launch->lock.file_fd;
	start->name_fd = launch->lock.name_fd;
	start->confine = launch->confine;
	start->nfiles = chains_fds(&launch->chains, start->files);
	for (size_t i = 0; i < launch->taps.n; i++)
		start->files[start->nfiles++] = launch->taps.fds[i];
	start->nfiles +=
		boot_files_fds(&launch->boot, start->files + start->nfiles);
	start->nfiles +=
		firmware_fds(&launch->firmware, start->files + start->nfiles);
	if (launch->tpm >= 0)
		start->files[start->nfiles++] =
			(struct spawn_fd){ launch->tpm, ARGV_FD_TPM };
	if (launch->login >= 0)
		start->files[start->nfiles++] =
			(struct spawn_fd){ launch->login, ARGV_FD_LOGIN };
}

int launch_spawn(struct launch *launch, struct vm *vm, struct machine *m,
	char **argv, uint64_t generation, struct err *err)
{
	AUTO_FREE struct machine_start *start = NEW(struct machine_start);
	const struct vm_spec *spec = vm->running;
	struct cgroup_birth birth;
	int rc;

	if (login_open(spec, m->env->paths.run, &launch->confine,
		    &launch->login, err))
		return -1;
	fill(launch, start);
	limits_prepare(vm, &birth);
	start->group = (struct spawn_group){ birth.into, birth.procs,
		birth.join, birth.njoin, birth.doors ? vm->name : NULL };
	start->argv = argv;
	start->generation = generation;
	rc = machine_listen(
		m, list_count(&spec->serials), spec->agent.enabled, err);
	if (!rc)
		rc = machine_spawn(m, start, err);
	cgroup_birth_end(&birth);
	if (!rc) {
		confinement_note(vm, start->parts);
		limits_born(vm, m->pid);
	}
	return rc;
}

struct argv_host launch_host(
	const struct launch *launch, const struct vm *vm, uint64_t generation)
{
	return (struct argv_host){ .qemu = vm->env->qemu,
		.kvm = vm->accel.kvm,
		.machine = vm->record.machine,
		.generation = generation,
		.images = vm->env->paths.images,
		.io_uring = vm->env->io_uring,
		.vhost = vm->env->vhost,
		.chains = &launch->chains,
		.boot_fds = true };
}

int launch_qemu(struct launch *launch, struct vm *vm, struct err *err)
{
	struct argv_host host = launch_host(launch, vm, vm->record.generation);
	char **argv;
	int rc;

	host.incoming = launch->saved != NULL;
	host.vnc = install_display(vm);
	if (launch_open_images(launch, vm, err))
		return -1;
	chain_record_put(vm, &launch->chains);
	if (open_firmware(launch, vm, err))
		return -1;
	if (launch->firmware.found.code)
		host.firmware = &launch->firmware.found;
	vm->slots.live = false;
	vm_load_slots(vm);
	if (launch->saved) /* as many as then */
		vm->slots.n = (unsigned)json_integer_value(
			json_object_get(launch->saved, "ports"));
	argv = argv_build(vm->running, &host, &vm->slots, err);
	if (!argv)
		return -1;
	vm_make_consoles(vm, vm->running);
	rc = tpm_start(vm->running, &vm->env->paths, &launch->confine,
		&launch->tpm, err);
	if (!rc)
		rc = launch_spawn(
			launch, vm, &vm->machine, argv, host.generation, err);
	argv_free(argv);
	launch_let_go(launch);
	if (!rc)
		intent_launched(vm);
	return rc;
}
