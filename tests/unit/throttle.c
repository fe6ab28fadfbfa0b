/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of disks: what is sense, what QEMU gets, how a file says them. */
#include "supervisor/throttle.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tests/unit/tap.h"

static void checks(struct spec_limits limits, const char *want)
{
	struct err err = ERR_INIT;

	is_int(throttle_check(&limits, &err), *want ? -1 : 0, "%s",
		*want ? want : "sense");
	is_str(err.text, want, "and why");
}

static void test_check(void)
{
	checks((struct spec_limits){ 0 }, "");
	checks((struct spec_limits){ 5, 1024, 5, 2048 }, "");
	checks((struct spec_limits){ .iops_burst = 1 },
		"iops-burst needs iops");
	checks((struct spec_limits){ .bps = 2048, .bps_burst = 1024 },
		"bps-burst is less than bps");
	checks((struct spec_limits){ .bps = 1025 },
		"bps is a multiple of 1K: 50M");
}

static void sends(int bus, struct spec_limits limits, const char *want)
{
	const struct spec_disk disk = { .name = "a", .bus = bus };
	json_t *arguments = throttle_arguments(&disk, &limits);
	char *text = json_dumps(arguments, JSON_COMPACT | JSON_SORT_KEYS);

	is_str(text, want, "what QEMU gets");
	free(text);
	json_decref(arguments);
}

static void test_arguments(void)
{
	sends(BUS_VIRTIO, (struct spec_limits){ 5, 0, 0, 0 },
		"{\"bps\":0,\"bps_rd\":0,\"bps_wr\":0,\"id\":"
		"\"/machine/peripheral/disk-a/virtio-backend\",\"iops\":5,"
		"\"iops_rd\":0,\"iops_wr\":0}");
	sends(BUS_USB, (struct spec_limits){ 5, 0, 0, 0 },
		"{\"bps\":0,\"bps_rd\":0,\"bps_wr\":0,\"id\":"
		"\"/machine/peripheral/disk-a/disk-a.0/legacy[0]\",\"iops\":5,"
		"\"iops_rd\":0,\"iops_wr\":0}");
	sends(BUS_SCSI, (struct spec_limits){ 1, 1024, 2, 4096 },
		"{\"bps\":1024,\"bps_max\":4096,\"bps_rd\":0,"
		"\"bps_wr\":0,\"id\":\"disk-a\",\"iops\":1,"
		"\"iops_max\":2,\"iops_rd\":0,\"iops_wr\":0}");
}

static void test_text(void)
{
	static const char *const want[] = { "500", "50M", "0", "1025K" };
	struct spec_limits limits = { 500, 50 << 20, 0, 1025 << 10 };

	for (size_t i = 0; i < THROTTLE_KEYS; i++) {
		AUTO_FREE char *text = throttle_text(&limits, i);

		is_str(text, want[i], "%s", throttle_keys[i]);
	}
	ok(throttle_limits(&limits), "it limits");
	limits = (struct spec_limits){ .iops_burst = 5 };
	ok(!throttle_limits(&limits), "a burst alone does not");
}

int main(void)
{
	test_check();
	test_arguments();
	test_text();
	return done();
}
