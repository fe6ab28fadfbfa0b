/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The moment of a start in which QEMU comes to be: all that it gets, made or
 * opened before, goes to it at once and is nobody else's afterwards.
 */
#ifndef SUPERVISOR_LAUNCH_H
#define SUPERVISOR_LAUNCH_H

#include "supervisor/boot_files.h"
#include "supervisor/chains.h"
#include "supervisor/firmware.h"
#include "supervisor/host.h"
#include "supervisor/lock.h"
#include "supervisor/taps.h"
#include "supervisor/vm.h"

struct launch {
	struct vm_lock lock;
	struct chains chains;           /* the images, open */
	struct taps taps;               /* the nics, open */
	struct boot_files boot;         /* kernel and initrd, copied */
	struct firmware_files firmware; /* UEFI, open */
	int tpm;                        /* the line to swtpm, or -1 */
	int login;                      /* its home, if it needs one; or -1 */
	struct host_confine confine;
	const json_t *saved; /* it goes on from that memory; or NULL */
};

/* Nothing yet. */
void launch_init(struct launch *launch);
/* Closes what is left. */
void launch_fini(struct launch *launch);
/* Opens the images of all disks that run, and what they are on top of. */
MUST_CHECK int launch_open_images(
	struct launch *launch, struct vm *vm, struct err *err);
/*
 * What a QEMU of that generation is told of the host; its firmware, a display
 * and whether it waits for memory are the caller's to add.
 */
struct argv_host launch_host(
	const struct launch *launch, const struct vm *vm, uint64_t generation);
/*
 * Starts QEMU as machine m: with its sockets, in its control groups, confined.
 * What it was given stays open here, until launch_let_go().
 */
MUST_CHECK int launch_spawn(struct launch *launch, struct vm *vm,
	struct machine *m, char **argv, uint64_t generation, struct err *err);
/* QEMU has all of it now, or nobody: closes ours. */
void launch_let_go(struct launch *launch);
/*
 * Opens the images, listens on the sockets, starts QEMU.  Whether it works or
 * not, nothing that was meant for QEMU stays open.
 */
MUST_CHECK int launch_qemu(
	struct launch *launch, struct vm *vm, struct err *err);

#endif
