/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control groups of VMs; see cgroup.h.  A controller is either in the v2
 * hierarchy or in one of v1; a table says what each is called there.
 */
#include "supervisor/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/cgroup_tree.h"

#define TEXT_MAX (64 * 1024)

struct cgroups {
	struct cgroup_tree tree;
};

/* ---- the table of limits ---- */

static void put_quota(const struct cgroup_limits *l, bool v2, struct str *out)
{
	if (v2)
		str_addf(out, "%" PRIu64 " 100000", l->cpu * 1000);
	else
		str_addf(out, "%" PRIu64, l->cpu * 1000);
}

static void put_cpu_weight(
	const struct cgroup_limits *l, bool v2, struct str *out)
{
	uint64_t shares = l->cpu_weight * 1024 / 100;

	str_addu(out, v2 ? l->cpu_weight : shares < 2 ? 2 : shares);
}

static void put_memory(
	const struct cgroup_limits *l, bool v2 UNUSED, struct str *out)
{
	uint64_t page = 4096;

	str_addu(out, (l->memory + page - 1) / page * page);
}

static void put_io_weight(
	const struct cgroup_limits *l, bool v2, struct str *out)
{
	uint64_t weight = l->io_weight * 5;

	if (v2)
		str_add(out, "default ");
	else
		weight = weight < 10 ? 10 : weight > 1000 ? 1000 : weight;
	str_addu(out, v2 ? l->io_weight : weight);
}

static void put_pids(
	const struct cgroup_limits *l, bool v2 UNUSED, struct str *out)
{
	str_addu(out, l->pids);
}

static void put_cpuset(
	const struct cgroup_limits *l, bool v2 UNUSED, struct str *out)
{
	str_add(out, l->cpuset);
}

static const struct knob {
	const char *key;
	enum cgroup_controller controller;
	const char *file[2]; /* in v1, in v2 */
	const char *none[2]; /* what lifts it */
	void (*put)(
		const struct cgroup_limits *limits, bool v2, struct str *out);
} knobs[CGROUP_NKNOBS] = {
	[CGROUP_CPUSET] = { "cpuset", CONTROLLER_CPUSET,
		{ "cpuset.cpus", "cpuset.cpus" }, { NULL, "\n" }, put_cpuset },
	[CGROUP_CPU] = { "cpu", CONTROLLER_CPU,
		{ "cpu.cfs_quota_us", "cpu.max" }, { "-1", "max 100000" },
		put_quota },
	[CGROUP_CPU_WEIGHT] = { "cpu-weight", CONTROLLER_CPU,
		{ "cpu.shares", "cpu.weight" }, { "1024", "100" },
		put_cpu_weight },
	[CGROUP_MEMORY] = { "memory", CONTROLLER_MEMORY,
		{ "memory.limit_in_bytes", "memory.max" }, { "-1", "max" },
		put_memory },
	[CGROUP_IO_WEIGHT] = { "io-weight", CONTROLLER_IO,
		{ "blkio.bfq.weight", "io.weight" }, { "100", "default 100" },
		put_io_weight },
	[CGROUP_PIDS] = { "pids", CONTROLLER_PIDS, { "pids.max", "pids.max" },
		{ "max", "max" }, put_pids },
};

const char *cgroup_key(enum cgroup_knob knob)
{
	return knobs[knob].key;
}

static const struct cgroup_hand *by;

void cgroup_by(const struct cgroup_hand *hand)
{
	by = hand;
}

char *cgroup_name(const char *run_dir)
{
	return xasprintf("vmward-%08x",
		(unsigned)hash_add(HASH_START, run_dir, strlen(run_dir)));
}

struct cgroups *cgroups_new(const char *root, const char *name)
{
	struct cgroups *groups = NEW(struct cgroups);

	cgroup_tree_find(&groups->tree, root, name);
	return groups;
}

void cgroups_free(struct cgroups *groups)
{
	if (!groups)
		return;
	cgroup_tree_fini(&groups->tree);
	free(groups);
}

/* ---- files ---- */

/* Without its last newline, new; NULL: it cannot be read. */
static char *get_text(const char *dir, const char *file)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, file);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	if (fd_read_file(AT_FDCWD, path, TEXT_MAX, &text, &err))
		return NULL;
	if (text.len && text.data[text.len - 1] == '\n')
		str_cut(&text, text.len - 1);
	return xstrdup(str_text(&text));
}

static char *leaf_of(
	struct cgroups *groups, enum cgroup_controller c, const char *vm)
{
	const char *base = cgroup_tree_dir(&groups->tree, c);

	return base ? xasprintf("%s/vm-%s", base, vm) : NULL;
}

static bool is_there(const char *dir)
{
	struct stat st;

	return sys_fstatat(AT_FDCWD, dir, &st, 0) == 0;
}

/* v1: nobody can be in a cpuset that has no processors and memory nodes. */
static void inherit(const char *base, const char *leaf)
{
	AUTO_FREE char *above = str_dir(base);
	AUTO_FREE char *mems = get_text(above, "cpuset.mems");
	AUTO_FREE char *cpus = get_text(above, "cpuset.cpus");

	if (mems && cgroup_tree_put(base, "cpuset.mems", mems) == 0)
		cgroup_tree_put(leaf, "cpuset.mems", mems);
	if (cpus && cgroup_tree_put(base, "cpuset.cpus", cpus) == 0)
		cgroup_tree_put(leaf, "cpuset.cpus", cpus);
}

/* The leaf is there afterwards, and whether it was made just now. */
static int make_leaf(struct cgroups *groups, enum cgroup_controller c,
	const char *leaf, bool *made, struct err *err)
{
	const char *base = cgroup_tree_dir(&groups->tree, c);
	bool v2 = cgroup_tree_is_v2(&groups->tree, c);

	*made = !is_there(leaf);
	if (!*made && !v2) /* that one has all its controllers */
		return 0;
	if (cgroup_tree_make(&groups->tree, c, err))
		return -1;
	if (*made && sys_mkdirat(AT_FDCWD, leaf, 0755) && errno != EEXIST)
		return err_os(err, "cannot make control group '%s'", leaf);
	if (*made && c == CONTROLLER_CPUSET && !v2)
		inherit(base, leaf);
	return 0;
}

static int write_knob(struct cgroups *groups, enum cgroup_knob k,
	const char *leaf, const struct cgroup_limits *limits, struct err *err)
{
	const struct knob *knob = &knobs[k];
	bool v2 = cgroup_tree_is_v2(&groups->tree, knob->controller);
	AUTO_STR struct str text = STR_INIT;

	if (limits->set & CGROUP_BIT(k))
		knob->put(limits, v2, &text);
	else if (knob->none[v2])
		str_add(&text, knob->none[v2]);
	else {
		inherit(cgroup_tree_dir(&groups->tree, knob->controller), leaf);
		return 0;
	}
	if (cgroup_tree_put(leaf, knob->file[v2], str_text(&text)) == 0)
		return 0;
	return err_os(err, "[limits] %s: cannot write '%s' to %s/%s", knob->key,
		str_text(&text), leaf, knob->file[v2]);
}

/* ---- births ---- */

static void lack(struct cgroup_birth *birth, enum cgroup_knob knob,
	const struct err *why)
{
	if (!birth->lacks)
		birth->why = *why;
	birth->lacks |= CGROUP_BIT(knob);
}

/* Each hierarchy once: v1 has one for a controller, or for several. */
static int open_door(struct cgroups *groups, struct cgroup_birth *birth,
	enum cgroup_controller c, const char *leaf, struct err *err)
{
	AUTO_FREE char *procs = xasprintf("%s/cgroup.procs", leaf);
	bool v2 = cgroup_tree_is_v2(&groups->tree, c);
	int fd;

	if (v2 && birth->procs >= 0)
		return 0;
	fd = sys_openat(AT_FDCWD, procs, O_WRONLY, 0);
	if (fd < 0)
		return err_os(err, "cannot open control group '%s'", leaf);
	if (!v2) {
		birth->join[birth->njoin++] = fd;
		return 0;
	}
	birth->procs = fd;
	birth->into = sys_openat(AT_FDCWD, leaf, O_RDONLY | O_DIRECTORY, 0);
	return 0;
}

static int make_knob(struct cgroups *groups, const char *vm, enum cgroup_knob k,
	const struct cgroup_limits *limits, struct cgroup_birth *birth,
	struct err *err)
{
	enum cgroup_controller c = knobs[k].controller;
	AUTO_FREE char *leaf = leaf_of(groups, c, vm);
	bool made;

	if (!leaf)
		return err_set(err, ERR_UNSUPPORTED, "[limits] %s: %s",
			knobs[k].key, cgroup_tree_why(&groups->tree, c));
	if (make_leaf(groups, c, leaf, &made, err) ||
		write_knob(groups, k, leaf, limits, err))
		return -1;
	if (birth->doors & (1U << c))
		return 0;
	birth->doors |= 1U << c;
	return open_door(groups, birth, c, leaf, err);
}

void cgroup_make(struct cgroups *groups, const char *vm,
	const struct cgroup_limits *limits, struct cgroup_birth *birth)
{
	*birth = (struct cgroup_birth){ .into = -1, .procs = -1 };
	if (!limits->set)
		return;
	if (by) {
		by->make(vm, limits, birth);
		return;
	}
	cgroup_remove(groups, vm); /* its counters are of another life */
	for (enum cgroup_knob k = 0; k < CGROUP_NKNOBS; k++) {
		struct err err = ERR_INIT;

		if (limits->set & CGROUP_BIT(k) &&
			make_knob(groups, vm, k, limits, birth, &err))
			lack(birth, k, &err);
	}
}

int cgroup_open(struct cgroups *groups, const char *vm,
	struct cgroup_birth *birth, struct err *err)
{
	*birth = (struct cgroup_birth){ .into = -1, .procs = -1 };
	for (enum cgroup_controller c = 0; c < CONTROLLERS; c++) {
		AUTO_FREE char *leaf = leaf_of(groups, c, vm);

		if (!leaf || !is_there(leaf))
			continue;
		if (open_door(groups, birth, c, leaf, err)) {
			cgroup_birth_end(birth);
			return -1;
		}
	}
	return 0;
}

void cgroup_birth_end(struct cgroup_birth *birth)
{
	fd_close(&birth->into);
	fd_close(&birth->procs);
	while (birth->njoin > 0)
		fd_close(&birth->join[--birth->njoin]);
}

/* ---- what is ---- */

/* As its key's text; "" for what is no limit. */
static void add_key_text(enum cgroup_knob k, uint64_t n, struct str *out)
{
	if (k == CGROUP_CPU)
		str_addf(out, "%" PRIu64 "%%", n);
	else if (k == CGROUP_MEMORY)
		str_add_bytes(out, n);
	else
		str_addu(out, n);
}

static uint64_t number_of(enum cgroup_knob k, bool v2, const char *text)
{
	uint64_t n = str_digits(str_starts(text, "default ")
					? text + strlen("default ")
					: text);

	if (k == CGROUP_CPU)
		return n / 1000;
	if (k == CGROUP_CPU_WEIGHT && !v2)
		return (n * 100 + 512) / 1024;
	if (k == CGROUP_IO_WEIGHT && !v2)
		return n / 5;
	return n;
}

/* What the kernel says for "no limit" of any kind. */
static bool is_none(enum cgroup_knob k, bool v2, const char *text)
{
	return str_starts(text, "max") || *text == '-' || !*text ||
	       (k == CGROUP_MEMORY && !v2 &&
		       str_digits(text) > UINT64_C(1) << 62) ||
	       ((k == CGROUP_CPU_WEIGHT || k == CGROUP_IO_WEIGHT) &&
		       str_eq(text, knobs[k].none[v2]));
}

char *cgroup_text(struct cgroups *groups, const char *vm, enum cgroup_knob k)
{
	enum cgroup_controller c = knobs[k].controller;
	AUTO_FREE char *leaf = leaf_of(groups, c, vm);
	bool v2 = leaf && cgroup_tree_is_v2(&groups->tree, c);
	AUTO_FREE char *text = leaf ? get_text(leaf, knobs[k].file[v2]) : NULL;
	struct str out = STR_INIT;

	if (!text)
		return NULL;
	if (k == CGROUP_CPUSET)
		return TAKE(text);
	if (!is_none(k, v2, text))
		add_key_text(k, number_of(k, v2, text), &out);
	return str_take(&out);
}

char *cgroup_wish(const struct cgroup_limits *limits, enum cgroup_knob k)
{
	const uint64_t numbers[CGROUP_NKNOBS] = { [CGROUP_CPU] = limits->cpu,
		[CGROUP_CPU_WEIGHT] = limits->cpu_weight,
		[CGROUP_MEMORY] = limits->memory,
		[CGROUP_IO_WEIGHT] = limits->io_weight,
		[CGROUP_PIDS] = limits->pids };
	struct str out = STR_INIT;

	if (limits->set & CGROUP_BIT(k)) {
		if (k == CGROUP_CPUSET)
			str_add(&out, limits->cpuset);
		else
			add_key_text(k, numbers[k], &out);
	}
	return str_take(&out);
}

const char *cgroup_why(
	const struct cgroups *groups, const char *vm, enum cgroup_knob k)
{
	enum cgroup_controller c = knobs[k].controller;
	const char *base = groups ? cgroup_tree_dir(&groups->tree, c) : NULL;
	AUTO_FREE char *leaf = base ? xasprintf("%s/vm-%s", base, vm) : NULL;

	if (!leaf)
		return groups ? cgroup_tree_why(&groups->tree, c)
			      : "no cgroups";
	return is_there(leaf) ? "the kernel has another value"
			      : "its control group could not be made: see the "
				"log";
}

uint64_t cgroup_oom_kills(struct cgroups *groups, const char *vm)
{
	AUTO_FREE char *leaf = leaf_of(groups, CONTROLLER_MEMORY, vm);
	bool v2 = leaf && cgroup_tree_is_v2(&groups->tree, CONTROLLER_MEMORY);
	AUTO_FREE char *text = leaf ? get_text(leaf, v2 ? "memory.events"
							: "memory.oom_control")
				    : NULL;
	const char *counter = text ? strstr(text, "oom_kill ") : NULL;

	return counter ? str_digits(counter + strlen("oom_kill ")) : 0;
}

/* ---- of a process that runs ---- */

static int move_in(const char *leaf, pid_t pid, struct err *err)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)pid);
	if (cgroup_tree_put(leaf, "cgroup.procs", text) == 0)
		return 0;
	return err_os(err, "cannot move QEMU into control group '%s'", leaf);
}

static int set_knob(struct cgroups *groups, const char *vm, pid_t pid,
	enum cgroup_knob k, const struct cgroup_limits *limits, struct err *err)
{
	enum cgroup_controller c = knobs[k].controller;
	bool wanted = limits->set & CGROUP_BIT(k);
	AUTO_FREE char *leaf = leaf_of(groups, c, vm);
	AUTO_FREE char *is = NULL;
	bool made = false;

	if (!leaf && wanted)
		return err_set(err, ERR_UNSUPPORTED, "[limits] %s: %s",
			knobs[k].key, cgroup_tree_why(&groups->tree, c));
	is = cgroup_text(groups, vm, k);
	if (!wanted && !is)
		return 0;
	if (make_leaf(groups, c, leaf, &made, err) ||
		write_knob(groups, k, leaf, limits, err))
		return -1;
	return made ? move_in(leaf, pid, err) : 0;
}

int cgroup_set(struct cgroups *groups, const char *vm, pid_t pid,
	const struct cgroup_limits *limits, struct err *err)
{
	if (by)
		return by->set(vm, pid, limits, err);
	for (enum cgroup_knob k = 0; k < CGROUP_NKNOBS; k++)
		if (set_knob(groups, vm, pid, k, limits, err))
			return -1;
	return 0;
}

bool cgroup_remove(struct cgroups *groups, const char *vm)
{
	bool gone = true;

	if (by)
		return by->remove(vm);
	for (enum cgroup_controller c = 0; c < CONTROLLERS; c++) {
		const char *base = cgroup_tree_dir(&groups->tree, c);
		AUTO_FREE char *leaf = leaf_of(groups, c, vm);

		if (!leaf || !is_there(leaf))
			continue;
		if (sys_unlinkat(AT_FDCWD, leaf, AT_REMOVEDIR) &&
			errno != ENOENT) {
			cgroup_tree_put(leaf, "cgroup.kill", "1");
			gone = false;
		}
		sys_unlinkat(AT_FDCWD, base, AT_REMOVEDIR); /* the last one */
	}
	return gone;
}

int cgroup_score(pid_t pid, int score, struct err *err)
{
	char path[48];
	char text[16];
	AUTO_CLOSE int fd = -1;

	if (by)
		return by->score(pid, score, err);
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	snprintf(text, sizeof(text), "%d", score);
	fd = sys_openat(AT_FDCWD, path, O_WRONLY, 0);
	if (fd < 0 || sys_write(fd, text, strlen(text)) < 0)
		return err_os(err, "[limits] oom-score = %d", score);
	return 0;
}
