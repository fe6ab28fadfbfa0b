/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/incidents.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/remove.h"
#include "tests/unit/tap.h"

static char state[] = "/tmp/vmward-incidents.XXXXXX";

static void make(const char *id)
{
	AUTO_FREE char *path = incidents_dir(state, "web", id);

	mkdir(path, 0700);
}

static bool is_there(const char *id)
{
	AUTO_FREE char *path = incidents_dir(state, "web", id);

	return access(path, F_OK) == 0;
}

/* From the clock that ran ahead: as many as are kept. */
static void make_later_ones(char last[INCIDENT_ID_SIZE])
{
	for (int i = 0; i < INCIDENTS_KEPT; i++) {
		incidents_id(INT64_C(2000000000) * 1000000 + i * 1000000,
			CAUSE_PANIC, last);
		make(last);
	}
}

static void test_clock_set_back(void)
{
	char later[INCIDENT_ID_SIZE], now[INCIDENT_ID_SIZE];

	make_later_ones(later);
	incidents_id(INT64_C(1000000000) * 1000000, CAUSE_HANG, now);
	make(now);
	incidents_trim(state, "web", now);
	ok(is_there(now), "the one just written stays, though ten are later");
	ok(is_there(later), "and the latest of those");
	incidents_trim(state, "web", NULL);
	ok(is_there(later), "nobody wrote one: the latest ten stay");
	make("20010909T014640.000Z-hang.tmp");
	incidents_trim(state, "web", now);
	ok(!is_there("20010909T014640.000Z-hang.tmp"),
		"what was never finished goes");
}

int main(void)
{
	struct err err = ERR_INIT;

	if (!mkdtemp(state))
		return 1;
	AUTO_FREE char *top = xasprintf("%s/incidents", state);
	AUTO_FREE char *dir = incidents_dir(state, "web", NULL);
	mkdir(top, 0700);
	mkdir(dir, 0700);
	test_clock_set_back();
	ok(!remove_tree(state, &err), "all can be removed");
	return done();
}
