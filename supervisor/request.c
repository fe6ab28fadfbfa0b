/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What handlers ask of a request; see control.h. */
#include "base/str.h"
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
