/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the privileged half starts QEMU; see host_qemu.h. */
#include "supervisor/host_qemu.h"

#include <stdlib.h>
#include <string.h>

#include "base/landlock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/argv.h"

#define RULES_MAX 48
#define ENV_MAX   5

/* What QEMU uses of the host: all else comes as a descriptor. */
static const struct confine_rule always[] = {
	{ "/lib", FS_PROGRAM },
	{ "/lib64", FS_PROGRAM },
	{ "/usr/lib", FS_PROGRAM },
	{ "/usr/lib64", FS_PROGRAM },
	{ "/usr/local/lib", FS_PROGRAM },
	{ "/etc/ld.so.cache", FS_READ_FILE },
	{ "/etc/ld-musl-x86_64.path", FS_READ_FILE },
	{ "/etc/localtime", FS_READ_FILE },
	{ "/usr/share/qemu", FS_READ },
	{ "/usr/share/seabios", FS_READ },
	{ "/usr/share/ipxe", FS_READ },
	{ "/usr/share/vgabios", FS_READ },
	{ "/usr/share/edk2", FS_READ },
	{ "/usr/share/OVMF", FS_READ },
	{ "/usr/share/ovmf", FS_READ },
	{ "/sys/devices", FS_READ },
	{ "/proc/sys/vm/overcommit_memory", FS_READ_FILE },
	{ "/dev/null", FS_READ_FILE | FS_WRITE_FILE },
	{ "/dev/random", FS_READ_FILE },
	{ "/dev/urandom", FS_READ_FILE },
	{ "/dev/kvm", FS_READ_FILE | FS_WRITE_FILE },
	{ "/dev/vhost-net", FS_READ_FILE | FS_WRITE_FILE },
	{ "/dev/vhost-vsock", FS_READ_FILE | FS_WRITE_FILE },
};

/* Besides, where it looks names up: for disks by URL and user networks. */
static const struct confine_rule online[] = {
	{ "/etc/hosts", FS_READ_FILE },
	{ "/etc/resolv.conf", FS_READ_FILE },
	{ "/etc/nsswitch.conf", FS_READ_FILE },
	{ "/etc/host.conf", FS_READ_FILE },
	{ "/etc/gai.conf", FS_READ_FILE },
	{ "/etc/services", FS_READ_FILE },
	{ "/etc/ssh/ssh_known_hosts", FS_READ_FILE },
	{ "/etc/ssl", FS_READ },
	{ "/etc/pki", FS_READ },
	{ "/run/systemd/resolve", FS_READ },
	{ "/run/NetworkManager", FS_READ },
	{ "/run/resolvconf", FS_READ },
};

/* What a QEMU of another place than /usr/bin has beside it. */
static const struct {
	const char *dir;
	uint64_t allowed;
} beside[] = {
	{ "share", FS_READ },
	{ "lib", FS_PROGRAM },
	{ "lib64", FS_PROGRAM },
};

struct rules {
	struct confine_rule at[RULES_MAX];
	size_t n;
	char *own[NELEMS(beside)]; /* paths that are ours */
};

static void add(struct rules *rules, const char *path, uint64_t allowed)
{
	BUG_ON(rules->n >= RULES_MAX);
	rules->at[rules->n++] = (struct confine_rule){ path, allowed };
}

/* PREFIX/bin/qemu: also PREFIX/share and PREFIX/lib. */
static void add_program(struct rules *rules, const char *path)
{
	const char *bin = strstr(path, "/bin/");

	add(rules, path, FS_EXECUTE | FS_READ_FILE);
	if (!bin || str_starts(path, "/usr/bin/") ||
		strchr(bin + strlen("/bin/"), '/'))
		return;
	for (size_t i = 0; i < NELEMS(beside); i++) {
		rules->own[i] = xasprintf(
			"%.*s/%s", (int)(bin - path), path, beside[i].dir);
		add(rules, rules->own[i], beside[i].allowed);
	}
}

static void fill_rules(struct rules *rules, const char *program, bool names)
{
	*rules = (struct rules){ .n = 0 };
	for (size_t i = 0; i < NELEMS(always); i++)
		add(rules, always[i].path, always[i].allowed);
	for (size_t i = 0; names && i < NELEMS(online); i++)
		add(rules, online[i].path, online[i].allowed);
	add_program(rules, program);
}

/* The remedy is the VM's: it names what it can do without. */
static int refuse(const struct err *why, struct err *err)
{
	struct err copy = *why;

	return err_set(err, copy.code,
		"%s ([vm] confinement = best-effort runs it without that)",
		copy.text);
}

/* Without the parts that the host refuses, one after the other. */
int host_qemu_try(struct spawn_plan *plan, struct confine *confine, bool must,
	struct host_qemu *out, struct err *err)
{
	enum confine_part failed = CONFINE_NONE;

	plan->failed = &failed;
	while (spawn(plan, &out->pid, &out->pidfd, err)) {
		out->failed = failed;
		if (failed == CONFINE_NONE)
			return -1;
		if (must)
			return refuse(err, err);
		confine->parts &= ~CONFINE_BIT(failed);
		failed = CONFINE_NONE;
		err_clear(err);
	}
	out->parts = confine->parts;
	return 0;
}

/*
 * What libssh goes by: the home with the key, else the agent of our user,
 * which lets nobody else in.
 */
struct login_env {
	const char *at[ENV_MAX];
	char *own; /* one of them, which is ours */
};

static void fill_env(struct login_env *env, const struct host_confine *wish)
{
	const char *agent = getenv("SSH_AUTH_SOCK");
	bool ours = !(wish->parts & CONFINE_BIT(CONFINE_USER));

	*env = (struct login_env){
		{ "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/" }, NULL
	};
	if (wish->login)
		env->at[2] = env->own =
			xasprintf("HOME=/proc/self/fd/%d", ARGV_FD_LOGIN);
	else if (agent && ours)
		env->at[3] = env->own = xasprintf("SSH_AUTH_SOCK=%s", agent);
}

static int run_here(const struct spawn_plan *plan,
	const struct host_confine *wish, const char *home,
	struct host_qemu *out, struct err *err)
{
	struct login_env env = { { NULL }, NULL };
	struct spawn_plan shut_in = *plan;
	struct rules rules;
	struct confine confine = { .parts = wish->parts,
		.uid = wish->uid,
		.group = wish->group,
		.tasks = wish->tasks,
		.locked = wish->locked };
	int rc;

	fill_rules(&rules, plan->path, wish->online);
	if (wish->login)
		add(&rules, home, FS_READ);
	if (wish->ssh) {
		fill_env(&env, wish);
		shut_in.env = env.at;
	}
	confine.rules = rules.at;
	confine.nrules = rules.n;
	shut_in.confine = wish->parts ? &confine : NULL;
	rc = host_qemu_try(&shut_in, &confine, wish->must, out, err);
	for (size_t i = 0; i < NELEMS(rules.own); i++)
		free(rules.own[i]);
	free(env.own);
	return rc;
}

static host_qemu_fn *by;

void host_qemu_by(host_qemu_fn *other)
{
	by = other;
}

int host_qemu_run(const struct spawn_plan *plan,
	const struct host_confine *wish, const char *home,
	struct host_qemu *out, struct err *err)
{
	/* without a user of its own nobody's power is needed */
	return by && wish->parts & CONFINE_BIT(CONFINE_USER)
		       ? by(plan, wish, home, out, err)
		       : run_here(plan, wish, home, out, err);
}
