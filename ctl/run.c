/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run, doctor, and check, plan, show of a FILE need no daemon: vmwardd does
 * them in a role of its own, in our place.
 */
#include "ctl/run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/print.h"

#define EXTRA 12 /* words that we put in front or behind */

/* The directory of this program with a slash at its end, new; or NULL. */
static char *own_directory(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		slash[1] = '\0';
	return xstrdup(path);
}

char *run_find_daemon(void)
{
	AUTO_FREE char *dir = own_directory();
	AUTO_FREE char *beside = NULL;

	if (dir)
		beside = xasprintf("%svmwardd", dir);
	if (beside && access(beside, X_OK) == 0)
		return TAKE(beside);
	if (access(VMWARD_SBINDIR "/vmwardd", X_OK) == 0)
		return xstrdup(VMWARD_SBINDIR "/vmwardd");
	return xstrdup("vmwardd"); /* execvp() looks on PATH */
}

/* All are files, or none is. */
static int check_mix(const struct call *call, struct err *err)
{
	for (size_t i = 0; i < call->nnames; i++)
		if (!call_is_file(call->names[i]))
			return err_set(err, ERR_USAGE,
				"'%s' is a name and '%s' a file: one kind at "
				"a time",
				call->names[i], call->names[0]);
	return 0;
}

/* The words of a global option given in front of the verb. */
static size_t add_globals(const struct call *call, const char **argv, size_t n)
{
	const struct options *opt = &call->opt;

	if (opt->root) {
		argv[n++] = "--root";
		argv[n++] = opt->root;
	}
	if (opt->user)
		argv[n++] = "--user";
	if (opt->json)
		argv[n++] = "--json";
	if (opt->quiet)
		argv[n++] = "--quiet";
	return n;
}

/* Whether a word behind the verb is a global option, said already. */
static bool is_said(const struct call *call, int at)
{
	static const char *const flags[] = { "--json", "--user", "--quiet",
		"-q", "-y", "--yes" };

	for (size_t i = 0; i < NELEMS(flags); i++)
		if (str_eq(call->argv[at], flags[i]))
			return true;
	return false;
}

/* --exec CMD ARGS: these words are the guest's, whatever they look like. */
static bool is_exec(const struct call *call, int at)
{
	return call_has(call, "exec") &&
	       (str_eq(call->argv[at], "--exec") ||
		       str_starts(call->argv[at], "--exec="));
}

static size_t add_exec(
	const struct call *call, int at, const char **argv, size_t n)
{
	argv[n++] = "--exec";
	if (call->argv[at][6] == '=')
		argv[n++] = call->argv[at] + 7;
	while (++at < call->argc)
		argv[n++] = call->argv[at];
	return n;
}

int run_daemon(const struct call *call)
{
	AUTO_FREE char *daemon = run_find_daemon();
	AUTO_FREE const char **argv =
		xcalloc((size_t)call->argc + EXTRA, sizeof(*argv));
	AUTO_FREE char *timeout = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;

	if (check_mix(call, &err) < 0)
		return print_error(&call->opt, NULL, &err);
	argv[n++] = daemon;
	n = add_globals(call, argv, n);
	argv[n++] = call->verb->name;
	if (call->opt.timeout_ms >= 0 && str_eq(call->verb->name, "run")) {
		timeout = xasprintf(
			"--timeout=%lldms", (long long)call->opt.timeout_ms);
		argv[n++] = timeout;
	}
	for (int i = call->first; i < call->argc; i++) {
		if (is_exec(call, i)) {
			n = add_exec(call, i, argv, n);
			break;
		}
		if (str_eq(call->argv[i], "--root")) {
			i++;
			continue;
		}
		if (!is_said(call, i) && !str_starts(call->argv[i], "--root="))
			argv[n++] = call->argv[i];
	}
	fflush(stdout);
	run_exec(argv);
	err_os(&err, "cannot start vmwardd");
	return print_error(&call->opt, NULL, &err);
}

void run_exec(const char *const *argv)
{
	AUTO_FREE char **words = NULL;
	size_t n = 0;

	while (argv[n])
		n++;
	words = xcalloc(n + 1, sizeof(*words));
	/* exec's prototype is older than const, it changes nothing */
	memcpy(words, argv, n * sizeof(*words));
	execvp(words[0], words);
}

int run_program(const char *const *argv)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return 127;
	if (pid == 0) {
		run_exec(argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}
