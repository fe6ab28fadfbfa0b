/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each golden case is taken by the real QEMU: started with its descriptors
 * under TCG (and under KVM where it opens), greeted, asked for its devices,
 * and quit.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atom.h"
#include "base/spawn.h"
#include "base/sys.h"
#include "supervisor/accel.h"
#include "supervisor/chain_open.h"

#include "tests/unit/argv_cases.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

enum { FDS_MAX = 16 + CHAINS_FDS_MAX, PATIENCE_MS = 60000 };

static char *qemu;

/* ---- what QEMU opens ---- */

static void make_file(const char *name, size_t len)
{
	int fd = open(temp_path(name), O_RDWR | O_CREAT, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)len) != 0)
		ok(false, "cannot make %s", name);
	close(fd);
}

/* A kernel as far as QEMU looks: boot sector, "HdrS", room for an initrd. */
static void make_kernel(void)
{
	static const unsigned char head[] = { 'H', 'd', 'r', 'S', 6, 2 };
	int fd;

	make_file("vmlinuz", 65536);
	make_file("initrd.gz", 4096);
	fd = open(temp_path("vmlinuz"), O_RDWR);
	if (pwrite(fd, head, sizeof(head), 0x202) < 0 ||
		pwrite(fd, "\x55\xaa", 2, 0x1fe) < 0 ||
		pwrite(fd, "\x04", 1, 0x1f1) < 0 ||
		pwrite(fd, "\xff\xff\xff\x37", 4, 0x22c) < 0)
		ok(false, "cannot make the kernel");
	close(fd);
}

/* A qcow2 header of version 2 with nothing behind it but empty tables. */
static void make_qcow2(const char *path)
{
	static const unsigned char head[72] = { 'Q', 'F', 'I', 0xfb, 0, 0, 0, 2,
		/* backing */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		/* 64 KiB clusters */ 0, 0, 0, 16, /* 1 MiB */ 0, 0, 0, 0, 0,
		0x10, 0, 0, /* crypt */ 0, 0, 0, 0, /* L1: 1 at 128 KiB */ 0, 0,
		0, 1, 0, 0, 0, 0, 0, 2, 0, 0, /* refcounts at 64 KiB */ 0, 0, 0,
		0, 0, 1, 0, 0, 0, 0, 0, 1, /* snapshots */ 0 };
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	/* the refcount block of the first four clusters */
	if (fd < 0 || ftruncate(fd, 4 * 65536) != 0 ||
		pwrite(fd, head, sizeof(head), 0) < 0 ||
		pwrite(fd, "\0\0\0\0\0\3\0\0", 8, 65536) < 0 ||
		pwrite(fd, "\0\1\0\1\0\1\0\1", 8, 3 * 65536) < 0)
		ok(false, "cannot make %s", path);
	close(fd);
}

static void make_images(const struct vm_spec *spec)
{
	list_each(&spec->disks, it, next) {
		struct spec_disk *disk = list_entry(it, struct spec_disk, link);
		AUTO_FREE char *path = argv_disk_path(spec, disk, temp_root);
		struct err err = ERR_INIT;

		if (argv_disk_format(disk, path, &err) == FORMAT_QCOW2)
			make_qcow2(path);
		else
			make_file(strrchr(path, '/') + 1, 1 << 20);
	}
}

/* Nothing of the host is used: any free port, our own kernel. */
static void make_harmless(struct vm_spec *spec)
{
	list_each(&spec->nics, it, next) {
		struct spec_nic *nic = list_entry(it, struct spec_nic, link);

		for (unsigned i = 0; i < nic->forward.n; i++) {
			nic->forward.at[i].host_first = 0;
			nic->forward.at[i].host_last = 0;
		}
	}
	if (!spec->vm.kernel || !spec->vm.kernel[0])
		return;
	atom_set(&spec->vm.kernel, temp_path("vmlinuz"));
	atom_set(&spec->vm.initrd, temp_path("initrd.gz"));
}

/* ---- a QEMU ---- */

struct peer {
	pid_t pid;
	int pidfd;
	int monitor; /* connected */
	char *words; /* file of its stderr */
};

/* A listening socket; *client is connected to it. */
static int listener(const char *name, int *client)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", temp_path(name));
	unlink(addr.sun_path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
		listen(fd, 2) != 0)
		ok(false, "cannot listen on %s", name);
	if (!client)
		return fd;
	*client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(*client, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		ok(false, "cannot connect to %s", name);
	return fd;
}

static bool start(struct peer *peer, char **argv, unsigned serials,
	const struct chains *chains)
{
	struct spawn_fd fds[FDS_MAX];
	size_t n = 0;
	struct err err = ERR_INIT;
	struct spawn_plan plan = { .path = qemu,
		.argv = (const char *const *)argv,
		.fds = fds,
		.die_with_us = true };
	bool good;

	fds[n++] = (struct spawn_fd){
		open(temp_path("words"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600),
		2
	};
	fds[n++] = (struct spawn_fd){ listener("mon", &peer->monitor),
		ARGV_FD_MONITOR };
	fds[n++] = (struct spawn_fd){ listener("yank", NULL), ARGV_FD_YANK };
	fds[n++] = (struct spawn_fd){ listener("agent", NULL), ARGV_FD_AGENT };
	for (unsigned i = 0; i < serials; i++)
		fds[n++] = (struct spawn_fd){ listener("serial", NULL),
			(int)(ARGV_FD_SERIAL + i) };
	n += chains_fds(chains, fds + n);
	plan.nfds = n;
	good = spawn(&plan, &peer->pid, &peer->pidfd, &err) == 0;
	if (!good)
		ok(false, "%s", err.text);
	while (n > 0 && fds[n - 1].to >= ARGV_FD_DISK)
		n--; /* these are the chains' */
	while (n > 0)
		close(fds[--n].from);
	return good;
}

/* Reads until the text has come; false at EOF or when patience ends. */
static bool hear(int fd, const char *want, struct str *said)
{
	while (!strstr(str_text(said), want)) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		char bytes[4096];
		ssize_t n;

		if (poll(&ready, 1, PATIENCE_MS) != 1)
			return false;
		n = read(fd, bytes, sizeof(bytes));
		if (n <= 0)
			return false;
		str_addn(said, bytes, (size_t)n);
	}
	return true;
}

static bool ask(int fd, const char *command, struct str *said)
{
	str_cut(said, 0);
	return send(fd, command, strlen(command), MSG_NOSIGNAL) > 0 &&
	       hear(fd, "\"return\"", said);
}

static void print_words(void)
{
	AUTO_STR struct str words = STR_INIT;
	struct err err = ERR_INIT;

	if (fd_read_file(AT_FDCWD, temp_path("words"), 65536, &words, &err) ==
		0)
		printf("# QEMU says: %s\n", str_text(&words));
}

/* Every disk and nic is there by its id. */
static bool has_devices(const struct vm_spec *spec, const char *said)
{
	bool all = true;

	list_each(&spec->disks, it, next) {
		AUTO_FREE char *id =
			argv_disk_id(list_entry(it, struct spec_disk, link));

		all &= strstr(said, id) != NULL;
	}
	list_each(&spec->nics, it, next) {
		AUTO_FREE char *id = xasprintf("\"net-%s\"",
			list_entry(it, struct spec_nic, link)->name);

		all &= strstr(said, id) != NULL;
	}
	return all;
}

static void talk(
	const char *name, const struct vm_spec *spec, struct peer *peer)
{
	AUTO_STR struct str said = STR_INIT;
	bool greeted = hear(peer->monitor, "\"QMP\"", &said);

	ok(greeted, "%s: greeted", name);
	if (!greeted)
		return;
	ok(ask(peer->monitor,
		   "{\"execute\":\"qmp_capabilities\",\"arguments\":"
		   "{\"enable\":[\"oob\"]}}",
		   &said),
		"%s: capabilities", name);
	ok(ask(peer->monitor, "{\"execute\":\"query-status\"}", &said) &&
			strstr(str_text(&said), "prelaunch"),
		"%s: prelaunch", name);
	ok(ask(peer->monitor,
		   "{\"execute\":\"qom-list\",\"arguments\":"
		   "{\"path\":\"/machine/peripheral\"}}",
		   &said) &&
			has_devices(spec, str_text(&said)),
		"%s: has its disks and nics", name);
	ok(ask(peer->monitor, "{\"execute\":\"quit\"}", &said), "%s: quit",
		name);
}

static void end(const char *name, struct peer *peer)
{
	struct pollfd ready = { .fd = peer->pidfd, .events = POLLIN };
	int status = -1;

	if (poll(&ready, 1, PATIENCE_MS) != 1)
		kill(peer->pid, SIGKILL);
	waitpid(peer->pid, &status, 0);
	if (status != 0)
		print_words();
	is_int(status, 0, "%s: a clean end", name);
	close(peer->pidfd);
	close(peer->monitor);
}

static unsigned count(const struct list *head)
{
	unsigned n = 0;

	list_each(head, it, next)
		n++;
	return n;
}

static void test_case(const struct argv_case *c, bool kvm)
{
	AUTO_FREE char *name =
		xasprintf("%s %s", c->name, kvm ? "under KVM" : "under TCG");
	struct vm_spec *spec = case_load(c);
	struct paths paths = { .images = temp_root };
	struct argv_host host = { .qemu = qemu,
		.kvm = kvm,
		.machine = spec->vm.machine,
		.generation = 1,
		.images = paths.images,
		.io_uring = true };
	const struct chains_from from = { .spec = spec, .paths = &paths };
	struct err err = ERR_INIT;
	struct chains chains;
	struct argv_slots slots;
	struct peer peer = { .pidfd = -1 };
	char **argv;

	make_harmless(spec);
	make_images(spec);
	case_plan(c, spec, &slots);
	chains_init(&chains);
	host.chains = &chains;
	if (chains_open(&chains, &from, &err) ||
		chains_number(&chains, ARGV_FD_DISK, &err))
		ok(false, "%s: %s", name, err.text);
	argv = argv_build(spec, &host, &slots, &err);
	if (!ok(argv != NULL, "%s: built %s", name, err.text))
		return;
	if (start(&peer, argv, count(&spec->serials), &chains)) {
		talk(name, spec, &peer);
		end(name, &peer);
	}
	argv_name_slots(&slots, NULL);
	argv_free(argv);
	chains_fini(&chains);
	spec_free(spec);
}

/* A paravirtual KVM has none of what Windows is told. */
static bool kvm_can(const struct argv_case *c)
{
	char why[96];

	return accel_has_kvm_device(why) &&
	       (accel_has_cpu_flags() || strcmp(c->name, "kvm") == 0);
}

int main(void)
{
	qemu = spawn_find("qemu-system-x86_64");
	if (!qemu) {
		ok(true, "all cases # SKIP no qemu-system-x86_64");
		return done();
	}
	temp_make();
	make_kernel();
	for (size_t i = 0; i < NELEMS(argv_cases); i++) {
		if (argv_cases[i].away)
			continue;
		test_case(&argv_cases[i], false);
		if (argv_cases[i].kvm && kvm_can(&argv_cases[i]))
			test_case(&argv_cases[i], true);
	}
	free(qemu);
	return done();
}
