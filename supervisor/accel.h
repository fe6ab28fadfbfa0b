/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM or TCG: KVM only where /dev/kvm opens and the processor flags show vmx
 * or svm (a host with a paravirtual KVM hangs ordinary guests).
 */
#ifndef SUPERVISOR_ACCEL_H
#define SUPERVISOR_ACCEL_H

#include <stdbool.h>

#include "base/err.h"
#include "supervisor/spec.h"

struct accel {
	bool kvm;
	char reason[96]; /* why TCG, "" under KVM or when TCG was asked for */
};

/* Fails with ERR_UNSUPPORTED when kvm is insisted on and cannot be. */
MUST_CHECK int accel_choose(
	enum spec_accel wish, struct accel *out, struct err *err);
/* The choice as a word for the record, and back. */
void accel_remember(const struct accel *accel, char out[96]);
void accel_recall(const char *word, struct accel *out);
/* What a person is told who did not ask for TCG; false: nothing. */
bool accel_warning(const struct accel *accel, char out[160]);
/* For doctor: /dev/kvm opens; flags; each with its text. */
bool accel_has_kvm_device(char why[96]);
bool accel_has_cpu_flags(void);

#endif
