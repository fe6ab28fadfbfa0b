/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first part of the command line: identity, machine, behaviour, monitors.
 */
#include "supervisor/argv_build.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/ram.h"
#include "supervisor/watchdog.h"

#define MIB (UINT64_C(1) << 20)

enum { MEMORY_SLOTS = 8 };

static void add_identity(struct argv_build *b)
{
	argv_add(b, b->host->qemu);
	argv_addf(b, "-name", "guest=%s,debug-threads=on", b->spec->name);
	argv_add(b, "-S");
	if (b->host->incoming)
		argv_add_option(b, "-incoming", "defer");
	argv_add(b, "-no-user-config");
	argv_add(b, "-nodefaults");
	argv_add_option(b, "-display", "none");
	if (b->spec->uuid[0])
		argv_add_option(b, "-uuid", b->spec->uuid);
}

static void add_cpu(struct argv_build *b)
{
	const struct spec_vm *vm = &b->spec->vm;
	AUTO_STR struct str cpu = STR_INIT;

	if (device_is_set(vm->cpu))
		str_add(&cpu, vm->cpu);
	else
		str_add(&cpu, b->host->kvm ? "host" : "max");
	if (!vm->nested)
		str_add(&cpu, ",vmx=off,svm=off");
	if (vm->os == OS_WINDOWS && b->host->kvm)
		str_add(&cpu,
			",hv-relaxed=on,hv-vapic=on,hv-spinlocks=0x1fff,"
			"hv-vpindex=on,hv-runtime=on,hv-time=on,hv-synic=on,"
			"hv-stimer=on,hv-frequencies=on,hv-tlbflush=on,"
			"hv-ipi=on");
	argv_add_option(b, "-cpu", str_text(&cpu));
}

static int add_memory(struct argv_build *b)
{
	uint64_t memory = b->spec->vm.memory / MIB;
	uint64_t most = b->spec->vm.memory_max / MIB;

	if (most > memory)
		argv_addf(b, "-m",
			"size=%" PRIu64 "M,slots=%d,maxmem=%" PRIu64 "M",
			memory, MEMORY_SLOTS, most);
	else
		argv_addf(b, "-m", "size=%" PRIu64 "M", memory);
	if (!ram_is_chosen(b->spec))
		return 0;
	return argv_add_json(
		b, "-object", ram_backend(b->spec, "ram0", memory * MIB));
}

static int add_smp(struct argv_build *b)
{
	const struct spec_vm *vm = &b->spec->vm;
	uint64_t most = vm->cpus_max > vm->cpus ? vm->cpus_max : vm->cpus;
	uint64_t sockets = vm->topology.sockets;
	uint64_t cores = vm->topology.cores;
	uint64_t threads = vm->topology.threads;

	if (sockets == 0) {
		sockets = 1;
		cores = most;
		threads = 1;
	}
	if (sockets * cores * threads != most)
		return err_set(b->err, ERR_CONFIG,
			"cpu-topology %" PRIu64 ":%" PRIu64 ":%" PRIu64
			" is not the %" PRIu64 " CPUs of cpus-max",
			sockets, cores, threads, most);
	argv_addf(b, "-smp",
		"cpus=%" PRIu64 ",maxcpus=%" PRIu64 ",sockets=%" PRIu64
		",cores=%" PRIu64 ",threads=%" PRIu64,
		vm->cpus, most, sockets, cores, threads);
	return 0;
}

/* Windows counts ticks: those lost by a busy host are given later. */
static void add_clock(struct argv_build *b)
{
	bool local = b->spec->vm.clock == CLOCK_LOCALTIME;

	argv_addf(b, "-rtc", "base=%s%s", local ? "localtime" : "utc",
		b->spec->vm.os == OS_WINDOWS ? ",driftfix=slew" : "");
}

static void add_boot_file(
	struct argv_build *b, const char *option, const char *path, int fd)
{
	if (!b->host->boot_fds)
		argv_add_option(b, option, path);
	else
		argv_addf(b, option, "/proc/self/fd/%d", fd);
}

static void add_kernel(struct argv_build *b)
{
	const struct spec_vm *vm = &b->spec->vm;

	if (!device_is_set(vm->kernel))
		return;
	add_boot_file(b, "-kernel", vm->kernel, ARGV_FD_BOOT);
	if (device_is_set(vm->initrd))
		add_boot_file(b, "-initrd", vm->initrd, ARGV_FD_BOOT + 1);
	if (device_is_set(vm->cmdline))
		argv_add_option(b, "-append", vm->cmdline);
}

/* Above those of all disks. */
enum { SET_FIRMWARE = 1001 };

/* A flash chip that comes as a descriptor. */
static int add_flash(struct argv_build *b, int i, const char *name)
{
	AUTO_FREE char *set = xasprintf("/dev/fdset/%d", SET_FIRMWARE + i);
	AUTO_FREE char *file = xasprintf("%s.f", name);

	argv_addf(b, "-add-fd", "fd=%d,set=%d,opaque=%s", ARGV_FD_FIRMWARE + i,
		SET_FIRMWARE + i, name);
	return argv_add_json(b, "-blockdev",
		json_pack("{s:s,s:s,s:b,s:{s:s,s:s,s:s,s:b}}", "driver", "raw",
			"node-name", name, "read-only", i == 0, "file",
			"driver", "file", "node-name", file, "filename", set,
			"read-only", i == 0));
}

/* SMM keeps the guest from the chips, and S3 would let it in again. */
static int add_firmware(struct argv_build *b)
{
	if (b->spec->vm.firmware == FIRMWARE_BIOS)
		return 0;
	if (!b->host->firmware)
		return err_set(b->err, ERR_BUG, "no firmware was looked for");
	if (b->host->firmware->smm) {
		argv_add_option(b, "-global",
			"driver=cfi.pflash01,property=secure,value=on");
		argv_add_option(b, "-global", "ICH9-LPC.disable_s3=1");
	}
	return add_flash(b, 0, "firmware") || add_flash(b, 1, "nvram") ? -1 : 0;
}

static const char *flash_of(const struct argv_build *b)
{
	const struct argv_firmware *f = b->host->firmware;

	return !f       ? ""
	       : f->smm ? ",smm=on,pflash0=firmware,pflash1=nvram"
			: ",pflash0=firmware,pflash1=nvram";
}

static int add_board(struct argv_build *b)
{
	bool windows = b->spec->vm.os == OS_WINDOWS;

	argv_addf(b, "-machine", "%s%s%s%s", b->host->machine,
		windows && b->kind != MACHINE_MICROVM ? ",hpet=off" : "",
		ram_is_chosen(b->spec) ? ",memory-backend=ram0" : "",
		flash_of(b));
	if (add_firmware(b) != 0)
		return -1;
	if (b->host->kvm)
		argv_add(b, "-enable-kvm");
	else
		argv_add_option(b, "-accel", "tcg");
	add_cpu(b);
	if (add_memory(b) != 0)
		return -1;
	if (add_smp(b) != 0)
		return -1;
	add_clock(b);
	add_kernel(b);
	return 0;
}

/*
 * A guest's power off and panic must leave a QEMU that can be asked; the
 * trace on stderr tells a power off from a reboot to a later supervisor.
 */
static void add_behaviour(struct argv_build *b)
{
	int reboot = b->spec->restart.on_guest_reboot;
	bool cold = reboot == REBOOT_COLD || reboot == REBOOT_STOP;
	bool watched = watchdog_is_there(b->spec);

	argv_addf(b, "-action", "shutdown=pause,panic=pause%s%s%s",
		cold ? ",reboot=shutdown" : "", watched ? ",watchdog=" : "",
		watched ? watchdog_action(b->spec) : "");
	argv_add_option(b, "-sandbox",
		"on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
		"resourcecontrol=deny");
	argv_add_option(b, "-msg", "timestamp=on");
	argv_add_option(b, "-trace", "qemu_system_shutdown_request");
	argv_add_option(b, "-trace", "runstate_set");
}

static void add_monitors(struct argv_build *b)
{
	uint64_t generation = b->host->generation;

	argv_addf(b, "-chardev",
		"socket,id=mon-g%" PRIu64 ",fd=%d,server=on,wait=off",
		generation, ARGV_FD_MONITOR);
	argv_addf(
		b, "-mon", "chardev=mon-g%" PRIu64 ",mode=control", generation);
	argv_addf(b, "-chardev", "socket,id=yank,fd=%d,server=on,wait=off",
		ARGV_FD_YANK);
	argv_add_option(b, "-mon", "chardev=yank,mode=control");
}

int argv_add_machine(struct argv_build *b)
{
	add_identity(b);
	if (add_board(b) != 0)
		return -1;
	add_behaviour(b);
	add_monitors(b);
	return 0;
}
