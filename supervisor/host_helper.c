/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers of a VM under its user; see host_helper.h. */
#include "supervisor/host_helper.h"

#include <stdio.h>

#include "base/landlock.h"
#include "base/mem.h"
#include "base/str.h"

#define RULES_MAX 16
#define FS_OWN \
	(FS_READ | FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_FILE | FS_REMOVE_FILE)

static const struct confine_rule of_swtpm[] = {
	{ "/lib", FS_PROGRAM },
	{ "/lib64", FS_PROGRAM },
	{ "/usr/lib", FS_PROGRAM },
	{ "/usr/lib64", FS_PROGRAM },
	{ "/etc/ld.so.cache", FS_READ_FILE },
	{ "/etc/ssl", FS_READ },
	{ "/dev/null", FS_READ_FILE | FS_WRITE_FILE },
	{ "/dev/urandom", FS_READ_FILE },
	{ "/dev/random", FS_READ_FILE },
};

static const struct helper {
	const char *name;
	const struct confine_rule *rules;
	size_t nrules;
} helpers[] = {
	{ "swtpm", of_swtpm, NELEMS(of_swtpm) },
};

static const struct helper *find(const char *name)
{
	for (size_t i = 0; i < NELEMS(helpers); i++)
		if (str_eq(helpers[i].name, name))
			return &helpers[i];
	return NULL;
}

bool host_helper_is_known(const char *name)
{
	return find(name) != NULL;
}

static int run_here(const char *name, const struct spawn_plan *plan, int dir,
	const struct host_confine *wish, struct host_qemu *out, struct err *err)
{
	const struct helper *helper = find(name);
	AUTO_FREE char *path = spawn_find(name);
	struct confine_rule rules[RULES_MAX];
	struct confine confine = {
		.parts = wish->parts, .uid = wish->uid, .rules = rules
	};
	struct spawn_plan shut_in = *plan;
	char own[32];

	if (!helper || !path)
		return err_set(err, ERR_NOT_FOUND, "there is no '%s'", name);
	for (; confine.nrules < helper->nrules; confine.nrules++)
		rules[confine.nrules] = helper->rules[confine.nrules];
	rules[confine.nrules++] =
		(struct confine_rule){ path, FS_EXECUTE | FS_READ_FILE };
	snprintf(own, sizeof(own), "/proc/self/fd/%d", dir);
	if (dir >= 0)
		rules[confine.nrules++] = (struct confine_rule){ own, FS_OWN };
	shut_in.path = path;
	shut_in.confine = &confine;
	return host_qemu_try(&shut_in, &confine, wish->must, out, err);
}

static host_helper_fn *by;

void host_helper_by(host_helper_fn *other)
{
	by = other;
}

int host_helper_run(const char *name, const struct spawn_plan *plan, int dir,
	const struct host_confine *wish, struct host_qemu *out, struct err *err)
{
	/* without a user of its own nobody's power is needed */
	return by && wish->parts & CONFINE_BIT(CONFINE_USER)
		       ? by(name, plan, dir, wish, out, err)
		       : run_here(name, plan, dir, wish, out, err);
}
