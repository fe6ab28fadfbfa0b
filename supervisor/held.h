/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that come while their VM is being adopted: who asks for a change
 * in that moment after a start of vmwardd waits for it to pass, instead of
 * being told that a VM is unreachable that nothing is wrong with.
 */
#ifndef SUPERVISOR_HELD_H
#define SUPERVISOR_HELD_H

#include "supervisor/request.h"

/*
 * False: it need not wait.  True: `run` gets it from the loop once its VM is
 * adopted, or is found not to answer.
 */
bool held_begin(struct request *request, void (*run)(struct request *request));

#endif
