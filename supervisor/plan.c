/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan: what start would do, what differs; see plan.h. */
#include "supervisor/plan.h"

#include <string.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/accel.h"
#include "supervisor/argv.h"
#include "supervisor/chain_open.h"
#include "supervisor/firmware.h"
#include "supervisor/forward.h"
#include "supervisor/image_plan.h"
#include "supervisor/pin.h"

static void add_text(json_t *list, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add_text(json_t *list, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	AUTO_FREE char *text = xvasprintf(fmt, ap);
	va_end(ap);
	json_array_append_new(list, json_string(text));
}

/* "open image 'a' (qcow2) on 'b' (raw)" */
static void add_open(json_t *actions, const struct chain *chain)
{
	AUTO_STR struct str text = STR_INIT;

	for (size_t i = 0; i < chain->n; i++)
		str_addf(&text, "%s '%s' (%s)", i ? " on" : "",
			chain->at[i].path, chain->at[i].format);
	add_text(actions, "open image%s", str_text(&text));
}

static int plan_disks(const struct vm_spec *spec, const struct env *env,
	const struct chains *chains, json_t *actions, struct err *err)
{
	int rc = 0;

	list_each(&spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		struct image_plan plan;
		AUTO_STR struct str size = STR_INIT;
		int need = image_plan_make(
			spec, disk, &env->paths, &plan, NULL, err);

		str_add_bytes(&size, plan.wish.size);
		if (need > 0 && plan.base)
			add_text(actions,
				"create overlay '%s' (%s) of '%s'%s%s",
				plan.path, plan.wish.format, plan.base,
				plan.wish.size ? ", " : "",
				plan.wish.size ? str_text(&size) : "");
		else if (need > 0)
			add_text(actions, "create image '%s' (%s, %s)",
				plan.path, plan.wish.format, str_text(&size));
		else if (need == 0)
			add_open(actions, chains_find(chains, disk->name));
		image_plan_fini(&plan);
		rc |= need < 0 ? -1 : 0;
	}
	return rc;
}

static void add_ports(struct str *out, unsigned first, unsigned n)
{
	str_addf(out, n > 1 ? "%u-%u" : "%u", first, first + n - 1);
}

static void plan_forward(const struct spec_forward *f, json_t *actions)
{
	unsigned n = (unsigned)(f->host_last - f->host_first) + 1;
	AUTO_STR struct str text = STR_INIT;

	str_addf(&text, "forward %s %s:", f->udp ? "udp" : "tcp",
		forward_addr(f));
	add_ports(&text, f->host_first, n);
	str_add(&text, " to the guest's ");
	add_ports(&text, f->guest_first, n);
	add_text(actions, "%s", str_text(&text));
}

static void plan_forwards(const struct vm_spec *spec, json_t *actions)
{
	list_each(&spec->nics, it, next) {
		const struct spec_nic *nic =
			list_entry(it, struct spec_nic, link);

		for (unsigned i = 0; i < nic->forward.n; i++)
			plan_forward(&nic->forward.at[i], actions);
	}
}

static json_t *plan_qmp(const struct vm_spec *spec, bool kvm)
{
	json_t *qmp = json_array();

	add_text(qmp, "qmp_capabilities");
	if (kvm)
		add_text(qmp, "query-kvm");
	list_each(&spec->raws, it, next) {
		const struct spec_raw *raw =
			list_entry(it, struct spec_raw, link);

		if (raw->qmp)
			add_text(qmp, "%s", raw->text);
	}
	add_text(qmp, "cont");
	return qmp;
}

/* The command line in words; new, NULL with err. */
static json_t *plan_argv(const struct vm_spec *spec,
	const struct argv_host *host, const struct record *record,
	struct err *err)
{
	struct argv_slots slots = { 0 };
	json_t *words;
	char **argv;

	argv_name_slots(&slots, record ? record->slots : NULL);
	argv_plan_slots(spec, &slots);
	argv = argv_build(spec, host, &slots, err);
	argv_name_slots(&slots, NULL);
	if (!argv)
		return NULL;
	words = json_array();
	for (size_t i = 0; argv[i]; i++)
		json_array_append_new(words, json_string(argv[i]));
	argv_free(argv);
	return words;
}

static int plan_firmware(const struct vm_spec *spec, struct argv_host *host,
	struct argv_firmware *found, json_t *actions, struct err *err)
{
	if (!firmware_is_uefi(spec))
		return 0;
	if (firmware_find(NULL, host->machine,
		    spec->vm.firmware == FIRMWARE_UEFI_SECURE, found, err))
		return -1;
	host->firmware = found;
	add_text(actions, "firmware %s", found->code);
	return 0;
}

static json_t *plan_with(const struct vm_spec *spec, const struct env *env,
	const struct record *record, struct chains *chains,
	struct argv_firmware *firmware, struct err *err)
{
	AUTO_JSON json_t *actions = json_array();
	AUTO_JSON json_t *words = NULL;
	struct accel accel;
	struct record pinned = { 0 };
	struct argv_host host = { .qemu = str_or(
					  env->qemu, "qemu-system-x86_64"),
		.machine = pinned.machine,
		.generation = record ? record->generation + 1 : 1,
		.images = env->paths.images,
		.io_uring = env->io_uring,
		.chains = chains };

	if (accel_choose((enum spec_accel)spec->vm.accel, &accel, err) ||
		plan_disks(spec, env, chains, actions, err))
		return NULL;
	if (record)
		snprintf(pinned.machine, sizeof(pinned.machine), "%s",
			record->machine);
	pin_settle(&pinned, spec);
	host.kvm = accel.kvm;
	if (plan_firmware(spec, &host, firmware, actions, err))
		return NULL;
	add_text(actions, "accelerator %s",
		accel.kvm       ? "kvm"
		: *accel.reason ? accel.reason
				: "tcg");
	plan_forwards(spec, actions);
	words = plan_argv(spec, &host, record, err);
	if (!words)
		return NULL;
	add_text(actions, "start QEMU and let the guest run");
	return json_pack("{s:O,s:O,s:o}", "actions", actions, "argv", words,
		"qmp", plan_qmp(spec, accel.kvm));
}

json_t *plan_start(const struct vm_spec *spec, const struct env *env,
	const struct record *record, const char *known, struct err *err)
{
	const struct chains_from from = {
		.spec = spec, .paths = &env->paths, .known = known, .look = true
	};
	struct argv_firmware firmware = { 0 };
	struct chains chains;
	json_t *plan = NULL;

	chains_init(&chains);
	if (!chains_open(&chains, &from, err) &&
		!chains_number(&chains, ARGV_FD_DISK, err))
		plan = plan_with(spec, env, record, &chains, &firmware, err);
	chains_fini(&chains);
	firmware_fini(&firmware);
	return plan;
}
