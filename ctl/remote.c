/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other hosts by ssh: the vmward there does the work and this one puts the
 * answers together.  What ssh itself cannot do ends as "not reachable".
 */
#include "ctl/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "ctl/print.h"
#include "ctl/run.h"
#include "ctl/verbs.h"

#define MAX_HOSTS  64
#define OUTPUT_MAX (16U << 20)

/* One of the streams of a host's ssh. */
struct stream {
	int fd;
	struct str text;
	FILE *to;
};

struct remote {
	char *host;
	pid_t pid;
	struct stream out;
	struct stream err;
};

struct remotes {
	const struct call *call;
	struct remote list[MAX_HOSTS];
	size_t n;
	bool collect; /* stdout is JSON that is put together at the end */
};

/* A word for the shell over there. */
static void add_quoted(struct str *out, const char *word)
{
	str_add(out, " '");
	for (; *word; word++)
		if (*word == '\'')
			str_add(out, "'\\''");
		else
			str_addc(out, *word);
	str_addc(out, '\'');
}

/* Whether the word is -H or --host, and so not for the other side. */
static bool is_host_option(const char *word, bool *value_follows)
{
	*value_follows = str_eq(word, "-H") || str_eq(word, "--host");
	return *value_follows || str_starts(word, "--host=") ||
	       (str_starts(word, "-H") && word[2]);
}

/* list: names and filters only; how it looks is decided here. */
static void add_list(const struct call *call, struct str *out)
{
	str_add(out, " list --json");
	for (size_t i = 0; i < call->ntyped; i++) {
		const struct typed *typed = &call->typed[i];

		if (typed->arg->flags & ARG_LOCAL)
			continue;
		if (typed->arg->flags & ARG_OPTION)
			str_addf(out, " --%s", typed->arg->name);
		else
			add_quoted(out, typed->value);
	}
}

/* The command line over there. */
static void add_command(const struct call *call, struct str *out)
{
	bool skip;

	str_add(out, "vmward");
	if (call->opt.user)
		str_add(out, " --user");
	if (call->opt.root) {
		str_add(out, " --root");
		add_quoted(out, call->opt.root);
	}
	if (str_eq(call->verb->name, "list")) {
		add_list(call, out);
		return;
	}
	for (int i = 1; i < call->argc; i++) {
		const char *word = call->argv[i];

		if (is_host_option(word, &skip)) {
			i += skip;
			continue;
		}
		i += str_eq(word, "--root");
		if (str_eq(word, "--root") || str_eq(word, "--user") ||
			str_starts(word, "--root="))
			continue;
		add_quoted(out, word);
	}
}

static void become_ssh(const char *host, bool terminal, const char *command)
{
	const char *argv[6];
	size_t n = 0;

	argv[n++] = "ssh";
	if (terminal)
		argv[n++] = "-t";
	argv[n++] = "--";
	argv[n++] = host;
	argv[n++] = command;
	argv[n] = NULL;
	run_exec(argv);
}

static int start_one(struct remote *r, const char *command, struct err *err)
{
	int out[2];
	int errors[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		return err_os(err, "cannot make a pipe");
	if (pipe2(errors, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return err_os(err, "cannot make a pipe");
	}
	r->pid = fork();
	if (r->pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(errors[1], STDERR_FILENO);
		become_ssh(r->host, false, command);
		_exit(255);
	}
	close(out[1]);
	close(errors[1]);
	r->out.fd = out[0];
	r->err.fd = errors[0];
	r->out.to = stdout;
	r->err.to = stderr;
	return r->pid < 0 ? err_os(err, "cannot start ssh") : 0;
}

/* Prints the complete lines of a stream with the host in front. */
static void put_lines(const struct remote *r, struct stream *s, bool all)
{
	size_t at = 0;

	while (at < s->text.len) {
		const char *line = s->text.data + at;
		const char *end = memchr(line, '\n', s->text.len - at);
		size_t len = end ? (size_t)(end - line) : s->text.len - at;

		if (!end && !all)
			break;
		fprintf(s->to, "%s: %.*s\n", r->host, (int)len, line);
		at += len + (end ? 1 : 0);
	}
	memmove(s->text.data, s->text.data + at, s->text.len - at);
	str_cut(&s->text, s->text.len - at);
}

/* Reads what is there; closes at the end. */
static void read_stream(struct remotes *all, struct remote *r, struct stream *s)
{
	bool keep = all->collect && s == &r->out;
	char buf[8192];
	ssize_t n = read(s->fd, buf, sizeof(buf));

	if (n < 0 && errno == EINTR)
		return;
	if (n > 0 && s->text.len < OUTPUT_MAX)
		str_addn(&s->text, buf, (size_t)n);
	if (n <= 0)
		fd_close(&s->fd);
	if (!keep && s->text.len)
		put_lines(r, s, n <= 0);
}

static void read_all(struct remotes *all)
{
	struct pollfd fds[2 * MAX_HOSTS];
	size_t open_streams;

	do {
		open_streams = 0;
		for (size_t i = 0; i < all->n; i++) {
			fds[2 * i].fd = all->list[i].out.fd;
			fds[2 * i + 1].fd = all->list[i].err.fd;
			fds[2 * i].events = fds[2 * i + 1].events = POLLIN;
			open_streams += all->list[i].out.fd >= 0;
			open_streams += all->list[i].err.fd >= 0;
		}
		if (open_streams && poll(fds, 2 * all->n, -1) < 0)
			continue;
		for (size_t i = 0; open_streams && i < all->n; i++) {
			struct remote *r = &all->list[i];

			if (fds[2 * i].fd >= 0 && fds[2 * i].revents)
				read_stream(all, r, &r->out);
			if (fds[2 * i + 1].fd >= 0 && fds[2 * i + 1].revents)
				read_stream(all, r, &r->err);
		}
	} while (open_streams);
}

/* Reaps all; the highest exit status. */
static int reap_all(struct remotes *all)
{
	int highest = 0;

	for (size_t i = 0; i < all->n; i++) {
		int status = 0;
		int code;

		if (all->list[i].pid <= 0)
			continue;
		while (waitpid(all->list[i].pid, &status, 0) < 0 &&
			errno == EINTR)
			;
		code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
		if (code == 255)
			code = 6; /* ssh's own */
		if (code > highest)
			highest = code;
	}
	return highest;
}

/* The arrays of all hosts in one, each object with its host first. */
static json_t *merge(const struct remotes *all)
{
	json_t *merged = json_array();

	for (size_t i = 0; i < all->n; i++) {
		const struct remote *r = &all->list[i];
		json_t *one = json_loadb(
			str_text(&r->out.text), r->out.text.len, 0, NULL);
		size_t k;
		json_t *item;

		json_array_foreach(one, k, item)
		{
			json_t *object = json_pack("{s:s}", "host", r->host);

			json_object_update(object, item);
			json_array_append_new(merged, object);
		}
		json_decref(one);
	}
	return merged;
}

static int add_hosts(struct remotes *all, struct err *err)
{
	for (const char *c = all->call->opt.hosts; *c;) {
		size_t len = strcspn(c, ",");

		if (len == 0 || *c == '-' || all->n == MAX_HOSTS)
			return err_set(err, ERR_USAGE,
				"-H %s: not a list of hosts",
				all->call->opt.hosts);
		all->list[all->n].out.fd = -1;
		all->list[all->n].err.fd = -1;
		all->list[all->n++].host = xstrndup(c, len);
		c += len;
		c += *c == ',';
	}
	if (all->n == 0)
		return err_set(err, ERR_USAGE, "-H: no host");
	return 0;
}

static int run_all(struct remotes *all, const char *command, struct err *err)
{
	const struct call *call = all->call;
	bool list = str_eq(call->verb->name, "list");
	int result = 0;
	int status;

	all->collect = list || call->opt.json;
	for (size_t i = 0; i < all->n && result == 0; i++)
		result = start_one(&all->list[i], command, err);
	read_all(all);
	status = reap_all(all);
	if (all->collect) {
		json_t *merged = merge(all);

		if (!list)
			print_array(merged);
		else if (json_array_size(merged) || status == 0)
			list_print_hosts(call, merged);
		json_decref(merged);
	}
	return result < 0 ? print_error(&call->opt, NULL, err) : status;
}

int remote_run(const struct call *call)
{
	AUTO_FREE struct remotes *all = NEW(struct remotes);
	AUTO_STR struct str command = STR_INIT;
	struct err err = ERR_INIT;
	bool terminal = call->opt.tty_in && call->opt.tty_out;
	int status;

	all->call = call;
	add_command(call, &command);
	if (add_hosts(all, &err) < 0) {
		status = print_error(&call->opt, NULL, &err);
	} else if (all->n == 1 && !str_eq(call->verb->name, "list")) {
		become_ssh(all->list[0].host, terminal, str_text(&command));
		err_os(&err, "cannot start ssh");
		status = print_error(&call->opt, NULL, &err);
	} else {
		status = run_all(all, str_text(&command), &err);
	}
	for (size_t i = 0; i < all->n; i++) {
		free(all->list[i].host);
		str_fini(&all->list[i].out.text);
		str_fini(&all->list[i].err.text);
	}
	return status;
}
