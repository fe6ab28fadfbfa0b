/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where control groups of ours can be; see cgroup_tree.h. */
#include "supervisor/cgroup_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#define TEXT_MAX (1024 * 1024)
#define LEAF     "supervisor" /* DelegateSubgroup= of our unit */

static const struct {
	const char *v1;
	const char *v2;
} names[CONTROLLERS] = {
	[CONTROLLER_CPU] = { "cpu", "cpu" },
	[CONTROLLER_MEMORY] = { "memory", "memory" },
	[CONTROLLER_IO] = { "blkio", "io" },
	[CONTROLLER_PIDS] = { "pids", "pids" },
	[CONTROLLER_CPUSET] = { "cpuset", "cpuset" },
};

/* True if a list with that separator has the word. */
static bool has_word(const char *list, char separator, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at; at = strchr(at, separator)) {
		at += *at == separator;
		if (!strncmp(at, word, len) &&
			(!at[len] || at[len] == separator || at[len] == '\n'))
			return true;
	}
	return false;
}

static char *read_text(const char *root, const char *path)
{
	AUTO_FREE char *full = xasprintf("%s%s", root, path);
	struct str text = STR_INIT;
	struct err err = ERR_INIT;

	if (fd_read_file(AT_FDCWD, full, TEXT_MAX, &text, &err))
		str_cut(&text, 0);
	return str_take(&text);
}

/* ---- where we are ---- */

/* The group of a line of /proc/self/cgroup: "4:memory:/a/b"; new, or NULL. */
static char *group_of(const char *groups, const char *controller)
{
	for (const char *line = groups; line && *line;
		line = strchr(line, '\n')) {
		const char *list;
		const char *path;

		line += *line == '\n';
		list = strchr(line, ':');
		path = list ? strchr(list + 1, ':') : NULL;
		if (!path)
			continue;
		AUTO_FREE char *words =
			xstrndup(list + 1, (size_t)(path - list - 1));
		if (*controller ? has_word(words, ',', controller)
				: !*words && *line == '0')
			return xstrndup(path + 1, strcspn(path + 1, "\n"));
	}
	return NULL;
}

/* Fields of a line of mountinfo; false: it is no hierarchy. */
struct mount {
	char root[4096];
	char point[4096];
	char type[32];
	char options[1024];
};

/* The n-th word of a text, from 0 on; false: it has none, or a longer one. */
static bool word(const char *text, unsigned n, char *out, size_t size)
{
	size_t len;

	text += strspn(text, " ");
	for (; n > 0; n--) {
		text += strcspn(text, " ");
		text += strspn(text, " ");
	}
	len = strcspn(text, " ");
	if (len == 0 || len >= size)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

static bool take_mount(const char *line, struct mount *m)
{
	AUTO_FREE char *text = xstrndup(line, strcspn(line, "\n"));
	const char *dash = strstr(text, " - ");

	return dash && word(text, 3, m->root, sizeof m->root) &&
	       word(text, 4, m->point, sizeof m->point) &&
	       word(dash, 1, m->type, sizeof m->type) &&
	       word(dash, 3, m->options, sizeof m->options) &&
	       str_starts(m->type, "cgroup");
}

/* What a group is called below a mount, which may be of a part of it. */
static const char *below(const struct mount *m, const char *group)
{
	size_t len = strlen(m->root);

	if (str_eq(m->root, "/"))
		return str_eq(group, "/") ? "" : group;
	if (!strncmp(group, m->root, len) && (group[len] == '/' || !group[len]))
		return group + len;
	return "";
}

static void take_v1(struct cgroup_tree *tree, const struct mount *m,
	const char *root, const char *groups, const char *name)
{
	for (enum cgroup_controller c = 0; c < CONTROLLERS; c++) {
		AUTO_FREE char *group = NULL;

		if (tree->v1[c] || !has_word(m->options, ',', names[c].v1))
			continue;
		group = group_of(groups, names[c].v1);
		if (group)
			tree->v1[c] = xasprintf("%s%s%s/%s", root, m->point,
				below(m, group), name);
	}
}

/*
 * A unit of systemd that no DelegateSubgroup= keeps us in the midst of: with
 * controllers on, systemd could start us there no second time.
 */
static bool is_unit(const char *group)
{
	return str_ends(group, ".service") || str_ends(group, ".scope");
}

static void take_v2(struct cgroup_tree *tree, const struct mount *m,
	const char *root, const char *groups, const char *name)
{
	AUTO_FREE char *group = group_of(groups, "");
	AUTO_FREE char *above = NULL;
	AUTO_FREE char *controllers = NULL;

	if (tree->own || !group)
		return;
	tree->own = xasprintf("%s%s%s", root, m->point, below(m, group));
	above = str_ends(tree->own, "/" LEAF) ? str_dir(tree->own)
					      : xstrdup(tree->own);
	controllers = read_text(above, "/cgroup.controllers");
	for (enum cgroup_controller c = 0; c < CONTROLLERS; c++)
		if (has_word(controllers, ' ', names[c].v2))
			tree->in_v2 |= 1U << c;
	if (tree->in_v2 && is_unit(above) && str_eq(above, tree->own))
		tree->why = xasprintf("systemd runs us in the midst of '%s': "
				      "its unit lacks DelegateSubgroup=" LEAF,
			above);
	if (tree->why)
		tree->in_v2 = 0;
	if (tree->in_v2)
		tree->v2 = xasprintf("%s/%s", above, name);
}

void cgroup_tree_find(
	struct cgroup_tree *tree, const char *root, const char *name)
{
	AUTO_FREE char *mounts = read_text(root, "/proc/self/mountinfo");
	AUTO_FREE char *groups = read_text(root, "/proc/self/cgroup");
	AUTO_FREE struct mount *m = NEW(struct mount);

	*tree = (struct cgroup_tree){ 0 };
	for (const char *line = mounts; line && *line;
		line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!take_mount(line, m))
			continue;
		if (str_eq(m->type, "cgroup2"))
			take_v2(tree, m, root, groups, name);
		else
			take_v1(tree, m, root, groups, name);
	}
}

void cgroup_tree_fini(struct cgroup_tree *tree)
{
	free(tree->own);
	free(tree->v2);
	free(tree->why);
	for (enum cgroup_controller c = 0; c < CONTROLLERS; c++)
		free(tree->v1[c]);
	*tree = (struct cgroup_tree){ 0 };
}

/* ---- our directory ---- */

bool cgroup_tree_is_v2(const struct cgroup_tree *tree, enum cgroup_controller c)
{
	return tree->in_v2 & (1U << c);
}

const char *cgroup_tree_dir(
	const struct cgroup_tree *tree, enum cgroup_controller c)
{
	return cgroup_tree_is_v2(tree, c) ? tree->v2 : tree->v1[c];
}

const char *cgroup_tree_why(
	const struct cgroup_tree *tree, enum cgroup_controller c UNUSED)
{
	return tree->why ? tree->why
			 : "this host's cgroups have no controller "
			   "for it";
}

int cgroup_tree_put(const char *dir, const char *file, const char *text)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, file);
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path, O_WRONLY, 0);

	return fd < 0 || sys_write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

/*
 * Nobody may be in a group whose children are limited, but for the root: we
 * go, and our children with us.  One that has ended meanwhile is nowhere.
 */
static int step_aside(struct cgroup_tree *tree, struct err *err)
{
	AUTO_FREE char *leaf = xasprintf("%s/" LEAF, tree->own);
	AUTO_FREE char *children = read_text("", "/proc/thread-self/children");
	char pid[24];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (sys_mkdirat(AT_FDCWD, leaf, 0755) && errno != EEXIST)
		return err_os(err, "cannot make control group '%s'", leaf);
	if (cgroup_tree_put(leaf, "cgroup.procs", pid))
		return err_os(err, "cannot move into control group '%s'", leaf);
	for (unsigned n = 0; word(children, n, pid, sizeof(pid)); n++)
		cgroup_tree_put(leaf, "cgroup.procs", pid);
	return 0;
}

/* Turns a controller on for what is below a group. */
static int turn_on(struct cgroup_tree *tree, const char *dir,
	enum cgroup_controller c, struct err *err)
{
	AUTO_FREE char *on = xasprintf("+%s", names[c].v2);
	AUTO_FREE char *now = read_text(dir, "/cgroup.subtree_control");

	if (has_word(now, ' ', names[c].v2) ||
		!cgroup_tree_put(dir, "cgroup.subtree_control", on))
		return 0;
	if (errno == EBUSY && str_eq(dir, tree->own)) {
		if (step_aside(tree, err))
			return -1;
		if (!cgroup_tree_put(dir, "cgroup.subtree_control", on))
			return 0;
	}
	return err_os(
		err, "cannot turn controller %s on in '%s'", names[c].v2, dir);
}

int cgroup_tree_make(
	struct cgroup_tree *tree, enum cgroup_controller c, struct err *err)
{
	const char *dir = cgroup_tree_dir(tree, c);
	AUTO_FREE char *above = dir ? str_dir(dir) : NULL;

	if (!dir)
		return err_set(
			err, ERR_UNSUPPORTED, "%s", cgroup_tree_why(tree, c));
	if (cgroup_tree_is_v2(tree, c) && turn_on(tree, above, c, err))
		return -1;
	if (sys_mkdirat(AT_FDCWD, dir, 0755) && errno != EEXIST)
		return err_os(err, "cannot make control group '%s'%s", dir,
			errno == EROFS ? " (cgroups are read-only here)" : "");
	return cgroup_tree_is_v2(tree, c) ? turn_on(tree, dir, c, err) : 0;
}
