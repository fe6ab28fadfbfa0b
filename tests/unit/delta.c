/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File against machine: each difference, and when it is done. */
#include "supervisor/delta.h"

#include "tests/unit/vmkit.h"

static const struct machine_hooks hooks = { NULL, NULL, NULL, NULL };

#define DISK   "[disk.data]\nsize = 1G\n"
#define TCG_NO "vCPUs are not unplugged under TCG: QEMU would die of it"
#define NIC    "[net.lan]\nuser = yes\n"

static struct observed seen; /* what QEMU said; all zero: nothing */

static void is_seen(const char *devices, const char *nodes, const char *memory,
	const char *cpus, const char *words)
{
	observed_fini(&seen);
	seen.devices = json_loads(devices, 0, NULL);
	seen.nodes = json_loads(nodes, 0, NULL);
	seen.memory = json_loads(memory, 0, NULL);
	seen.cpus = json_loads(cpus, 0, NULL);
	seen.words = xstrdup(words);
	seen.nwords = strlen(words) + 1;
	for (char *at = seen.words; (at = strchr(at, '|')); at++)
		*at = '\0';
}

static void differs(const char *written, const char *running,
	const struct observed *by, const char *want)
{
	struct vm *vm = vm_new(&kit, "web", &hooks, kit_post);
	AUTO_STR struct str got = STR_INIT;
	AUTO_JSON json_t *lines = NULL;
	struct deltas deltas;
	json_t *line;
	size_t i;

	vm->spec = kit_spec(written);
	vm->running = kit_spec(running);
	vm_load_slots(vm);
	deltas_make(&deltas, vm, by);
	lines = deltas_text(&deltas);
	json_array_foreach(lines, i, line)
		str_addf(&got, "%s|", json_string_value(line));
	is_str(str_text(&got), want, "what differs");
	is_int((long)json_array_size(lines), (long)list_count(&deltas.list),
		"a line each");
	deltas_fini(&deltas);
	vm_drop_running(vm);
	vm_free(vm);
}

static void test_keys(void)
{
	differs("", "", NULL, "");
	differs("[vm]\n; more\nmachine = pc\n", "", NULL,
		"web.ini:3: [vm] machine default -> pc (at cold start)|");
	differs("[vm]\ncpus = 2\n", "[vm]\ncpus = 4\n", NULL,
		"web.ini:2: [vm] cpus 4 -> 2 (at cold start: " TCG_NO ")|");
	differs("", "[vm]\ncpus = 4\n", NULL,
		"[vm] cpus 4 -> default (at cold start: " TCG_NO ")|");
	differs("[vm]\ncpus = 2\n", "", NULL,
		"web.ini:2: [vm] cpus default -> 2 (at cold start: it was "
		"started with room for 1 vCPUs: write cpus-max and start it "
		"anew)|");
	differs("[vm]\ncpus = 2\ncpus-max = 2\n", "[vm]\ncpus-max = 2\n", NULL,
		"web.ini:2: [vm] cpus default -> 2 (now, by vmward apply)|");
	differs("[vm]\nmemory = 2G\n", "", NULL,
		"web.ini:2: [vm] memory default -> 2G (at cold start: it was "
		"started with room for 1G: write memory-max and start it "
		"anew)|");
	differs("[vm]\nmemory = 2G\nmemory-max = 3G\n",
		"[vm]\nmemory = 1G\nmemory-max = 3G\n", NULL,
		"web.ini:2: [vm] memory 1G -> 2G (now, by vmward apply)|");
	differs("[vm]\nmemory = 1025M\nmemory-max = 3G\n",
		"[vm]\nmemory = 1G\nmemory-max = 3G\n", NULL,
		"web.ini:2: [vm] memory 1G -> 1025M (at cold start: memory "
		"changes by multiples of 2M)|");
	differs(NIC "link = down\n", NIC, NULL,
		"web.ini:3: [net.lan] link default -> down "
		"(now, by vmward apply)|");
	differs(NIC "mac = 52:54:00:00:00:01\n", NIC, NULL,
		"web.ini:3: [net.lan] mac default -> 52:54:00:00:00:01 "
		"(at cold start)|");
	differs("[net.lan]\nbridge = br0\nrate = 10Mbit\n",
		"[net.lan]\nbridge = br0\n", NULL,
		"web.ini:3: [net.lan] rate default -> 10Mbit "
		"(now, by vmward apply)|");
	differs("[net.lan]\nbridge = br0\nisolate = yes\n",
		"[net.lan]\nbridge = br0\n", NULL,
		"web.ini:3: [net.lan] isolate default -> yes "
		"(now, by vmward apply)|");
	differs("[net.lan]\nuser = yes\nforward = 8080:80\n",
		"[net.lan]\nuser = yes\n", NULL,
		"web.ini:3: [net.lan] forward default -> 8080:80 (at cold "
		"start: in user mode QEMU or passt has it from its start)|");
	differs("[cdrom.a]\nimage = /d/x.iso\n", "[cdrom.a]\n", NULL,
		"web.ini:2: [cdrom.a] image default -> /d/x.iso "
		"(now, by vmward apply)|");
	differs("[cdrom.a]\n", "[cdrom.a]\nimage = /d/x.iso\n", NULL,
		"[cdrom.a] image /d/x.iso -> default (now, by vmward apply)|");
	differs("[cdrom.a]\n", "", NULL,
		"web.ini:1: [cdrom.a] is to come (at cold start: a CD-ROM "
		"drive comes and goes with a start only)|");
	/* in force as soon as it is read */
	differs("[restart]\npolicy = no\n", "", NULL, "");
}

static void test_disks(void)
{
	differs(DISK, "", NULL,
		"web.ini:1: [disk.data] is to come (now, by vmward apply)|");
	differs("", DISK, NULL, "[disk.data] is to go (now, by vmward apply)|");
	differs(DISK "bus = scsi\n", "", NULL,
		"web.ini:1: [disk.data] is to come (now, by vmward apply)|");
	differs(DISK "bus = sata\n", "", NULL,
		"web.ini:1: [disk.data] is to come (at cold start: a disk "
		"with bus = sata comes and goes with a start only: say bus = "
		"virtio, scsi, nvme or usb)|");
	/* the controller takes a port, and none is needed once it is there */
	differs(DISK "bus = scsi\n[disk.more]\nsize = 1G\nbus = scsi\n",
		"[vm]\nhotplug-ports = 1\n", NULL,
		"web.ini:1: [disk.data] is to come (now, by vmward apply)|"
		"web.ini:4: [disk.more] is to come (now, by vmward apply)|"
		"[vm] hotplug-ports 1 -> default (at cold start)|");
	differs(DISK "bus = scsi\n[disk.more]\nsize = 1G\nbus = usb\n",
		"[vm]\nhotplug-ports = 1\n", NULL,
		"web.ini:1: [disk.data] is to come (now, by vmward apply)|"
		"web.ini:4: [disk.more] is to come (at cold start: no port is "
		"free: hotplug-ports says how many there are)|"
		"[vm] hotplug-ports 1 -> default (at cold start)|");
	differs(DISK "bus = usb\n[disk.more]\nsize = 1G\nbus = usb\n",
		"[vm]\nhotplug-ports = 1\n", NULL,
		"web.ini:1: [disk.data] is to come (now, by vmward apply)|"
		"web.ini:4: [disk.more] is to come (now, by vmward apply)|"
		"[vm] hotplug-ports 1 -> default (at cold start)|");
	differs(DISK "bus = scsi\n", "[vm]\nhotplug-ports = 0\n", NULL,
		"web.ini:1: [disk.data] is to come (at cold start: no port is "
		"free: hotplug-ports says how many there are)|"
		"[vm] hotplug-ports 0 -> default (at cold start)|");
	differs("", "[vm]\nmachine = microvm\n" DISK, NULL,
		"[vm] machine microvm -> default (at cold start)|"
		"[disk.data] is to go (at cold start: machine microvm cannot "
		"hotplug)|");
	differs(DISK "[disk.more]\nsize = 1G\n", "[vm]\nhotplug-ports = 1\n",
		NULL,
		"web.ini:1: [disk.data] is to come (now, by vmward apply)|"
		"web.ini:3: [disk.more] is to come (at cold start: no port is "
		"free: hotplug-ports says how many there are)|"
		"[vm] hotplug-ports 1 -> default (at cold start)|");
	differs("[disk.data]\nsize = 2G\n", DISK, NULL,
		"web.ini:2: [disk.data] size 1G -> 2G (now, by vmward apply)|");
	differs("[disk.data]\nsize = 512M\n", DISK, NULL,
		"web.ini:2: [disk.data] size 1G -> 512M (refused: a disk "
		"shrinks only while its VM is stopped (image resize "
		"--shrink))|");
	differs(DISK "readonly = yes\n", DISK, NULL,
		"web.ini:3: [disk.data] readonly default -> yes "
		"(at cold start)|");
}

#define ROOT   "{\"name\":\"disk-root\",\"type\":\"child<virtio-blk-pci>\"}"
#define WORDS  "qemu|-device|{\"driver\":\"a\",\"id\":\"rng0\"}|-device|b,id=me"
#define MEMORY "{\"base-memory\":1073741824,\"plugged-memory\":0}"
#define CPU    "[{\"qom-path\":\"/machine/unattached/device[0]\"},{}]"
#define NODE   "[{\"node-name\":\"disk-data\",\"image\":{\"virtual-size\":%s}}]"

static void test_machine(void)
{
	AUTO_FREE char *small = xasprintf(NODE, "1048576");
	AUTO_FREE char *large = xasprintf(NODE, "4294967296");

	is_seen("[" ROOT ",{\"name\":\"type\",\"type\":\"string\"}]", "[]",
		MEMORY, CPU, WORDS);
	differs("", "", &seen, "");
	differs(NIC, NIC, &seen,
		"[net.lan] is to come (at cold start: QEMU has it no longer)|");
	differs("[vm]\ncpus = 2\nmemory = 2G\n",
		"[vm]\ncpus = 2\nmemory = 2G\n", &seen,
		"[vm] cpus 1 -> 2 (at cold start: that is what QEMU has)|"
		"[vm] memory 1G -> 2G (at cold start: that is what QEMU "
		"has)|");
	is_seen("[" ROOT ",{\"name\":\"rng0\",\"type\":\"child<x>\"},"
		"{\"name\":\"me\",\"type\":\"child<x>\"},"
		"{\"name\":\"you\",\"type\":\"child<x>\"}]",
		"[]", MEMORY, CPU, WORDS);
	differs("", "", &seen,
		"[you] is to go (at cold start: no file names it: it was "
		"plugged in by hand)|");
	seen.replaced = true;
	json_array_remove(seen.devices, 3);
	differs("", "", &seen,
		"[qemu] is another one (at cold start: its program was "
		"replaced since it was started)|");
	is_seen("[" ROOT ",{\"name\":\"disk-data\",\"type\":\"child<x>\"}]",
		small, MEMORY, CPU, WORDS);
	differs(DISK, DISK, &seen,
		"[disk.data] size 1M -> 1G (now, by vmward apply)|");
	is_seen("[" ROOT ",{\"name\":\"disk-data\",\"type\":\"child<x>\"}]",
		large, MEMORY, CPU, WORDS);
	differs(DISK, DISK, &seen, "");
	differs("[disk.data]\nsize = 2G\n", DISK, &seen,
		"web.ini:2: [disk.data] size 1G -> 2G (refused: a disk shrinks "
		"only while its VM is stopped (image resize --shrink))|");
	observed_fini(&seen);
}

/* What QEMU did not answer is not told. */
static void test_silence(void)
{
	static const struct observed nothing;

	differs(DISK NIC, DISK NIC, &nothing, "");
}

static void test_json(void)
{
	struct vm *vm = vm_new(&kit, "web", &hooks, kit_post);
	struct deltas deltas;
	AUTO_JSON json_t *all = NULL;
	AUTO_FREE char *text = NULL;

	vm->spec = kit_spec("[vm]\nmachine = pc\n" DISK);
	vm->running = kit_spec("");
	vm_load_slots(vm);
	deltas_make(&deltas, vm, NULL);
	is_int(deltas_count(&deltas, DELTA_HOT), 1, "one now");
	is_int(deltas_count(&deltas, DELTA_COLD), 1, "one later");
	is_int(deltas_count(&deltas, DELTA_REFUSED), 0, "none refused");
	all = deltas_json(&deltas);
	text = json_dumps(all, JSON_COMPACT);
	is_str(text,
		"[{\"section\":\"vm\",\"key\":\"machine\",\"from\":null,"
		"\"to\":\"pc\",\"when\":\"cold\",\"why\":null,"
		"\"file\":\"web.ini\",\"line\":2},"
		"{\"section\":\"disk.data\",\"key\":null,\"from\":null,"
		"\"to\":\"there\",\"when\":\"hot\",\"why\":null,"
		"\"file\":\"web.ini\",\"line\":3}]",
		"as JSON");
	deltas_fini(&deltas);
	vm_drop_running(vm);
	vm_free(vm);
}

int main(void)
{
	kit_start();
	test_keys();
	test_disks();
	test_machine();
	test_silence();
	test_json();
	kit_end();
	return done();
}
