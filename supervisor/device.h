/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the device builders share: kinds of machines, JSON of a device, the
 * fixed devices every machine has.  For supervisor/argv and its builders.
 */
#ifndef SUPERVISOR_DEVICE_H
#define SUPERVISOR_DEVICE_H

#include <jansson.h>
#include <stdbool.h>

#include "supervisor/spec.h"

enum machine_kind { MACHINE_Q35, MACHINE_PC, MACHINE_MICROVM };

/* Slots of pcie.0 and pci.0 that never change from start to start. */
enum device_addr {
	ADDR_DISPLAY = 0x1, /* q35; kept free */
	ADDR_PORTS = 0x2,   /* q35: to 0x5, eight root ports in each */
	ADDR_VSERIAL = 0x6,
	ADDR_RNG = 0x7,
	ADDR_BALLOON = 0x8,
	ADDR_SCSI = 0x9,
	ADDR_USB = 0xa,
	ADDR_WATCHDOG = 0xb,
	ADDR_VSOCK = 0xc,
	ADDR_MEMORY = 0xd,
};

/* The kind by the machine's name ("q35", "pc-i440fx-7.2"). */
enum machine_kind device_machine(const struct vm_spec *spec);
/* True for text that is there and not empty. */
bool device_is_set(const char *text);

/* {"driver":...,"id":...}; driver must be plain ASCII.  New. */
json_t *device_new(const char *driver, const char *id);
/* The same of a virtio device: "virtio-rng" gets -pci or -device. */
json_t *device_virtio(
	enum machine_kind kind, const char *driver, const char *id);
/* A virtio device in a fixed slot of the machine's bus (none on microvm). */
json_t *device_virtio_at(enum machine_kind kind, const char *driver,
	const char *id, enum device_addr addr);
void device_put(json_t *device, const char *key, const char *text);
/* Puts it into a fixed slot of the machine's bus (not microvm). */
void device_put_at(
	json_t *device, enum machine_kind kind, enum device_addr addr);
/* Puts it into root port `place`; -1 leaves the place to QEMU. */
void device_put_place(json_t *device, int place);
/* A text as a value of an option, where a comma is written twice; new. */
char *device_word(const char *text);
/* A graphics card that every firmware and guest knows. */
json_t *device_video(enum machine_kind kind, const char *model);
/* bootindex, if it is not 0. */
void device_put_boot(json_t *device, int bootindex);
/* Root port number i (below 32) of q35. */
json_t *device_root_port(unsigned i);

#endif
