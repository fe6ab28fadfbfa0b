/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vmwardd does once: check, plan, show of a FILE, doctor; as printed. */
#include "supervisor/once.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static struct once_options options;
static int saved_out = -1;
static int saved_err = -1;

static void begin_capture(void)
{
	int fd = open(temp_path("out"), O_CREAT | O_TRUNC | O_RDWR, 0600);

	fflush(stdout);
	fflush(stderr);
	saved_out = dup(STDOUT_FILENO);
	saved_err = dup(STDERR_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

/* What was printed since, with ROOT for the test's directory; new. */
static char *end_capture(void)
{
	AUTO_STR struct str all = STR_INIT;
	struct str out = STR_INIT;
	struct err err = ERR_INIT;

	fflush(stdout);
	fflush(stderr);
	dup2(saved_out, STDOUT_FILENO);
	dup2(saved_err, STDERR_FILENO);
	close(saved_out);
	close(saved_err);
	if (fd_read_file(AT_FDCWD, temp_path("out"), 1 << 20, &all, &err))
		ok(false, "%s", err.text);
	for (const char *at = str_text(&all); *at; at++) {
		bool here = str_starts(at, temp_root);

		if (here)
			str_add(&out, "ROOT");
		else
			str_addc(&out, *at);
		at += here ? strlen(temp_root) - 1 : 0;
	}
	return out.data ? str_take(&out) : xstrdup("");
}

static const char *put(const char *name, const char *text)
{
	const char *path = temp_path(name);
	struct err err = ERR_INIT;

	if (fd_write_file(
		    AT_FDCWD, path, text, strlen(text), 0644, false, &err))
		ok(false, "%s", err.text);
	return path;
}

/* ---- check ---- */

static void checks(
	const char *name, const char *text, int status, const char *want)
{
	char path[512];
	char *files[2] = { path, NULL };
	int rc;

	snprintf(path, sizeof(path), "%s",
		text ? put(name, text) : temp_path(name));
	begin_capture();
	rc = once_check(&options, files);
	AUTO_FREE char *got = end_capture();
	is_int(rc, status, "check %s", name);
	is_str(got, want, "prints");
}

static void test_check(void)
{
	checks("good.ini", "[disk.root]\nsize = 1G\n", 0, "no mistakes\n");
	checks("bad.ini", "[vm]\ncpus = x\n[disk.root]\nsize = 1\n", 1,
		"ROOT/bad.ini:2: [vm] cpus = x: say a whole number, as 4\n"
		"ROOT/bad.ini:4: [disk.root] size = 1: say 1M\n");
	checks("none.ini", NULL, 4,
		"vmward: ROOT/none.ini: No such file or directory\n");
	checks("Bad Name.ini", "[vm]\n", 2,
		"vmward: 'ROOT/Bad Name.ini' gives no name for a VM; use "
		"--name\n");
	options.json = true;
	checks("good.ini", "[disk.root]\nsize = 1G\n", 0, "[]\n");
	checks("none.ini", NULL, 4,
		"{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": "
		"\"ROOT/none.ini: No such file or directory\", \"code\": "
		"\"NOT_FOUND\", \"vm\": null}}\n");
	options.json = false;
}

/* ---- plan, show ---- */

static char *prints(int (*what)(const struct once_options *o, const char *file),
	const char *file, int status)
{
	AUTO_FREE char *path = xstrdup(temp_path(file));
	int rc;

	begin_capture();
	rc = what(&options, path);
	char *got = end_capture();
	is_int(rc, status, "%s", file);
	return got;
}

static void test_plan(void)
{
	AUTO_FREE char *all = NULL;
	AUTO_FREE char *argv = NULL;
	AUTO_FREE char *qmp = NULL;
	AUTO_FREE char *bad = NULL;
	AUTO_FREE char *json = NULL;
	AUTO_FREE char *wrong = NULL;

	put("p.ini", "[vm]\naccel = tcg\n[disk.root]\nsize = 1G\n[raw]\n"
		     "arg-1 = -name it's\n");
	put("q.ini", "[vm]\nmemroy = 1G\n");
	options.json = true;
	json = prints(once_plan, "p.ini", 0);
	ok(str_starts(json, "[{") && strstr(json, "\"vm\":\"p\""),
		"as JSON: an array, each with its VM");
	wrong = prints(once_plan, "q.ini", 1);
	ok(str_starts(wrong, "{\"error\"") && strstr(wrong, "q.ini:2: "),
		"a mistake is an error in JSON, too");
	options.json = false;
	all = prints(once_plan, "p.ini", 0);
	ok(str_starts(all, "create image 'ROOT/p-root.qcow2' (qcow2, 1G)\n"),
		"what would be made, beside the file");
	ok(strstr(all, "\ncommand line:\n"), "the command line");
	ok(strstr(all, " \\\n  -S"), "an option a line");
	ok(strstr(all, "\nover QMP:\n  qmp_capabilities\n  cont\n"), "QMP");
	options.argv = true;
	argv = prints(once_plan, "p.ini", 0);
	ok(!strstr(argv, "create image"), "--argv: the command line only");
	ok(strstr(argv, "'it'\\''s'"), "which a shell takes as it is");
	options.argv = false;
	options.qmp = true;
	qmp = prints(once_plan, "p.ini", 0);
	is_str(qmp, "qmp_capabilities\ncont\n", "--qmp: the commands only");
	options.qmp = false;
	put("q.ini", "[disk.root]\nimage = none.raw\n");
	bad = prints(once_plan, "q.ini", 4);
	ok(strstr(bad, "vmward: disk 'root': no image"), "an error");
	ok(access(temp_path("p.vmward"), F_OK) != 0 &&
			access(temp_path("p-root.qcow2"), F_OK) != 0,
		"nothing was made");
}

static void test_show(void)
{
	AUTO_FREE char *all = NULL;
	AUTO_FREE char *origin = NULL;
	AUTO_FREE char *section = NULL;
	AUTO_FREE char *json = NULL;
	AUTO_FREE char *bad = NULL;
	AUTO_FREE char *none = NULL;

	put("s.ini", "[vm]\ncpus = 2\n[disk.root]\nsize = 1G\n");
	all = prints(once_show, "s.ini", 0);
	ok(strstr(all, "\ncpus = 2\n"), "show says what is written");
	options.origin = true;
	origin = prints(once_show, "s.ini", 0);
	ok(strstr(origin, "s.ini:2"), "--origin says where from");
	options.origin = false;
	options.section = "disk.root";
	section = prints(once_show, "s.ini", 0);
	ok(!strstr(section, "cpus") && strstr(section, "size = 1G"),
		"one section");
	options.json = true;
	json = prints(once_show, "s.ini", 0);
	is_str(json,
		"[{\"vm\":\"s\",\"text\":\"[disk.root]\\nsize = 1G\\n\"}]\n",
		"--json: as of a name");
	options.json = false;
	options.section = NULL;
	put("bad.ini", "[vm]\nnope = 1\n");
	bad = prints(once_show, "bad.ini", 1);
	ok(str_starts(bad, "ROOT/bad.ini:2: "), "a bad file");
	none = prints(once_show, "none.ini", 4);
	is_str(none, "vmward: ROOT/none.ini: No such file or directory\n",
		"no file");
	options.defaults = true;
	free(none);
	none = prints(once_show, "", 0);
	ok(strstr(none, "cpus = 1"), "--defaults needs none");
	options.defaults = false;
}

/* ---- doctor ---- */

static bool host_is_good;

static int open_host(int dirfd, const char *path, int flags, mode_t mode)
{
	if (str_eq(path, "/proc/cpuinfo"))
		path = temp_path("cpuinfo");
	else if (str_eq(path, "/dev/kvm"))
		path = host_is_good ? "/dev/null" : "/no/such/device";
	else if (str_starts(path, "/sys/module/kvm_intel"))
		path = temp_path("nested");
	else if (str_starts(path, "/sys/module/kvm_amd"))
		path = "/no/such/module";
	return sys_real.openat(dirfd, path, flags, mode);
}

/* The host looked at in a process of its own: some of it is remembered. */
static char *doctor(bool good, int *status)
{
	host_is_good = good;
	put("cpuinfo", good ? "flags\t\t: fpu vmx sse\n" : "flags\t\t: fpu\n");
	put("nested", good ? "Y\n" : "N\n");
	setenv("PATH", good ? temp_path("bin") : "/no/such/place", 1);
	begin_capture();
	*status = once_doctor(&options);
	return end_capture();
}

/* A line begins with mark and what it is about, and tells this. */
static void has(
	const char *text, const char *mark, const char *what, const char *told)
{
	AUTO_FREE char *begin = xasprintf("%s  %s ", mark, what);
	bool found = false;

	for (const char *at = text; at && !found; at = strchr(at, '\n')) {
		at += *at == '\n';
		AUTO_FREE char *line = xstrndup(at, strcspn(at, "\n"));
		found = str_starts(line, begin) && strstr(line, told);
	}
	ok(found, "%s%s", begin, told);
}

/* What to do stands in a line below. */
static void remedies(const char *text, const char *remedy)
{
	AUTO_FREE char *line = xasprintf(" remedy: %s\n", remedy);

	ok(strstr(text, line) != NULL, "%s", remedy);
}

static void test_doctor(void)
{
	struct sys_backend odd = sys_real;
	AUTO_FREE char *path = getenv("PATH") ? xstrdup(getenv("PATH")) : NULL;
	AUTO_FREE char *good = NULL;
	AUTO_FREE char *bad = NULL;
	AUTO_FREE char *json = NULL;
	int status;

	mkdir(temp_path("bin"), 0755);
	chmod(put("bin/qemu-system-x86_64",
		      "#!/bin/sh\necho 'QEMU emulator version 7.2.22 (Of)'\n"),
		0755);
	chmod(put("bin/qemu-img", "#!/bin/sh\n"), 0755);
	odd.openat = open_host;
	sys_use(&odd);
	bad = doctor(false, &status);
	is_int(status, 1, "a host that lacks things");
	has(bad, "--", "kvm device", "/dev/kvm");
	remedies(bad, "usermod -aG kvm $USER, then log in again; or modprobe "
		      "kvm_intel (kvm_amd)");
	has(bad, "--", "processor", "shows no vmx/svm");
	has(bad, "--", "nested", "guests cannot run VMs");
	has(bad, "--", "qemu-system-x86_64", "not found on PATH");
	remedies(bad, "apt-get install qemu-system-x86");
	has(bad, "--", "qemu-img", "not found on PATH");
	remedies(bad, "apt-get install qemu-utils");
	has(bad, "--", "supervisor", "cannot connect to 'ROOT/");
	remedies(bad, "systemctl start vmward");
	has(bad, "ok", "images", "ROOT/");
	options.json = true;
	json = doctor(false, &status);
	options.json = false;
	is_int(status, 1, "--json: the same status");
	ok(str_starts(json, "[{\"check\":\"kvm device\",\"ok\":false,") &&
			strstr(json,
				"\"remedy\":\"apt-get install qemu-utils\"}"),
		"--json: an object for each thing");
	good = doctor(true, &status);
	has(good, "ok", "kvm device", "/dev/kvm opens");
	has(good, "ok", "nested", "guests may run VMs");
	has(good, "ok", "qemu-system-x86_64",
		"ROOT/bin/qemu-system-x86_64, 7.2.22");
	has(good, "ok", "qemu-img", "ROOT/bin/qemu-img");
	sys_use(&sys_real);
	if (path)
		setenv("PATH", path, 1);
}

int main(void)
{
	temp_make();
	options.root = temp_root;
	test_check();
	test_plan();
	test_show();
	test_doctor();
	return done();
}
