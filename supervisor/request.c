/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What handlers ask of a request; see control.h. */
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/client.h"
#include "supervisor/control.h"

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
