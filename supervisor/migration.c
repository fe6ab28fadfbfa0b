/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's migration to or from a file; see migration.h. */
#include "supervisor/migration.h"

#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"

#define LOOK_MS     5
#define LOOK_MAX_MS 250

json_t *migration_capability(const char *name)
{
	return json_pack("{s:[{s:s,s:b}]}", "capabilities", "capability", name,
		"state", 1);
}

json_t *migration_unlimited(void)
{
	return json_pack("{s:i}", "max-bandwidth", 0);
}

json_t *migration_uri(void)
{
	return json_pack("{s:s}", "uri", "fd:" MIGRATION_FD);
}

static void show_progress(struct job *job, const json_t *ram)
{
	uint64_t total =
		(uint64_t)json_integer_value(json_object_get(ram, "total"));
	uint64_t left =
		(uint64_t)json_integer_value(json_object_get(ram, "remaining"));

	job->progress = (struct job_progress){ .phase = job->progress.phase,
		.done = total > left ? total - left : 0,
		.total = total };
}

enum migration migration_look(struct job *job, const json_t *reply)
{
	const char *status = str_or(
		json_string_value(json_object_get(reply, "status")), "none");
	const char *why = member_text(reply, "error-desc"); /* often "" */

	show_progress(job, json_object_get(reply, "ram"));
	if (str_eq(status, "completed"))
		return MIGRATION_DONE;
	if (str_eq(status, "failed") || str_eq(status, "cancelled")) {
		job_fail(job, ERR_QMP, "%s",
			*why ? why : "QEMU says no more than that it failed");
		return MIGRATION_NONE;
	}
	return str_eq(status, "none") ? MIGRATION_NONE : MIGRATION_ACTIVE;
}

int64_t migration_patience(int64_t *ms)
{
	*ms = *ms ? *ms * 2 : LOOK_MS;
	if (*ms > LOOK_MAX_MS)
		*ms = LOOK_MAX_MS;
	return *ms;
}
