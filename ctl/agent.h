/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How what a guest agent says looks to people, and what a command says. */
#ifndef CTL_AGENT_H
#define CTL_AGENT_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/call.h"

/* agent info: the system, names, addresses, file systems. */
int agent_show_info(
	const struct call *call, const char *vm, json_t *value, bool many);
/* agent ssh-keys: the keys, or what was done to them. */
int agent_show_keys(
	const struct call *call, const char *vm, json_t *value, bool many);
/* agent exec: its output as it comes, then its exit status. */
void agent_event_exec(
	const struct call *call, const char *name, const json_t *data);
int agent_show_exec(
	const struct call *call, const char *vm, json_t *value, bool many);

#endif
