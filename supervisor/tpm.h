/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [tpm]: a TPM 2.0 made by swtpm(8), which runs beside the VM's QEMU and
 * keeps what it holds in STATE/tpm/NAME/: over restarts, until the VM is
 * deleted.
 */
#ifndef SUPERVISOR_TPM_H
#define SUPERVISOR_TPM_H

#include <jansson.h>

#include "base/err.h"
#include "base/paths.h"
#include "supervisor/host_qemu.h"
#include "supervisor/remark.h"
#include "supervisor/spec.h"

/* A spec has one. */
bool tpm_is_there(const struct vm_spec *spec);
/* Machines that have none. */
void tpm_check(const struct vm_spec *spec, const struct remarks *to);
/* The device; new. */
json_t *tpm_device(const struct vm_spec *spec);
/* What it holds of a VM is below this; new. */
char *tpm_path(const struct paths *paths, const char *vm);
/*
 * Starts it for a spec that has one: QEMU's end of its line, which is *out
 * (-1: it has none).  Fails with ERR_UNSUPPORTED where swtpm is not
 * installed.
 */
MUST_CHECK int tpm_start(const struct vm_spec *spec, const struct paths *paths,
	const struct host_confine *confine, int *out, struct err *err);
/* What it holds goes. */
void tpm_remove(const struct paths *paths, const char *vm);
/* A throw-away life of the VM is over: what it held of it goes. */
void tpm_sweep(const struct paths *paths, const char *vm);

#endif
