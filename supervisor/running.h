/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to what a QEMU runs, after hotplug; saved for the next adoption. */
#ifndef SUPERVISOR_RUNNING_H
#define SUPERVISOR_RUNNING_H

#include <jansson.h>

#include "supervisor/vm.h"

/* The disk is plugged in; disk and its KEY=VALUE pairs are stolen. */
void running_add_disk_steal(
	struct vm *vm, struct spec_disk *disk, json_t *pairs);
/* The disk is out and its nodes are closed. */
void running_drop_disk(struct vm *vm, const char *name);
/* The same of nics. */
void running_add_nic_steal(struct vm *vm, struct spec_nic *nic, json_t *pairs);
void running_drop_nic(struct vm *vm, const char *name);

/*
 * The drive has this disc (stolen), as its file says it, or (NULL) none.
 */
void running_set_disc_steal(struct vm *vm, const char *drive,
	struct spec_disk *disc, const char *image);

/* The disk has another size, in bytes; text: as its file says it. */
void running_resize_disk(
	struct vm *vm, const char *name, uint64_t size, const char *text);
/* The disk has these limits. */
void running_set_limits(
	struct vm *vm, const char *name, const struct spec_limits *limits);
/* An overlay was put on the disk. */
void running_add_layer(struct vm *vm, const char *name);
/* The cable of the nic is plugged in, or out. */
void running_set_link(struct vm *vm, const char *name, bool up);

/* So many vCPUs are there by now. */
void running_set_cpus(struct vm *vm, uint64_t cpus);
/* So much memory, in bytes, is offered to the guest. */
void running_set_memory(struct vm *vm, uint64_t bytes);
/* The rates of the nic, and as its file says them; NULL: as it was. */
void running_set_rates(struct vm *vm, const char *name,
	const struct rate_limits *rates, const char *out, const char *in);
/*
 * The nic's port (vlan, trunk, forward, isolate) is as another nic has it,
 * and one of its keys as the file says it; NULL: it does not.
 */
void running_set_port(struct vm *vm, const char *key, const struct spec_nic *as,
	const char *text);
/* When the section's device was plugged in, wall clock; 0: with its QEMU. */
int64_t running_since(const struct vm *vm, const char *section);
/* Either was done: it is not as its QEMU was started. */
bool running_is_resized(const struct vm *vm);

/* Its hot keys of [limits] are those of that spec. */
void running_set_host_limits(struct vm *vm, const struct vm_spec *from);

#endif
