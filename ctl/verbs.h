/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs that are more than a request and its reply.  Each takes the
 * parsed command line and returns the exit status.
 */
#ifndef CTL_VERBS_H
#define CTL_VERBS_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/call.h"

int verb_list(const struct call *call);            /* ctl/list.c */
int verb_stats(const struct call *call);           /* ctl/stats.c */
int verb_log(const struct call *call);             /* ctl/log.c */
int verb_events(const struct call *call);          /* ctl/events.c */
int verb_console(const struct call *call);         /* ctl/console.c */
int verb_edit(const struct call *call);            /* ctl/edit.c */
int verb_version(const struct call *call);         /* ctl/main.c */
int verb_help(const struct call *call);            /* ctl/help.c */
int verb_completion(const struct call *call);      /* ctl/complete.c */
int verb_incident_export(const struct call *call); /* ctl/incident.c */
int verb_ssh(const struct call *call);             /* ctl/ssh.c */
int verb_metrics(const struct call *call);         /* ctl/metrics.c */
int verb_top(const struct call *call);             /* ctl/top.c */

/* Prints VMs of several hosts (objects) as list does; with a column HOST. */
int list_print_hosts(const struct call *call, json_t *vms);

#endif
