/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines, read back through a backend that keeps what goes to stderr. */
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "base/sys.h"
#include "tests/unit/tap.h"

static struct str seen = STR_INIT;
static unsigned writes;
static bool blocked;
static struct sys_backend fake;

static ssize_t keep(int fd, const void *buf, size_t len)
{
	if (fd != STDERR_FILENO)
		return write(fd, buf, len);
	writes++;
	str_addn(&seen, buf, len);
	errno = 0;
	return (ssize_t)len;
}

static bool is_writable(int fd UNUSED)
{
	return !blocked;
}

static void test_lines(void)
{
	errno = EXDEV;
	log_info("vm=web", "running -> %s", "stopping");
	is_int(errno, EXDEV, "errno survives");
	is_str(str_text(&seen), "info vm=web running -> stopping\n", "a line");
	str_cut(&seen, 0);
	log_error(NULL, "no object");
	is_str(str_text(&seen), "error no object\n", "without an object");
	str_cut(&seen, 0);
	log_warn("vm=\033x", "guest said %s", "a\nerror vm=db forged\033[2J");
	is_str(str_text(&seen),
		"warn vm=\\x1bx guest said "
		"a\\nerror vm=db forged\\x1b[2J\n",
		"text from outside cannot forge lines");
	str_cut(&seen, 0);
	log_debug(NULL, "not shown");
	is_str(str_text(&seen), "", "debug is off by default");
	log_set_level(LOG_DEBUG);
	log_debug(NULL, "shown");
	is_str(str_text(&seen), "debug shown\n", "and can be on");
	log_set_level(LOG_INFO);
	str_cut(&seen, 0);
	is_int(log_level_of("trace"), LOG_TRACE, "level of a name");
	is_int(log_level_of("Trace"), -1, "a name that is none");
}

static void test_long(void)
{
	char text[9000];

	memset(text, '\001', sizeof text);
	text[sizeof text - 1] = '\0';
	writes = 0;
	log_info("vm=web", "%s", text);
	is_int(writes, 1, "a long line is one write");
	is_int(seen.len, 4096, "of 4 KiB");
	ok(str_ends(str_text(&seen), "\n"), "that ends the line");
	str_cut(&seen, 0);
}

static void test_blocked(void)
{
	blocked = true;
	log_info(NULL, "one");
	log_info(NULL, "two");
	is_str(str_text(&seen), "", "nothing is written that would block");
	blocked = false;
	log_info(NULL, "three");
	is_str(str_text(&seen),
		"warn 2 lines were lost: nobody read the log\n"
		"info three\n",
		"what was lost is counted");
	str_cut(&seen, 0);
}

static void test_bug(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		sys_use(&sys_real);
		close(STDERR_FILENO);
		BUG_ON(writes > 0);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "BUG_ON aborts");
}

int main(void)
{
	fake = sys_real;
	fake.write = keep;
	fake.is_writable = is_writable;
	sys_use(&fake);
	if (isatty(STDERR_FILENO))
		close(STDERR_FILENO);
	test_lines();
	test_long();
	test_blocked();
	test_bug();
	str_fini(&seen);
	return done();
}
