/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A terminal as a whole screen; see screen.h. */
#include "ctl/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"

#define ENTER "\033[?1049h\033[?25l\033[2J"
#define LEAVE "\033[?25h\033[?1049l"

static struct termios saved;
static bool is_open;

static void put(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd at = { STDOUT_FILENO, POLLOUT, 0 };

			if (poll(&at, 1, 1000) <= 0)
				return;
			continue;
		}
		if (n <= 0 && errno != EINTR)
			return;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

static void on_resize(int number)
{
	(void)number; /* it is enough that poll() returns */
}

static void enter(void)
{
	struct termios raw = saved;

	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	put(ENTER, strlen(ENTER));
}

static void leave(void)
{
	put(LEAVE, strlen(LEAVE));
	tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

/* ^Z: the shell gets its terminal as it was; fg brings ours back. */
static void on_stop(int number)
{
	int error = errno;

	leave();
	signal(number, SIG_DFL);
	kill(getpid(), SIGSTOP);
	signal(number, on_stop);
	enter();
	errno = error;
}

int screen_open(struct screen *s, struct err *err)
{
	struct sigaction resize = { .sa_handler = on_resize };
	struct sigaction stop = { .sa_handler = on_stop };

	if (tcgetattr(STDIN_FILENO, &saved) || !isatty(STDOUT_FILENO))
		return err_set(err, ERR_USAGE,
			"this is no terminal; --batch prints text");
	sigemptyset(&resize.sa_mask);
	sigemptyset(&stop.sa_mask);
	sigaction(SIGWINCH, &resize, NULL);
	sigaction(SIGTSTP, &stop, NULL);
	is_open = true;
	atexit(screen_close);
	enter();
	screen_measure(s);
	return 0;
}

void screen_close(void)
{
	if (is_open)
		leave();
	is_open = false;
}

void screen_measure(struct screen *s)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row)
		size.ws_row = 24;
	s->rows = size.ws_row;
	s->columns = size.ws_col ? size.ws_col : 80;
}

/* A line cut to the width; what follows ESC [ up to a letter has none. */
static size_t cut(const char *line, size_t len, unsigned columns)
{
	size_t at = 0;

	for (unsigned used = 0; at < len && used < columns; at++) {
		if (line[at] == '\033') {
			while (at < len && line[at] != 'm')
				at++;
			continue;
		}
		/* the rest of a character takes no column */
		while (at + 1 < len && (line[at + 1] & 0xc0) == 0x80)
			at++;
		used++;
	}
	return at;
}

void screen_show(const struct screen *s, const struct str *text)
{
	AUTO_STR struct str out = STR_INIT;
	const char *line = str_text(text);

	str_add(&out, "\033[H");
	for (unsigned row = 0; row < s->rows && *line; row++) {
		size_t len = strcspn(line, "\n");

		if (row > 0)
			str_add(&out, "\r\n");
		str_addn(&out, line, cut(line, len, s->columns));
		str_add(&out, "\033[m\033[K");
		line += len;
		line += *line == '\n';
	}
	str_add(&out, "\033[J");
	put(str_text(&out), out.len);
}

int screen_key(int64_t ms)
{
	struct pollfd at = { STDIN_FILENO, POLLIN, 0 };
	unsigned char key = 0;
	int n = poll(&at, 1, ms > 0 ? (int)ms : 0);

	if (n <= 0)
		return 0;
	return read(STDIN_FILENO, &key, 1) == 1 ? key : -1;
}
