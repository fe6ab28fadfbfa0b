/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last good configuration of a VM with on-crash-loop = last-good-config:
 * what it ran when it last passed its probe or, with ready = running, when
 * it had outlived the burst window.  In STATE/good/NAME.ini, as config_show()
 * prints it; written beside, synced by the kernel's aio, then renamed.
 */
#ifndef SUPERVISOR_LASTGOOD_H
#define SUPERVISOR_LASTGOOD_H

#include "supervisor/vm.h"

/* The guest runs: keeps its configuration once it proved good by age. */
void lastgood_begin(struct vm *vm);
/* What runs is good: it is kept, unless nobody wants it. */
void lastgood_keep(struct vm *vm);
/* Nothing runs any more; harmless twice. */
void lastgood_stop(struct vm *vm);
/*
 * A crash loop: true if the next start is to take the last good
 * configuration, because there is one, it is another and was not tried.
 */
bool lastgood_fall_back(struct vm *vm);
/* The kept configuration, new; NULL if there is none that can be read. */
struct vm_spec *lastgood_load(const struct vm *vm);

#endif
