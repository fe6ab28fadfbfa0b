/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmwardd: options and roles.  Without a word it is the supervisor; with one
 * (run, check, plan, show, doctor) it does what vmward handed to it.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cage.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys_exec.h"
#include "storage/ovf.h"
#include "supervisor/config.h"
#include "supervisor/far.h"
#include "supervisor/keeper.h"
#include "supervisor/keeper_ask.h"
#include "supervisor/keeper_client.h"
#include "supervisor/leave.h"
#include "supervisor/notify.h"
#include "supervisor/once.h"
#include "supervisor/run.h"
#include "supervisor/service.h"
#include "supervisor/settings.h"

struct options {
	struct once_options once;
	struct run_options run;
	int notify_fd;
	int upgrade_fd; /* the state of an earlier image of us, or -1 */
	const char *check_upgrade;
	char **argv;
	bool keeper;            /* two halves */
	int keeper_fd;          /* we are the brain of one: to it; or -1 */
	uint64_t keeper_serial; /* of what an earlier image of us asked it */
	int keeper_state;       /* of an earlier image of the keeper, or -1 */
};

/* --log-level wins over vmward.ini and over `run`, quiet about itself. */
static bool level_given;

static void usage(FILE *to)
{
	fputs("usage: vmwardd [--root DIR] [--user] [--notify-fd N] "
	      "[--log-level LEVEL]\n"
	      "               [--confinement MODE] [--keeper]\n"
	      "       vmwardd run FILE [--name N] [--rm] [--timeout D] "
	      "[--state DIR] [-q]\n"
	      "               [--exec CMD ARGS]\n"
	      "       vmwardd check FILE... | plan FILE | show FILE | "
	      "doctor | --version\n",
		to);
}

/* ---- the daemon ---- */

static void on_hup(struct loop_signal *watcher, int signal UNUSED)
{
	struct service *s = container_of(watcher, struct service, hup);

	log_info(NULL, "reading the files again");
	config_names_free(registry_reload(s->registry));
}

/* The half that has root's powers; the other one comes here again. */
static int keep(const struct options *o)
{
	struct keeper keeper = { .program = exec_own_path(),
		.argv = o->argv,
		.notify_fd = o->keeper_state < 0 ? o->notify_fd : -1 };
	struct err err = ERR_INIT;
	int rc = 1;

	if (o->once.user || geteuid() != 0) {
		log_error(NULL,
			"--keeper parts root from the rest: who is not root "
			"leaves it out");
		free(keeper.program);
		return 2;
	}
	if (!keeper.program)
		log_error(NULL, "cannot tell our own program: is /proc there?");
	else if (paths_init(&keeper.paths, PATHS_SYSTEM, o->once.root, &err))
		log_error(NULL, "%s", err.text);
	else
		rc = keeper_main(&keeper, o->keeper_state);
	paths_fini(&keeper.paths);
	free(keeper.program);
	return rc;
}

/* Of two halves the other one is asked from the first call on. */
static int open_service(
	const struct options *o, struct service *service, struct err *err)
{
	if (o->keeper_fd >= 0) {
		keeper_client_open(
			&service->env.paths, o->keeper_fd, o->keeper_serial);
		if (o->upgrade_fd >= 0)
			keeper_client_renew();
	}
	return service_open(service, err);
}

static int serve(const struct options *o)
{
	struct service service = { .env.level_given = level_given,
		.env.confinement_given = o->run.confinement,
		.image = { .path = exec_own_path(), .argv = o->argv } };
	struct err err = ERR_INIT;

	if (o->upgrade_fd >= 0 &&
		upgrade_load(&service.moved, o->upgrade_fd, &err))
		log_error(NULL, "%s; VMs are adopted instead", err.text);
	err = (struct err)ERR_INIT;
	if (paths_init(&service.env.paths,
		    o->once.user ? PATHS_USER : PATHS_SYSTEM, o->once.root,
		    &err) ||
		open_service(o, &service, &err)) {
		log_error(NULL, "%s", err.text);
		paths_fini(&service.env.paths);
		free(service.env.lock_key);
		free(service.image.path);
		return err.code == ERR_EXISTS ? 100 : 1;
	}
	service.env.processors = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	if (service_start(&service, &err)) {
		log_error(NULL, "%s", err.text);
		service_close(&service);
		return 1;
	}
	leave_listen(&service);
	loop_signal_start(&service.hup, SIGHUP, on_hup);
	if (!service.env.qemu)
		log_warn(NULL, "qemu-system-x86_64 is not on PATH");
	log_info(NULL, "vmward %s on %s%s", VMWARD_VERSION,
		service.env.paths.control,
		keeper_ask_is_on() ? ", without root: a keeper has it" : "");
	exec_hold_signals(false); /* those of an upgrade */
	notify_ready(o->upgrade_fd < 0 ? o->notify_fd : -1);
	loop_run();
	service_close(&service);
	return 0;
}

/* ---- options ---- */

enum {
	O_ROOT = 256,
	O_USER,
	O_NOTIFY,
	O_UPGRADE_FD,
	O_CHECK_UPGRADE,
	O_LEVEL,
	O_CONFINEMENT,
	O_KEEPER,
	O_KEEPER_FD,
	O_KEEPER_SERIAL,
	O_KEEPER_STATE,
	O_NAME,
	O_RM,
	O_TIMEOUT,
	O_STATE,
	O_JSON,
	O_ORIGIN,
	O_DEFAULTS,
	O_SECTION,
	O_ARGV,
	O_QMP,
	O_EXIT,
	O_VERSION,
	O_HELP,
	O_MDOC,
	O_MDOC_HOST,
	O_MDOC_POOL,
	O_MDOC_NETWORK
};

static const struct option long_options[] = {
	{ "root", required_argument, NULL, O_ROOT },
	{ "user", no_argument, NULL, O_USER },
	{ "notify-fd", required_argument, NULL, O_NOTIFY },
	{ "upgrade-fd", required_argument, NULL, O_UPGRADE_FD },
	{ "check-upgrade", required_argument, NULL, O_CHECK_UPGRADE },
	{ "log-level", required_argument, NULL, O_LEVEL },
	{ "confinement", required_argument, NULL, O_CONFINEMENT },
	{ "keeper", no_argument, NULL, O_KEEPER },
	{ "keeper-fd", required_argument, NULL, O_KEEPER_FD },
	{ "keeper-serial", required_argument, NULL, O_KEEPER_SERIAL },
	{ "keeper-state", required_argument, NULL, O_KEEPER_STATE },
	{ "name", required_argument, NULL, O_NAME },
	{ "rm", no_argument, NULL, O_RM },
	{ "timeout", required_argument, NULL, O_TIMEOUT },
	{ "state", required_argument, NULL, O_STATE },
	{ "json", no_argument, NULL, O_JSON },
	{ "origin", no_argument, NULL, O_ORIGIN },
	{ "defaults", no_argument, NULL, O_DEFAULTS },
	{ "section", required_argument, NULL, O_SECTION },
	{ "argv", no_argument, NULL, O_ARGV },
	{ "qmp", no_argument, NULL, O_QMP },
	{ "exit-code", no_argument, NULL, O_EXIT },
	{ "quiet", no_argument, NULL, 'q' },
	{ "version", no_argument, NULL, O_VERSION },
	{ "help", no_argument, NULL, O_HELP },
	{ "mdoc-keys", no_argument, NULL, O_MDOC },
	{ "mdoc-host-keys", no_argument, NULL, O_MDOC_HOST },
	{ "mdoc-pool-keys", no_argument, NULL, O_MDOC_POOL },
	{ "mdoc-network-keys", no_argument, NULL, O_MDOC_NETWORK },
	{ NULL, 0, NULL, 0 },
};

static int bad_value(const char *option, const char *value, const char *why)
{
	fprintf(stderr, "vmwardd: %s %s: %s\n", option, value, why);
	return 2;
}

static int take_number(const char *option, const char *text, int *out)
{
	uint64_t number;
	struct err err = ERR_INIT;

	if (str_to_u64(text, &number, &err) || number > 1024 * 1024)
		return bad_value(option, text, "is no descriptor");
	*out = (int)number;
	return 0;
}

static int take_serial(const char *text, uint64_t *out)
{
	struct err err = ERR_INIT;

	return str_to_u64(text, out, &err)
		       ? bad_value("--keeper-serial", text, err.text)
		       : 0;
}

static int take_timeout(const char *text, int64_t *out)
{
	struct err err = ERR_INIT;

	return str_to_ms(text, false, out, &err)
		       ? bad_value("--timeout", text, err.text)
		       : 0;
}

static int take_level(const char *text)
{
	int level = log_level_of(text);

	if (level < 0)
		return bad_value("--log-level", text,
			"error, warn, info, debug or trace");
	log_set_level((enum log_level)level);
	level_given = true;
	return 0;
}

/* Wins over vmward.ini; `run` has no such file. */
static int take_confinement(struct options *o, const char *text)
{
	int mode = settings_confinement_of(text);

	if (mode < 0)
		return bad_value(
			"--confinement", text, "full, best-effort or off");
	o->run.confinement = mode + 1;
	return 0;
}

/* Options that answer by themselves: their exit status, or -1. */
static int answer(int option)
{
	switch (option) {
	case O_VERSION:
		printf("vmwardd %s\n", VMWARD_VERSION);
		return 0;
	case O_HELP:
		usage(stdout);
		return 0;
	case O_MDOC:
		return once_mdoc_keys(ONCE_VM_KEYS);
	case O_MDOC_HOST:
		return once_mdoc_keys(ONCE_HOST_KEYS);
	case O_MDOC_POOL:
		return once_mdoc_keys(ONCE_POOL_KEYS);
	case O_MDOC_NETWORK:
		return once_mdoc_keys(ONCE_NETWORK_KEYS);
	default:
		usage(stderr);
		return 2;
	}
}

/* One option with a value or of the roles; -1: it is none of these. */
static int take_value(struct options *o, int option)
{
	switch (option) {
	case O_ROOT:
		o->once.root = o->run.root = optarg;
		return 0;
	case O_NOTIFY:
		return take_number("--notify-fd", optarg, &o->notify_fd);
	case O_UPGRADE_FD:
		return take_number("--upgrade-fd", optarg, &o->upgrade_fd);
	case O_CHECK_UPGRADE:
		o->check_upgrade = optarg;
		return 0;
	case O_KEEPER_FD:
		return take_number("--keeper-fd", optarg, &o->keeper_fd);
	case O_KEEPER_SERIAL:
		return take_serial(optarg, &o->keeper_serial);
	case O_KEEPER_STATE:
		return take_number("--keeper-state", optarg, &o->keeper_state);
	case O_LEVEL:
		return take_level(optarg);
	case O_CONFINEMENT:
		return take_confinement(o, optarg);
	case O_NAME:
		o->once.name = o->run.name = optarg;
		return 0;
	case O_TIMEOUT:
		return take_timeout(optarg, &o->run.timeout_ms);
	case O_STATE:
		o->run.state = optarg;
		return 0;
	case O_SECTION:
		o->once.section = optarg;
		return 0;
	default:
		return -1;
	}
}

static bool *flag_of(struct options *o, int option)
{
	switch (option) {
	case O_USER:
		return &o->once.user;
	case O_RM:
		return &o->run.remove;
	case O_KEEPER:
		return &o->keeper;
	case O_JSON:
		return &o->once.json;
	case O_ORIGIN:
		return &o->once.origin;
	case O_DEFAULTS:
		return &o->once.defaults;
	case O_ARGV:
		return &o->once.argv;
	case O_QMP:
		return &o->once.qmp;
	case O_EXIT:
		return &o->once.exit_code;
	case 'q':
		return &o->run.quiet;
	default:
		return NULL;
	}
}

/* Parses all options; -1 to go on, else the exit status. */
static int parse(struct options *o, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "q", long_options, NULL)) !=
		-1) {
		bool *flag = flag_of(o, option);
		int rc;

		if (flag) {
			*flag = true;
			continue;
		}
		rc = take_value(o, option);
		if (rc < 0)
			return answer(option);
		if (rc > 0)
			return rc;
	}
	return -1;
}

static int need_file(char *const *words)
{
	if (words[0])
		return 0;
	usage(stderr);
	return 2;
}

static bool is_utf8(char *const *words)
{
	for (size_t i = 0; words && words[i]; i++)
		if (!str_is_utf8(words[i], strlen(words[i])))
			return false;
	return true;
}

static int do_role(struct options *o, const char *role, char *const *words)
{
	if (str_eq(role, "doctor"))
		return once_doctor(&o->once);
	if (str_eq(role, "show") && o->once.defaults)
		return once_show(&o->once, NULL);
	if (need_file(words))
		return 2;
	if (str_eq(role, "run")) {
		o->run.file = words[0];
		if (!is_utf8(o->run.exec))
			return bad_value("--exec", "CMD ARGS",
				"all words must be UTF-8");
		if (!level_given)
			log_set_level(LOG_WARN);
		o->run.notify_fd = o->notify_fd;
		return run_file(&o->run);
	}
	if (str_eq(role, "check"))
		return once_check(&o->once, words);
	if (str_eq(role, "plan"))
		return once_plan(&o->once, words[0]);
	if (str_eq(role, "show"))
		return once_show(&o->once, words[0]);
	fprintf(stderr, "vmwardd: unknown word '%s'\n", role);
	usage(stderr);
	return 2;
}

/* --exec CMD ARGS: all that follows is the guest's. */
static int cut_exec(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc - 1; i++) {
		if (!str_eq(argv[i], "--exec"))
			continue;
		o->run.exec = argv + i + 1;
		argv[i] = NULL;
		return i;
	}
	return argc;
}

int main(int argc, char **argv)
{
	struct options o = { .notify_fd = -1,
		.upgrade_fd = -1,
		.keeper_fd = -1,
		.keeper_state = -1,
		.argv = argv };
	int rc;

	if (argc > 2 && str_eq(argv[1], "--cage"))
		return cage_main(argv + 2, false);
	if (argc > 2 && str_eq(argv[1], "--cage-online"))
		return cage_main(argv + 2, true);
	if (argc > 2 && str_eq(argv[1], "--cage-part"))
		return cage_part_main(argv + 2);
	if (argc > 1 && str_eq(argv[1], "--ovf"))
		return ovf_main();
	if (argc > 2 && str_eq(argv[1], "--touch"))
		return far_touch_main(argv + 2);
	argc = cut_exec(&o, argc, argv);
	rc = parse(&o, argc, argv);

	if (rc >= 0)
		return rc;
	if (o.check_upgrade)
		return upgrade_check_file(o.check_upgrade);
	if (optind < argc)
		return do_role(&o, argv[optind], argv + optind + 1);
	return o.keeper && o.keeper_fd < 0 ? keep(&o) : serve(&o);
}
