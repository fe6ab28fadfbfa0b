/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The argument vector against golden files, its refusals, its speed. */
#include "supervisor/argv.h"

#include <stdio.h>
#include <time.h>

#include "base/jstream.h"
#include "supervisor/chain_open.h"
#include "supervisor/vsock.h"

#include "tests/unit/argv_cases.h"
#include "tests/unit/tap.h"

#include "tests/unit/golden.h"

static char code[] = "/f/CODE.fd";
static char vars[] = "/f/VARS.fd";
static const struct argv_firmware flash[] = { { code, vars, false },
	{ code, vars, true } };

static struct argv_host host_of(
	const struct argv_case *c, const struct vm_spec *spec)
{
	return (struct argv_host){ .qemu = "/usr/bin/qemu-system-x86_64",
		.kvm = c->kvm,
		.machine = spec->vm.machine,
		.generation = 17,
		.images = "/var/lib/vmward/images",
		.io_uring = !c->no_io_uring };
}

static char **build(
	const struct argv_case *c, const struct vm_spec *spec, struct err *err)
{
	struct argv_host host = host_of(c, spec);
	struct argv_slots slots;
	struct chains chains;
	char **argv = NULL;

	host.chains = &chains;
	if (spec->vm.firmware != FIRMWARE_BIOS)
		host.firmware =
			&flash[spec->vm.firmware == FIRMWARE_UEFI_SECURE];
	case_plan(c, spec, &slots);
	chains_init(&chains);
	if (!chains_guess(&chains, spec, host.images, err) &&
		!chains_number(&chains, ARGV_FD_DISK, err))
		argv = argv_build(spec, &host, &slots, err);
	chains_fini(&chains);
	argv_name_slots(&slots, NULL);
	return argv;
}

/* An option with its values on one line, as a person reads it. */
static void add_lines(struct str *out, char **argv)
{
	for (char **at = argv; *at; at++) {
		if (at > argv)
			str_addc(out, at[0][0] == '-' ? '\n' : ' ');
		str_add(out, *at);
	}
	str_addc(out, '\n');
}

static void test_golden(const struct argv_case *c)
{
	AUTO_FREE char *file = xasprintf("tests/golden/argv-%s.txt", c->name);
	AUTO_STR struct str got = STR_INIT;
	struct err err = ERR_INIT;
	struct vm_spec *spec = case_load(c);
	char **argv = build(c, spec, &err);

	if (argv)
		add_lines(&got, argv);
	else
		str_add(&got, err.text);
	golden(file, str_text(&got));
	argv_free(argv);
	spec_free(spec);
}

/* ---- refusals ---- */

/* The spec of a text; a disk is added to what cannot boot. */
static struct vm_spec *parse(const char *given)
{
	AUTO_FREE char *text = xasprintf("%s%s", given,
		strstr(given, "[disk.") ? "" : "[disk.z]\nsize = 1G\n");
	struct err err = ERR_INIT;
	struct findings found;
	struct paths paths;
	struct vm_spec *spec;

	findings_init(&found);
	if (paths_init(&paths, PATHS_USER, "/nowhere", &err) != 0)
		abort();
	spec = config_load_text(
		&paths, "web", text, strlen(text), "web.ini", &found);
	if (!spec && findings_to_err(&found, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	findings_fini(&found);
	paths_fini(&paths);
	return spec;
}

/* The guest's systemd is told where to say that it is up. */
static void test_notify(void)
{
	static const struct argv_case plain = { .name = "plain" };
	AUTO_STR struct str got = STR_INIT;
	struct err err = ERR_INIT;
	struct vm_spec *spec = parse("");
	AUTO_FREE char *device = xasprintf(
		"\"driver\":\"vhost-vsock-pci\",\"id\":\"vsock\","
		"\"bus\":\"pcie.0\",\"addr\":\"0xc\",\"guest-cid\":%u",
		vsock_cid(spec->uuid));
	char **argv;

	spec->start.ready.kind = READY_NOTIFY;
	argv = build(&plain, spec, &err);
	add_lines(&got, argv);
	ok(strstr(str_text(&got), device), "notify: a vsock of its own");
	ok(strstr(str_text(&got), "-smbios type=11,value=io.systemd."
				  "credential:vmm.notify_socket=vsock-"
				  "stream:2:"),
		"and its port by SMBIOS");
	argv_free(argv);
	spec_free(spec);
}

static void test_refused(const char *text, const char *want)
{
	static const struct argv_case plain = { .name = "plain" };
	struct err err = ERR_INIT;
	struct vm_spec *spec = parse(text);
	char **argv = build(&plain, spec, &err);

	ok(!argv, "refused: %s", want);
	is_str(err.text, want, "with its reason");
	argv_free(argv);
	spec_free(spec);
}

static void test_refusals(void)
{
	AUTO_STR struct str many = STR_INIT;

	test_refused("[vm]\nmachine = microvm\n[disk.a]\nimage = a.raw\n"
		     "bus = nvme\n",
		"disk 'a': microvm has only bus = virtio or scsi");
	test_refused("[disk.a]\nimage = a.raw\nbus = scsi\niothread = yes\n",
		"disk 'a': iothread = yes needs bus = virtio, and no microvm");
	test_refused("[vm]\nmachine = microvm\n[net.a]\nuser = yes\n"
		     "model = e1000\n",
		"net 'a': microvm has no model 'e1000'");
	test_refused("[net.a]\nuser = yes\nforward = tcp:[::1]:8443:443\n",
		"net 'a': forward from [::1]: user mode knows IPv4 addresses "
		"only");
	for (int i = 0; i < 33; i++)
		str_addf(&many, "[disk.d%d]\nimage = d%d.raw\n", i, i);
	test_refused(str_text(&many),
		"disk 'd32': no root port left: a VM takes 32 virtio and nvme "
		"disks and nics together");
	str_cut(&many, 0);
	for (int i = 0; i < 7; i++)
		str_addf(&many, "[disk.i%d]\nimage = d%d.raw\nbus = sata\n", i,
			i);
	test_refused(
		str_text(&many), "disk 'i6': this machine takes 6 sata disks");
}

/* What check refuses in files is refused here too. */
static void test_isa_ports(void)
{
	struct vm_spec *spec = parse("[serial.a]\ntarget = virtio\n"
				     "[serial.b]\ntarget = virtio\n"
				     "[serial.c]\ntarget = virtio\n"
				     "[serial.d]\ntarget = virtio\n");
	static const struct argv_case plain = { .name = "plain" };
	struct err err = ERR_INIT;
	char **argv;

	list_each(&spec->serials, it, next)
		list_entry(it, struct spec_serial_port, link)->target =
			SERIAL_ISA;
	argv = build(&plain, spec, &err);
	ok(!argv && strstr(err.text, "serial 'd': a machine takes 4 ISA") !=
				NULL,
		"a fifth ISA port: %s", err.text);
	argv_free(argv);
	spec_free(spec);
}

/* ---- places ---- */

/* A controller whose disks have all gone keeps its port with its QEMU. */
static void test_controllers(void)
{
	struct vm_spec *spec = parse("[disk.a]\nimage = a.raw\n");
	struct argv_slots slots = { .n = 0, .live = true };

	argv_name_slots(&slots, "disk-a,scsi,usb,disk-gone");
	argv_plan_slots(spec, &slots);
	is_str(slots.names, "disk-a,scsi,usb", "both stay while QEMU runs");
	slots.live = false;
	argv_plan_slots(spec, &slots);
	is_str(slots.names, "disk-a", "and none at the next start");
	spec_free(spec);
	spec = parse("[disk.a]\nimage = a.raw\nbus = usb\n");
	argv_name_slots(&slots, "scsi,usb");
	argv_plan_slots(spec, &slots);
	is_str(slots.names, ",usb", "but one with a disk");
	argv_name_slots(&slots, NULL);
	spec_free(spec);
}

static void test_slots(void)
{
	struct vm_spec *spec = parse("[vm]\nhotplug-ports = 3\n"
				     "[disk.a]\nimage = a.raw\n"
				     "[disk.s]\nimage = s.raw\nbus = scsi\n"
				     "[net.n]\nuser = yes\n");
	struct argv_slots slots = { .n = 0 };
	struct err err = ERR_INIT;

	argv_name_slots(&slots, ",,,,,net-n,disk-gone");
	argv_plan_slots(spec, &slots);
	is_int(argv_find_slot(&slots, "disk-a"), 0, "the lowest free port");
	is_int(argv_find_slot(&slots, "net-n"), 5, "the recorded port");
	is_int(argv_find_slot(&slots, "disk-gone"), -1, "a gone disk's port");
	is_int(argv_find_slot(&slots, "disk-s"), -1, "scsi takes none");
	is_int(slots.n, 6, "ports up to the highest, three free or more");
	is_int(argv_take_slot(&slots, "disk-x", &err), 1, "take one");
	for (int i = 2; i < 5; i++)
		is_int(argv_take_slot(&slots, "disk-y", &err), i, "another");
	is_int(argv_take_slot(&slots, "disk-z", &err), -1, "none is left");
	is_int(err.code, ERR_LIMIT, "%s", err.text);
	is_int(argv_free_slots(&slots), 0, "as the count says");
	argv_drop_slot(&slots, "net-n");
	argv_drop_slot(&slots, "net-unknown");
	is_int(argv_free_slots(&slots), 1, "one lets go");
	is_int(argv_find_unit(&slots, "disk-s"), 0, "but a unit");
	is_int(argv_take_unit(&slots, "disk-t", &err), 1, "the next one");
	argv_drop_slot(&slots, "disk-s");
	is_int(argv_take_unit(&slots, "disk-u", &err), 0, "a unit let go");
	for (int i = 2; i < ARGV_UNITS_MAX; i++)
		is_int(argv_take_unit(&slots, "disk-v", &err), i, "a unit");
	is_int(argv_take_unit(&slots, "disk-w", &err), -1, "none is left");
	is_str(err.text, "no place for 'disk-w': a VM takes 32 scsi disks",
		"why");
	for (int i = 0; i < ARGV_UNITS_MAX; i++)
		argv_drop_slot(&slots, i == 0   ? "disk-u"
				       : i == 1 ? "disk-t"
						: "disk-v");
	is_str(slots.names, "disk-a,disk-x,disk-y,disk-y,disk-y",
		"and no more is kept than names");
	argv_name_slots(&slots, NULL);
	spec_free(spec);
}

static void test_mac(void)
{
	struct vm_spec *spec = parse("[net.lan]\nuser = yes\n"
				     "[net.wan]\nuser = yes\n");
	struct spec_nic *lan = spec_nic_of(spec, "lan");
	struct spec_nic *wan = spec_nic_of(spec, "wan");
	char a[18];
	char b[18];

	snprintf(spec->uuid, sizeof(spec->uuid), "%s",
		"11111111-2222-4333-8444-555555555555");
	argv_nic_mac(spec, lan, a);
	is_str(a, "52:54:00:00:6d:dd", "an address for ever");
	argv_nic_mac(spec, wan, b);
	ok(strcmp(a, b) != 0, "each nic has its own: %s", b);
	spec->uuid[0] = '2';
	argv_nic_mac(spec, lan, b);
	ok(strcmp(a, b) != 0, "each VM has its own: %s", b);
	spec->uuid[0] = '\0';
	argv_nic_mac(spec, lan, b);
	ok(strncmp(b, "52:54:00:", 9) == 0, "without a uuid by name: %s", b);
	spec_free(spec);
}

static void test_paths(void)
{
	struct vm_spec *spec = parse("[disk.a]\nbase = noble.img\n"
				     "format = raw\n"
				     "[disk.b]\nsize = 1G\nformat = raw\n"
				     "[disk.c]\nimage = /dev/vg0/c\n"
				     "format = raw\n");
	struct spec_disk *a = spec_disk_of(spec, "a");
	AUTO_FREE char *image = argv_disk_path(spec, a, "/i");
	AUTO_FREE char *base = argv_base_path(a, "/i");
	AUTO_FREE char *b = argv_disk_path(spec, spec_disk_of(spec, "b"), "/i");
	struct argv_host host = { .images = "/i" };
	struct err err = ERR_INIT;
	struct chains chains;

	chains_init(&chains);
	is_int(chains_guess(&chains, spec, "/i", &err), 0, "chains by spec");
	AUTO_JSON json_t *node = argv_disk_node(
		spec_disk_of(spec, "c"), &host, chains_find(&chains, "c"), 0);

	is_str(image, "/i/web-a.qcow2", "an overlay");
	is_int(argv_disk_format(a, image, &err), FORMAT_QCOW2, "is qcow2");
	is_str(base, "/i/noble.img", "its base");
	is_int(argv_base_format(a, base, &err), FORMAT_RAW,
		"has the written format");
	is_str(b, "/i/web-b.raw", "an empty image in its format");
	is_str(json_string_value(json_object_get(
		       json_object_get(node, "file"), "driver")),
		"host_device", "a block device is opened as one");
	chains_fini(&chains);
	spec_free(spec);
}

static void test_speed(void)
{
	static const struct argv_case big = { .name = "buses" };
	enum { ROUNDS = 500 };
	struct vm_spec *spec = case_load(&big);
	struct err err = ERR_INIT;
	struct timespec a;
	struct timespec b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < ROUNDS; i++)
		argv_free(build(&big, spec, &err));
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("# %.0f us for each vector\n",
		((double)(b.tv_sec - a.tv_sec) * 1e6 +
			(double)(b.tv_nsec - a.tv_nsec) / 1e3) /
			ROUNDS);
	spec_free(spec);
}

int main(void)
{
	test_notify();
	for (size_t i = 0; i < NELEMS(argv_cases); i++)
		test_golden(&argv_cases[i]);
	test_refusals();
	test_isa_ports();
	test_slots();
	test_controllers();
	test_mac();
	test_paths();
	test_speed();
	return done();
}
