/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's own file; see settings.h. */
#include "supervisor/settings.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/ini.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/remark.h"
#include "supervisor/show.h"
#include "supervisor/users.h"

#define SHOWN "vmward.ini"

static const char *const on_exit_names[] = { "leave", "shutdown", NULL };
static const char *const level_names[] = { "error", "warn", "info", "debug",
	"trace", NULL };
static const char *const confinement_names[] = { "full", "best-effort", "off",
	NULL };

/* ---- values ---- */

/* struct settings_uids: FIRST-LAST, without root */
static int value_uids(const char *text, void *field, struct err *err)
{
	const char *dash = strchr(text, '-');
	AUTO_FREE char *first =
		xstrndup(text, dash ? (size_t)(dash - text) : 0);
	struct err bad = ERR_INIT;
	uint64_t from;
	uint64_t to;

	if (!dash || str_to_u64(first, &from, &bad) ||
		str_to_u64(dash + 1, &to, &bad))
		return err_set(err, ERR_CONFIG,
			"%s: say FIRST-LAST, as 200000-265535", text);
	if (from < 1 || to < from || to >= UINT32_MAX)
		return err_set(err, ERR_CONFIG,
			"%s: say a first and a last uid between 1 and "
			"4294967294",
			text);
	*(struct settings_uids *)field =
		(struct settings_uids){ (uint32_t)from, (uint32_t)to };
	return 0;
}

/* ---- tables: one row is one key ---- */

/* clang-format off */
#define AT(member) .offset = offsetof(struct settings_vmward, member)
static const struct key vmward_keys[] = {
	{ "parallel-starts", KEY_INT, AT(parallel_starts), .min = 1,
		.max = 10000, .when = KEY_POLICY,
		.help = "How many VMs start at once; as many as the host has "
			"processors unless written." },
	{ "shutdown-timeout", KEY_DURATION, AT(shutdown_timeout),
		.fallback = "3min", .min = 1000, .max = UINT64_MAX,
		.when = KEY_POLICY,
		.help = "How long all VMs together may take to stop when the "
			"host or the supervisor goes down." },
	{ "on-exit", KEY_CHOICE, AT(on_exit), .fallback = "leave",
		.choices = on_exit_names, .when = KEY_POLICY,
		.help = "What SIGTERM to the supervisor means for the VMs: "
			"they run on, or they are shut down first." },
	{ "log-level", KEY_CHOICE, AT(log_level), .fallback = "info",
		.choices = level_names, .when = KEY_POLICY,
		.help = "What the supervisor's own log has; --log-level of "
			"vmwardd wins." },
	KEYS_END,
};
#undef AT

#define AT(member) .offset = offsetof(struct settings_roles, member)
static const struct key roles_keys[] = {
	{ "admin", KEY_LIST, AT(admin), .when = KEY_POLICY,
		.help = "Users and @groups who may do everything, besides "
			"root and the group vmward." },
	{ "operator", KEY_LIST, AT(operator_), .when = KEY_POLICY,
		.help = "Users and @groups who may start, stop and look into "
			"VMs, but change no configuration." },
	{ "viewer", KEY_LIST, AT(viewer), .when = KEY_POLICY,
		.help = "Users and @groups who may look, and change nothing." },
	KEYS_END,
};
#undef AT

#define AT(member) .offset = offsetof(struct settings_confinement, member)
static const struct key confinement_keys[] = {
	{ "mode", KEY_CHOICE, AT(mode), .fallback = "full",
		.choices = confinement_names, .when = KEY_POLICY,
		.help = "Whether a VM starts where part of QEMU's confinement "
			"cannot be applied: full refuses, best-effort does "
			"without that part, off confines nothing but by "
			"QEMU's own sandbox." },
	{ "uid-range", KEY_CUSTOM, AT(uids),
		.fallback = "1987510272-1987575807", .parse = value_uids,
		.form = "FIRST-LAST", .when = KEY_POLICY,
		.help = "The uids (and gids) that VMs get, one each; nobody "
			"else on the host may have one of them." },
	KEYS_END,
};
#undef AT

#define ONE(member, table)                              \
	.keys = table,                                  \
	.offset = offsetof(struct settings, member),    \
	.size = sizeof(((struct settings *)0)->member), \
	.enabled_offset = KEYS_NO_ENABLED
const struct section settings_sections[] = {
	{ .name = "vmward", ONE(vmward, vmward_keys),
		.help = "The supervisor itself." },
	{ .name = "roles", ONE(roles, roles_keys),
		.help = "Who may do what over the control socket." },
	{ .name = "confinement", ONE(confinement, confinement_keys),
		.help = "What QEMU is kept from." },
};
/* clang-format on */
const size_t settings_nsections = NELEMS(settings_sections);

/* ---- checks across keys ---- */

/* "ann", "1000" or "@staff" */
static bool is_user(const char *word)
{
	word += *word == '@';
	return *word && !strpbrk(word, " \t:/,");
}

static void add_who(struct settings_roles *roles, struct settings_who who)
{
	roles->who = xreallocarray(
		roles->who, roles->nwho + 1, sizeof(roles->who[0]));
	roles->who[roles->nwho++] = who;
}

/* Looks a list up: whoever it names must be there. */
static void take_users(const struct remarks *to, struct settings_roles *roles,
	enum role role, char **list)
{
	const char *key = role_name(role);

	for (char **word = list; word && *word; word++) {
		bool group = **word == '@';
		const char *name = *word + group;
		struct settings_who who = { .role = role, .group = group };

		if (!is_user(*word))
			remark_error(to, "roles", key,
				"%s: say users and @groups, with commas "
				"between them",
				*word);
		else if (group ? users_find_group(name, &who.id)
			       : users_find(name, &who.id))
			remark_error(to, "roles", key,
				"%s: no such %s in %s: make it, or write its "
				"number",
				*word, group ? "group" : "user",
				group ? "/etc/group" : "/etc/passwd");
		else
			add_who(roles, who);
	}
}

/* ---- reading ---- */

static char *path_of(const struct paths *paths)
{
	if (paths->scope == PATHS_FILE || !paths->config)
		return NULL; /* `run FILE` is a host of its own */
	return xasprintf("%s/" SHOWN, paths->config);
}

static bool exists(const char *path)
{
	struct stat st;

	return sys_fstatat(AT_FDCWD, path, &st, 0) == 0;
}

bool settings_is_file(const char *path)
{
	const char *name = strrchr(path, '/');

	return str_eq(name ? name + 1 : path, SHOWN) &&
	       !str_ends(path, "/vms/" SHOWN) && !str_eq(path, "vms/" SHOWN);
}

int settings_confinement_of(const char *word)
{
	for (int i = 0; confinement_names[i]; i++)
		if (str_eq(confinement_names[i], word))
			return i;
	return -1;
}

/* Fills them from their entries; mistakes go to f. */
static void fill(
	struct settings *settings, const char *home, struct findings *f)
{
	char host[65] = "";
	const struct key_scope scope = { "vmward", "vmward", NULL, host, home };
	const struct remarks to = { &settings->ini, SHOWN, f };
	struct settings_roles *roles = &settings->roles;

	if (gethostname(host, sizeof(host) - 1) < 0)
		host[0] = '\0';
	if (keys_fill(settings, settings_sections, settings_nsections,
		    &settings->ini, &scope, f) < 0)
		return;
	take_users(&to, roles, ROLE_ADMIN, roles->admin);
	take_users(&to, roles, ROLE_OPERATOR, roles->operator_);
	take_users(&to, roles, ROLE_VIEWER, roles->viewer);
}

static struct settings *read_file(const struct paths *paths, const char *path,
	const char *shown, struct findings *f)
{
	struct settings *settings = NEW(struct settings);
	unsigned before = f->errors;

	ini_init(&settings->ini);
	settings->ini.keep_bad = true;
	if (path && ini_read(&settings->ini, AT_FDCWD, path, shown, f))
		before = UINT_MAX; /* the tables still look at the rest */
	fill(settings, paths ? paths->home : NULL, f);
	findings_sort(f);
	if (f->errors == before)
		return settings;
	settings_free(settings);
	return NULL;
}

struct settings *settings_read(
	const struct paths *paths, const char *path, struct findings *f)
{
	AUTO_FREE char *own = path ? NULL : path_of(paths);

	if (!path && (!own || !exists(own)))
		return read_file(paths, NULL, NULL, f);
	return read_file(paths, path ? path : own, path ? path : SHOWN, f);
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	keys_release(settings, settings_sections, settings_nsections);
	ini_fini(&settings->ini);
	free(settings->roles.who);
	free(settings->error);
	free(settings);
}

void settings_show(const struct settings *settings, bool origin,
	const char *section, struct str *out)
{
	const struct show show = { .ini = &settings->ini,
		.tables = settings_sections,
		.ntables = settings_nsections,
		.origin = origin,
		.only = section };

	show_entries(&show, out);
}

/* ---- in force ---- */

static struct settings *defaults_new(void)
{
	struct findings none;
	struct settings *settings;

	findings_init(&none);
	settings = read_file(NULL, NULL, NULL, &none);
	findings_fini(&none);
	BUG_ON(!settings);
	return settings;
}

const struct settings *settings_of(const struct env *env)
{
	static struct settings *defaults;

	if (env->settings)
		return env->settings;
	if (!defaults)
		defaults = defaults_new();
	return defaults;
}

static bool same(const struct settings *a, const struct settings *b)
{
	AUTO_STR struct str one = STR_INIT;
	AUTO_STR struct str other = STR_INIT;

	settings_show(a, false, NULL, &one);
	settings_show(b, false, NULL, &other);
	return str_eq(str_text(&one), str_text(&other));
}

/* Says once what is wrong with a file that stays as it is. */
static void refuse(struct env *env, const struct findings *f)
{
	struct err err = ERR_INIT;

	findings_to_err(f, &err);
	if (!env->settings)
		env->settings = defaults_new();
	if (env->settings->error && str_eq(env->settings->error, err.text))
		return;
	free(env->settings->error);
	env->settings->error = xstrdup(err.text);
	log_error(NULL, "%s; the settings stay as they were", err.text);
}

/* What has to be told about a change; all else is asked for when needed. */
static void put_in_force(const struct env *env, const struct settings *now)
{
	const struct settings *before = settings_of(env);

	if (now->vmward.log_level != before->vmward.log_level &&
		!env->level_given)
		log_set_level((enum log_level)now->vmward.log_level);
}

bool settings_follow(struct env *env)
{
	struct findings f;
	struct settings *now;
	bool changed;

	findings_init(&f);
	now = settings_read(&env->paths, NULL, &f);
	if (!now)
		refuse(env, &f);
	findings_fini(&f);
	if (!now)
		return false;
	changed = !same(settings_of(env), now);
	put_in_force(env, now);
	settings_free(env->settings);
	env->settings = now;
	return changed;
}

void settings_drop(struct env *env)
{
	settings_free(env->settings);
	env->settings = NULL;
}
