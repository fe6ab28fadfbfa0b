/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools: files and their mistakes, what stays, quotas, names that leave. */
#include "supervisor/pool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/argv.h"
#include "supervisor/config.h"
#include "supervisor/pool_space.h"
#include "tests/unit/confdir.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static const struct pool *find(const char *name)
{
	struct err err = ERR_INIT;

	return pool_find(&conf, name, &err);
}

static void test_default(void)
{
	const struct pool *pool;
	struct err err = ERR_INIT;

	pools_drop();
	pool = find("");
	ok(pool && str_eq(pool->name, "default"), "default needs no file");
	is_str(pool->dir, conf.images, "it is the directory of images");
	ok(!find("nope"), "no other is there");
	pool_find(&conf, "defalt", &err);
	is_str(err.text, "no pool 'defalt' (did you mean 'default'?)",
		"the nearest name");
	is_int(err.code, ERR_NOT_FOUND, "not found");
	ok(!pools_follow(&conf), "read again: nothing changes");
}

static void test_file(void)
{
	const struct pool *pool;
	AUTO_STR struct str shown = STR_INIT;
	const char *text = "[pool]\npath = /srv/fast/\nformat = raw\n"
			   "quota = 2G\nprealloc = falloc\n";

	conf_put("pools/fast.ini", text);
	ok(pools_follow(&conf), "a file changes something");
	pool = find("fast");
	ok(pool != NULL, "it is a pool");
	is_str(pool->dir, "/srv/fast", "path");
	is_int(pool->pool.format, FORMAT_RAW, "format");
	is_int((long)(pool->pool.quota >> 30), 2, "quota");
	is_str(pool_preallocation(pool, "qcow2"), "falloc", "prealloc");
	is_str(str_or(pool_preallocation(pool, "vmdk"), "-"), "-",
		"not of a format that has none");
	is_str(pool_of_file(&conf, "/srv/fast/x.raw")->name, "fast",
		"whose file it is");
	ok(!pool_of_file(&conf, "/srv/fast/below/x.raw"),
		"not of a deeper one");
	ok(!pool_of_file(&conf, "/srv/faster/x.raw"), "nor of a neighbour");
	ok(!pool_of_file(&conf, "x.raw"), "nor of a name alone");
	pool_show(pool, false, NULL, &shown);
	is_str(str_text(&shown), text, "show says the same");
	conf_put("pools/fast.ini.d/more.ini", "[pool]\nquota = 3G\n");
	ok(pools_follow(&conf), "a drop-in changes something");
	is_int((long)(find("fast")->pool.quota >> 30), 3, "it wins");
	conf_put("pools/fast.ini.d/more.ini", NULL);
}

static char *checked(void)
{
	struct findings f;
	char *found;

	findings_init(&f);
	pools_check(&conf, false, &f);
	found = conf_found(&f);
	findings_fini(&f);
	return found;
}

static void test_mistakes(void)
{
	static const struct {
		const char *text;
		const char *found;
	} cases[] = {
		{ "[pool]\n", "pools/bad.ini:1: [pool] needs path\n" },
		{ "", "pools/bad.ini: [pool] needs path\n" },
		{ "[pool]\npath = /\n", "pools/bad.ini:2: [pool] path: '/': "
					"say the directory of its images\n" },
		{ "[pool]\npath = /a/../b\n",
			"pools/bad.ini:2: [pool] path: '/a/../b': say the "
			"directory of its images\n" },
		{ "[pool]\npath = /srv/fast\n",
			"pools/bad.ini:2: [pool] path: '/srv/fast' is the "
			"directory of pool 'fast' already\n" },
	};
	AUTO_FREE char *all = NULL;

	conf_put("pools/fast.ini", "[pool]\npath = /srv/fast\n");
	for (size_t i = 0; i < NELEMS(cases); i++) {
		conf_put("pools/bad.ini", cases[i].text);
		AUTO_FREE char *found = checked();
		/* they are read in order of names */
		if (i < 4)
			is_str(found, cases[i].found, "mistake %zu", i);
		else
			ok(strstr(found, "directory of pool 'bad' already"),
				"one directory, two pools");
	}
	conf_put("pools/bad.ini",
		"[pool]\npath = /x\nqouta = 1G\nformat = iso\nprealloc = no\n"
		"[disk.a]\nsize = 1G\n");
	all = checked();
	ok(strstr(all, "pools/bad.ini:3: ") && strstr(all, "quota"),
		"unknown key, the nearest");
	ok(strstr(all, "pools/bad.ini:4: ") && strstr(all, "by-suffix"),
		"no format");
	ok(strstr(all, "pools/bad.ini:5: ") && strstr(all, "falloc"),
		"no such preallocation");
	ok(strstr(all, "pools/bad.ini:6: "), "a section of VMs");
	conf_put("pools/bad.ini", NULL);
}

static void test_what_stays(void)
{
	struct err err = ERR_INIT;

	conf_put("pools/fast.ini", "[pool]\npath = /srv/fast\nquota = 5G\n");
	pools_follow(&conf);
	conf_put("pools/fast.ini", "[pool]\npath = /srv/new\nquota = 5\n");
	ok(pools_follow(&conf), "a bad file is told of");
	is_str(find("fast")->dir, "/srv/fast", "but the pool stays");
	is_int((long)(find("fast")->pool.quota >> 30), 5, "with its quota");
	ok(strstr(find("fast")->error, "pools/fast.ini:3:"), "and the reason");
	ok(!pools_follow(&conf), "told once");
	conf_put("pools/new.ini", "[pool]\nquota = 1G\n");
	pools_follow(&conf);
	ok(!pool_find(&conf, "new", &err), "one that was never good");
	is_str(err.text,
		"pool 'new' cannot be used: pools/new.ini:1: [pool] needs path",
		"says why");
	conf_put("pools/new.ini", NULL);
	conf_put("pools/fast.ini", NULL);
	ok(pools_follow(&conf), "gone");
	ok(!find("fast"), "it is no pool any more");
}

/* ---- disks ---- */

static struct vm_spec *load(const char *text)
{
	struct findings f;
	bool missing;
	struct vm_spec *spec;

	findings_init(&f);
	conf_put("vms/x.ini", text);
	spec = config_load(&conf, "x", NULL, &f, &missing);
	findings_fini(&f);
	return spec;
}

static void disk_is(const char *text, const char *path, const char *base)
{
	struct vm_spec *spec = load(text);
	const struct spec_disk *disk = spec ? spec_disk_of(spec, "a") : NULL;
	AUTO_FREE char *have = disk ? argv_disk_path(spec, disk, "/d") : NULL;
	AUTO_FREE char *below = disk ? argv_base_path(disk, "/d") : NULL;

	is_str(str_or(have, "-"), path, "path of %s", text);
	is_str(str_or(below, "-"), base, "and its base");
	spec_free(spec);
}

static void test_disks(void)
{
	struct vm_spec *spec;
	struct err err = ERR_INIT;

	conf_put("pools/fast.ini", "[pool]\npath = /fast\nformat = raw\n");
	pools_follow(&conf);
	disk_is("[disk.a]\nimage = i.qcow2\npool = fast\n", "/fast/i.qcow2",
		"-");
	disk_is("[disk.a]\nimage = /x/i.qcow2\npool = fast\n", "/x/i.qcow2",
		"-");
	disk_is("[disk.a]\nbase = b.qcow2\npool = fast\n", "/fast/x-a.qcow2",
		"/fast/b.qcow2");
	disk_is("[disk.a]\nsize = 1G\npool = fast\n", "/fast/x-a.raw", "-");
	disk_is("[disk.a]\nsize = 1G\n", "/d/x-a.qcow2", "-");
	disk_is("[disk.a]\nimage = i.qcow2\npool = slow\n", "-", "-");
	spec = load("[disk.a]\nimage = i\npool = fast\n");
	ok(spec != NULL, "the pool tells the format");
	is_int(argv_disk_format(spec_disk_of(spec, "a"), "/fast/i", &err),
		FORMAT_RAW, "raw");
	spec_free(spec);
	spec = load("[disk.a]\nimage = i.qcow2\npool = fast\n"
		    "[disk.b]\nimage = i.qcow2\n");
	ok(spec != NULL, "one name in two pools is two images");
	spec_free(spec);
	spec = load("[disk.a]\nimage = i.qcow2\npool = fast\n"
		    "[disk.b]\nimage = i.qcow2\npool = fast\n");
	ok(!spec, "in one pool it is one");
	spec_free(spec);
}

/* ---- directories ---- */

static void put_file(const char *name, off_t size)
{
	int fd = open(temp_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, size) || close(fd))
		ok(false, "cannot make %s", name);
}

static void test_names_that_leave(void)
{
	const struct pool *pool = find("here");
	struct err err = ERR_INIT;

	put_file("outside.raw", 512);
	put_file("here/in.raw", 512);
	ok(symlink("in.raw", temp_path("here/good.raw")) == 0 &&
			symlink("../outside.raw", temp_path("here/out.raw")) ==
				0 &&
			symlink("/etc/passwd", temp_path("here/abs.raw")) ==
				0 &&
			symlink("/proc/self/fd/0",
				temp_path("here/magic.raw")) == 0,
		"links");
	is_int(pool_admits(pool, "in.raw", &err), 0, "a file");
	is_int(pool_admits(pool, "none.raw", &err), 0, "nothing");
	is_int(pool_admits(pool, "good.raw", &err), 0, "a link inside");
	is_int(pool_admits(pool, "out.raw", &err), -1, "a link to outside");
	is_int(err.code, ERR_DENIED, "refused: %s", err.text);
	is_int(pool_admits(pool, "abs.raw", &err), -1, "an absolute link");
	is_int(pool_admits(pool, "magic.raw", &err), -1, "a magic link");
	is_int(pool_admits(pool, "../outside.raw", &err), -1, "a name");
	for (size_t i = 0; i < 4; i++) {
		static const char *const links[] = { "here/good.raw",
			"here/out.raw", "here/abs.raw", "here/magic.raw" };

		unlink(temp_path(links[i]));
	}
}

static void test_quota(void)
{
	struct err err = ERR_INIT;
	struct pool_space space;
	struct pool_claim claim = { .dir = NULL };
	AUTO_FREE char *path = xstrdup(temp_path("here/new.raw"));
	AUTO_FREE char *away = xstrdup(temp_path("new.raw"));
	json_t *report;

	put_file("here/in.raw", 3 << 20);
	is_int(pool_space_measure(find("here"), &space, &err), 0, "measured");
	is_int((long)space.promised, 3 << 20, "virtual sizes");
	is_int(space.volumes, 1, "volumes");
	is_int((long)space.capacity, 8 << 20, "the quota is the capacity");
	is_int((long)space.available, 5 << 20, "what it leaves");
	ok(space.allocated < 3 << 20, "a thin one takes less");
	is_int(pool_claim(&conf, path, 5 << 20, &claim, &err), 0, "it fits");
	is_int(pool_claim(&conf, path, 1, NULL, &err), -1, "then no more");
	is_int(err.code, ERR_LIMIT, "a limit");
	pool_claim_release(&claim);
	pool_claim_release(&claim);
	is_int(pool_claim(&conf, path, (5 << 20) + 512, NULL, &err), -1,
		"half a KiB too much");
	ok(strstr(err.text, "more of pool 'here', whose quota of 8M has 5M "
			    "left"),
		"said: %s", err.text);
	is_int(pool_claim(&conf, away, 1 << 30, NULL, &err), 0,
		"no quota elsewhere");
	report = pool_report(find("here"));
	ok(json_is_null(json_object_get(report, "error")), "no error");
	ok(json_number_value(json_object_get(report, "overcommit")) > 0.37 &&
			json_number_value(
				json_object_get(report, "overcommit")) < 0.38,
		"the share that is promised");
	json_decref(report);
	unlink(path);
	unlink(temp_path("here/in.raw"));
}

static void test_report_of_nothing(void)
{
	json_t *report;

	rmdir(temp_path("here"));
	report = pool_report(find("here"));
	ok(json_is_null(json_object_get(report, "capacity")), "not known");
	ok(strstr(json_string_value(json_object_get(report, "error")),
		   "cannot read"),
		"why");
	json_decref(report);
}

static void test_example(void)
{
	struct findings f;
	struct pool *pool;
	AUTO_FREE char *found = NULL;

	findings_init(&f);
	ok(pool_is_file("examples/pools/fast.ini"), "it is a pool's");
	ok(pool_is_file("/etc/vmward/pools/x.ini"), "so is this");
	ok(!pool_is_file("examples/minimal.ini"), "a VM's is not");
	ok(!pool_is_file("x/whirlpools/x.ini"), "nor this");
	pool = pool_read_file(&conf, "examples/pools/fast.ini", &f);
	found = conf_found(&f);
	/* on this host there is no such directory */
	is_str(found,
		"examples/pools/fast.ini:4: [pool] path: cannot look at "
		"'/srv/fast/images': No such file or directory\n",
		"the example has no other mistake");
	pool_free(pool);
	findings_fini(&f);
}

int main(void)
{
	AUTO_FREE char *text = NULL;

	conf_start(PATHS_SYSTEM);
	test_default();
	test_file();
	test_mistakes();
	test_what_stays();
	test_disks();
	mkdir(temp_path("here"), 0755);
	text = xasprintf("[pool]\npath = %s\nquota = 8M\n", temp_path("here"));
	conf_put("pools/here.ini", text);
	pools_follow(&conf);
	test_names_that_leave();
	test_quota();
	test_report_of_nothing();
	test_example();
	pools_drop();
	conf_end();
	return done();
}
