/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the simulated clients ask for: the verbs, how often, and with what. */
#ifndef TESTS_SIM_ASKS_H
#define TESTS_SIM_ASKS_H

#include <jansson.h>

#include "tests/sim/sim.h"

enum asks_flags {
	ORDERS = 1,  /* changes what the record says */
	STOPS = 2,   /* may end a QEMU */
	STARTS = 4,  /* may start one */
	AT_ONCE = 8, /* is answered before time passes */
	LONG = 16,   /* may wait for ever */
	SETS = 32,
	STARTUP = 64, /* changes what is started with the supervisor */
	CANCELS = 128,
	PLUGS = 256,
	RARE = 512, /* in some seeds only */
	DELETES = 1024,
	CLONES = 2048,
};

struct asks_kind {
	const char *wire;
	unsigned weight;
	unsigned flags;
	enum sim_promise promise;
};

/* One on its way. */
struct asks {
	json_int_t id; /* 0: free */
	const struct asks_kind *kind;
	struct sim_vm *vm;
	unsigned order; /* its number among the VM's */
	char value[40];
	int64_t sent_us;
	bool must; /* succeed */
};

/* One that comes into a client's head. */
const struct asks_kind *asks_any(void);
const struct asks_kind *asks_named(const char *wire);
/* What else the request says. */
json_t *asks_arguments(struct asks *rq);

#endif
