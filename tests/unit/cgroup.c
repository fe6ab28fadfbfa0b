/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control groups over fake trees: v2, hybrid, v1, read-only ones, systemd's
 * units; values, births, changes, what is left.
 */
#include "supervisor/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

/* What the kernel puts into a new group. */
static const char *const files[] = { "cgroup.procs", "cgroup.controllers",
	"cgroup.subtree_control", "cgroup.kill", "cpu.max", "cpu.weight",
	"cpu.cfs_quota_us", "cpu.shares", "memory.max", "memory.events",
	"memory.limit_in_bytes", "memory.oom_control", "io.weight",
	"blkio.bfq.weight", "pids.max", "cpuset.cpus", "cpuset.mems" };

static struct {
	char root[256];
	bool read_only;
	const char *busy; /* a group that has processes; or NULL */
	int busy_fd;      /* its subtree_control, open */
} world;

static void put(const char *path, const char *text)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *full = xasprintf("%s%s", world.root, path);

	if (fd_write_file(
		    AT_FDCWD, full, text, strlen(text), 0644, false, &err))
		ok(false, "%s", err.text);
}

static int make_dir(int dirfd, const char *path, mode_t mode)
{
	if (world.read_only) {
		errno = EROFS;
		return -1;
	}
	if (sys_real.mkdirat(dirfd, path, mode))
		return -1;
	for (size_t i = 0; i < NELEMS(files); i++) {
		AUTO_FREE char *file = xasprintf("%s/%s", path, files[i]);

		close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	}
	return 0;
}

/* As the kernel: what was in it is no obstacle, groups below it are. */
static int remove_dir(int dirfd, const char *path, int flags)
{
	for (size_t i = 0; flags & AT_REMOVEDIR && i < NELEMS(files); i++) {
		AUTO_FREE char *file = xasprintf("%s/%s", path, files[i]);

		unlink(file);
	}
	return sys_real.unlinkat(dirfd, path, flags);
}

/* A file of a group holds what was written last. */
static int open_file(int dirfd, const char *path, int flags, mode_t mode)
{
	AUTO_FREE char *aside = xasprintf(
		"%s/supervisor/cgroup.procs", str_or(world.busy, "-"));
	AUTO_FREE char *control =
		xasprintf("%s/cgroup.subtree_control", str_or(world.busy, "-"));
	int fd;

	if (str_ends(path, aside))
		world.busy = NULL;
	if ((flags & O_ACCMODE) == O_WRONLY)
		flags |= O_TRUNC;
	fd = sys_real.openat(dirfd, path, flags, mode);
	if (world.busy && flags & O_TRUNC && str_ends(path, control))
		world.busy_fd = fd;
	return fd;
}

static ssize_t write_file(int fd, const void *buf, size_t len)
{
	if (world.busy && fd == world.busy_fd) {
		errno = EBUSY;
		return -1;
	}
	return sys_real.write(fd, buf, len);
}

/* What a file below the root says. */
static void says(const char *path, const char *want)
{
	AUTO_FREE char *full = xasprintf("%s%s", world.root, path);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	if (fd_read_file(AT_FDCWD, full, 4096, &text, &err))
		ok(false, "%s: %s", path, err.text);
	else
		is_str(str_text(&text), want, "%s", path);
}

static bool is_there(const char *path)
{
	AUTO_FREE char *full = xasprintf("%s%s", world.root, path);

	return access(full, F_OK) == 0;
}

static void dir(const char *path)
{
	AUTO_FREE char *full = xasprintf("%s%s", world.root, path);

	if (make_dir(AT_FDCWD, full, 0755))
		ok(false, "mkdir %s", full);
}

static void begin(const char *name, const char *mounts, const char *groups)
{
	snprintf(world.root, sizeof(world.root), "%s", temp_path(name));
	world.read_only = false;
	world.busy = NULL;
	mkdir(world.root, 0755);
	dir("/proc");
	dir("/proc/self");
	dir("/sys");
	put("/proc/self/mountinfo", mounts);
	put("/proc/self/cgroup", groups);
}

#define V2_MOUNT "30 23 0:28 / /sys rw,relatime shared:9 - cgroup2 none rw\n"
#define ALL      "cpuset cpu io memory hugetlb pids rdma\n"

static const struct cgroup_limits all = { .set = (1U << CGROUP_NKNOBS) - 1,
	.cpu = 150,
	.cpu_weight = 50,
	.memory = 512 << 20,
	.io_weight = 200,
	.pids = 64,
	.cpuset = "0-1,3" };

/* Each limit reads back as its key has it. */
static void reads_back(struct cgroups *groups)
{
	static const char *const want[CGROUP_NKNOBS] = { "0-1,3", "150%", "50",
		"512M", "200", "64" };

	for (enum cgroup_knob k = 0; k < CGROUP_NKNOBS; k++) {
		AUTO_FREE char *is = cgroup_text(groups, "web", k);
		AUTO_FREE char *wish = cgroup_wish(&all, k);

		is_str(str_or(is, "none"), want[k], "%s reads back",
			cgroup_key(k));
		is_str(wish, want[k], "as it was wished");
	}
}

static void test_v2(void)
{
	struct cgroups *groups;
	struct cgroup_birth birth;
	struct cgroup_limits none = { 0 };
	struct err err = ERR_INIT;

	begin("v2", V2_MOUNT, "0::/\n");
	put("/sys/cgroup.controllers", ALL);
	put("/sys/cgroup.subtree_control", "");
	groups = cgroups_new(world.root, "vmward-1");
	cgroup_make(groups, "idle", &none, &birth);
	ok(birth.into < 0 && birth.procs < 0 && !is_there("/sys/vmward-1"),
		"no limits, no groups");
	cgroup_make(groups, "web", &all, &birth);
	is_int(birth.lacks, 0, "v2 limits all: %s", birth.why.text);
	ok(birth.into >= 0 && birth.procs >= 0 && birth.njoin == 0,
		"born by clone3, or by one move");
	cgroup_birth_end(&birth);
	says("/sys/vmward-1/vm-web/cpu.max", "150000 100000");
	says("/sys/vmward-1/vm-web/cpu.weight", "50");
	says("/sys/vmward-1/vm-web/memory.max", "536870912");
	says("/sys/vmward-1/vm-web/io.weight", "default 200");
	says("/sys/vmward-1/vm-web/pids.max", "64");
	says("/sys/vmward-1/vm-web/cpuset.cpus", "0-1,3");
	says("/sys/cgroup.subtree_control", "+pids");
	says("/sys/vmward-1/cgroup.subtree_control", "+pids");
	reads_back(groups);
	put("/sys/vmward-1/vm-web/memory.events",
		"low 0\nmax 9\noom 2\noom_kill 1\n");
	is_int(cgroup_oom_kills(groups, "web"), 1, "one was killed for memory");
	is_int(cgroup_oom_kills(groups, "other"), 0, "of another, none");
	ok(!cgroup_set(groups, "web", 77, &none, &err), "limits are lifted");
	says("/sys/vmward-1/vm-web/cpu.max", "max 100000");
	says("/sys/vmward-1/vm-web/memory.max", "max");
	ok(cgroup_remove(groups, "web"), "its leaf goes");
	ok(!is_there("/sys/vmward-1"), "and with the last one our directory");
	ok(!cgroup_set(groups, "web", 77, &all, &err), "limits while it runs");
	says("/sys/vmward-1/vm-web/cgroup.procs", "77");
	dir("/sys/vmward-1/vm-web/below");
	dir("/sys/vmward-1/vm-web/below/kept");
	ok(!cgroup_remove(groups, "web"), "one that is in use stays");
	cgroups_free(groups);
}

static void test_hybrid(void)
{
	struct cgroups *groups;
	struct cgroup_birth birth;
	struct cgroup_limits some = { .set = CGROUP_BIT(CGROUP_MEMORY),
		.memory = 64 << 20 };
	struct err err = ERR_INIT;

	begin("hybrid",
		"31 30 0:1 / /sys/unified rw - cgroup2 cgroup2 rw\n"
		"32 30 0:2 / /sys/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
		"33 30 0:3 / /sys/memory rw - cgroup cgroup rw,memory\n"
		"34 30 0:4 / /sys/blkio rw - cgroup cgroup rw,blkio\n"
		"35 30 0:5 / /sys/pids rw - cgroup cgroup rw,pids\n"
		"36 30 0:6 / /sys/cpuset rw - cgroup cgroup rw,cpuset\n"
		"37 30 0:7 / /sys/systemd rw - cgroup cgroup rw,name=systemd\n",
		"8:name=systemd:/x\n7:pids:/\n6:cpuset:/\n5:blkio:/\n"
		"4:memory:/job/1\n3:cpu,cpuacct:/\n0::/\n");
	dir("/sys/unified");
	dir("/sys/cpu");
	dir("/sys/memory");
	dir("/sys/memory/job");
	dir("/sys/memory/job/1");
	dir("/sys/blkio");
	dir("/sys/pids");
	dir("/sys/cpuset");
	put("/sys/cpuset/cpuset.mems", "0\n");
	put("/sys/cpuset/cpuset.cpus", "0-3\n");
	groups = cgroups_new(world.root, "vmward-1");
	cgroup_make(groups, "web", &some, &birth);
	is_int(birth.njoin, 1, "one limit, one group");
	ok(!is_there("/sys/cpu/vmward-1"), "and none where nothing is limited");
	cgroup_birth_end(&birth);
	cgroup_make(groups, "web", &all, &birth);
	is_int(birth.lacks, 0, "v1 limits all: %s", birth.why.text);
	ok(birth.into < 0 && birth.njoin == 5, "one for each hierarchy");
	cgroup_birth_end(&birth);
	says("/sys/cpu/vmward-1/vm-web/cpu.cfs_quota_us", "150000");
	says("/sys/cpu/vmward-1/vm-web/cpu.shares", "512");
	says("/sys/memory/job/1/vmward-1/vm-web/memory.limit_in_bytes",
		"536870912");
	says("/sys/blkio/vmward-1/vm-web/blkio.bfq.weight", "1000");
	says("/sys/pids/vmward-1/vm-web/pids.max", "64");
	says("/sys/cpuset/vmward-1/vm-web/cpuset.mems", "0");
	says("/sys/cpuset/vmward-1/vm-web/cpuset.cpus", "0-1,3");
	reads_back(groups);
	put("/sys/cpuset/vmward-1/cpuset.cpus", "0-3");
	ok(!cgroup_set(groups, "web", 77, &some, &err), "limits are lifted");
	says("/sys/cpuset/vmward-1/vm-web/cpuset.cpus", "0-3");
	says("/sys/cpu/vmward-1/vm-web/cpu.cfs_quota_us", "-1");
	put("/sys/memory/job/1/vmward-1/vm-web/memory.oom_control",
		"oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
	is_int(cgroup_oom_kills(groups, "web"), 3, "v1 counts as well");
	ok(cgroup_remove(groups, "web") && !is_there("/sys/cpu/vmward-1") &&
			!is_there("/sys/memory/job/1/vmward-1"),
		"nothing is left anywhere");
	cgroups_free(groups);
}

static void test_refusals(void)
{
	struct cgroups *groups;
	struct cgroup_birth birth;
	struct err err = ERR_INIT;

	begin("none", "1 0 0:1 / / rw - ext4 /dev/vda rw\n", "0::/\n");
	groups = cgroups_new(world.root, "vmward-1");
	cgroup_make(groups, "web", &all, &birth);
	is_int(birth.lacks, all.set, "a host without cgroups");
	ok(strstr(birth.why.text, "no controller"), "%s", birth.why.text);
	cgroups_free(groups);
	begin("read-only", V2_MOUNT, "0::/\n");
	put("/sys/cgroup.controllers", ALL);
	put("/sys/cgroup.subtree_control", ALL);
	world.read_only = true;
	groups = cgroups_new(world.root, "vmward-1");
	cgroup_make(groups, "web", &all, &birth);
	is_int(birth.lacks, all.set, "a tree that is read-only");
	ok(strstr(birth.why.text, "read-only"), "%s", birth.why.text);
	ok(cgroup_set(groups, "web", 77, &all, &err) != 0, "%s", err.text);
	ok(cgroup_remove(groups, "web"), "there is nothing to remove");
	cgroups_free(groups);
}

static void test_units(void)
{
	struct cgroups *groups;
	struct cgroup_birth birth;

	begin("unit", V2_MOUNT, "0::/vmwardd.service\n");
	dir("/sys/vmwardd.service");
	put("/sys/vmwardd.service/cgroup.controllers", ALL);
	groups = cgroups_new(world.root, "vmward-1");
	cgroup_make(groups, "web", &all, &birth);
	is_int(birth.lacks, all.set, "in the midst of a unit of systemd");
	ok(strstr(birth.why.text, "DelegateSubgroup=supervisor"), "%s",
		birth.why.text);
	cgroups_free(groups);
	put("/proc/self/cgroup", "0::/vmwardd.service/supervisor\n");
	dir("/sys/vmwardd.service/supervisor");
	groups = cgroups_new(world.root, "vmward-1");
	cgroup_make(groups, "web", &all, &birth);
	is_int(birth.lacks, 0, "in a leaf of it: %s", birth.why.text);
	cgroup_birth_end(&birth);
	says("/sys/vmwardd.service/vmward-1/vm-web/pids.max", "64");
	cgroups_free(groups);
	begin("alone", V2_MOUNT, "0::/vmwardd\n");
	dir("/sys/vmwardd");
	put("/sys/vmwardd/cgroup.controllers", ALL);
	world.busy = "/vmwardd";
	groups = cgroups_new(world.root, "vmward-1");
	cgroup_make(groups, "web", &all, &birth);
	is_int(birth.lacks, 0, "another manager's: we step aside: %s",
		birth.why.text);
	cgroup_birth_end(&birth);
	ok(is_there("/sys/vmwardd/supervisor"), "into a leaf of our own");
	cgroups_free(groups);
}

int main(void)
{
	struct sys_backend odd = sys_real;

	temp_make();
	odd.mkdirat = make_dir;
	odd.unlinkat = remove_dir;
	odd.openat = open_file;
	odd.write = write_file;
	sys_use(&odd);
	test_v2();
	test_hybrid();
	test_refusals();
	test_units();
	return done();
}
