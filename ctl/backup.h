/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How backups look to people: a list. */
#ifndef CTL_BACKUP_H
#define CTL_BACKUP_H

#include <jansson.h>
#include <stdbool.h>

#include "base/str.h"
#include "ctl/call.h"

/* [backup list] A table. */
int backup_show_list(
	const struct call *call, const char *vm, json_t *value, bool many);
/* What a restore overwrites, as a question; nothing for other verbs. */
void backup_add_question(
	const struct call *call, const json_t *names, struct str *question);

#endif
