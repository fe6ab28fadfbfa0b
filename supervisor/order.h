/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of VMs at work: whose start waits for whom, who is pulled in,
 * who goes down first, how many start at once when we do.  systemd's rules:
 * `after` orders, `requires` and `wants` pull in, `requires` and `part-of`
 * take down.
 */
#ifndef SUPERVISOR_ORDER_H
#define SUPERVISOR_ORDER_H

#include "supervisor/registry.h"

struct order;

/* The order of a registry's VMs, which it heeds from now on. */
struct order *order_new(struct registry *registry);
void order_free(struct order *order); /* after the registry; accepts NULL */
/*
 * The names of those that a start of the VM starts as well, with their
 * files read anew; new, NULL-terminated.  NULL with err: one that is
 * required cannot be started.
 */
char **order_pulls(struct vm *vm, struct err *err);
/*
 * Gives the order to stop (or restart) to all that go down with a VM that is
 * about to; their names come into stop->first.  -1, and nothing was done,
 * when one of them is protected.
 */
MUST_CHECK int order_stop_dependents(
	struct vm *vm, struct vm_stop_order *stop, struct err *err);
/* True if [vm] protect refuses a verb. */
bool order_protects(const struct vm *vm, const char *verb);
/* Whom the VM follows, of those that were up before it; for analyze. */
struct vm *order_latest_before(const struct vm *vm);

#endif
