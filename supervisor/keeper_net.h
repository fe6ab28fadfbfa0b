/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the keeper about networks: those of host_net, looked at again
 * and done here.
 */
#ifndef SUPERVISOR_KEEPER_NET_H
#define SUPERVISOR_KEEPER_NET_H

#include "supervisor/keeper_call.h"

/* A struct host_net_request in a sealed memfd. */
void keeper_do_net(struct keeper_call *call);
/* rq.flags queues of tap rq.name, from descriptor rq.number of a QEMU on. */
void keeper_do_tap_again(struct keeper_call *call);
/* A socket that from now on hears of changed rules. */
void keeper_do_listen_rules(struct keeper_call *call);

#endif
