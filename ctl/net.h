/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How networks look to people: lists, leases, addresses, findings. */
#ifndef CTL_NET_H
#define CTL_NET_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/call.h"

/* [net list] */
int net_show_list(
	const struct call *call, const char *vm, json_t *value, bool many);
/* [net leases] */
int net_show_leases(
	const struct call *call, const char *vm, json_t *value, bool many);
/* [net doctor] Each line, with the remedy below one that is wrong. */
int net_show_doctor(
	const struct call *call, const char *vm, json_t *value, bool many);
/* [net doctor] 1 if anything is wrong. */
int net_doctor_status(const struct call *call, const json_t *value);
/* [ip] */
int net_show_ip(
	const struct call *call, const char *vm, json_t *value, bool many);

#endif
