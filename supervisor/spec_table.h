/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of a VM's file, a table for each section; each ends with KEYS_END.
 * For supervisor/spec_table.c, which makes sections of them.
 */
#ifndef SUPERVISOR_SPEC_TABLE_H
#define SUPERVISOR_SPEC_TABLE_H

#include "supervisor/spec.h"

extern const struct key spec_vm_keys[];
extern const struct key spec_start_keys[];
extern const struct key spec_stop_keys[];
extern const struct key spec_restart_keys[];
extern const struct key spec_disk_keys[];
extern const struct key spec_cdrom_keys[];
extern const struct key spec_nic_keys[];
extern const struct key spec_serial_keys[];
extern const struct key spec_hooks_keys[];
extern const struct key spec_rng_keys[];
extern const struct key spec_balloon_keys[];
extern const struct key spec_agent_keys[];
extern const struct key spec_watchdog_keys[];
extern const struct key spec_tpm_keys[];
extern const struct key spec_display_keys[];
extern const struct key spec_seed_keys[];
extern const struct key spec_backup_keys[];
extern const struct key spec_limits_keys[];
extern const struct key spec_snapshot_keys[];

#endif
