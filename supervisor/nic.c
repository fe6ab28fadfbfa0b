/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A nic for QEMU: the backend ("netdev-lan": the device and its backend must
 * not share a name, set_link takes either) and the device ("net-lan").
 */
#include <stdio.h>
#include <string.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/mac.h"
#include "supervisor/argv.h"
#include "supervisor/device.h"

void argv_nic_mac(
	const struct vm_spec *spec, const struct spec_nic *nic, char out[18])
{
	if (device_is_set(nic->mac))
		snprintf(out, NET_MAC_SIZE, "%s", nic->mac);
	else
		mac_derive(spec->uuid[0] ? spec->uuid : spec->name, nic->name,
			out);
}

/* tcp:127.0.0.1:8080-:80; without an address the loopback only. */
static int add_forward(json_t *list, const struct spec_nic *nic,
	const struct spec_forward *forward, struct err *err)
{
	const char *addr = forward->addr[0] ? forward->addr : "127.0.0.1";

	/* user mode of QEMU 7.2 binds IPv4 addresses only */
	if (strchr(addr, ':'))
		return err_set(err, ERR_UNSUPPORTED,
			"net '%s': forward from [%s]: user mode knows IPv4 "
			"addresses only",
			nic->name, addr);
	for (unsigned i = 0;
		i <= (unsigned)(forward->host_last - forward->host_first);
		i++) {
		AUTO_FREE char *text = xasprintf("%s:%s:%u-:%u",
			forward->udp ? "udp" : "tcp", addr,
			forward->host_first + i, forward->guest_first + i);

		json_array_append_new(list, json_pack("{s:s}", "str", text));
	}
	return 0;
}

unsigned argv_nic_fds(const struct spec_nic *nic)
{
	if (nic->user)
		return nic->user == USER_PASST ? 1 : 0;
	return (unsigned)nic->queues;
}

int argv_nic_first_fd(const struct vm_spec *spec, const struct spec_nic *nic)
{
	int fd = ARGV_FD_TAP;

	list_each(&spec->nics, it, next) {
		const struct spec_nic *other =
			list_entry(it, struct spec_nic, link);

		if (other == nic)
			break;
		fd += (int)argv_nic_fds(other);
	}
	return fd;
}

/* A tap by its descriptors; vhost aborts QEMU where the host has none. */
static json_t *tap_backend(
	const struct vm_spec *spec, const struct spec_nic *nic, bool vhost)
{
	int fd = argv_nic_first_fd(spec, nic);
	AUTO_STR struct str fds = STR_INIT;
	json_t *backend = json_pack(
		"{s:s, s:s+}", "type", "tap", "id", "netdev-", nic->name);

	for (unsigned i = 0; i < nic->queues; i++)
		str_addf(&fds, "%s%d", i ? ":" : "", fd + (int)i);
	device_put(backend, nic->queues > 1 ? "fds" : "fd", str_text(&fds));
	if (vhost)
		json_object_set_new(backend, "vhost", json_true());
	return backend;
}

/* A stream of frames to a program that has the other end. */
static json_t *passt_backend(
	const struct vm_spec *spec, const struct spec_nic *nic)
{
	AUTO_FREE char *fd = xasprintf("%d", argv_nic_first_fd(spec, nic));

	return json_pack("{s:s, s:s+, s:b, s:{s:s, s:s}}", "type", "stream",
		"id", "netdev-", nic->name, "server", false, "addr", "type",
		"fd", "str", fd);
}

json_t *argv_nic_backend(const struct vm_spec *spec, const struct spec_nic *nic,
	bool vhost, struct err *err)
{
	AUTO_JSON json_t *backend = NULL;
	AUTO_JSON json_t *forwards = json_array();

	if (!nic->user)
		return tap_backend(spec, nic, vhost);
	if (nic->user == USER_PASST)
		return passt_backend(spec, nic);
	for (unsigned i = 0; i < nic->forward.n; i++)
		if (add_forward(forwards, nic, &nic->forward.at[i], err) != 0)
			return NULL;
	backend = json_pack(
		"{s:s, s:s+}", "type", "user", "id", "netdev-", nic->name);
	if (json_array_size(forwards) > 0)
		json_object_set(backend, "hostfwd", forwards);
	return TAKE(backend);
}

static json_t *device_of(enum machine_kind kind, const struct spec_nic *nic,
	const char *id, struct err *err)
{
	const char *model = device_is_set(nic->model) ? nic->model : "virtio";

	if (str_eq(model, "virtio"))
		return device_virtio(kind, "virtio-net", id);
	if (kind != MACHINE_MICROVM)
		return device_new(model, id);
	err_set(err, ERR_CONFIG, "net '%s': microvm has no model '%s'",
		nic->name, model);
	return NULL;
}

json_t *argv_nic_device(const struct vm_spec *spec, const struct spec_nic *nic,
	int place, int bootindex, struct err *err)
{
	enum machine_kind kind = device_machine(spec);
	AUTO_FREE char *id = xasprintf("net-%s", nic->name);
	AUTO_FREE char *backend = xasprintf("netdev-%s", nic->name);
	AUTO_JSON json_t *device = device_of(kind, nic, id, err);
	char mac[18];

	if (!device)
		return NULL;
	argv_nic_mac(spec, nic, mac);
	device_put_place(device, place);
	device_put(device, "netdev", backend);
	device_put(device, "mac", mac);
	/* the boot ROM costs time in each start and is for booting only */
	if (bootindex == 0 && kind != MACHINE_MICROVM)
		device_put(device, "romfile", "");
	if (nic->mtu)
		json_object_set_new(
			device, "host_mtu", json_integer((json_int_t)nic->mtu));
	if (!nic->user && nic->queues > 1) {
		json_object_set_new(device, "mq", json_true());
		if (kind != MACHINE_MICROVM)
			json_object_set_new(device, "vectors",
				json_integer(
					(json_int_t)(2 * nic->queues + 2)));
	}
	device_put_boot(device, bootindex);
	return TAKE(device);
}
