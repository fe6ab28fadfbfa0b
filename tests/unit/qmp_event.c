/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qmp/event: names to numbers, members of whatever type. */
#include "qmp/event.h"

#include "base/jstream.h"
#include "tests/unit/tap.h"

int main(void)
{
	AUTO_JSON json_t *data = json_pack("{s:s, s:b, s:I, s:n}", "device",
		"disk-root", "guest", 1, "len", (json_int_t)-5, "none");
	struct qmp_event ev = { .type = QMP_EV_RESET, .data = data };
	struct qmp_event bare = { .type = QMP_EV_RESET };

	is_int(qmp_event_type_of("SHUTDOWN"), QMP_EV_SHUTDOWN, "a name");
	is_int(qmp_event_type_of("MIGRATION"), QMP_EV_MIGRATION, "the last");
	is_int(qmp_event_type_of("NOVELTY"), QMP_EV_OTHER, "an unknown name");
	is_int(qmp_event_type_of("OTHER"), QMP_EV_OTHER, "our own word");
	is_int(qmp_event_type_of(""), QMP_EV_OTHER, "no name");
	is_str(qmp_event_string(&ev, "device"), "disk-root", "a string");
	is_str(qmp_event_string(&ev, "guest"), "", "of another type");
	is_str(qmp_event_string(&ev, "none"), "", "null");
	is_str(qmp_event_string(&bare, "device"), "", "without data");
	ok(qmp_event_bool(&ev, "guest"), "a bool");
	ok(!qmp_event_bool(&ev, "device"), "of another type");
	ok(!qmp_event_bool(&bare, "guest"), "without data");
	is_int(qmp_event_int(&ev, "len"), -5, "an integer");
	is_int(qmp_event_int(&ev, "device"), 0, "of another type");
	is_int(qmp_event_int(&bare, "len"), 0, "without data");
	return done();
}
