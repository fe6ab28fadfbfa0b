/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors, jobs and findings as JSON, and what fits a line; see report.h. */
#include "supervisor/report.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/sys.h"

json_t *report_error(const struct err *err)
{
	const char *class = err->code == ERR_NOT_FOUND     ? "DeviceNotFound"
			    : err->code == ERR_UNSUPPORTED ? "CommandNotFound"
							   : "GenericError";

	return json_pack("{s:{s:s,s:s,s:s}}", "error", "class", class, "desc",
		err->text, "code", err_code_name(err->code));
}

json_t *report_job(const struct job *job)
{
	char id[16];

	snprintf(id, sizeof(id), "j%u", job->id);
	return json_pack("{s:s,s:s,s:s,s:f,s:s?,s:I,s:I}", "job", id, "kind",
		job->kind->name, "vm", job->target, "age",
		(double)((int64_t)(sys_now_us() / 1000) - job->started_ms) /
			1000,
		"phase", job->progress.phase, "done",
		(json_int_t)job->progress.done, "total",
		(json_int_t)job->progress.total);
}

json_t *report_task(const struct job *job)
{
	json_t *result = report_job(job);

	json_object_set_new(result, "image", json_string(job->target));
	json_object_set_new(result, "vm", json_null());
	return result;
}

bool report_append(json_t *array, json_t *item, size_t *size)
{
	size_t len =
		json_dumpb(item, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) + 1;

	if (*size + len > REPORT_BYTES) {
		json_decref(item);
		return false;
	}
	*size += len;
	json_array_append_new(array, item);
	return true;
}

static json_t *report_finding(const struct finding *f)
{
	return json_pack("{s:s,s:i,s:s,s:s}", "file", f->file, "line",
		(int)f->line, "level",
		f->level == FINDING_ERROR ? "error" : "note", "text", f->text);
}

json_t *report_findings(const struct findings *findings)
{
	json_t *all = json_array();

	list_each(&findings->list, it, next)
		json_array_append_new(all,
			report_finding(list_entry(it, struct finding, link)));
	return all;
}

bool report_append_findings(
	json_t *array, const struct findings *findings, size_t *size)
{
	list_each(&findings->list, it, next) {
		const struct finding *f = list_entry(it, struct finding, link);

		if (!report_append(array, report_finding(f), size))
			return false;
	}
	return true;
}
