/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fsync by the kernel's aio, by its stand-in, and what is cancelled. */
#include "base/aio.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sys.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

enum { MANY = 600 }; /* more than the kernel's queue takes */

static unsigned told;
static unsigned failed;
static int last_error;
static bool in_call;

static void on_synced(struct aio_sync *sync, int error)
{
	(void)sync;
	if (in_call)
		ok(false, "told inside the call");
	told++;
	failed += error != 0;
	last_error = error;
}

static void start(struct aio_sync *sync, int fd)
{
	in_call = true;
	aio_fsync(sync, fd, on_synced);
	in_call = false;
}

static void reset(void)
{
	told = 0;
	failed = 0;
	last_error = 0;
}

static int make_file(void)
{
	int fd = open(temp_path("file"), O_RDWR | O_CREAT, 0600);

	if (write(fd, "x", 1) != 1)
		ok(false, "write");
	return fd;
}

static void test_both(const char *how)
{
	static struct aio_sync many[MANY];
	struct aio_sync sync = { 0 };
	int fd = make_file();
	int dir = open(temp_root, O_RDONLY | O_DIRECTORY);

	reset();
	start(&sync, fd);
	is_int(told, 0, "%s: nobody is told yet", how);
	loop_run();
	is_int(told, 1, "%s: a file, told once, then nothing watches", how);
	start(&sync, dir);
	loop_run();
	is_int(told, 2, "%s: a directory", how);
	is_int(failed, 0, "%s: both are synced", how);
	reset();
	for (int i = 0; i < MANY; i++)
		start(&many[i], fd);
	for (int i = 0; i < MANY; i += 3)
		aio_cancel(&many[i]);
	loop_run();
	is_int(told, MANY - MANY / 3, "%s: all but the cancelled ones", how);
	is_int(failed, 0, "%s: none failed", how);
	aio_cancel(&many[1]);
	ok(true, "%s: cancelling what is done is harmless", how);
	reset();
	close(dir);
	start(&sync, dir);
	loop_run();
	is_int(last_error, EBADF, "%s: a failure has its errno", how);
	start(&sync, fd);
	aio_fini();
	loop_run();
	is_int(told, 1, "%s: the end tells nobody", how);
	aio_cancel(&sync);
	close(fd);
}

static int no_setup(unsigned n, unsigned long *context)
{
	(void)n;
	(void)context;
	errno = ENOSYS;
	return -1;
}

static int no_submit(unsigned long context, long n, struct iocb **at)
{
	(void)context;
	(void)n;
	(void)at;
	errno = EINVAL;
	return -1;
}

int main(void)
{
	struct err err = ERR_INIT;
	struct sys_backend odd = sys_real;

	temp_make();
	log_set_level(LOG_ERROR);
	if (loop_init(&err) != 0)
		return 1;
	test_both("kernel");
	test_both("kernel, set up anew");
	odd.io_setup = no_setup;
	sys_use(&odd);
	test_both("without aio");
	odd = sys_real;
	odd.io_submit = no_submit;
	sys_use(&odd);
	test_both("file system without aio");
	sys_use(&sys_real);
	loop_fini();
	return done();
}
