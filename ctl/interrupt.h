/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ctrl-C while a job runs: counted, and it ends a wait. */
#ifndef CTL_INTERRUPT_H
#define CTL_INTERRUPT_H

/* From now on SIGINT and SIGTERM are counted instead of ending us. */
void interrupt_catch(void);
/* How many came. */
int interrupt_count(void);

#endif
