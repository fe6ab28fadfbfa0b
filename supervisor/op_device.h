/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device of a running VM that is plugged in or out, disk or nic: its name
 * in QEMU, its root port, and what QEMU says of its end.  Taking one away
 * waits for the guest, and is the same for both; supervisor/op_disk and
 * supervisor/op_nic put one in.
 */
#ifndef SUPERVISOR_OP_DEVICE_H
#define SUPERVISOR_OP_DEVICE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "qmp/client.h"
#include "supervisor/op.h"

/* How long an undo waits for the guest. */
#define OP_DEVICE_LET_GO_MS 10000

/* What disks and nics differ in when they go. */
struct op_device_class;
extern const struct op_device_class op_device_disk;
extern const struct op_device_class op_device_nic;

struct op_device {
	const struct op_device_class *class;
	struct vm *vm;
	struct job *job; /* woken when QEMU says something of it */
	struct qmp_sub sub;
	char id[32]; /* "disk-data", "net-lan": QEMU's */
	char name[24];
	int slot;     /* root port or scsi unit taken for it, or -1 */
	bool deleted; /* DEVICE_DELETED came */
	bool refused; /* DEVICE_UNPLUG_GUEST_ERROR came */
};

/* No device so far; the job is the one that it is part of. */
void op_device_init(struct op_device *dev, const struct op_device_class *class,
	struct vm *vm, struct job *job);
/* This one from now on. */
void op_device_name(struct op_device *dev, const char *name);
/* Hears no more of it. */
void op_device_fini(struct op_device *dev);

/* Takes a root port where the machine has such; -1: none is free. */
int op_device_take_slot(struct op_device *dev, struct err *err);
/* The same for a unit of the scsi controller, which every machine has. */
int op_device_take_unit(struct op_device *dev, struct err *err);
/* Gives back what either of them took. */
void op_device_drop_slot(struct op_device *dev);
/* Writes down which device has which port. */
void op_device_save_slots(const struct op_device *dev);

/* The arguments of device_del; new. */
json_t *op_device_id(const struct op_device *dev);
/* The arguments of qom-list, which lists devices; new. */
json_t *op_device_list(void);
/* Whether a device of this id is in its answer. */
bool op_device_is_listed(const json_t *list, const char *id);
/* Listens for what device_del leads to. */
void op_device_watch(struct op_device *dev);
/* It is gone, alone or with its QEMU. */
bool op_device_is_over(const struct op_device *dev);
/* To the log: whether QEMU took it is unknown. */
void op_device_warn_unanswered(const struct op_device *dev);
/* The job fails: what it knew of the VM is gone with its QEMU. */
enum job_state op_device_fail_gone(struct job *job);

typedef void op_detach_pending_fn(
	struct job *job, void *arg, const struct err *err);

/* What is to be unplugged, and who is told. */
struct op_detach {
	const char *name;
	int64_t timeout_ms;
	op_detach_pending_fn *on_pending;
	op_end_fn *on_end;
	void *arg;
};

/*
 * Unplugs: waits for the guest up to timeout_ms.  A guest that keeps the
 * device leaves the unplug pending: on_pending tells why, once, and the job
 * stays until the guest lets go or QEMU is gone; then on_end.
 */
struct job *op_device_detach_begin(const struct op_device_class *class,
	struct vm *vm, const struct op_detach *wish);
/*
 * Takes away what devices left behind that the guest let go when no detach
 * waited for it: after its time, or while there was no supervisor; and
 * writes what that detach was to write.
 */
struct job *op_device_reap_begin(const struct op_device_class *class,
	struct vm *vm, op_end_fn *on_end, void *arg);

#endif
