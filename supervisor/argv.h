/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a spec to QEMU's argument vector.  Pure: what depends on the host
 * (accelerator, fd numbers, image paths) comes in struct argv_host; golden
 * files in tests/golden hold the results.
 *
 * Devices are described once, as JSON; the same builders serve the command
 * line and hotplug over QMP.
 */
#ifndef SUPERVISOR_ARGV_H
#define SUPERVISOR_ARGV_H

#include <jansson.h>

#include "base/err.h"
#include "storage/chain.h"
#include "supervisor/spec.h"

/* Descriptors QEMU gets; the same numbers in every VM. */
enum argv_fd {
	ARGV_FD_MONITOR = 3,
	ARGV_FD_YANK = 4,
	ARGV_FD_LOCK = 5,
	ARGV_FD_NAME = 6,
	ARGV_FD_AGENT = 7,
	ARGV_FD_SERIAL = 8,     /* and up, one per [serial.N] */
	ARGV_FD_DISK = 12,      /* and up, for the images of the disks */
	ARGV_FD_TAP = 172,      /* and up, for the queues of the nics */
	ARGV_FD_BOOT = 212,     /* the kernel, and the initrd */
	ARGV_FD_FIRMWARE = 214, /* its code, and its variables */
	ARGV_FD_TPM = 216,
	ARGV_FD_LOGIN = 217, /* its home, where it has a key of ssh */
};

struct chains; /* supervisor/chains.h */

/* UEFI: its code, and what a VM's own variables are made of. */
struct argv_firmware {
	char *code, *vars; /* paths */
	bool smm;          /* it trusts nothing that the guest can reach */
};

struct argv_host {
	const char *qemu;    /* path of the program */
	bool kvm;            /* -enable-kvm, else -accel tcg */
	const char *machine; /* pinned type, or the spec's word */
	uint64_t generation; /* in the monitor's chardev id */
	const char *images;  /* directory of volumes, but for other pools */
	bool io_uring;       /* this host's kernel lets QEMU use it */
	bool vhost;          /* and moves packets for it */
	const struct argv_firmware *firmware; /* or NULL: BIOS */
	const struct chains *chains;          /* of the disks, numbered */
	bool incoming; /* waits for the memory it goes on from */
	bool boot_fds; /* kernel and initrd come as ARGV_FD_BOOT */
	bool vnc;      /* it has a display, whose socket comes by QMP */
};

/*
 * Root ports "rp0".. of q35, other machines have none (n = 0); and the units
 * of the scsi controller, whose names follow those of all ports.
 */
struct argv_slots {
	const char *names; /* "disk-root,,net-lan": devices by place; or NULL */
	unsigned n;        /* ports that exist */
	bool live;         /* in a QEMU that runs: controllers stay there */
};

#define ARGV_SLOTS_MAX  32
#define ARGV_UNITS_MAX  32
#define ARGV_PLACES_MAX (ARGV_SLOTS_MAX + ARGV_UNITS_MAX)
#define ARGV_SLOT_NAME  24     /* with its end */
#define ARGV_SCSI       "scsi" /* controllers, where they came late */
#define ARGV_USB        "usb"

/*
 * Gives every cold disk and nic of the spec its port: the recorded one if it
 * has one, else the lowest free; then hotplug-ports more stay free.  Recorded
 * names that the spec does not have any more free their port.
 */
void argv_plan_slots(const struct vm_spec *spec, struct argv_slots *slots);
/* Takes a free port for a device; the index, or -1 with ERR_LIMIT. */
int argv_take_slot(
	struct argv_slots *slots, const char *device, struct err *err);

/* The same for a unit of the scsi controller. */
int argv_take_unit(
	struct argv_slots *slots, const char *device, struct err *err);

/* The port of a device, or -1. */
int argv_find_slot(const struct argv_slots *slots, const char *device);
/* The unit of a scsi disk, or -1. */
int argv_find_unit(const struct argv_slots *slots, const char *device);
/* The device lets its port or unit go. */
void argv_drop_slot(struct argv_slots *slots, const char *device);
/* How many ports are free. */
unsigned argv_free_slots(const struct argv_slots *slots);
/* Replaces the names by a copy of these (or NULL) and frees the old ones. */
void argv_name_slots(struct argv_slots *slots, const char *names);

/* The vector, NULL-terminated, new; argv_free() frees it. */
char **argv_build(const struct vm_spec *spec, const struct argv_host *host,
	const struct argv_slots *slots, struct err *err);
void argv_free(char **argv);

/*
 * The block node of one image of a disk (depth 0: the one on top) for
 * -blockdev / blockdev-add, by the number of its fd set; new.  The nodes
 * below it come first.
 */
json_t *argv_disk_node(const struct spec_disk *disk,
	const struct argv_host *host, const struct chain *chain, size_t depth);
/* Its name, "disk-root" or "disk-root.1", of a disk that got so many layers
 * while it runs ("disk-root.s1", on top of "disk-root"); new. */
char *argv_disk_node_name(const char *disk, unsigned layers, size_t depth);
/* The device of a disk, "disk-root", or of a drive, "cdrom-a"; new. */
char *argv_disk_id(const struct spec_disk *disk);
/* The node that the guest's device is on, by its running spec or NULL; new. */
char *argv_disk_top(const struct spec_disk *disk, const char *name);
/*
 * What a descriptor is known by in QEMU: "disk-root:/images/a.qcow2", the
 * node and the path; new.
 */
char *argv_disk_fd_name(
	const struct spec_disk *disk, const struct chain *chain, size_t depth);
/*
 * The object with the password of a disk, read from descriptor fd, new; and
 * its id ("secret-root"), new.
 */
json_t *argv_disk_secret(const struct spec_disk *disk, int fd);
char *argv_disk_secret_id(const char *disk);
/* What a disk takes up of its machine, by its bus. */
enum disk_place {
	PLACE_PORT, /* a root port of q35, a slot of pc */
	PLACE_UNIT, /* of the scsi controller */
	PLACE_SATA, /* a unit of the board's own controller */
	PLACE_USB,  /* wherever the bus likes */
};
enum disk_place argv_disk_place(const struct spec_disk *disk);
/* The controller that it needs beside the board's own; NULL: none. */
const char *argv_disk_controller(const struct spec_disk *disk);
/* It comes and goes while its VM runs, on machines that let it. */
bool argv_disk_is_hot(const struct spec_disk *disk);
/* A machine of that type takes it, or lets it go, while it runs. */
MUST_CHECK int argv_disk_may_plug(
	const struct spec_disk *disk, const char *machine, struct err *err);
/* A failed read or write holds the guest, and is tried again. */
bool argv_disk_holds(const struct spec_disk *disk);
/* What of a disk and its images no node can be made of. */
MUST_CHECK int argv_disk_check(const struct spec_disk *disk,
	const struct chain *chain, struct err *err);
/*
 * The device for -device / device_add; new.  place is the root port of q35
 * (virtio, nvme), the unit of a sata or scsi disk, or -1: wherever the bus
 * likes.
 */
json_t *argv_disk_device(const struct vm_spec *spec,
	const struct spec_disk *disk, int place, int bootindex,
	struct err *err);
/* A controller of disks, in a root port or (-1) its fixed place; new. */
json_t *argv_controller(
	const struct vm_spec *spec, const char *controller, int port);
/* Its place in the order of boot; 0: none. */
int argv_disk_boot(const struct vm_spec *spec, const struct spec_disk *disk);
json_t *argv_nic_backend(const struct vm_spec *spec, const struct spec_nic *nic,
	bool vhost, struct err *err);
/* How many descriptors its backend gets of us. */
unsigned argv_nic_fds(const struct spec_nic *nic);
/* QEMU's descriptor of the first queue of a nic on a network or bridge. */
int argv_nic_first_fd(const struct vm_spec *spec, const struct spec_nic *nic);
json_t *argv_nic_device(const struct vm_spec *spec, const struct spec_nic *nic,
	int place, int bootindex, struct err *err);
/* The MAC address of a nic: written, or from uuid and name (52:54:00:...). */
void argv_nic_mac(
	const struct vm_spec *spec, const struct spec_nic *nic, char out[18]);
/* Absolute path of a disk's image ("web-root.qcow2" in images); new. */
char *argv_disk_path(const struct vm_spec *spec, const struct spec_disk *disk,
	const char *images);
/* Absolute path of a disk's base; new, NULL if it has none. */
char *argv_base_path(const struct spec_disk *disk, const char *images);
/*
 * The format (enum spec_format) by key or suffix; FORMAT_NONE with err if
 * neither tells.  With `base` the image is our overlay, always qcow2, and
 * the key speaks of the base.
 */
int argv_disk_format(
	const struct spec_disk *disk, const char *path, struct err *err);
int argv_base_format(
	const struct spec_disk *disk, const char *path, struct err *err);

#endif
