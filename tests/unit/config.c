/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor/config: which files make a VM, who wins, who the VM is, and
 * that `show` says the same as the files.
 */
#include "supervisor/config.h"

#include "base/uuid.h"
#include "tests/unit/confdir.h"
#include "tests/unit/tap.h"

#define DISK "[disk.root]\nimage = a.qcow2\n"

/* ---- layers ---- */

static void test_plain(void)
{
	AUTO_FREE char *found = NULL;

	conf_put("vms/web.ini", "[vm]\nmemory = 2G\n" DISK);
	struct vm_spec *spec = conf_load("web", &found);
	ok(spec != NULL, "load a file: %s", found);
	is_str(found, "", "nothing to complain about");
	is_int(spec->vm.memory >> 30, 2, "memory");
	is_int(spec->vm.cpus, 1, "a default");
	is_str(spec->name, "web", "name");
	ok(!spec->instance && str_eq(spec->prefix, "web"), "no instance");
	ok(uuid_is_valid(spec->uuid), "uuid %s", spec->uuid);
	ok(str_ends(spec->files[0], "/vms/web.ini") && !spec->files[1],
		"one file");
	ok(spec_disk_of(spec, "root") && !spec_disk_of(spec, "x"), "disk");
	ok(!list_is_empty(&spec->serials), "the console is there");
	ok(spec->rng.enabled && spec->balloon.enabled && spec->agent.enabled,
		"rng, balloon, agent");
	is_str(spec->shown, "web.ini", "shown");
	spec_free(spec);
	AUTO_FREE char *none = conf_findings("nope");
	is_str(none, "missing\n", "no such file");
}

static void test_dropins(void)
{
	AUTO_FREE char *found = NULL;

	conf_put("vms/web.ini",
		"[vm]\nmemory = 2G\ncpus = 2\n" DISK "[disk.b]\nsize = 1G\n");
	conf_put("vms/web.ini.d/20-b.ini", "[vm]\nmemory = 4G\n");
	conf_put("vms/web.ini.d/10-a.ini",
		"[vm]\nmemory = 3G\ncpus = 8\n[disk.b]\nenabled = no\n");
	conf_put("vms/web.ini.d/notes.txt", "[vm]\nmemory = 9G\n");
	conf_put("vms/web.ini.d/.hidden.ini", "[vm]\nmemory = 9G\n");
	struct vm_spec *spec = conf_load("web", &found);
	ok(spec != NULL, "load with drop-ins");
	is_int(spec->vm.memory >> 30, 4, "the last in byte order wins");
	is_int(spec->vm.cpus, 8, "key by key");
	ok(!spec_disk_of(spec, "b"), "enabled = no takes a disk away");
	is_str(found,
		"note: web.ini:2: memory is overridden by "
		"web.ini.d/20-b.ini:2\n"
		"note: web.ini:3: cpus is overridden by "
		"web.ini.d/10-a.ini:3\n"
		"note: web.ini.d/10-a.ini:2: memory is overridden by "
		"web.ini.d/20-b.ini:2\n",
		"hidden keys are notes");
	is_str(list_entry(spec->notes.next, struct finding, link)->text,
		"memory is overridden by web.ini.d/20-b.ini:2",
		"which the spec keeps");
	spec_free(spec);
	conf_put("vms/web.ini.d/20-b.ini", "[vm]\ncpus =\n");
	AUTO_FREE char *again = NULL;
	spec = conf_load("web", &again);
	is_int(spec ? spec->vm.cpus : 0, 1, "empty: back to the default");
	spec_free(spec);
	conf_put("vms/web.ini.d/20-b.ini", NULL);
	conf_put("vms/web.ini.d/10-a.ini", NULL);
}

static void test_templates(void)
{
	conf_put("vms/t.ini", "[vm]\ntemplate = a\n" DISK);
	conf_put("templates/a.ini",
		"[vm]\ntemplate = b\nmemory = 3G\n[start]\nautostart = "
		"yes\n[net.lan]\nuser = yes\n");
	conf_put("templates/b.ini", "[vm]\nmemory = 5G\ncpus = 5\n");
	conf_put("templates/default.ini", "[vm]\ncpus = 7\nmemory = 7G\n");
	AUTO_FREE char *found = NULL;
	struct vm_spec *spec = conf_load("t", &found);
	ok(spec != NULL, "load with templates: %s", found);
	is_int(spec->vm.memory >> 30, 3, "the nearer template wins");
	is_int(spec->vm.cpus, 5, "over the farther; default.ini is not read");
	is_int(spec->start.autostart, AUTOSTART_YES, "its keys are there");
	ok(spec_nic_of(spec, "lan") != NULL, "its devices too");
	ok(str_ends(spec->files[1], "/templates/a.ini") &&
			str_ends(spec->files[2], "/templates/b.ini"),
		"files are listed");
	is_str(found, "", "a template's key is hidden without a note");
	spec_free(spec);

	AUTO_FREE char *again = NULL;
	conf_put("vms/t.ini", "[vm]\ncpus = 2\n" DISK);
	spec = conf_load("t", &again);
	ok(spec && spec->vm.memory >> 30 == 7 && spec->vm.cpus == 2,
		"default.ini lies below a file without template");
	spec_free(spec);
	AUTO_FREE char *third = NULL;
	conf_put("vms/t.ini", "[vm]\ntemplate = none\n" DISK);
	spec = conf_load("t", &third);
	ok(spec && spec->vm.memory >> 30 == 1, "template = none: nothing");
	spec_free(spec);
	conf_put("templates/default.ini", NULL);
}

static void test_bad_templates(void)
{
	conf_put("templates/a.ini", "[vm]\ntemplate = b\n");
	conf_put("templates/b.ini", "[vm]\n\ntemplate = a\n");
	conf_put("vms/t.ini", "[vm]\ntemplate = a\n" DISK);
	AUTO_FREE char *circle = conf_findings("t");
	is_str(circle,
		"templates/b.ini:3: [vm] template: the templates go round in "
		"a circle: a -> b -> a\n",
		"a cycle");
	conf_put("vms/t.ini", "[vm]\ntemplate = bb\n" DISK);
	AUTO_FREE char *missing = conf_findings("t");
	is_str(missing,
		"t.ini:2: [vm] template: there is no templates/bb.ini (did "
		"you mean 'b'?)\n",
		"one that is not there");
	conf_put("vms/t.ini", "[vm]\ntemplate = ../x\n" DISK);
	AUTO_FREE char *path = conf_findings("t");
	is_str(path, "t.ini:2: [vm] template: that is no name of a template\n",
		"a path");
	conf_put("templates/a.ini", "[vm]\ntemplate = b\n");
	conf_put("templates/b.ini", "[vm]\ntemplate = c\n");
	conf_put("templates/c.ini", "[vm]\ntemplate = d\n");
	conf_put("templates/d.ini", "[vm]\nmemory = 6G\n");
	conf_put("vms/t.ini", "[vm]\ntemplate = a\n" DISK);
	AUTO_FREE char *four = conf_findings("t");
	is_str(four, "", "a chain of four");
	conf_put("templates/d.ini", "[vm]\ntemplate = e\n");
	conf_put("templates/e.ini", "[vm]\nmemory = 6G\n");
	AUTO_FREE char *five = conf_findings("t");
	is_str(five,
		"templates/d.ini:2: [vm] template: the chain has more than 4 "
		"templates\n",
		"of five");
	conf_put("vms/t.ini", NULL);
}

/* ---- instances ---- */

static char *joined(char **names)
{
	struct str out = STR_INIT;

	for (char **name = names; *name; name++)
		str_addf(&out, "%s%s", out.len ? " " : "", *name);
	config_names_free(names);
	return str_take(&out);
}

static void test_instances(void)
{
	AUTO_FREE char *found = NULL;
	AUTO_FREE char *own_found = NULL;

	conf_put("vms/ci@.ini",
		"[vm]\ninstances = 08-10, db\ndescription = %n %p "
		"%i\n[disk.root]\nimage = ci-%i.qcow2\n[net.lan]\nuser = "
		"yes\nforward = 80%i:80\n");
	conf_put("vms/ci@.ini.d/1.ini", "[vm]\nmemory = 2G\ncpus = 2\n");
	conf_put("vms/ci@09.ini.d/1.ini", "[vm]\nmemory = 3G\n");
	conf_put("vms/ci@10.ini", DISK);
	struct vm_spec *spec = conf_load("ci@09", &found);
	ok(spec != NULL, "load an instance: %s", found);
	is_str(spec->vm.description, "ci@09 ci 09", "specifiers");
	is_str(spec->instance, "09", "instance");
	is_str(spec_disk_of(spec, "root")->image, "ci-09.qcow2", "its image");
	is_int(spec_nic_of(spec, "lan")->forward.at[0].host_first, 8009,
		"its port");
	is_int(spec->vm.memory >> 30, 3, "its own drop-in wins");
	is_int(spec->vm.cpus, 2, "over that of all");
	is_str(spec->shown, "ci@.ini", "messages name the file of all");
	spec_free(spec);
	spec = conf_load("ci@10", &own_found);
	ok(spec && !spec->vm.description && spec->vm.cpus == 2,
		"an own file is read instead, with the drop-ins of all");
	spec_free(spec);
	AUTO_FREE char *any = conf_findings("ci@4711");
	is_str(any,
		"ci@.ini:8: [net.lan] forward = 804711:80: ports are 1 to "
		"65535\n",
		"any instance can be tried");
	conf_put("vms/Bad.ini", DISK);
	AUTO_FREE char *names = joined(config_names(&conf));
	is_str(names, "ci@08 ci@09 ci@10 ci@db web", "names");
	conf_put("vms/ci@.ini", "[vm]\ninstances = 1-2\nbroken\n");
	AUTO_FREE char *broken = joined(config_names(&conf));
	is_str(broken, "ci@1 ci@10 ci@2 web", "also of a broken file");
	conf_put("vms/ci@.ini", NULL);
	conf_put("vms/ci@10.ini", NULL);
	conf_put("vms/Bad.ini", NULL);
}

/* ---- who it is ---- */

static void test_identity(void)
{
	AUTO_FREE char *found = NULL;
	AUTO_FREE char *other_found = NULL;

	conf_put("vms/a.ini", DISK);
	conf_put("vms/b.ini",
		"[vm]\nuuid = F11A93B7-409B-5B92-AC7B-AF7C0748FD2E\n" DISK);
	struct vm_spec *a = conf_load("a", &found);
	struct vm_spec *b = conf_load("b", &other_found);
	AUTO_FREE char *again_found = NULL;
	struct vm_spec *again = conf_load("a", &again_found);
	ok(a && again && str_eq(a->uuid, again->uuid), "a uuid is stable");
	ok(a && !str_eq(a->uuid, b->uuid), "of its own");
	is_str(b->uuid, "f11a93b7-409b-5b92-ac7b-af7c0748fd2e",
		"a written one, in lower case");
	spec_free(again);
	spec_free(a);
	spec_free(b);
	ok(config_name_is_valid("web@7") && !config_name_is_valid("web@"),
		"names");
	conf_put("vms/b.ini", NULL);
}

/* ---- show ---- */

static void test_show(void)
{
	conf_put("vms/s.ini", "[net.lan]\nuser = yes\n[x-y]\n[vm]\nuuid = "
			      "f11a93b7-409b-5b92-ac7b-af7c0748fd2e\n");
	AUTO_FREE char *bad = conf_findings("s");
	is_str(bad, "s.ini:3: unknown section [x-y]\n",
		"only keys may start with x-");
	conf_put("templates/base.ini",
		"[disk.a]\nimage = \"../a;b.raw\"\n[start]\nautostart = no\n");
	conf_put("vms/s.ini",
		"[start]\nautostart = yes  ; c\n[disk.b]\nimage = b.raw\n"
		"x-mine = 1\n[vm]\nuuid = f11a93b7-409b-5b92-ac7b-af7c0748fd2e"
		"\ntemplate = base\ndescription = \" a \"\nmemory =\n[raw]\n"
		"arg-2 = -s\n[agent]\nenabled = no\n[serial.console]\nlog = "
		"2M\n[disk.c]\nsize = 1G\nenabled = no\n");
	AUTO_FREE char *text = conf_show("s", false);
	AUTO_FREE char *want = xasprintf("[vm]\n"
					 "description = \" a \"\n"
					 "uuid = "
					 "f11a93b7-409b-5b92-ac7b-"
					 "af7c0748fd2e\n"
					 "template = base\n"
					 "\n[start]\n"
					 "autostart = yes\n"
					 "\n[disk.a]\n"
					 "image = \"%s/templates/../a;b.raw\"\n"
					 "\n[disk.b]\n"
					 "image = b.raw\n"
					 "x-mine = 1\n"
					 "\n[disk.c]\n"
					 "size = 1G\n"
					 "enabled = no\n"
					 "\n[serial.console]\n"
					 "log = 2M\n"
					 "\n[agent]\n"
					 "enabled = no\n"
					 "\n[raw]\n"
					 "arg-2 = -s\n",
		conf.config);
	is_str(text, want, "show is canonical");
	AUTO_FREE char *origin = conf_show("s", true);
	ok(strstr(origin, "\nautostart = yes  ; s.ini:2\n") &&
			strstr(origin, "b.raw\"  ; templates/base.ini:2\n"),
		"with origin");

	struct findings f;
	findings_init(&f);
	struct vm_spec *spec = config_load_text(
		&conf, "s", origin, strlen(origin), "saved", &f);
	ok(spec != NULL, "it loads again");
	AUTO_STR struct str second = STR_INIT;
	config_show(spec, false, NULL, &second);
	is_str(str_text(&second), want, "and says the same");
	AUTO_STR struct str part = STR_INIT;
	config_show(spec, false, "disk.b", &part);
	is_str(str_text(&part), "[disk.b]\nimage = b.raw\nx-mine = 1\n",
		"one section");
	spec_free(spec);
	ok(!config_load_text(&conf, "s", "[vm]\nmem", 8, "saved", &f),
		"a cut copy is refused");
	findings_fini(&f);
	conf_put("vms/s.ini", NULL);
}

/* ---- networks ---- */

static const struct {
	const char *text; /* of [net.lan] */
	const char *system;
	const char *user;
} nets[] = {
	{ "user = yes", "", "" },
	{ "", "", "" },
	{ "network = default", "",
		"note: n.ini:4: [net.lan] network: default becomes user = yes "
		"here: the VM reaches out, and is reached by forward only\n" },
	{ "network = lab",
		"n.ini:4: [net.lan] network: no network 'lab'; "
		"networks/lab.ini would make one\n",
		"n.ini:4: [net.lan] network: lab: networks are the system "
		"supervisor's, say user = yes\n" },
	{ "bridge = br0", "", "" },
	{ "user = no",
		"n.ini:4: [net.lan] user: user = no leaves no network: say "
		"user = yes, or enabled = no\n",
		"n.ini:4: [net.lan] user: user = no leaves no network: say "
		"user = yes, or enabled = no\n" },
};

static void test_networks(enum paths_scope scope)
{
	for (size_t i = 0; i < NELEMS(nets); i++) {
		AUTO_FREE char *text =
			xasprintf(DISK "[net.lan]\n%s\n", nets[i].text);
		AUTO_FREE char *found = NULL;
		conf_put("vms/n.ini", text);
		struct vm_spec *spec = conf_load("n", &found);
		is_str(found,
			scope == PATHS_USER ? nets[i].user : nets[i].system,
			"[net.lan] %s", nets[i].text);
		struct spec_nic *nic = spec ? spec_nic_of(spec, "lan") : NULL;
		bool user = scope == PATHS_USER ? !nic || !nic->bridge : i == 0;
		ok(!nic || nic->user == user, "is user mode, or not");
		ok(!nic || nic->user + (nic->network != NULL) +
						(nic->bridge != NULL) ==
					1,
			"exactly one");
		spec_free(spec);
	}
	conf_put("vms/n.ini", NULL);
}

/* ---- all VMs ---- */

static void test_all(void)
{
	static const char *const names[] = { "a-b", "a.b", "c", "d", "e" };
	struct vm_spec *specs[6] = { NULL };
	struct findings f;

	conf_put("vms/a-b.ini", "[disk.root]\nimage = shared.qcow2\n");
	conf_put("vms/a.b.ini", "[disk.root]\nimage = /x/own.qcow2\n");
	conf_put("vms/c.ini", "[disk.x]\nimage = shared.qcow2\n[net.n]\n"
			      "user = yes\nforward = 80-90:80\n");
	conf_put("vms/d.ini",
		"[disk.x]\nimage = iso.raw\nreadonly = yes\n[net.n]\nuser = "
		"yes\nforward = 85:80, udp:80:80\n");
	conf_put("vms/e.ini", "[disk.x]\nimage = iso.raw\nreadonly = yes\n"
			      "[net.n]\nuser = yes\nforward = [::1]:85:80\n");
	for (size_t i = 0; i < NELEMS(names); i++) {
		AUTO_FREE char *found = NULL;
		specs[i] = conf_load(names[i], &found);
		is_str(found, "", "load %s", names[i]);
	}
	findings_init(&f);
	config_check_all(specs, 6, &f);
	AUTO_FREE char *found = conf_found(&f);
	is_str(found,
		"c.ini:2: [disk.x] image: is also an image of a-b: only "
		"readonly = yes in both can share it\n"
		"a.b.ini: a-b and a.b are the same host name\n"
		"d.ini:6: [net.n] forward: 85 is also taken by c\n",
		"what two VMs cannot both have");
	findings_fini(&f);
	for (size_t i = 0; i < NELEMS(names); i++) {
		AUTO_FREE char *file = xasprintf("vms/%s.ini", names[i]);
		conf_put(file, NULL);
		spec_free(specs[i]);
	}
}

/* ---- files ---- */

static void test_file(void)
{
	struct findings f;
	struct paths p;
	struct err err = ERR_INIT;
	bool missing;

	conf_put("o%n/x.ini", "[vm]\nkernel = k\n[disk.d]\nimage = "
			      "./d.raw\n[start]\nautostart = yes\n[net.n]\n");
	conf_put("o%n/x.ini.d/1.ini", "[vm]\ncpus = 3\n");
	conf_put("templates/default.ini", "[vm]\nmemory = 9G\n");
	AUTO_FREE char *path = xasprintf("%s/o%%n/x.ini", conf.config);
	AUTO_FREE char *kernel = xasprintf("%s/o%%n/k", conf.config);
	ok(paths_init_file(&p, path, "x", NULL, temp_root, &err) == 0,
		"run FILE");
	findings_init(&f);
	struct vm_spec *spec = config_load(&p, "x", path, &f, &missing);
	ok(spec && !missing, "load a file by its name");
	is_str(spec->vm.kernel, kernel, "paths start at the file");
	is_int(spec->vm.cpus, 3, "its drop-ins are read");
	is_int(spec->vm.memory >> 30, 1, "default.ini is not");
	ok(spec_nic_of(spec, "n")->user, "a nic is in user mode");
	AUTO_FREE char *found = conf_found(&f);
	AUTO_FREE char *want = xasprintf(
		"note: %s:5: [start] autostart and the order of VMs mean "
		"nothing to run FILE\n",
		path);
	is_str(found, want, "autostart means nothing");
	spec_free(spec);
	spec = config_load(&p, "x", NULL, &f, &missing);
	ok(spec != NULL, "the scope knows its file");
	AUTO_STR struct str text = STR_INIT;
	config_show(spec, false, NULL, &text);
	spec_free(spec);
	spec = config_load_text(
		&p, "x", str_text(&text), text.len, "saved", &f);
	is_str(spec ? spec->vm.kernel : "", kernel,
		"a directory's percent sign is no specifier");
	spec_free(spec);
	ok(!config_load(&conf, "x", "/nowhere/x.ini", &f, &missing) && missing,
		"a file that is not there is missing");
	findings_fini(&f);
	paths_fini(&p);
	conf_put("templates/default.ini", NULL);
}

int main(void)
{
	conf_start(PATHS_SYSTEM);
	test_plain();
	test_dropins();
	test_templates();
	test_bad_templates();
	test_instances();
	test_identity();
	test_show();
	test_networks(PATHS_SYSTEM);
	test_all();
	test_file();
	conf_end();
	conf_start(PATHS_USER);
	test_networks(PATHS_USER);
	conf_end();
	return done();
}
