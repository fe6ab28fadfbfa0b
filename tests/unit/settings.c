/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmward.ini: defaults, every key, mistakes, what stays in force. */
#include "supervisor/settings.h"

#include "base/log.h"
#include "tests/unit/confdir.h"
#include "tests/unit/tap.h"

/* What is found in a text, notes too; new. */
static char *findings_of(const char *text, bool *loads)
{
	struct findings f;

	findings_init(&f);
	conf_put("vmward.ini", text);
	struct settings *settings = settings_read(&conf, NULL, &f);
	char *found = conf_found(&f);
	*loads = settings != NULL;
	settings_free(settings);
	findings_fini(&f);
	return found;
}

static void test_defaults(void)
{
	struct env env = { .paths = conf };
	const struct settings *s = settings_of(&env);

	is_int(s->vmward.parallel_starts, 0, "as many as processors");
	is_int(s->vmward.shutdown_timeout, 180000, "three minutes");
	is_int(s->vmward.on_exit, ON_EXIT_LEAVE, "VMs are left alone");
	is_int(s->vmward.log_level, LOG_INFO, "info");
	is_int(s->confinement.uids.first, 0x76770000, "the uid pool");
	ok(!settings_follow(&env), "no file: nothing changes");
	ok(env.settings && !env.settings->error, "and nothing is wrong");
	settings_drop(&env);
}

static void test_every_key(void)
{
	struct env env = { .paths = conf };
	AUTO_STR struct str shown = STR_INIT;
	const char *text = "[vmward]\nparallel-starts = 3\n"
			   "shutdown-timeout = infinity\non-exit = shutdown\n"
			   "log-level = error\n"
			   "\n[roles]\nadmin = root, @root\noperator = 1000\n"
			   "viewer = @0\n"
			   "\n[confinement]\nmode = best-effort\n"
			   "uid-range = 200000-265535\n";

	conf_put("vmward.ini", text);
	ok(settings_follow(&env), "a file changes something");
	const struct settings *s = settings_of(&env);
	is_int(s->vmward.parallel_starts, 3, "parallel-starts");
	ok(s->vmward.shutdown_timeout == STR_FOREVER, "shutdown-timeout");
	is_int(s->vmward.on_exit, ON_EXIT_SHUTDOWN, "on-exit");
	is_int(s->vmward.log_level, LOG_ERROR, "log-level");
	is_str(s->roles.admin[1], "@root", "admin");
	is_str(s->roles.operator_[0], "1000", "operator");
	is_str(s->roles.viewer[0], "@0", "viewer");
	is_int(s->confinement.mode, CONFINE_BEST_EFFORT, "mode");
	is_int(s->confinement.uids.last, 265535, "uid-range");
	settings_show(s, false, NULL, &shown);
	is_str(str_text(&shown), text, "show says the same");
	str_cut(&shown, 0);
	settings_show(s, true, "roles", &shown);
	ok(strstr(str_text(&shown), "viewer = @0  ; vmward.ini:10\n"),
		"a section with its origins");
	ok(!strstr(str_text(&shown), "on-exit"), "and nothing else");
	ok(!settings_follow(&env), "read again: nothing changes");
	settings_drop(&env);
	log_set_level(LOG_INFO);
}

static void test_mistakes(void)
{
	static const struct {
		const char *text;
		const char *found;
	} cases[] = {
		{ "[vmward]\nlog-levle = warn\n",
			"vmward.ini:2: unknown key 'log-levle' in [vmward] "
			"(did you mean 'log-level'?)\n" },
		{ "[vm]\nmemory = 1G\n", "vmward.ini:1: unknown section [vm]" },
		{ "[vmward]\nlog-level = loud\n",
			"vmward.ini:2: [vmward] log-level = loud: say one of" },
		{ "[vmward]\nparallel-starts = 0\n",
			"vmward.ini:2: [vmward] parallel-starts = 0: say at "
			"least 1\n" },
		{ "[vmward]\nshutdown-timeout = 30\n", "vmward.ini:2: " },
		{ "[roles]\nadmin = ann bob\n",
			"vmward.ini:2: [roles] admin: ann bob: say users" },
		{ "[roles]\nviewer = no-such-user\n",
			"vmward.ini:2: [roles] viewer: no-such-user: no such "
			"user in /etc/passwd: make it, or write its number" },
		{ "[roles]\n\noperator = root, @no-such-group\n",
			"vmward.ini:3: [roles] operator: @no-such-group: no "
			"such group in /etc/group" },
		{ "[roles]\nviewer = @\n", "vmward.ini:2: [roles] viewer: @" },
		{ "[confinement]\nuid-range = 0-9\n",
			"vmward.ini:2: [confinement] uid-range = 0-9: say" },
		{ "[confinement]\nuid-range = 9-5\n", "vmward.ini:2: " },
		{ "[confinement]\nuid-range = 7\n", "vmward.ini:2: " },
		{ "[confinement]\nuid-range = 1-4294967295\n",
			"vmward.ini:2: " },
		{ "[vmward]\nlog-level = warn\nlog-level = info\n",
			"vmward.ini:3: " },
		{ "log-level = warn\n", "vmward.ini:1: " },
		{ "[vmward]\nlog-level = \\\n[roles]\n", "vmward.ini:2: " },
		{ "\xff\xfe", "vmward.ini:1: " },
	};

	for (size_t i = 0; i < NELEMS(cases); i++) {
		bool loads;
		AUTO_FREE char *found = findings_of(cases[i].text, &loads);

		ok(str_starts(found, cases[i].found) && !loads,
			"mistake %zu: %s", i, found);
	}
}

/* A bad file changes nothing; a good one after it, or none, does. */
static void test_stays(void)
{
	struct env env = { .paths = conf };

	conf_put("vmward.ini", "[vmward]\non-exit = shutdown\n");
	settings_follow(&env);
	conf_put("vmward.ini", "[vmward]\non-exit = perhaps\n");
	ok(!settings_follow(&env), "a bad file changes nothing");
	is_int(settings_of(&env)->vmward.on_exit, ON_EXIT_SHUTDOWN,
		"what was in force stays");
	ok(str_starts(env.settings->error, "vmward.ini:2: "),
		"with the reason: %s", env.settings->error);
	conf_put("vmward.ini", "[vmward]\non-exit = shutdown\n");
	ok(!settings_follow(&env) && !env.settings->error,
		"mended: the same as before, and nothing wrong");
	conf_put("vmward.ini", NULL);
	ok(settings_follow(&env), "no file: the defaults");
	is_int(settings_of(&env)->vmward.on_exit, ON_EXIT_LEAVE, "they are");
	settings_drop(&env);
	conf_put("vmward.ini", "[vmward]\non-exit = perhaps\n");
	ok(!settings_follow(&env) && env.settings->error,
		"bad from the start: the defaults");
	settings_drop(&env);
}

static void test_level(void)
{
	struct env env = { .paths = conf };
	struct env given = { .paths = conf, .level_given = true };

	conf_put("vmward.ini", "[vmward]\nlog-level = debug\n");
	log_set_level(LOG_WARN);
	settings_follow(&given);
	is_int(log_get_level(), LOG_WARN, "--log-level wins");
	settings_drop(&given);
	settings_follow(&env);
	is_int(log_get_level(), LOG_DEBUG, "else the file says it");
	conf_put("vmward.ini", NULL);
	settings_follow(&env);
	is_int(log_get_level(), LOG_INFO, "back to the default");
	settings_drop(&env);
}

static void test_files(void)
{
	struct findings f;
	struct paths file = { .scope = PATHS_FILE, .config = conf.config };

	ok(settings_is_file("vmward.ini") && settings_is_file("./vmward.ini") &&
			settings_is_file("/etc/vmward/vmward.ini"),
		"the host's file by its name");
	ok(!settings_is_file("/etc/vmward/vms/vmward.ini") &&
			!settings_is_file("vms/vmward.ini") &&
			!settings_is_file("web.ini"),
		"a VM named vmward is none");
	conf_put("vmward.ini", "[vmward]\non-exit = shutdown\n");
	findings_init(&f);
	struct settings *settings = settings_read(&file, NULL, &f);
	ok(settings && settings->vmward.on_exit == ON_EXIT_LEAVE,
		"run FILE has no host file");
	settings_free(settings);
	settings = settings_read(NULL, "examples/host/vmward.ini", &f);
	ok(settings && f.errors == 0, "the example is right");
	settings_free(settings);
	findings_fini(&f);
}

int main(void)
{
	conf_start(PATHS_SYSTEM);
	test_defaults();
	test_every_key();
	test_mistakes();
	test_stays();
	test_level();
	test_files();
	conf_end();
	return done();
}
