/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VM is: the structs that its INI file fills and the tables that fill
 * them (REFERENCE 1.3).  Plain data; supervisor/config reads the files.
 */
#ifndef SUPERVISOR_SPEC_H
#define SUPERVISOR_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/keys.h"
#include "base/list.h"
#include "base/paths.h"
#include "net/rate.h"

enum spec_firmware { FIRMWARE_BIOS, FIRMWARE_UEFI, FIRMWARE_UEFI_SECURE };
enum spec_os { OS_LINUX, OS_WINDOWS, OS_OTHER };
enum spec_accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG };
enum spec_clock { CLOCK_UTC, CLOCK_LOCALTIME };
enum spec_autostart { AUTOSTART_NO, AUTOSTART_YES, AUTOSTART_LAST };
enum spec_ready {
	READY_RUNNING,
	READY_AGENT,
	READY_LEASE,
	READY_NOTIFY,
	READY_TCP,
	READY_SERIAL,
	READY_EXEC,
};
enum spec_host_shutdown { HOST_SHUTDOWN, HOST_SAVE, HOST_STOP, HOST_LEAVE };
enum spec_policy {
	POLICY_NO,
	POLICY_ON_FAILURE,
	POLICY_ON_CRASH,
	POLICY_ALWAYS,
	POLICY_UNLESS_STOPPED,
};
enum spec_cause_action {
	ACTION_BY_POLICY,
	ACTION_RESTART,
	ACTION_STOP,
	ACTION_PAUSE
};
enum spec_guest_reboot {
	REBOOT_WARM,
	REBOOT_COLD,
	REBOOT_COLD_IF_PENDING,
	REBOOT_STOP
};
enum spec_bus { BUS_VIRTIO, BUS_SCSI, BUS_NVME, BUS_SATA, BUS_USB };
enum spec_format {
	FORMAT_NONE,
	FORMAT_QCOW2,
	FORMAT_RAW,
	FORMAT_VMDK,
	FORMAT_VDI,
	FORMAT_VHDX
};
enum spec_on_enospc { ENOSPC_PAUSE, ENOSPC_REPORT };
enum spec_on_eio { EIO_BY_DISK, EIO_PAUSE, EIO_REPORT, EIO_IGNORE };
enum spec_serial { SERIAL_ISA, SERIAL_VIRTIO };
/* What a nic may not say it is; by the network: ip on ours, else mac. */
enum spec_spoof { SPOOF_BY_NETWORK, SPOOF_ANY, SPOOF_MAC, SPOOF_IP };
enum stop_step {
	STEP_AGENT,
	STEP_ACPI,
	STEP_CTRL_ALT_DEL,
	STEP_QUIT,
	STEP_TERM,
	STEP_KILL
};

struct spec_ready_probe {
	enum spec_ready kind;
	uint16_t port;    /* tcp */
	const char *text; /* serial: regex; exec: command line */
};

struct spec_topology { /* 0: 1:cpus-max:1 */
	unsigned sockets, cores, threads;
};

struct spec_vm {
	const char *description;
	const char *uuid; /* "" : derived */
	const char *template_;
	const char *instances;
	char **tags;
	const char *owner;
	char **protect;
	int os;
	uint64_t memory;
	uint64_t memory_max; /* 0: = memory */
	uint64_t cpus;
	uint64_t cpus_max; /* 0: = cpus */
	struct spec_topology topology;
	const char *cpu; /* "": host under KVM, max under TCG */
	bool nested;
	const char *machine;
	int accel;
	int confinement; /* 0: the host's, else enum confinement plus 1 */
	int firmware;    /* enum spec_firmware */
	const char *kernel;
	const char *initrd;
	const char *cmdline;
	int clock;
	uint64_t hotplug_ports;
	bool ephemeral;
};

struct spec_start {
	int autostart;
	char **after, **before, **requires, **wants, **part_of;
	struct spec_ready_probe ready;
	int64_t ready_timeout_ms;
};

#define STOP_STEPS_MAX 12
struct spec_stop_steps {
	unsigned n;
	struct {
		enum stop_step step;
		int64_t budget_ms;
	} at[STOP_STEPS_MAX];
};

struct spec_stop {
	int64_t timeout_ms;
	struct spec_stop_steps steps;
	int on_host_shutdown;
	int64_t runtime_max_ms; /* STR_FOREVER: none */
};

struct spec_backoff {
	int64_t first_ms;
	int64_t max_ms; /* = first: no growth */
};

struct spec_burst {
	unsigned count;
	int64_t window_ms;
};

enum spec_crash_loop_kind {
	CRASH_LOOP_STOP,
	CRASH_LOOP_LAST_GOOD,
	CRASH_LOOP_REVERT,
	CRASH_LOOP_EXEC
};

struct spec_crash_loop {
	enum spec_crash_loop_kind kind;
	const char *text; /* revert: the snapshot; exec: the command line */
};

struct spec_restart {
	int policy;
	struct spec_backoff backoff;
	struct spec_burst burst;
	int on_guest_reboot;
	struct spec_crash_loop on_crash_loop;
	int64_t hang_after_ms; /* STR_FOREVER: nobody looks */
	int on_cause[16];      /* enum spec_cause_action by enum cause */
};

struct spec_pool {
	const char *name;
	const char *dir; /* of its volumes; NULL: where default's are */
};

/* What a disk may do in a second; 0: anything. */
struct spec_limits {
	uint64_t iops, bps;
	uint64_t iops_burst, bps_burst; /* for a moment */
};

/* [disk.N], in the saved copy of what runs: spec_disk.layers. */
#define SPEC_LAYERS "x-layers"

struct spec_disk {
	struct list link; /* vm_spec.disks */
	const char *name; /* "root" */
	const char *image;
	const char *base;
	uint64_t size; /* 0: none */
	int format;
	struct spec_pool pool;
	const char *url; /* instead of image; or NULL */
	int64_t reconnect_ms;
	const char *secret_file;  /* or NULL */
	const char *ssh_key_file; /* or NULL */
	int bus;
	uint64_t boot; /* 0: none */
	bool readonly;
	const char *serial; /* "": the name */
	int cache;          /* index of none, writeback, writethrough, unsafe */
	int aio;            /* io_uring, native, threads */
	int discard;        /* unmap, ignore */
	bool iothread;
	int on_enospc; /* enum spec_on_enospc */
	int on_eio;    /* enum spec_on_eio */
	bool snapshot; /* snapshots of the VM are of this one too */
	bool backup;   /* it goes into backups */
	struct spec_limits limits;
	unsigned layers; /* put on it since QEMU began: supervisor/live_link */
	bool disc;       /* in a CD-ROM drive: supervisor/install, or */
	bool drive;      /* of a [cdrom.N]: supervisor/cdrom */
	bool made;       /* its image is the supervisor's to make: [seed] */
};

struct spec_seed {
	bool written; /* the section is there */
	bool enabled;
	const char *hostname; /* "": from the VM's name */
	const char *user;     /* "": the image's own */
	const char *ssh_key;  /* the key, or the path of a file of keys */
	const char *password_file;
	char **packages;
	const char *user_data, *meta_data, *network_config; /* paths */
};

struct spec_forward {
	bool udp;
	char addr[46]; /* "": the mode's default */
	uint16_t host_first, host_last, guest_first;
};

struct spec_forwards {
	unsigned n;
	struct spec_forward *at;
};

/* Networks that need no right: none, QEMU's own, passt's. */
enum spec_user { USER_NO, USER_SLIRP, USER_PASST };

struct spec_nic {
	struct list link; /* vm_spec.nics */
	const char *name;
	const char *network;
	const char *bridge;
	const char *macvtap;
	int user; /* enum spec_user */
	const char *model;
	const char *mac; /* "": from uuid and name */
	const char *ip;  /* "": by lease */
	uint64_t queues;
	bool isolate;
	int spoof; /* enum spec_spoof */
	struct rate_limits rates;
	struct spec_forwards forward;
	uint64_t boot;
	bool up;           /* link = up */
	bool lost;         /* of one that runs: its passt is gone */
	uint64_t mtu;      /* 0: the guest is told none */
	uint64_t vlan;     /* untagged; 0: as the bridge has it */
	const char *trunk; /* "": none tagged; as vlan_parse() takes it */
};

struct spec_serial_port {
	struct list link; /* vm_spec.serials */
	const char *name;
	uint64_t log_max; /* log = SIZE: cap of the log file */
	int target;
};

enum spec_keep_unit {
	KEEP_LAST,
	KEEP_HOURLY,
	KEEP_DAILY,
	KEEP_WEEKLY,
	KEEP_MONTHLY
};

/* "7 daily, 4 weekly"; none: all are kept. */
#define SPEC_KEEP_MAX 5
struct spec_keep {
	unsigned n;
	struct {
		unsigned count;
		enum spec_keep_unit unit;
	} at[SPEC_KEEP_MAX];
};

/* "daily", "03:00", "Mon 03:00", in local time. */
struct spec_calendar {
	enum {
		CALENDAR_NEVER,
		CALENDAR_HOURLY,
		CALENDAR_DAILY,
		CALENDAR_WEEKLY,
		CALENDAR_MONTHLY
	} every;
	unsigned weekday; /* of weekly; 0: Sunday */
	unsigned hour, minute;
};

struct spec_backup {
	const char *target; /* a directory; "": none */
	struct spec_calendar schedule;
	struct spec_keep keep;
	int mode; /* 0: incremental, 1: full */
	uint64_t rate;
	int freeze; /* enum freeze */
};

struct spec_snapshot {
	struct spec_calendar schedule;
	struct spec_keep keep;
	bool memory;
	int freeze; /* enum freeze */
};

struct spec_hooks {
	const char *started, *stopped, *incident; /* programs; "" */
	int64_t timeout_ms;
};

struct spec_toggle {
	bool enabled;
};

/* [limits]: of the host's, for QEMU as a whole; 0 and "": none. */
struct spec_host_limits {
	uint64_t cpu; /* percent of one processor */
	uint64_t cpu_weight;
	uint64_t memory;
	uint64_t io_weight;
	uint64_t pids;
	const char *cpuset;
	const char *numa; /* nodes of memory */
	bool hugepages;
	int oom_score;
};

enum spec_video { VIDEO_VIRTIO, VIDEO_STD, VIDEO_NONE };
enum spec_vnc { VNC_NO, VNC_UNIX };
struct spec_display {
	bool written; /* the section is there */
	int video;    /* enum spec_video */
	int vnc;      /* enum spec_vnc */
};

enum spec_watchdog_model { WATCHDOG_I6300ESB, WATCHDOG_IB700, WATCHDOG_ITCO };
enum spec_watchdog_action {
	WATCHDOG_RESTART,
	WATCHDOG_RESET,
	WATCHDOG_PAUSE,
	WATCHDOG_POWEROFF
};
struct spec_watchdog {
	bool written; /* the section is there */
	bool enabled;
	int model;  /* enum spec_watchdog_model */
	int action; /* enum spec_watchdog_action */
};

struct spec_tpm {
	bool written; /* the section is there */
	bool enabled;
	int model; /* 0: crb, 1: tis */
};

struct spec_raw {
	struct list link; /* vm_spec.raws */
	unsigned number;
	bool qmp;
	const char *text;
};

struct vm_spec {
	struct spec_vm vm;
	struct spec_start start;
	struct spec_stop stop;
	struct spec_restart restart;
	struct list disks;   /* spec_disk.link, file order; discs last */
	struct list cdroms;  /* spec_disk.link: drives, whatever is in them */
	struct list nics;    /* spec_nic.link */
	struct list serials; /* spec_serial_port.link */
	struct list raws;    /* spec_raw.link, by number */
	struct spec_hooks hooks;
	struct spec_backup backup;
	struct spec_snapshot snapshot;
	struct spec_toggle rng, balloon, agent;
	struct spec_watchdog watchdog;
	struct spec_tpm tpm;
	struct spec_display display;
	struct spec_seed seed;
	struct spec_host_limits limits;

	bool installs; /* it has a disc and a display, for this life */

	/* Filled by supervisor/config, not by tables: */
	const char *name;     /* web@7 */
	const char *prefix;   /* web */
	const char *instance; /* 7, or NULL */
	const char *shown;    /* the main file, as messages name it */
	char uuid[37];        /* the effective one */
	char **files;         /* all files read, in order, NULL-terminated; one
			      piece of the slab */
	struct ini ini;       /* the merged entries: show, --origin, plan */
	struct list notes;    /* finding.link: notes of check */
};

extern const struct section spec_sections[];
extern const size_t spec_nsections;

/* An empty one that config fills. */
struct vm_spec *spec_new(void);
void spec_free(struct vm_spec *spec); /* accepts NULL and half-built ones */

/* Choice tables shared with argv, plan and report; NULL-terminated. */
extern const char *const spec_firmware_names[];
extern const char *const spec_format_names[];
extern const char *const spec_freeze_names[];
extern const char *const spec_bus_names[];
extern const char *const spec_step_names[];
extern const char *const spec_policy_names[];
extern const char *const spec_cache_names[];
extern const char *const spec_aio_names[];

/* Device lookups by name; NULL if none. */
struct spec_disk *spec_disk_of(const struct vm_spec *spec, const char *name);
struct spec_disk *spec_cdrom_of(const struct vm_spec *spec, const char *name);
struct spec_nic *spec_nic_of(const struct vm_spec *spec, const char *name);

/* "disk.root", where its file has it; "cdrom.a" of a disc; new. */
char *spec_disk_section(const struct spec_disk *disk);

/*
 * One device from KEY=VALUE pairs ("disk attach web data size=10G"): the
 * tables' keys of [disk.NAME], same checks.  paths: where pools are.  New;
 * NULL with err.
 */
struct spec_disk *spec_disk_from_pairs(const struct vm_spec *vm,
	const char *name, const char *const *pairs, const char *dir,
	const struct paths *paths, struct err *err);
void spec_disk_free(struct spec_disk *disk); /* accepts NULL */
/* The same for [net.NAME]; its network, bridge or user mode is settled. */
struct spec_nic *spec_nic_from_pairs(const struct vm_spec *vm, const char *name,
	const char *const *pairs, const struct paths *paths, struct err *err);
void spec_nic_free(struct spec_nic *nic); /* accepts NULL */

#endif
