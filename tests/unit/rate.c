/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much a port carries: rates as text, and their bursts. */
#include "net/rate.h"

#include "base/mem.h"
#include "tests/unit/tap.h"

int main(void)
{
	static const struct {
		const char *text;
		uint64_t bytes; /* 0: refused */
	} table[] = {
		{ "100Mbit", 12500000 },
		{ "8kbit", 1000 },
		{ "1Gbit/s", 125000000 },
		{ "1KiB", 1024 },
		{ "10MiB/s", 10 << 20 },
		{ "3GiB", 3ULL << 30 },
		{ "50M", 0 },
		{ "50", 0 },
		{ "Mbit", 0 },
		{ "10 Mbit", 0 },
		{ "-1Mbit", 0 },
		{ "7kbit", 0 },
		{ "0Mbit", 0 },
		{ "10mbit", 0 },
		{ "10Mbit/min", 0 },
		{ "99999999999999999999kbit", 0 },
		{ "18446744073709551615Gbit", 0 },
	};
	struct rate_limits limits = { 0 };
	struct err err = ERR_INIT;
	uint64_t got;

	for (size_t i = 0; i < NELEMS(table); i++) {
		err_clear(&err);
		is_int(rate_parse(table[i].text, &got, &err),
			table[i].bytes ? 0 : -1, "%s %s", table[i].text,
			err.text);
		is_int((long long)got, (long long)table[i].bytes,
			"in bytes a second");
	}
	is_int(rate_parse("no", &got, &err), 0, "no is a rate");
	is_int((long long)got, 0, "which is none");
	is_int((long long)rate_burst(&limits, 12500000), 1250000,
		"a tenth of a second at once");
	is_int((long long)rate_burst(&limits, 1000), RATE_BURST_MIN,
		"what a guest sends at once always passes");
	limits.burst = 1 << 20;
	is_int((long long)rate_burst(&limits, 1000), 1 << 20,
		"as much as is written");
	return done();
}
