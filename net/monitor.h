/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What others do to devices and rules, told by the kernel as it happens.
 * Only that something changed is told: look what it was.
 */
#ifndef NET_MONITOR_H
#define NET_MONITOR_H

#include <stdbool.h>

#include "base/err.h"

struct monitor {
	int links;      /* a socket, or -1 */
	int rules;      /* another, or -1 */
	bool gone;      /* the last word on our tables is that one went */
	char table[32]; /* the name that is ours */
};

#define MONITOR_INIT           \
	{                      \
		-1, -1, false, \
		{              \
			0      \
		}              \
	}

/* Listens from now on.  0, or -1 with err and nothing left open. */
MUST_CHECK int monitor_open(
	struct monitor *monitor, const char *table, struct err *err);
/* Harmless on one that was never opened. */
void monitor_close(struct monitor *monitor);
/* Reads what was told of devices; true if anything was. */
bool monitor_read_links(struct monitor *monitor);
/* Reads what was told of rules: monitor.gone is the present state. */
void monitor_read_rules(struct monitor *monitor);

#endif
