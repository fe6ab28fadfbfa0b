/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/paths: scopes, --root, names of VMs, and a directory in /tmp. */
#include "base/paths.h"

#include <sys/stat.h>

#include "base/str.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static void test_system(void)
{
	struct err err = ERR_INIT;
	struct paths p;

	ok(paths_init(&p, PATHS_SYSTEM, NULL, &err) == 0, "system");
	is_str(p.config, "/etc/vmward", "config");
	is_str(p.run, "/run/vmward", "run");
	is_str(p.state, "/var/lib/vmward", "state");
	is_str(p.images, "/var/lib/vmward/images", "images");
	is_str(p.log, "/var/log/vmward", "log");
	is_str(p.control, "/run/vmward/control.sock", "control");
	ok(!p.home && !p.file && !p.shared, "no home, file, shared");
	paths_fini(&p);
	ok(paths_init(&p, PATHS_SYSTEM, "/x/y//", &err) == 0, "with a root");
	is_str(p.config, "/x/y/etc/vmward", "config below it");
	is_str(p.control, "/x/y/run/vmward/control.sock", "control too");
	paths_fini(&p);
}

static void test_user(void)
{
	struct err err = ERR_INIT;
	struct paths p;

	setenv("HOME", "/home/ann", 1);
	unsetenv("XDG_CONFIG_HOME");
	setenv("XDG_DATA_HOME", "relative", 1);
	setenv("XDG_STATE_HOME", "/state", 1);
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	ok(paths_init(&p, PATHS_USER, NULL, &err) == 0, "user");
	is_str(p.config, "/home/ann/.config/vmward", "config in HOME");
	is_str(p.images, "/home/ann/.local/share/vmward/images",
		"a relative XDG name is ignored");
	is_str(p.state, "/state/vmward", "state");
	is_str(p.log, "/state/vmward/log", "log below state");
	is_str(p.run, "/run/user/7/vmward", "run");
	is_str(p.home, "/home/ann", "home");
	ok(!p.shared, "not in /tmp");
	paths_fini(&p);

	unsetenv("XDG_RUNTIME_DIR");
	ok(paths_init(&p, PATHS_USER, "/r", &err) == 0, "no runtime dir");
	AUTO_FREE char *want =
		xasprintf("/r/tmp/vmward-%u", (unsigned)geteuid());
	is_str(p.run, want, "run in /tmp");
	is_str(p.shared, want, "which is to be checked");
	paths_fini(&p);

	unsetenv("HOME");
	ok(paths_init(&p, PATHS_USER, NULL, &err) < 0, "no HOME fails");
	is_str(err.text,
		"HOME is not set to an absolute path: the user's own "
		"directories are unknown",
		"and says so");
	paths_fini(&p);
	setenv("HOME", temp_root, 1);
}

static void test_file(void)
{
	struct err err = ERR_INIT;
	struct paths a;
	struct paths b;

	ok(paths_init_file(&a, "/v/web.ini", "web", NULL, "/r", &err) == 0,
		"run FILE");
	is_str(a.file, "/v/web.ini", "file");
	is_str(a.state, "/v/web.vmward", "state beside the file");
	is_str(a.images, "/v", "images beside it");
	ok(strstr(a.run, "/run/web-") &&
			strlen(strstr(a.run, "/run/web-")) == 17,
		"run has a hash: %s", a.run);
	ok(paths_init_file(&b, "/w/web.ini", "web", "/s", "/r", &err) == 0,
		"another file");
	is_str(b.state, "/s", "--state");
	ok(!str_eq(a.run, b.run), "another hash");
	paths_fini(&a);
	paths_fini(&b);
	ok(paths_init_file(&a, "web.ini", "web", NULL, NULL, &err) == 0 &&
			a.file[0] == '/' && str_ends(a.file, "/web.ini"),
		"a relative file becomes absolute");
	paths_fini(&a);
}

static bool mode_is(const char *path, mode_t mode)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & 07777) == mode;
}

static void test_make(void)
{
	struct err err = ERR_INIT;
	struct paths p;

	umask(022);
	ok(paths_init(&p, PATHS_SYSTEM, temp_path("root"), &err) == 0 &&
			paths_make(&p, &err) == 0,
		"make system directories");
	ok(mode_is(p.run, 0755) && mode_is(p.state, 0711) &&
			mode_is(p.images, 0711) && mode_is(p.log, 0750),
		"with their modes");
	ok(paths_make(&p, &err) == 0, "twice");
	paths_fini(&p);
}

static void test_shared(void)
{
	struct err err = ERR_INIT;
	struct paths p;

	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("XDG_DATA_HOME");
	unsetenv("XDG_STATE_HOME");
	mkdir(temp_path("own"), 0700);
	mkdir(temp_path("own/tmp"), 0700);
	ok(paths_init(&p, PATHS_USER, temp_path("own"), &err) == 0, "user");
	ok(paths_make(&p, &err) == 0 && mode_is(p.run, 0700),
		"a directory in /tmp is made for us alone");
	chmod(p.run, 0755);
	ok(paths_make(&p, &err) < 0 && err.code == ERR_DENIED,
		"refused when others may look: %s", err.text);
	rmdir(p.run);
	ok(symlink(temp_root, p.run) == 0 && paths_make(&p, &err) < 0,
		"refused when it is a link: %s", err.text);
	unlink(p.run);
	if (geteuid() == 0) {
		mkdir(p.run, 0700);
		ok(chown(p.run, 12345, 12345) == 0 &&
				paths_make(&p, &err) < 0 &&
				err.code == ERR_DENIED,
			"refused when it is another's: %s", err.text);
	}
	paths_fini(&p);
}

static void test_readonly(void)
{
	struct err err = ERR_INIT;
	struct paths p;

	ok(paths_init_file(&p, "/proc/web.ini", "web", NULL, temp_root, &err) ==
			0,
		"run FILE where nothing can be made");
	ok(paths_make(&p, &err) < 0 &&
			str_ends(err.text, "; say --rm or --state DIR"),
		"offers a way: %s", err.text);
	paths_fini(&p);
}

static void test_names(void)
{
	static const char *const good[] = { "web", "0", "a.b_c-d", "web@7",
		"web@07.x", "a2345678901234567890123456789012" };
	static const char *const bad[] = { "", "Web", ".web", "-web", "_web",
		"web.ini", "web@", "@7", "a@b@c", "we b", "w/b", "..",
		"a23456789012345678901234567890123", "web@-7" };
	static const struct {
		const char *file;
		const char *name;
	} files[] = {
		{ "/v/web.ini", "web" },
		{ "web.ini", "web" },
		{ "web@.ini", "web@" },
		{ "web@7.ini", "web@7" },
		{ "Web.ini", NULL },
		{ "@.ini", NULL },
		{ ".ini", NULL },
		{ "web@@.ini", NULL },
		{ "web@7@.ini", NULL },
	};

	for (size_t i = 0; i < NELEMS(good); i++)
		ok(paths_name_is_valid(good[i]), "'%s' is a name", good[i]);
	for (size_t i = 0; i < NELEMS(bad); i++)
		ok(!paths_name_is_valid(bad[i]), "'%s' is none", bad[i]);
	for (size_t i = 0; i < NELEMS(files); i++) {
		AUTO_FREE char *name = paths_vm_name(files[i].file);
		is_str(name, files[i].name, "name of %s", files[i].file);
	}
}

int main(void)
{
	temp_make();
	test_system();
	test_user();
	test_file();
	test_make();
	test_shared();
	test_readonly();
	test_names();
	return done();
}
