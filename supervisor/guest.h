/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of talking to a guest that several operations need; pure. */
#ifndef SUPERVISOR_GUEST_H
#define SUPERVISOR_GUEST_H

#include <jansson.h>
#include <stdbool.h>

/* True if query-chardev's reply says that the guest opened the agent port. */
bool guest_agent_is_open(const json_t *chardevs);
/* The arguments of send-key for Ctrl-Alt-Del; new. */
json_t *guest_ctrl_alt_del(void);

#endif
