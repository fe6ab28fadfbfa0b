/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How networks look to people: lists, leases, addresses, findings. */
#ifndef CTL_NET_H
#define CTL_NET_H

#include <jansson.h>
#include <stdbool.h>

#include "base/str.h"
#include "ctl/call.h"
#include "ctl/wire.h"

/* [net list] */
int net_show_list(
	const struct call *call, const char *vm, json_t *value, bool many);
/* [net show] */
int net_show_one(
	const struct call *call, const char *vm, json_t *value, bool many);
/* [net apply] What was done, and what is pending. */
int net_show_apply(
	const struct call *call, const char *vm, json_t *value, bool many);
/* [plan] What is pending, of networks; false: nothing. */
bool net_print_pending(const json_t *all);
/* [net up] What it takes from the host, if anything, as a question. */
MUST_CHECK int net_add_question(const struct call *call, struct wire *wire,
	struct str *question, struct err *err);
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
