/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The devices of a VM as JSON for report.h: disks, CD-ROM drives, nics, by
 * what runs or else what is written.
 */
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/chain_record.h"
#include "supervisor/device.h"
#include "supervisor/forward.h"
#include "supervisor/nets.h"
#include "supervisor/passt.h"
#include "supervisor/report.h"

json_t *report_disks(const struct vm *vm)
{
	const struct vm_spec *spec = vm_spec_now(vm);
	/* read at the first need, that is no change */
	const char *known = chain_record((struct vm *)(uintptr_t)vm);
	json_t *all = json_array();

	if (!spec)
		return all;
	list_each(&spec->disks, it, next) {
		struct spec_disk *disk = list_entry(it, struct spec_disk, link);
		AUTO_FREE char *path =
			argv_disk_path(spec, disk, vm->env->paths.images);
		struct err err = ERR_INIT;

		if (disk->drive)
			continue;
		int format = argv_disk_format(disk, path, &err);

		json_array_append_new(all,
			json_pack("{s:s,s:s,s:s?,s:s,s:b,s:b,s:o}", "name",
				disk->name, "image", path, "format",
				format == FORMAT_NONE
					? NULL
					: spec_format_names[format],
				"bus", spec_bus_names[disk->bus], "readonly",
				disk->readonly, "attached", vm->running != NULL,
				"chain", chains_json(known, disk->name, path)));
	}
	return all;
}

static json_t *drive_json(const struct vm *vm, const struct vm_spec *spec,
	const struct spec_disk *drive)
{
	AUTO_FREE char *path =
		device_is_set(drive->image)
			? argv_disk_path(spec, drive, vm->env->paths.images)
			: NULL;

	return json_pack("{s:s,s:s,s:s?,s:b}", "name", drive->name, "bus",
		spec_bus_names[drive->bus], "image", path, "attached",
		vm->running != NULL);
}

json_t *report_cdroms(const struct vm *vm)
{
	const struct vm_spec *spec = vm_spec_now(vm);
	json_t *all = json_array();

	if (!spec)
		return all;
	list_each(&spec->cdroms, it, next)
		json_array_append_new(
			all, drive_json(vm, spec,
				     list_entry(it, struct spec_disk, link)));
	return all;
}

static void add_port(json_t *out, const struct vm *vm, const char *nic)
{
	const struct net_state *state = nets_state();
	const struct net_port *port =
		state ? net_port_find(state, vm->name, nic) : NULL;

	if (port)
		json_object_set_new(out, "tap", json_string(port->tap));
	if (port && port->broken)
		json_object_set_new(
			out, "note", json_sprintf("broken: %s", port->broken));
}

static json_t *nic_json(
	const struct vm *vm, const struct vm_spec *spec, struct spec_nic *nic)
{
	AUTO_STR struct str forward = STR_INIT;
	char mac[18];
	json_t *out;

	argv_nic_mac(spec, nic, mac);
	forward_add_text(&forward, &nic->forward);
	out = json_pack("{s:s,s:s,s:s,s:s?,s:b,s:n,s:s?,s:s?}", "name",
		nic->name, "mac", mac, "mode",
		nic->user      ? "user"
		: nic->network ? "network"
		: nic->macvtap ? "macvtap"
			       : "bridge",
		"network",
		nic->network   ? nic->network
		: nic->macvtap ? nic->macvtap
			       : nic->bridge,
		"link", nic->up, "tap", "forward",
		forward.len ? str_text(&forward) : NULL, "note",
		passt_note(nic));
	if (vm->running && !nic->user)
		add_port(out, vm, nic->name);
	return out;
}

json_t *report_nics(const struct vm *vm)
{
	const struct vm_spec *spec = vm_spec_now(vm);
	json_t *all = json_array();

	if (!spec)
		return all;
	list_each(&spec->nics, it, next)
		json_array_append_new(
			all, nic_json(vm, spec,
				     list_entry(it, struct spec_nic, link)));
	return all;
}
