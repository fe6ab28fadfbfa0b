/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this host lacks for an operation; see env.h. */
#include "supervisor/env.h"

#include "base/cage.h"

int env_needs_qemu_img(const struct env *env, struct err *err)
{
	if (env->qemu_img)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		"qemu-img is not installed (package qemu-utils)");
}

int env_needs_cage(const struct env *env, struct err *err)
{
	if (env_needs_qemu_img(env, err))
		return -1;
	if (cage_works())
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		"this kernel has no Landlock: nothing from outside is opened "
		"without it");
}
