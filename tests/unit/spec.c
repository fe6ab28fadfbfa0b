/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor/spec: the tables agree with themselves and with the causes,
 * every default is what REFERENCE says, values with a grammar of their own,
 * and disks from KEY=VALUE words.
 */
#include "supervisor/spec.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/verbs.h"
#include "supervisor/cause.h"
#include "tests/unit/confdir.h"
#include "tests/unit/tap.h"

/* ---- the tables ---- */

static void check_key(const struct section *s, const struct key *key)
{
	if (!key->help || !str_ends(key->help, "."))
		ok(false, "[%s] %s has no sentence", s->name, key->name);
	if (key->offset >= s->size)
		ok(false, "[%s] %s is outside its struct", s->name, key->name);
	if (key->type == KEY_CUSTOM && !key->form)
		ok(false, "[%s] %s does not say its form", s->name, key->name);
	/* what a running VM takes at once is taken by somebody */
	if ((key->when == KEY_HOT) != (key->live != NULL) ||
		(key->live && !verb_by_name(key->live)))
		ok(false, "[%s] %s is hot by no verb", s->name, key->name);
	for (const char *const *later = s->later_keys; later && *later; later++)
		if (str_eq(*later, key->name))
			ok(false, "[%s] %s is both", s->name, key->name);
}

static void test_tables(void)
{
	size_t keys = 0;

	for (size_t i = 0; i < spec_nsections; i++) {
		const struct section *s = &spec_sections[i];
		keys_each(s, key) {
			check_key(s, key);
			keys++;
		}
		for (size_t j = 0; j < i; j++)
			if (str_eq(s->name, spec_sections[j].name))
				ok(false, "[%s] is there twice", s->name);
	}
	ok(keys > 75, "%zu keys", keys);
}

/* [restart] has a key for every cause but "none", at the right place. */
static void test_causes(void)
{
	for (int cause = CAUSE_NONE + 1; cause < NCAUSES; cause++) {
		const struct section *s;
		const char *name = cause_name((enum cause)cause);
		const struct key *key = keys_lookup(
			spec_sections, spec_nsections, "restart", name, &s);
		ok(key && key->offset == offsetof(struct spec_restart,
						 on_cause) +
						 sizeof(int) * (size_t)cause,
			"[restart] %s", name);
	}
}

static void test_docs(void)
{
	AUTO_STR struct str mdoc = STR_INIT;
	AUTO_STR struct str sample = STR_INIT;
	struct err err = ERR_INIT;

	str_add(&mdoc, ".Dd January 1, 2025\n.Dt T 5\n.Os\n.Sh NAME\n.Nm t\n"
		       ".Nd a test\n.Sh KEYS\n");
	keys_add_mdoc(&mdoc, spec_sections, spec_nsections);
	ok(fd_write_file(AT_FDCWD, temp_path("t.5"), mdoc.data, mdoc.len, 0600,
		   false, &err) == 0,
		"write a page");
	AUTO_FREE char *command = xasprintf("command -v mandoc >/dev/null || "
					    "exit 0; mandoc -Tlint -W warning "
					    "%s >&2",
		temp_path("t.5"));
	is_int(system(command), 0, "mandoc has nothing to say");
	ok(strstr(str_text(&mdoc),
		   "running VM by\n.Ic vmward apply\nor\n.Ic vmward disk resize ."),
		"what changes in a running VM says how");
	ok(!strstr(str_text(&mdoc), "takes a change at once"),
		"and nothing says more than that");
	keys_add_defaults(&sample, spec_sections, spec_nsections);
	ok(strstr(str_text(&sample), ";steps = agent:20s, acpi:20s, acpi:15s, "
				     "quit:3s, term:2s, kill\n"),
		"the sample has the default steps");
}

/* The sample with its settings uncommented loads, as far as it is whole. */
static void test_sample(void)
{
	AUTO_STR struct str sample = STR_INIT;
	AUTO_STR struct str text = STR_INIT;

	keys_add_defaults(&sample, spec_sections, spec_nsections);
	for (const char *at = str_text(&sample); *at;) {
		size_t len = strcspn(at, "\n") + 1;
		bool setting = at[0] == ';' && at[1] != ' ' &&
			       !str_starts(at, ";arg-1");
		AUTO_FREE char *line = xstrndup(at + setting, len - setting);
		char *name = strstr(line, ".NAME]");
		at += len;
		if (name)
			memcpy(name,
				str_starts(line, "[cdrom") ? ".disc]"
							   : ".name]",
				6);
		str_add(&text, line);
		if (!str_starts(line, "size ="))
			continue;
		str_cut(&text, text.len - 1);
		str_add(&text, "1G\n");
	}
	conf_put("vms/sample.ini", str_text(&text));
	AUTO_FREE char *found = NULL;
	struct vm_spec *spec = conf_load("sample", &found);
	ok(spec != NULL, "the sample of all defaults loads: %s", found);
	spec_free(spec);
	conf_put("vms/sample.ini", NULL);
}

/* ---- defaults and values ---- */

static void check_default_restart(const struct vm_spec *spec)
{
	ok(spec->restart.policy == POLICY_ON_FAILURE &&
			spec->restart.backoff.first_ms == 1000 &&
			spec->restart.backoff.max_ms == 60000 &&
			spec->restart.burst.count == 5 &&
			spec->restart.burst.window_ms == 600000 &&
			spec->restart.on_guest_reboot ==
				REBOOT_COLD_IF_PENDING &&
			spec->restart.on_cause[CAUSE_PANIC] == ACTION_BY_POLICY,
		"restart");
}

static void test_defaults(void)
{
	AUTO_FREE char *found = NULL;

	conf_put("vms/d.ini", "[disk.root]\nsize = 1G\n[net.lan]\nuser = "
			      "yes\n");
	struct vm_spec *spec = conf_load("d", &found);
	const struct spec_disk *disk = spec_disk_of(spec, "root");
	const struct spec_nic *nic = spec_nic_of(spec, "lan");
	ok(spec->vm.memory == 1 << 30 && spec->vm.cpus == 1, "1G, 1 CPU");
	ok(spec->vm.os == OS_LINUX && spec->vm.nested &&
			spec->vm.accel == ACCEL_AUTO &&
			spec->vm.clock == CLOCK_UTC && !spec->vm.ephemeral,
		"os, nested, accel, clock, ephemeral");
	is_str(spec->vm.machine, "q35", "machine");
	is_int(spec->vm.hotplug_ports, 8, "hotplug-ports");
	is_int(spec->start.ready_timeout_ms, 120000, "ready-timeout");
	is_int(spec->stop.timeout_ms, 60000, "stop timeout");
	ok(spec->stop.runtime_max_ms == STR_FOREVER, "runtime-max");
	is_int(spec->stop.steps.n, 6, "steps");
	ok(spec->stop.steps.at[2].step == STEP_ACPI &&
			spec->stop.steps.at[2].budget_ms == 15000 &&
			spec->stop.steps.at[5].step == STEP_KILL,
		"their budgets");
	check_default_restart(spec);
	ok(disk->bus == BUS_VIRTIO && disk->cache == 0 &&
			str_eq(spec_aio_names[disk->aio], "threads") &&
			disk->discard == 0 && !disk->iothread &&
			!disk->readonly && disk->boot == 0 &&
			str_eq(disk->pool.name, "default"),
		"disk");
	ok(str_eq(nic->model, "virtio") && nic->up && nic->forward.n == 0,
		"nic");
	spec_free(spec);
}

static void test_values(void)
{
	AUTO_FREE char *found = NULL;

	conf_put("vms/v.ini",
		"[vm]\nos = windows\nkernel = k\ncpus = 4\ncpu-topology = "
		"1:2:2\nmemory = 1G\nmemory-max = 2G\n[start]\nafter = web@7, "
		"net:lan\nready = exec:/bin/check %n\n[stop]\nsteps = "
		"ctrl-alt-del:1s,kill\n[restart]\nbackoff = 5s\nburst = "
		"1/1s\npanic = pause\n[raw]\narg-10 = -b\narg-2 = -a "
		"x\nqmp-1 = {\"execute\": \"stop\"}\n[serial.log]\ntarget = "
		"virtio\n");
	struct vm_spec *spec = conf_load("v", &found);
	is_str(found, "", "all values are right");
	is_int(spec->vm.clock, CLOCK_LOCALTIME, "Windows has local time");
	is_int(spec->vm.topology.threads, 2, "topology");
	is_str(spec->start.after[0], "web@7", "after");
	is_str(spec->start.ready.text, "/bin/check v", "ready by a program");
	ok(spec->stop.steps.n == 2 &&
			spec->stop.steps.at[0].step == STEP_CTRL_ALT_DEL,
		"steps");
	ok(spec->restart.backoff.max_ms == 5000, "one value: no growth");
	is_int(spec->restart.on_cause[CAUSE_PANIC], ACTION_PAUSE, "panic");
	struct str raws = STR_INIT;
	list_each(&spec->raws, it, next) {
		struct spec_raw *raw = list_entry(it, struct spec_raw, link);
		str_addf(&raws, "%s%u %s;", raw->qmp ? "qmp" : "arg",
			raw->number, raw->text);
	}
	is_str(str_text(&raws),
		"arg2 -a x;arg10 -b;qmp1 {\"execute\": \"stop\"};",
		"raw is in order");
	str_fini(&raws);
	struct spec_serial_port *first =
		list_entry(spec->serials.next, struct spec_serial_port, link);
	is_str(first->name, "console", "the console is the first port");
	spec_free(spec);
}

/* ---- disks from words ---- */

static const struct {
	const char *name;
	const char *pairs[4];
	const char *want;
} bad[] = {
	{ "root", { "size=1G" }, "disk 'root' exists already" },
	{ "Data", { "size=1G" },
		"'Data' is no name of a disk: a-z, 0-9 and '-', at most 15" },
	{ "data", { NULL },
		"disk: [disk.data] needs image, base, size or url" },
	{ "data", { "size" }, "'size': say KEY=VALUE" },
	{ "data", { "=1G" }, "'=1G': say KEY=VALUE" },
	{ "data", { "size=1G", "size=2G" }, "'size' is given twice" },
	{ "data", { "size=10" }, "disk: [disk.data] size = 10: say 10M" },
	{ "data", { "sise=1G" },
		"disk: unknown key 'sise' in [disk.data] (did you mean "
		"'size'?)" },
	{ "data", { "image=x.img" },
		"disk: [disk.data] image: 'x.img' does not tell the format: "
		"say format = raw or format = qcow2" },
	{ "data", { "size=1G", "enabled=no" },
		"disk 'data': enabled = no leaves nothing" },
};

static void test_nic_pairs(void)
{
	static const struct {
		const char *name, *pair, *want;
	} table[] = {
		{ "lab", "network=lab", "" },
		{ "lab", "speed=10", "nic: unknown key 'speed' in [net.lab]" },
		{ "lab", "mac=52:54:00:00:00:07",
			"nic: [net.lab] mac: 52:54:00:00:00:07 is also the "
			"address of [net.lan]" },
		{ "lab", "forward=8080:81",
			"nic: [net.lab] forward: port 8080 is also forwarded "
			"by [net.lan]" },
		{ "lab", "user=no",
			"nic: [net.lab] user: user = no leaves no "
			"network: say user = yes, or enabled = "
			"no" },
		{ "Lab", "user=yes",
			"'Lab' is no name of a nic: a-z, 0-9 and "
			"'-', at most 15" },
		{ "lan", "user=yes", "nic 'lan' exists already" },
		{ "lab", "enabled=no",
			"nic 'lab': enabled = no leaves "
			"nothing" },
	};
	AUTO_FREE char *found = NULL;

	conf_put("vms/n.ini", "[disk.x]\nimage = a.qcow2\n[net.lan]\n"
			      "mac = 52:54:00:00:00:07\nforward = 8080:80\n");
	struct vm_spec *spec = conf_load("n", &found);
	for (size_t i = 0; i < NELEMS(table); i++) {
		const char *const pairs[] = { table[i].pair, NULL };
		struct err err = ERR_INIT;
		struct spec_nic *nic = spec_nic_from_pairs(
			spec, table[i].name, pairs, &conf, &err);

		is_str(err.text, table[i].want, "nic attach %s %s",
			table[i].name, table[i].pair);
		ok(!nic == (*table[i].want != '\0'), "%s",
			nic ? "made" : "refused");
		spec_nic_free(nic);
	}
	spec_free(spec);
}

static void test_pairs(void)
{
	AUTO_FREE char *found = NULL;
	struct err err = ERR_INIT;
	struct vm_spec *spec = conf_load("d", &found);
	const char *const pairs[] = { "image=./%n.raw", "bus=scsi",
		"format=raw", NULL };

	struct spec_disk *disk =
		spec_disk_from_pairs(spec, "data", pairs, "/here", &conf, &err);
	ok(disk != NULL, "a disk from words %s", err.text);
	is_str(disk->image, "/here/d.raw", "its image");
	ok(disk->bus == BUS_SCSI && str_eq(disk->name, "data"), "its bus");
	spec_disk_free(disk);
	for (size_t i = 0; i < NELEMS(bad); i++) {
		err_clear(&err);
		disk = spec_disk_from_pairs(
			spec, bad[i].name, bad[i].pairs, "/", &conf, &err);
		ok(!disk, "refused: %s", bad[i].want);
		is_str(err.text, bad[i].want, "with a reason");
	}
	spec_disk_free(NULL);
	spec_free(spec);
	spec_free(NULL);
}

int main(void)
{
	conf_start(PATHS_SYSTEM);
	test_tables();
	test_causes();
	test_docs();
	test_sample();
	test_defaults();
	test_values();
	test_pairs();
	test_nic_pairs();
	conf_end();
	return done();
}
