/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's line to this host that needs no network (AF_VSOCK): the number
 * by which it is known (CID), its device, and the socket where it is heard.
 * CID and port follow from the VM's uuid, so that nothing must be remembered;
 * the kernel tells who speaks, so that no guest can speak for another.
 */
#ifndef SUPERVISOR_VSOCK_H
#define SUPERVISOR_VSOCK_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "supervisor/device.h"

/* The CID of a VM, and the port of the host that is its own. */
unsigned vsock_cid(const char *uuid);
/* Its device for -device; new. */
json_t *vsock_device(enum machine_kind kind, const char *uuid);
/* What systemd in the guest finds in SMBIOS, for -smbios. */
void vsock_tell_systemd(const char *uuid, struct str *out);
/* A listening socket for this VM; -1. */
MUST_CHECK int vsock_listen(const char *uuid, struct err *err);
/* Whether the guest of this VM is at the other end. */
bool vsock_is_from(int fd, const char *uuid);
/* Whether this host can hear guests at all: vsock, and QEMU's side of it. */
MUST_CHECK int vsock_check_host(struct err *err);

#endif
