/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Image commits that were killed are finished; see recommit.h. */
#include "supervisor/recommit.h"

#include "base/log.h"
#include "base/mem.h"
#include "supervisor/committing.h"
#include "supervisor/op_image.h"
#include "supervisor/tasks.h"

static void on_end(struct job *job, void *arg)
{
	const struct op_image *op = op_image_of(job);

	(void)arg;
	if (job->err.code)
		log_warn(NULL, "image '%s': its commit is not finished: %s",
			op->volume.path, job->err.text);
	else
		log_info(NULL, "image '%s': its commit is finished",
			op->volume.path);
	tasks_end(job);
}

static void finish(void *arg, const struct committing *c)
{
	struct registry *registry = arg;
	struct volume volume = { .name = xstrdup(c->image),
		.path = xstrdup(c->image),
		.format = "qcow2" };
	struct op_image *op =
		op_image_new_steal(registry_env(registry), &volume);
	struct err err = ERR_INIT;

	op->keep = c->keep;
	op->rules = volume_rules(registry);
	/* a VM that comes up would find it locked */
	if (volume_must_be_free(registry, &op->volume, NEED_WANTED, &err) ||
		op_image_commit_check(registry, op, &err)) {
		log_warn(NULL, "image '%s': its commit is not finished: %s",
			c->image, err.text);
		op_image_free(op);
		return;
	}
	op_image_commit(op, on_end, NULL);
	tasks_add(&op->job, NULL);
}

void recommit_start(struct registry *registry)
{
	committing_each(&registry_env(registry)->paths, finish, registry);
}
