/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QMP commands inside jobs: a reply becomes the call's result or the job's
 * failure, and wakes the job.  Owns the result until the next call.
 */
#include "qmp/call.h"

#include <stdarg.h>

#include "base/log.h"

/* The call is over with an error. */
static void refuse(struct qmp_call *call, const struct err *err)
{
	call->err = *err;
	err_wrap(&call->err, "%s: ", call->command);
	call->replied = true;
	/* What the body began is no concern of its undo. */
	if (!call->may_fail && call->undoing == call->job->undoing)
		job_fail_err(call->job, &call->err);
}

static void on_reply(
	struct qmp_slot *slot, json_t *result, const struct err *err)
{
	struct qmp_call *call = container_of(slot, struct qmp_call, slot);

	if (result) {
		call->result = json_incref(result);
		call->replied = true;
	} else {
		refuse(call, err);
	}
	job_wake(call->job);
}

void qmp_call_start(struct qmp_call *call, struct job *job,
	struct qmp_client *client, const struct qmp_command *command,
	bool may_fail)
{
	struct err gone = ERR_INIT;

	qmp_call_fini(call);
	call->job = job;
	call->command = command->name;
	call->may_fail = may_fail;
	call->undoing = job->undoing;
	call->replied = job_has_failed(job);
	if (!call->replied && client) {
		qmp_send_steal(client, &call->slot, command, on_reply);
		return;
	}
	json_decref(command->args);
	if (!call->replied) {
		err_set(&gone, ERR_GONE, "the monitor connection is closed");
		refuse(call, &gone);
	}
}

void qmp_call_fini(struct qmp_call *call)
{
	qmp_cancel(&call->slot);
	json_decref(TAKE(call->result));
	call->replied = false;
	err_clear(&call->err);
}

json_t *qmp_call_pack(struct job *job, const char *fmt, ...)
{
	json_error_t error;
	json_t *args;
	va_list ap;

	va_start(ap, fmt);
	args = json_vpack_ex(&error, 0, fmt, ap);
	va_end(ap);
	if (!args)
		job_fail(job, ERR_CONFIG, "cannot write QMP arguments: %s",
			error.text);
	return args;
}
