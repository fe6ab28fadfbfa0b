/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line, in an order that never changes: identity, machine,
 * behaviour, monitors, fixed devices, disks, nics, [raw].  Fixed devices come
 * first because on pc the disks and nics take the lowest free slots.
 */
#include "supervisor/argv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/chains.h"
#include "supervisor/device.h"
#include "supervisor/room.h"
#include "supervisor/vsock.h"
#include "supervisor/watchdog.h"

#define MIB (UINT64_C(1) << 20)

enum { ISA_SERIALS = 4, MEMORY_SLOTS = 8 };

struct vector {
	char **at;
	size_t n;
	size_t size;
};

struct build {
	const struct vm_spec *spec;
	const struct argv_host *host;
	const struct argv_slots *slots;
	struct err *err;
	enum machine_kind kind;
	struct vector argv;
	int sata; /* disks placed so far */
};

/* Takes text over. */
static void push(struct build *b, char *text)
{
	struct vector *v = &b->argv;

	if (v->n + 1 >= v->size) {
		v->size = v->size ? v->size * 2 : 96;
		v->at = xreallocarray(v->at, v->size, sizeof(*v->at));
	}
	v->at[v->n++] = text;
	v->at[v->n] = NULL;
}

static void add(struct build *b, const char *text)
{
	push(b, xstrdup(text));
}

static void add_option(struct build *b, const char *option, const char *value)
{
	add(b, option);
	add(b, value);
}

static void addf(struct build *b, const char *option, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void addf(struct build *b, const char *option, const char *fmt, ...)
{
	va_list ap;

	add(b, option);
	va_start(ap, fmt);
	push(b, xvasprintf(fmt, ap));
	va_end(ap);
}

/* Takes json over; NULL (its builder failed, err is set) gives -1. */
static int add_json(struct build *b, const char *option, json_t *json)
{
	char *text = json ? jstream_text(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (!text)
		return -1;
	add(b, option);
	push(b, text);
	return 0;
}

static int add_device(struct build *b, json_t *device)
{
	return add_json(b, "-device", device);
}

/* ---- identity, machine, behaviour ---- */

static void add_identity(struct build *b)
{
	add(b, b->host->qemu);
	addf(b, "-name", "guest=%s,debug-threads=on", b->spec->name);
	add(b, "-S");
	if (b->host->incoming)
		add_option(b, "-incoming", "defer");
	add(b, "-no-user-config");
	add(b, "-nodefaults");
	add_option(b, "-display", "none");
	if (b->spec->uuid[0])
		add_option(b, "-uuid", b->spec->uuid);
}

static void add_cpu(struct build *b)
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
	add_option(b, "-cpu", str_text(&cpu));
}

static void add_memory(struct build *b)
{
	uint64_t memory = b->spec->vm.memory / MIB;
	uint64_t most = b->spec->vm.memory_max / MIB;

	if (most > memory)
		addf(b, "-m", "size=%" PRIu64 "M,slots=%d,maxmem=%" PRIu64 "M",
			memory, MEMORY_SLOTS, most);
	else
		addf(b, "-m", "size=%" PRIu64 "M", memory);
}

static int add_smp(struct build *b)
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
	addf(b, "-smp",
		"cpus=%" PRIu64 ",maxcpus=%" PRIu64 ",sockets=%" PRIu64
		",cores=%" PRIu64 ",threads=%" PRIu64,
		vm->cpus, most, sockets, cores, threads);
	return 0;
}

/* Windows counts ticks: those lost by a busy host are given later. */
static void add_clock(struct build *b)
{
	bool local = b->spec->vm.clock == CLOCK_LOCALTIME;

	addf(b, "-rtc", "base=%s%s", local ? "localtime" : "utc",
		b->spec->vm.os == OS_WINDOWS ? ",driftfix=slew" : "");
}

static void add_boot_file(
	struct build *b, const char *option, const char *path, int fd)
{
	if (!b->host->boot_fds)
		add_option(b, option, path);
	else
		addf(b, option, "/proc/self/fd/%d", fd);
}

static void add_kernel(struct build *b)
{
	const struct spec_vm *vm = &b->spec->vm;

	if (!device_is_set(vm->kernel))
		return;
	add_boot_file(b, "-kernel", vm->kernel, ARGV_FD_BOOT);
	if (device_is_set(vm->initrd))
		add_boot_file(b, "-initrd", vm->initrd, ARGV_FD_BOOT + 1);
	if (device_is_set(vm->cmdline))
		add_option(b, "-append", vm->cmdline);
}

static int add_machine(struct build *b)
{
	bool windows = b->spec->vm.os == OS_WINDOWS;

	addf(b, "-machine", "%s%s", b->host->machine,
		windows && b->kind != MACHINE_MICROVM ? ",hpet=off" : "");
	if (b->host->kvm)
		add(b, "-enable-kvm");
	else
		add_option(b, "-accel", "tcg");
	add_cpu(b);
	add_memory(b);
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
static void add_behaviour(struct build *b)
{
	int reboot = b->spec->restart.on_guest_reboot;
	bool cold = reboot == REBOOT_COLD || reboot == REBOOT_STOP;
	bool watched = watchdog_is_there(b->spec);

	addf(b, "-action", "shutdown=pause,panic=pause%s%s%s",
		cold ? ",reboot=shutdown" : "", watched ? ",watchdog=" : "",
		watched ? watchdog_action(b->spec) : "");
	add_option(b, "-sandbox",
		"on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
		"resourcecontrol=deny");
	add_option(b, "-msg", "timestamp=on");
	add_option(b, "-trace", "qemu_system_shutdown_request");
	add_option(b, "-trace", "runstate_set");
}

static void add_monitors(struct build *b)
{
	uint64_t generation = b->host->generation;

	addf(b, "-chardev",
		"socket,id=mon-g%" PRIu64 ",fd=%d,server=on,wait=off",
		generation, ARGV_FD_MONITOR);
	addf(b, "-mon", "chardev=mon-g%" PRIu64 ",mode=control", generation);
	addf(b, "-chardev", "socket,id=yank,fd=%d,server=on,wait=off",
		ARGV_FD_YANK);
	add_option(b, "-mon", "chardev=yank,mode=control");
}

/* ---- fixed devices ---- */

static int add_root_ports(struct build *b)
{
	for (unsigned i = 0; i < b->slots->n; i++)
		if (add_device(b, device_root_port(i)) != 0)
			return -1;
	return 0;
}

static bool has_disk_on(const struct build *b, int bus)
{
	list_each(&b->spec->disks, it, next)
		if (list_entry(it, struct spec_disk, link)->bus == bus)
			return true;
	return false;
}

static bool has_virtio_serial(const struct build *b)
{
	list_each(&b->spec->serials, it, next)
		if (list_entry(it, struct spec_serial_port, link)->target ==
			SERIAL_VIRTIO)
			return true;
	return false;
}

/* The tablet is the only pointer that a Windows desktop follows exactly. */
static int add_usb(struct build *b)
{
	bool tablet = b->spec->vm.os == OS_WINDOWS;
	json_t *usb;

	if (b->kind == MACHINE_MICROVM || (!tablet && !has_disk_on(b, BUS_USB)))
		return 0;
	usb = device_new("qemu-xhci", "usb");
	device_put_at(usb, b->kind, ADDR_USB);
	if (add_device(b, usb) != 0)
		return -1;
	if (!tablet)
		return 0;
	usb = device_new("usb-tablet", "tablet0");
	device_put(usb, "bus", "usb.0");
	return add_device(b, usb);
}

static int add_rng(struct build *b)
{
	return add_device(
		b, device_virtio_at(b->kind, "virtio-rng", "rng0", ADDR_RNG));
}

static int add_balloon(struct build *b)
{
	json_t *balloon = device_virtio_at(
		b->kind, "virtio-balloon", "balloon0", ADDR_BALLOON);

	json_object_set_new(balloon, "deflate-on-oom", json_true());
	json_object_set_new(balloon, "free-page-reporting", json_true());
	return add_device(b, balloon);
}

/* What memory can grow into. */
static int add_room(struct build *b)
{
	if (room_memory(b->spec) == 0)
		return 0;
	if (add_json(b, "-object", room_backend(b->spec)) != 0)
		return -1;
	return add_device(b, room_device(b->spec));
}

static int add_watchdog(struct build *b)
{
	const char *global = watchdog_global(b->spec);
	json_t *device;

	if (!watchdog_is_there(b->spec))
		return 0;
	if (global)
		add_option(b, "-global", global);
	device = watchdog_device(b->spec);
	return device ? add_device(b, device) : 0;
}

/* For systemd in the guest, which says when it is up. */
static int add_vsock(struct build *b)
{
	AUTO_STR struct str where = STR_INIT;

	if (b->spec->start.ready.kind != READY_NOTIFY)
		return 0;
	vsock_tell_systemd(b->spec->uuid, &where);
	add_option(b, "-smbios", str_text(&where));
	return add_device(b, vsock_device(b->kind, b->spec->uuid));
}

static int add_fixed(struct build *b)
{
	const struct vm_spec *spec = b->spec;

	if (add_root_ports(b) != 0)
		return -1;
	if ((spec->agent.enabled || has_virtio_serial(b)) &&
		add_device(b, device_virtio_at(b->kind, "virtio-serial",
				      "vserial", ADDR_VSERIAL)) != 0)
		return -1;
	if (spec->rng.enabled && add_rng(b) != 0)
		return -1;
	if (spec->balloon.enabled && add_balloon(b) != 0)
		return -1;
	if (has_disk_on(b, BUS_SCSI) &&
		add_device(b, device_virtio_at(b->kind, "virtio-scsi", "scsi",
				      ADDR_SCSI)) != 0)
		return -1;
	if (b->kind != MACHINE_MICROVM &&
		add_device(b, device_new("pvpanic", "pvpanic0")) != 0)
		return -1;
	if (add_room(b) != 0 || add_watchdog(b) != 0 || add_vsock(b) != 0)
		return -1;
	return add_usb(b);
}

/* ---- agent and serial ports ---- */

static int add_agent(struct build *b)
{
	json_t *port;

	if (!b->spec->agent.enabled)
		return 0;
	addf(b, "-chardev", "socket,id=agent,fd=%d,server=on,wait=off",
		ARGV_FD_AGENT);
	port = device_new("virtserialport", "agent0");
	device_put(port, "bus", "vserial.0");
	device_put(port, "chardev", "agent");
	device_put(port, "name", "org.qemu.guest_agent.0");
	return add_device(b, port);
}

static int add_serial(
	struct build *b, const struct spec_serial_port *serial, unsigned i)
{
	bool isa = serial->target == SERIAL_ISA;
	AUTO_FREE char *id = xasprintf("serial-%s", serial->name);
	AUTO_FREE char *chardev = xasprintf("serial%u", i);
	json_t *device;

	addf(b, "-chardev", "socket,id=%s,fd=%u,server=on,wait=off", chardev,
		ARGV_FD_SERIAL + i);
	device = device_new(isa ? "isa-serial" : "virtconsole", id);
	if (!isa)
		device_put(device, "bus", "vserial.0");
	device_put(device, "chardev", chardev);
	return add_device(b, device);
}

static int add_serials(struct build *b)
{
	unsigned i = 0;
	unsigned isa = 0;

	list_each(&b->spec->serials, it, next) {
		const struct spec_serial_port *serial =
			list_entry(it, struct spec_serial_port, link);

		isa += serial->target == SERIAL_ISA;
		if (isa > ISA_SERIALS)
			return err_set(b->err, ERR_LIMIT,
				"serial '%s': a machine takes %d ISA ports: "
				"write target = virtio",
				serial->name, ISA_SERIALS);
		if (add_serial(b, serial, i++) != 0)
			return -1;
	}
	return 0;
}

/* ---- disks and nics ---- */

/* The root port by plan; -1 on machines that have none. */
static int port_of(
	struct build *b, const char *class, const char *name, int *out)
{
	AUTO_FREE char *device = xasprintf("%s-%s", class, name);

	*out = -1;
	if (b->kind != MACHINE_Q35)
		return 0;
	*out = argv_find_slot(b->slots, device);
	if (*out < 0)
		return err_set(b->err, ERR_LIMIT,
			"%s '%s': no root port left: a VM takes 32 virtio and "
			"nvme disks and nics together",
			class, name);
	return 0;
}

static int place_of(struct build *b, const struct spec_disk *disk, int *out)
{
	*out = -1;
	if (disk->bus == BUS_SATA)
		*out = b->sata++;
	else if (disk->bus == BUS_VIRTIO || disk->bus == BUS_NVME)
		return port_of(b, "disk", disk->name, out);
	return 0;
}

static void add_image_fd(struct build *b, const struct chain_image *image,
	int fd, const char *name)
{
	AUTO_FREE char *opaque = device_word(name);

	if (fd >= 0)
		addf(b, "-add-fd", "fd=%d,set=%d,opaque=%s", fd, image->set,
			opaque);
}

/* The images of a disk, from the lowest up. */
static int add_images(struct build *b, const struct spec_disk *disk)
{
	const struct chain *chain = chains_find(b->host->chains, disk->name);

	if (!chain)
		return err_set(
			b->err, ERR_BUG, "disk '%s' has no images", disk->name);
	if (argv_disk_check(disk, chain, b->err) != 0)
		return -1;
	if (disk->secret_file &&
		add_json(b, "-object",
			argv_disk_secret(disk, chain->secret_as)) != 0)
		return -1;
	for (size_t i = chain->n; i-- > 0;) {
		const struct chain_image *image = &chain->at[i];
		AUTO_FREE char *name = argv_disk_fd_name(disk, chain, i);

		add_image_fd(b, image, image->write_as, name);
		add_image_fd(b, image, image->as, name);
		if (add_json(b, "-blockdev",
			    argv_disk_node(disk, b->host, chain, i)) != 0)
			return -1;
	}
	return 0;
}

static int add_disk(struct build *b, const struct spec_disk *disk)
{
	int place;

	if (place_of(b, disk, &place) != 0 || add_images(b, disk) != 0)
		return -1;
	if (disk->iothread) {
		AUTO_FREE char *id = xasprintf("io-%s", disk->name);

		if (add_json(b, "-object",
			    json_pack("{s:s, s:s}", "qom-type", "iothread",
				    "id", id)) != 0)
			return -1;
	}
	return add_device(b, argv_disk_device(b->spec, disk, place,
				     argv_disk_boot(b->spec, disk), b->err));
}

static int add_nic(struct build *b, const struct spec_nic *nic)
{
	int place;

	if (port_of(b, "net", nic->name, &place) != 0 ||
		add_json(b, "-netdev",
			argv_nic_backend(
				b->spec, nic, b->host->vhost, b->err)) != 0)
		return -1;
	return add_device(b,
		argv_nic_device(b->spec, nic, place, (int)nic->boot, b->err));
}

static int add_disks_and_nics(struct build *b)
{
	list_each(&b->spec->disks, it, next)
		if (add_disk(b, list_entry(it, struct spec_disk, link)) != 0)
			return -1;
	list_each(&b->spec->nics, it, next)
		if (add_nic(b, list_entry(it, struct spec_nic, link)) != 0)
			return -1;
	return 0;
}

/* "-device foo,bar=x y": the option, a blank, and all the rest as one word. */
static void add_raw(struct build *b)
{
	list_each(&b->spec->raws, it, next) {
		const struct spec_raw *raw =
			list_entry(it, struct spec_raw, link);
		size_t option = strcspn(raw->text, " \t");
		const char *rest = raw->text + option;

		if (raw->qmp)
			continue;
		push(b, xstrndup(raw->text, option));
		rest += strspn(rest, " \t");
		if (*rest)
			add(b, rest);
	}
}

static int build_all(struct build *b)
{
	add_identity(b);
	if (add_machine(b) != 0)
		return -1;
	add_behaviour(b);
	add_monitors(b);
	if (add_fixed(b) != 0 || add_agent(b) != 0 || add_serials(b) != 0 ||
		add_disks_and_nics(b) != 0)
		return -1;
	if (b->host->vnc) /* the last: on pc the others keep their slots */
		add_option(b, "-vnc", "none");
	if (b->host->vnc && add_device(b, device_vga(b->kind)) != 0)
		return -1;
	add_raw(b);
	return 0;
}

char **argv_build(const struct vm_spec *spec, const struct argv_host *host,
	const struct argv_slots *slots, struct err *err)
{
	struct build b = { .spec = spec,
		.host = host,
		.slots = slots,
		.err = err,
		.kind = device_machine(spec) };

	if (build_all(&b) == 0)
		return b.argv.at;
	argv_free(b.argv.at);
	return NULL;
}

void argv_free(char **argv)
{
	for (char **at = argv; at && *at; at++)
		free(*at);
	free(argv);
}
