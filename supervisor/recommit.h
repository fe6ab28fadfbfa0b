/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Image commits that were killed with their supervisor are finished by the
 * next one: half written, a base is good for nobody else.  One whose image a
 * VM runs on, or is to run on, is left to a person (committing.h).
 */
#ifndef SUPERVISOR_RECOMMIT_H
#define SUPERVISOR_RECOMMIT_H

#include "supervisor/registry.h"

/* Begins them all, as jobs; once the VMs are known. */
void recommit_start(struct registry *registry);

#endif
