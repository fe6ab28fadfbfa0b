/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dialogue with a console.  Each expectation is searched in what came
 * after the match before it, so that an echo is not taken for an answer
 * twice.
 */
#include "ctl/expect.h"

#include <errno.h>
#include <poll.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/print.h"
#include "ctl/serial.h"
#include "ctl/wire.h"

#define WINDOW     (64U << 10) /* unmatched text that is kept */
#define DEFAULT_MS 60000

struct dialogue {
	const struct call *call;
	int fd;
	struct str seen; /* not yet matched */
};

/* Reads once; 0, or -1 at the end or when the time came. */
static int read_more(struct dialogue *d, int64_t until_ms, struct err *err)
{
	struct pollfd at = { .fd = d->fd, .events = POLLIN };
	int64_t left = until_ms - wire_now_ms();
	char buf[4096];
	ssize_t n;

	if (left <= 0 || poll(&at, 1, (int)left) == 0)
		return err_set(err, ERR_TIMEOUT, "not seen in time");
	n = recv(d->fd, buf, sizeof(buf), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return err_set(err, ERR_GONE, "the console was closed");
	if (!d->call->opt.quiet) {
		fwrite(buf, 1, (size_t)n, stdout);
		fflush(stdout);
	}
	for (ssize_t i = 0; i < n; i++)
		str_addc(&d->seen, buf[i] ? buf[i] : ' ');
	if (d->seen.len > WINDOW) {
		size_t drop = d->seen.len - WINDOW / 2;

		memmove(d->seen.data, d->seen.data + drop, WINDOW / 2);
		str_cut(&d->seen, WINDOW / 2);
	}
	return 0;
}

/* Looks for the expression; what stands before its end is forgotten. */
static bool matches(struct dialogue *d, const regex_t *re)
{
	regmatch_t match;
	size_t end;

	if (regexec(re, str_text(&d->seen), 1, &match, 0))
		return false;
	end = (size_t)match.rm_eo;
	if (end > d->seen.len)
		end = d->seen.len;
	if (d->seen.len)
		memmove(d->seen.data, d->seen.data + end, d->seen.len - end);
	str_cut(&d->seen, d->seen.len - end);
	return true;
}

static int expect(struct dialogue *d, const char *text, struct err *err)
{
	int64_t until =
		wire_now_ms() + call_ms(d->call, "timeout",
					d->call->opt.timeout_ms >= 0
						? d->call->opt.timeout_ms
						: DEFAULT_MS);
	int result = 0;
	regex_t re;
	int bad = regcomp(&re, text, REG_EXTENDED | REG_NEWLINE);

	if (bad) {
		char why[120];

		regerror(bad, &re, why, sizeof(why));
		return err_set(err, ERR_USAGE, "--expect '%s': %s", text, why);
	}
	while (result == 0 && !matches(d, &re))
		result = read_more(d, until, err);
	if (result < 0)
		err_wrap(err, "--expect '%s': ", text);
	regfree(&re);
	return result;
}

/* Types a line; "\c" at its end leaves out the Enter key. */
static int type_line(struct dialogue *d, const char *text, struct err *err)
{
	bool enter = !str_ends(text, "\\c");
	size_t len = strlen(text) - (enter ? 0 : 2);

	if (serial_send(d->fd, text, len) < 0 ||
		(enter && serial_send(d->fd, "\r", 1) < 0))
		return err_set(err, ERR_GONE, "the console takes no input");
	return 0;
}

int expect_run(const struct call *call, const char *vm, int fd)
{
	struct dialogue d = { .call = call, .fd = fd };
	struct err err = ERR_INIT;
	int result = 0;

	for (size_t i = 0; i < call->ntyped && result == 0; i++) {
		const struct typed *typed = &call->typed[i];

		if (str_eq(typed->arg->name, "expect"))
			result = expect(&d, typed->value, &err);
		else if (str_eq(typed->arg->name, "send"))
			result = type_line(&d, typed->value, &err);
	}
	str_fini(&d.seen);
	if (result < 0 && !call->opt.quiet)
		putchar('\n');
	return result < 0 ? print_error(&call->opt, vm, &err) : 0;
}
