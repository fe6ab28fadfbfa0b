/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Look-ups in the command table (base/verb_table.c), and the table of the
 * events of the control socket.
 */
#include "base/verbs.h"

#include "base/mem.h"
#include "base/str.h"

/* One row a line. */
/* clang-format off */
const struct event_doc event_docs[] = {
	{ "VM_STATE", "vm, state, ready, cause",
		"a VM's state or readiness changed" },
	{ "VM_ENDED", "vm, cause, detail", "a VM's QEMU ended" },
	{ "VM_CONFIG", "vm, pending, error", "a VM's files were read again" },
	{ "VM_SNAPSHOT", "vm, snapshot, action",
		"a snapshot was created, reverted to, deleted or renamed" },
	{ "VM_HANG", "vm, what, seconds",
		"a VM's monitor is silent, or its virtual CPUs stand still" },
	{ "VM_LOW_SPACE", "vm, disk, path, left",
		"nine tenths of the space below an image are used" },
	{ "NETWORK_STATE", "network, state, bridge",
		"a network is up or down" },
	{ "NETWORK_REPAIRED", "network, what, ms",
		"rules, bridge or a port that somebody else took is back" },
	{ "NIC_BROKEN", "vm, nic, why",
		"a port that somebody else took could not be mended" },
	{ "VM_LOG", "vm, level, time, text", "a line of a VM's log" },
	{ "VM_QMP_EVENT", "vm, event, data",
		"an event of a VM's QEMU, as it came" },
	{ "AGENT_OUTPUT", "request, vm, fd, bytes",
		"what a command in the guest wrote (base64); to the client "
		"that runs it" },
	{ "JOB_STATUS",
		"job, request?, vm, kind, status, phase?, done?, "
		"total?, error?, code?",
		"a job started, went on or ended" },
	{ "EVENTS_LOST", "count",
		"so many events before the first are no longer kept" },
	{ NULL, NULL, NULL },
};
/* clang-format on */

/* Whether one of the blank-separated words of list is word. */
static bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (list && *list) {
		size_t n = strcspn(list, " ");

		if (n == len && !strncmp(list, word, len))
			return true;
		list += n;
		list += strspn(list, " ");
	}
	return false;
}

const struct verb *verb_by_name(const char *name)
{
	for (size_t i = 0; i < nverbs; i++)
		if (!(verbs[i].flags & VERB_WIRE) &&
			str_eq(verbs[i].name, name))
			return &verbs[i];
	for (size_t i = 0; i < nverbs; i++)
		if (list_has(verbs[i].aliases, name))
			return &verbs[i];
	return NULL;
}

const struct verb *verb_by_wire(const char *wire)
{
	for (size_t i = 0; i < nverbs; i++)
		if (verbs[i].wire && str_eq(verbs[i].wire, wire))
			return &verbs[i];
	return NULL;
}

const struct arg *verb_opened(const struct verb *verb)
{
	for (size_t i = 0; i < verb->nargs; i++)
		if (verb->args[i].flags & ARG_OPENED)
			return &verb->args[i];
	return NULL;
}

bool arg_in_range(const struct arg *arg, long long value)
{
	const char *dash = arg->choices ? strchr(arg->choices, '-') : NULL;

	if (!dash)
		return true;
	if (value < (long long)str_digits(arg->choices))
		return false;
	return !dash[1] || value <= (long long)str_digits(dash + 1);
}

const struct arg *verb_arg(const struct verb *verb, const char *name)
{
	for (size_t i = 0; i < verb->nargs; i++)
		if (str_eq(verb->args[i].name, name))
			return &verb->args[i];
	return NULL;
}

const char *role_name(enum role role)
{
	switch (role) {
	case ROLE_NONE:
		return "none";
	case ROLE_VIEWER:
		return "viewer";
	case ROLE_OPERATOR:
		return "operator";
	case ROLE_ADMIN:
		return "admin";
	}
	return "none";
}
