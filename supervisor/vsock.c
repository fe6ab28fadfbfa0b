/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's line to this host; see vsock.h. */
#include "supervisor/vsock.h"

#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/sys.h"

#define DEVICE "/dev/vhost-vsock"

enum { BACKLOG = 4 };

/* Far above the small numbers that people and other programs choose. */
unsigned vsock_cid(const char *uuid)
{
	uint64_t hash = hash_add(HASH_START, uuid, strlen(uuid));

	return 0x40000000u | (unsigned)((hash ^ hash >> 32) & 0x3fffffff);
}

json_t *vsock_device(enum machine_kind kind, const char *uuid)
{
	json_t *device =
		device_virtio_at(kind, "vhost-vsock", "vsock", ADDR_VSOCK);

	json_object_set_new(device, "guest-cid", json_integer(vsock_cid(uuid)));
	return device;
}

void vsock_tell_systemd(const char *uuid, struct str *out)
{
	str_addf(out,
		"type=11,value=io.systemd.credential:vmm.notify_socket="
		"vsock-stream:%u:%u",
		(unsigned)VMADDR_CID_HOST, vsock_cid(uuid));
}

int vsock_listen(const char *uuid, struct err *err)
{
	const struct sockaddr_vm addr = { .svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_ANY,
		.svm_port = vsock_cid(uuid) };
	AUTO_CLOSE int fd =
		sys_socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
		sys_bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) ||
		sys_listen(fd, BACKLOG))
		return err_os(
			err, "cannot listen at vsock port %u", addr.svm_port);
	return TAKE_FD(fd);
}

bool vsock_is_from(int fd, const char *uuid)
{
	struct sockaddr_vm addr = { .svm_family = AF_UNSPEC };
	socklen_t len = sizeof(addr);

	return !sys_getpeername(fd, (struct sockaddr *)&addr, &len) &&
	       addr.svm_family == AF_VSOCK && addr.svm_cid == vsock_cid(uuid);
}

int vsock_check_host(struct err *err)
{
	struct stat st;

	if (sys_fstatat(AT_FDCWD, DEVICE, &st, 0))
		return err_set(err, ERR_UNSUPPORTED,
			"this host has no " DEVICE ": modprobe vhost_vsock");
	AUTO_CLOSE int fd = sys_socket(AF_VSOCK, SOCK_STREAM, 0);
	if (fd < 0)
		return err_set(err, ERR_UNSUPPORTED,
			"this host has no AF_VSOCK: modprobe vsock");
	return 0;
}
