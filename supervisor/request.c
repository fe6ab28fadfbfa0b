/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests and their answers; see request.h. */
#include "supervisor/request.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/trim.h"
#include "supervisor/audit.h"
#include "supervisor/client.h"
#include "supervisor/mask.h"

#define BEHIND (256 * 1024) /* bytes that nobody has read yet */

struct registry *request_registry(const struct request *rq)
{
	return rq->control->registry;
}

const char *request_string(const struct request *rq, const char *name)
{
	return str_or(json_string_value(json_object_get(rq->args, name)), "");
}

bool request_bool(const struct request *rq, const char *name)
{
	return json_is_true(json_object_get(rq->args, name));
}

json_int_t request_int(
	const struct request *rq, const char *name, json_int_t fallback)
{
	const json_t *value = json_object_get(rq->args, name);

	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

int64_t request_ms(const struct request *rq, const char *name)
{
	double seconds = json_number_value(json_object_get(rq->args, name));

	if (seconds <= 0)
		return 0;
	return seconds > 1e9 ? (int64_t)1e12 : (int64_t)(seconds * 1000);
}

struct request *request_sibling(const struct request *rq, const json_t *id)
{
	if (!rq->client)
		return NULL;
	list_each(&rq->client->requests, it, next) {
		struct request *other = list_entry(it, struct request, link);

		if (other != rq && json_equal(other->id, id))
			return other;
	}
	return NULL;
}

bool request_has_events(const struct request *rq)
{
	return rq->client && rq->client->wants_events;
}

bool request_is_behind(const struct request *rq)
{
	const struct jstream *js = rq->client ? &rq->client->stream : NULL;

	return js && js->out.len - js->out_done > BEHIND;
}

/*
 * The last one that was sent is meant: those before came with requests that
 * were refused, or wanted none.
 */
void request_receive_file(struct request *rq)
{
	int fd;

	rq->opened = -1;
	if (!verb_opened(rq->verb))
		return;
	while ((fd = jstream_take_fd(&rq->client->stream)) >= 0) {
		fd_close(&rq->opened);
		rq->opened = fd;
	}
}

int request_look_at_file(
	struct request *rq, const char *name, struct stat *st, struct err *err)
{
	const char *path = request_string(rq, name);

	if (rq->opened < 0)
		return err_set(err, ERR_USAGE,
			"no descriptor came along with '%s': open the file and "
			"send it by SCM_RIGHTS",
			path);
	return sys_fstat(rq->opened, st)
		       ? err_os(err, "cannot look at '%s'", path)
		       : 0;
}

int request_take_file(struct request *rq, const char *name, struct err *err)
{
	struct stat st;

	if (request_look_at_file(rq, name, &st, err))
		return -1;
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG,
			"'%s' is refused: it is no plain file",
			request_string(rq, name));
	return TAKE_FD(rq->opened);
}

void request_enable_events(struct request *rq)
{
	if (rq->client && !rq->client->wants_events)
		client_enable_events(rq->client);
}

void request_send_event(struct request *rq, const json_t *event)
{
	if (rq->client)
		client_send(rq->client, event);
}

bool request_may(const struct request *rq, const char *vm, enum role role)
{
	if (rq->role >= role)
		return true;
	return rq->client && client_role_for(rq->client, vm) >= role;
}

bool request_may_see(const struct request *rq, const char *vm)
{
	return request_may(rq, vm, ROLE_VIEWER);
}

/* ---- its end ---- */

void request_dispose(struct request *rq)
{
	fd_close(&rq->opened);
	json_decref(rq->id);
	json_decref(rq->args);
	free(rq);
}

/* A handler may still read the arguments of what it answered. */
void request_free(struct request *rq)
{
	if (rq->on_free)
		rq->on_free(rq);
	vm_unwatch(&rq->watch);
	far_cancel(&rq->far);
	loop_timer_stop(&rq->deadline);
	list_del(&rq->link);
	if (rq->client)
		rq->client->nrequests--;
	rq->answered = true;
	trim_soon();
	if (!rq->in_handler)
		request_dispose(rq);
}

/* ---- its answer ---- */

void request_negotiated(struct request *rq)
{
	if (!rq->client)
		return;
	rq->client->negotiated = true;
	loop_timer_stop(&rq->client->greeting);
}

void request_reply_steal(struct request *rq, json_t *result)
{
	audit_answer(&rq->peer, rq->verb, rq->args, result);
	if (rq->role < ROLE_ADMIN)
		result = mask_json_steal(result);
	if (rq->client)
		client_reply_steal(rq->client, result, rq->id);
	else
		json_decref(result);
	request_free(rq);
}

void request_reply_text(struct request *rq, const char *result)
{
	audit_answer(&rq->peer, rq->verb, rq->args, NULL);
	if (rq->client)
		client_reply_text(rq->client, result, rq->id);
	request_free(rq);
}

void request_fail(struct request *rq, const struct err *err)
{
	audit_error(&rq->peer, rq->verb, rq->args, err);
	if (rq->client)
		client_send_error(rq->client, err, rq->id);
	request_free(rq);
}

void request_failf(struct request *rq, enum err_code code, const char *fmt, ...)
{
	struct err err;
	va_list ap;

	va_start(ap, fmt);
	err_vset(&err, code, fmt, ap);
	va_end(ap);
	request_fail(rq, &err);
}
