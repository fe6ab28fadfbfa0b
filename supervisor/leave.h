/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How vmwardd leaves: SIGTERM as [vmward] on-exit says, SIGINT without a
 * terminal stops all VMs (twice: kills them), SIGPWR is the host going down.
 */
#ifndef SUPERVISOR_LEAVE_H
#define SUPERVISOR_LEAVE_H

#include "supervisor/service.h"

/* Heeds the signals from now on; loop_stop() is called at the end. */
void leave_listen(struct service *service);

#endif
