/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an attacker could do who runs code in QEMU: a plugin that QEMU loads
 * itself, so that it is as confined as QEMU is.  Each argument is a step; what
 * came of it goes to stderr, "probe STEP=WHAT: refused 13" or "... works".
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* of qemu-plugin.h, which no package has */
extern int qemu_plugin_version;
int qemu_plugin_version = 1;
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

static int try_read(const char *what)
{
	return open(what, O_RDONLY);
}

static int try_write(const char *what)
{
	return open(what, O_WRONLY | O_CREAT, 0600);
}

/* Whoever is let in is greeted. */
static int try_socket(const char *what)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char text[8] = "";

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", what);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		return -1;
	if (read(fd, text, 6) == 6 && memcmp(text, "{\"QMP\"", 6) == 0)
		return 0;
	errno = ECONNREFUSED;
	return -1;
}

static int try_signal(const char *what)
{
	return kill((pid_t)strtol(what, NULL, 10), 0);
}

static int try_root(const char *what)
{
	(void)what;
	return setuid(0);
}

static int try_fork(const char *what)
{
	(void)what;
	return fork();
}

static int try_exec(const char *what)
{
	return execl(what, what, (char *)NULL);
}

static void fork_now(int signal)
{
	(void)signal;
	fork();
}

/* Once it runs: at a SIGUSR2, which QEMU itself does not use. */
static int try_later(const char *what)
{
	const struct sigaction action = { .sa_handler = fork_now };

	(void)what;
	return sigaction(SIGUSR2, &action, NULL);
}

static const struct {
	const char *name;
	int (*run)(const char *what);
} steps[] = {
	{ "later", try_later },
	{ "read", try_read },
	{ "write", try_write },
	{ "socket", try_socket },
	{ "signal", try_signal },
	{ "root", try_root },
	{ "fork", try_fork },
	{ "exec", try_exec },
};

static void take(const char *name, size_t len, const char *what)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		if (strlen(steps[i].name) != len ||
			memcmp(steps[i].name, name, len) != 0)
			continue;
		errno = 0;
		if (steps[i].run(what) < 0)
			fprintf(stderr, "probe %s: refused %d\n", name, errno);
		else
			fprintf(stderr, "probe %s: works\n", name);
	}
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)id;
	(void)info;
	for (int i = 0; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');

		if (equals)
			take(argv[i], (size_t)(equals - argv[i]), equals + 1);
	}
	return 0;
}
