/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of the configuration's files are told, many at once as one. */
#include "supervisor/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/clock.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static int told;

static void on_change(void *arg)
{
	++*(int *)arg;
}

static void put(const char *name, const char *text)
{
	int fd = open(temp_path(name), O_CREAT | O_WRONLY | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		ok(false, "cannot write %s", name);
	close(fd);
}

/* What happened is told after a short rest, and once. */
static void is_told(const char *what)
{
	told = 0;
	loop_sim_advance(40);
	is_int(told, 0, "%s: not at once", what);
	loop_sim_advance(1000);
	is_int(told, 1, "%s: told once", what);
}

static void test_files(struct watch *w)
{
	loop_sim_advance(1000);
	is_int(told, 0, "nothing happened, nothing is told");
	put("vms/web.ini", "[vm]\n");
	is_told("a new file");
	put("vms/web.ini", "[vm]\ncpus = 2\n");
	is_told("a changed one");
	rename(temp_path("vms/web.ini"), temp_path("vms/new.ini"));
	is_told("a renamed one");
	unlink(temp_path("vms/new.ini"));
	is_told("a removed one");
	mkdir(temp_path("other"), 0755);
	is_told("a directory of somebody");
	put("vms/web.ini", "[vm]\n");
	is_told("a file");
	rename(temp_path("vms/web.ini"), temp_path("other/web.ini"));
	is_told("one moved away");
	for (int i = 0; i < 500; i++) {
		char name[32];

		snprintf(name, sizeof(name), "vms/vm%d.ini", i);
		put(name, "[vm]\n");
	}
	is_told("500 at once");
	put("vmward.ini", "x");
	is_told("the host's settings");
	put("templates/small.ini", "x");
	is_told("a template");
	chmod(temp_path("vms/vm1.ini"), 0600);
	told = 0;
	loop_sim_advance(1000);
	is_int(told, 0, "a mode alone is no change");
	ok(w != NULL, "(watched)");
}

/* Directories that come later are watched as well. */
static void test_dropins(void)
{
	mkdir(temp_path("vms/vm1.ini.d"), 0755);
	is_told("a directory of drop-ins");
	put("vms/vm1.ini.d/50-x.ini", "[vm]\n");
	is_told("a file in it");
	rename(temp_path("templates"), temp_path("away"));
	is_told("a directory that goes");
	mkdir(temp_path("templates"), 0755);
	is_told("and comes back");
	put("templates/other.ini", "x");
	is_told("with a file in it");
}

static int no_inotify(void)
{
	errno = EMFILE;
	return -1;
}

static void test_refused(void)
{
	struct watch *w;

	clock_sys.inotify_init = no_inotify;
	w = watch_new(temp_root, on_change, &told);
	ok(w != NULL, "without inotify it goes on");
	told = 0;
	put("vms/web.ini", "x");
	loop_sim_advance(1000);
	is_int(told, 0, "and tells nothing");
	watch_free(w);
	watch_free(NULL);
	ok(true, "no watch at all is freed");
}

int main(void)
{
	struct watch *w;

	temp_make();
	clock_start();
	mkdir(temp_path("vms"), 0755);
	mkdir(temp_path("templates"), 0755);
	w = watch_new(temp_root, on_change, &told);
	test_files(w);
	test_dropins();
	put("vms/web.ini", "x");
	clock_settle();
	watch_free(w);
	told = 0;
	loop_sim_advance(1000);
	is_int(told, 0, "freed amid its rest, it is silent");
	test_refused();
	loop_sim_end();
	return done();
}
