/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan: what a start would do, in order; nothing is done. */
#include "supervisor/plan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/jstream.h"

#include "tests/unit/vmkit.h"

/* A list of the plan, "|" behind each, with IMAGES for their directory. */
static char *listed(json_t *plan, const char *name)
{
	AUTO_STR struct str all = STR_INIT;
	struct str out = STR_INIT;
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(plan, name), i, item)
		str_addf(&all, "%s|", json_string_value(item));
	for (const char *at = str_text(&all); *at;) {
		size_t len = strlen(kit.paths.images);
		bool here = !strncmp(at, kit.paths.images, len);

		if (here)
			str_add(&out, "IMAGES");
		else
			str_addc(&out, *at);
		at += here ? len : 1;
	}
	return out.data ? str_take(&out) : xstrdup("");
}

static void plans(const char *text, const char *actions, const char *qmp)
{
	struct vm_spec *spec = kit_spec(text);
	struct err err = ERR_INIT;
	AUTO_JSON json_t *plan = plan_start(spec, &kit, NULL, NULL, &err);
	AUTO_FREE char *got = listed(plan, "actions");
	AUTO_FREE char *commands = listed(plan, "qmp");
	char *tcg = strstr(got, "|accelerator tcg");

	ok(plan != NULL, "a plan: %s", err.text);
	ok(tcg != NULL, "it names the accelerator");
	if (tcg) /* the reason is the host's business */
		memmove(tcg, strchr(tcg + 1, '|'),
			strlen(strchr(tcg + 1, '|')) + 1);
	is_str(got, actions, "its actions");
	is_str(commands, qmp, "its commands");
	spec_free(spec);
}

static void refuses(const char *text, const char *want)
{
	struct vm_spec *spec = kit_spec(text);
	struct err err = ERR_INIT;
	AUTO_JSON json_t *plan = plan_start(spec, &kit, NULL, NULL, &err);

	ok(!plan, "no plan");
	ok(strstr(err.text, want), "because: %s", err.text);
	spec_free(spec);
}

#define TCG "[vm]\naccel = tcg\n"
#define GO  "start QEMU and let the guest run|"
#define QMP "qmp_capabilities|cont|"

static void put_image(const char *name, size_t size)
{
	AUTO_FREE char *path = xasprintf("%s/%s", kit.paths.images, name);
	int fd;

	mkdir(kit.paths.images, 0755);
	fd = open(path, O_CREAT | O_WRONLY, 0644);
	if (fd < 0 || ftruncate(fd, (off_t)size))
		ok(false, "cannot make %s", path);
	close(fd);
}

static void test_start(void)
{
	plans(TCG, "create image 'IMAGES/web-root.qcow2' (qcow2, 1G)|" GO, QMP);
	plans(TCG "[disk.data]\nimage = data.raw\nsize = 512M\n",
		"create image 'IMAGES/data.raw' (raw, 512M)|"
		"create image 'IMAGES/web-root.qcow2' (qcow2, 1G)|" GO,
		QMP);
	put_image("data.raw", 1 << 20);
	put_image("base.raw", 1 << 20);
	plans(TCG "[disk.data]\nimage = data.raw\n[disk.o]\n"
		  "base = base.raw\nsize = 2G\n",
		"open image 'IMAGES/data.raw' (raw)|"
		"create overlay 'IMAGES/web-o.qcow2' (qcow2) of "
		"'IMAGES/base.raw', 2G|"
		"create image 'IMAGES/web-root.qcow2' (qcow2, 1G)|" GO,
		QMP);
	plans(TCG "[net.lan]\nuser = yes\nforward = 8080:80, "
		  "udp:0.0.0.0:53:53, 9000-9002:9100\n",
		"create image 'IMAGES/web-root.qcow2' (qcow2, 1G)|"
		"forward tcp 127.0.0.1:8080 to the guest's 80|"
		"forward udp 0.0.0.0:53 to the guest's 53|"
		"forward tcp 127.0.0.1:9000-9002 to the guest's 9100-9102|" GO,
		QMP);
	plans(TCG "[raw]\nqmp-2 = {\"execute\":\"b\"}\n"
		  "qmp-1 = {\"execute\":\"a\"}\narg-1 = -foo\n",
		"create image 'IMAGES/web-root.qcow2' (qcow2, 1G)|" GO,
		"qmp_capabilities|{\"execute\":\"a\"}|{\"execute\":\"b\"}|"
		"cont|");
}

static void test_refusals(void)
{
	AUTO_FREE char *path = xasprintf("%s/web-root.qcow2", kit.paths.images);

	refuses(TCG "[disk.x]\nimage = none.raw\n", "give size = or base =");
	refuses(TCG "[disk.x]\nbase = none.raw\n", "none.raw");
	refuses(TCG "[disk.x]\nbase = none.raw\nformat = qcow2\n", "disk 'x'");
	ok(access(path, F_OK), "and nothing was made");
}

static void test_argv(void)
{
	struct vm_spec *spec = kit_spec(TCG);
	struct record record = { .generation = 41, .machine = "pc-q35-7.2" };
	struct err err = ERR_INIT;
	AUTO_JSON json_t *plan = plan_start(spec, &kit, &record, NULL, &err);
	AUTO_FREE char *words = listed(plan, "argv");

	ok(str_starts(words, "qemu-system-x86_64|"), "begins with QEMU");
	ok(strstr(words, "|pc-q35-7.2"), "of the machine that is recorded");
	ok(strstr(words, "mon-g42"), "as the next generation");
	ok(strstr(words,
		   "-add-fd|fd=12,set=1,opaque=disk-root:IMAGES/web-root.qcow2|"),
		"with its disk");
	spec_free(spec);
}

int main(void)
{
	kit_start();
	test_start();
	test_refusals();
	test_argv();
	kit_end();
	return done();
}
