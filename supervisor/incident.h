/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An abnormal end makes an incident: cause, sentences, flight recorder,
 * QEMU's stderr, consoles, log, configuration, arguments and facts about the
 * host, as files of one directory.
 *
 * What only lives now is taken at the end itself; the files are written a
 * little later by a job, one a turn, so that no successor waits for them.
 * They are written beside and renamed; what a crash left is swept.  Nothing
 * is synced: it is for people, and no promise hangs on it.
 */
#ifndef SUPERVISOR_INCIDENT_H
#define SUPERVISOR_INCIDENT_H

#include "supervisor/vm.h"

struct incident;

/*
 * Takes what will be gone; vm->last and what ran must still be there.  NULL
 * if the end was an ordinary one, or too many are being written.
 */
struct incident *incident_take(struct vm *vm);
/* Starts to write it (taken over); NULL is fine. */
void incident_write(struct incident *incident, const struct vm *vm);
/* Forgets those that are being written.  For a simulated crash. */
void incident_forget_all(void);
/* True for a cause that makes one. */
bool incident_is_one(enum cause cause);

#endif
