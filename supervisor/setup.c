/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QEMU has no options for; see setup.h. */
#include "supervisor/setup.h"

#include <stdio.h>

#include "base/fd.h"
#include "supervisor/display.h"
#include "supervisor/install.h"
#include "supervisor/throttle.h"

void setup_init(struct setup *setup, struct vm *vm, bool again)
{
	setup->vm = vm;
	setup->machine = &vm->machine;
	setup->raw = vm->running->raws.next;
	setup->nic = vm->running->nics.next;
	setup->disk = vm->running->disks.next;
	setup->again = again;
	setup->shown = 0;
}

void setup_fini(struct setup *setup)
{
	qmp_call_fini(&setup->call);
}

static void send_steal(struct setup *setup, struct job *job,
	const char *command, json_t *arguments)
{
	qmp_call_start(&setup->call, job, machine_qmp(setup->machine),
		QMP_COMMAND(command, arguments), setup->again);
}

static const struct spec_raw *next_raw(struct setup *setup)
{
	const struct vm_spec *spec = setup->vm->running;

	for (; setup->raw != &spec->raws; setup->raw = setup->raw->next) {
		const struct spec_raw *raw =
			list_entry(setup->raw, struct spec_raw, link);

		if (raw->qmp) {
			setup->raw = setup->raw->next;
			return raw;
		}
	}
	return NULL;
}

/* Sends the next [raw] qmp-N line; false when none is left or it is bad. */
static bool send_raw(struct setup *setup, struct job *job)
{
	const struct spec_raw *raw = next_raw(setup);
	json_error_t why;

	if (!raw)
		return false;
	AUTO_JSON json_t *line = json_loads(raw->text, 0, &why);
	const char *command =
		json_string_value(json_object_get(line, "execute"));
	if (!command) {
		job_fail(job, ERR_CONFIG, "[raw] qmp-%u is no QMP command",
			raw->number);
		return false;
	}
	send_steal(setup, job, command,
		json_incref(json_object_get(line, "arguments")));
	return true;
}

/* QEMU has no option for `link = down`; false when no nic is left. */
static bool send_link(struct setup *setup, struct job *job)
{
	const struct vm_spec *spec = setup->vm->running;

	for (; setup->nic != &spec->nics; setup->nic = setup->nic->next) {
		const struct spec_nic *nic =
			list_entry(setup->nic, struct spec_nic, link);
		char id[32];

		if (nic->up)
			continue;
		setup->nic = setup->nic->next;
		snprintf(id, sizeof(id), "net-%s", nic->name);
		send_steal(setup, job, "set_link",
			json_pack("{s:s,s:b}", "name", id, "up", 0));
		return true;
	}
	return false;
}

static bool is_shown(const struct vm *vm)
{
	return install_display(vm) ||
	       (vm->running && display_has_vnc(vm->running));
}

/* QEMU may bind no socket: it gets one.  False: it has it, or needs none. */
static bool send_display(struct setup *setup, struct job *job)
{
	struct machine *m = setup->machine;
	struct err err = ERR_INIT;
	AUTO_CLOSE int fd = -1;

	if (!is_shown(setup->vm) || setup->shown > 1)
		return false;
	if (setup->shown++ > 0) {
		send_steal(setup, job, "display-update",
			json_pack("{s:s,s:[{s:s,s:s}]}", "type", "vnc",
				"addresses", "type", "fd", "str", "display"));
		return true;
	}
	fd = machine_listen_display(m, &err);
	if (fd < 0)
		job_fail_err(job, &err);
	else
		qmp_call_start(&setup->call, job, machine_qmp(m),
			&(struct qmp_command){ "getfd",
				json_pack("{s:s}", "fdname", "display"), 0,
				fd },
			setup->again);
	return fd >= 0;
}

/* Nor for those of its disks; false when no disk is left. */
static bool send_limits(struct setup *setup, struct job *job)
{
	const struct vm_spec *spec = setup->vm->running;

	while (setup->disk != &spec->disks) {
		const struct spec_disk *disk =
			list_entry(setup->disk, struct spec_disk, link);

		setup->disk = setup->disk->next;
		if (!throttle_limits(&disk->limits))
			continue;
		send_steal(setup, job, THROTTLE_COMMAND,
			throttle_arguments(disk, &disk->limits));
		return true;
	}
	return false;
}

bool setup_next(struct setup *setup, struct job *job)
{
	return !job->err.code &&
	       (send_display(setup, job) || send_link(setup, job) ||
		       send_limits(setup, job) || send_raw(setup, job));
}
