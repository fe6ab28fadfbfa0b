/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QEMU says of a migration, and the reason of one that failed. */
#include "supervisor/migration.h"

#include "base/mem.h"

#include "tests/unit/clock.h"
#include "tests/unit/tap.h"

struct look {
	struct job job;
	json_t *reply;
	enum migration is;
};

static struct err ended; /* of the last one */

static enum job_state look_run(struct job *job)
{
	struct look *op = container_of(job, struct look, job);

	JOB_BEGIN(job);
	op->is = migration_look(job, op->reply);
	is_int((int)job->progress.done, 3, "how far it is");
	JOB_END(job);
}

static void look_cleanup(struct job *job)
{
	struct look *op = container_of(job, struct look, job);

	json_decref(op->reply);
	free(op);
}

static void on_end(struct job *job, void *arg)
{
	enum migration *is = arg;

	*is = container_of(job, struct look, job)->is;
	ended = job->err;
}

static enum migration look(const char *status, const char *why)
{
	static const struct job_kind kind = { "look", look_run, NULL,
		look_cleanup };
	struct look *op = NEW(struct look);
	enum migration is = MIGRATION_NONE;

	op->reply = json_pack("{s:s,s:s*,s:{s:i,s:i}}", "status", status,
		"error-desc", why, "ram", "total", 10, "remaining", 7);
	ended = (struct err)ERR_INIT;
	job_start(&op->job, &kind, "web", on_end, &is);
	loop_sim_advance(10);
	return is;
}

int main(void)
{
	clock_start();
	is_int(look("active", NULL), MIGRATION_ACTIVE, "under way");
	is_int(look("completed", NULL), MIGRATION_DONE, "done");
	is_int(look("none", NULL), MIGRATION_NONE, "none yet");
	is_int(ended.code, 0, "which is no failure");
	is_int(look("failed", "Broken pipe"), MIGRATION_NONE, "failed");
	is_str(ended.text, "Broken pipe", "for QEMU's reason");
	is_int(look("failed", NULL), MIGRATION_NONE, "failed");
	is_str(ended.text, "QEMU says no more than that it failed", "for none");
	is_int(look("failed", ""), MIGRATION_NONE, "failed");
	is_str(ended.text, "QEMU says no more than that it failed",
		"bug: an empty reason was told as it is");
	loop_sim_end();
	return done();
}
