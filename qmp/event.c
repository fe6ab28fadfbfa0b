/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's events: the table of names, and access to members that never
 * trusts their type.  Pure.
 */
#include "qmp/event.h"

#include "base/mem.h"
#include "base/str.h"

static const char *const names[] = {
#define X(name) #name,
	QMP_EVENTS(X)
#undef X
};

enum qmp_event_type qmp_event_type_of(const char *name)
{
	for (size_t i = QMP_EV_OTHER + 1; i < NELEMS(names); i++)
		if (str_eq(names[i], name))
			return (enum qmp_event_type)i;
	return QMP_EV_OTHER;
}

const char *qmp_event_string(const struct qmp_event *ev, const char *member)
{
	const char *text = json_string_value(json_object_get(ev->data, member));

	return text ? text : "";
}

bool qmp_event_bool(const struct qmp_event *ev, const char *member)
{
	return json_is_true(json_object_get(ev->data, member));
}

int64_t qmp_event_int(const struct qmp_event *ev, const char *member)
{
	return json_integer_value(json_object_get(ev->data, member));
}
