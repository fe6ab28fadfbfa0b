/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's migration to or from a file: what is set before, and how far it is.
 * Pure, but for a job's progress.
 */
#ifndef SUPERVISOR_MIGRATION_H
#define SUPERVISOR_MIGRATION_H

#include <jansson.h>

#include "base/job.h"

#define MIGRATION_FD "vmward" /* the name QEMU knows the descriptor by */

enum migration { MIGRATION_NONE, MIGRATION_ACTIVE, MIGRATION_DONE };

/* Arguments of migrate-set-capabilities: this one is on; new. */
json_t *migration_capability(const char *name);
/* Of migrate-set-parameters: as fast as can be; new. */
json_t *migration_unlimited(void);
/* {"uri": "fd:..."}; new. */
json_t *migration_uri(void);
/* Of query-migrate; a failed one fails the job with QEMU's reason. */
enum migration migration_look(struct job *job, const json_t *reply);
/* How long to wait before the next look: longer each time. */
int64_t migration_patience(int64_t *ms);

#endif
