/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One supervisor put together: loop, directories, its own lock, records,
 * VMs, control socket, signals.  The daemon and `run FILE` are both one.
 */
#ifndef SUPERVISOR_SERVICE_H
#define SUPERVISOR_SERVICE_H

#include "base/err.h"
#include "base/loop.h"
#include "supervisor/control.h"
#include "supervisor/env.h"
#include "supervisor/far.h"
#include "supervisor/lock.h"
#include "supervisor/order.h"
#include "supervisor/registry.h"
#include "supervisor/shutdown.h"
#include "supervisor/upgrade.h"

struct service {
	struct env env;
	struct vm_lock lock;
	struct registry *registry;
	struct order *order;
	struct control *control;
	struct shutdown *shutdown; /* of all VMs, once it has begun; or NULL */
	struct loop_signal term, intr, hup, power;
	struct image image;
	struct handover moved;       /* root NULL: an ordinary start */
	struct far_wait asked;       /* until the pools may be swept */
	struct far_wait asked_again; /* for the commits that were killed */
};

/*
 * With env.paths filled: makes directories, takes the supervisor's lock
 * (ERR_EXISTS when another holds it), opens the records, finds QEMU.
 */
MUST_CHECK int service_open(struct service *service, struct err *err);
/* Every VM, as after any start, or with what an upgrade hands over. */
MUST_CHECK int service_start(struct service *service, struct err *err);
/* Listens; call after the VMs are known. */
MUST_CHECK int service_listen(struct service *service, struct err *err);
void service_close(struct service *service);

#endif
