/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of disks; see throttle.h. */
#include "supervisor/throttle.h"

#include <inttypes.h>

#include "base/mem.h"
#include "supervisor/spec_value.h"

enum { IOPS, BPS, IOPS_BURST, BPS_BURST };

const char *const throttle_keys[THROTTLE_KEYS] = {
	[IOPS] = "iops",
	[BPS] = "bps",
	[IOPS_BURST] = "iops-burst",
	[BPS_BURST] = "bps-burst",
};

uint64_t *throttle_limit(struct spec_limits *limits, size_t key)
{
	switch (key) {
	case IOPS:
		return &limits->iops;
	case BPS:
		return &limits->bps;
	case IOPS_BURST:
		return &limits->iops_burst;
	default:
		return &limits->bps_burst;
	}
}

char *throttle_text(const struct spec_limits *limits, size_t key)
{
	struct spec_limits copy = *limits;
	uint64_t limit = *throttle_limit(&copy, key);

	return limit && (key == BPS || key == BPS_BURST)
		       ? value_size_text(limit)
		       : xasprintf("%" PRIu64, limit);
}

static int check_burst(
	uint64_t limit, uint64_t burst, const char *key, struct err *err)
{
	if (!burst || (limit && burst >= limit))
		return 0;
	return err_set(err, ERR_CONFIG,
		limit ? "%s-burst is less than %s" : "%s-burst needs %s", key,
		key);
}

int throttle_check(const struct spec_limits *limits, struct err *err)
{
	if (limits->bps % 1024 || limits->bps_burst % 1024)
		return err_set(err, ERR_CONFIG, "bps is a multiple of 1K: 50M");
	return check_burst(limits->iops, limits->iops_burst, "iops", err) ||
			       check_burst(limits->bps, limits->bps_burst,
				       "bps", err)
		       ? -1
		       : 0;
}

bool throttle_limits(const struct spec_limits *limits)
{
	return limits->iops || limits->bps;
}

/*
 * A virtio disk made of -blockdev has its backend below the device, and one on
 * USB is a scsi disk behind a bridge.
 */
static char *backend_of(const struct spec_disk *disk)
{
	const char *name = disk->name;

	if (disk->bus == BUS_VIRTIO)
		return xasprintf(
			"/machine/peripheral/disk-%s/virtio-backend", name);
	if (disk->bus == BUS_USB)
		return xasprintf("/machine/peripheral/disk-%s/disk-%s.0/"
				 "legacy[0]",
			name, name);
	return xasprintf("disk-%s", name);
}

json_t *throttle_arguments(
	const struct spec_disk *disk, const struct spec_limits *limits)
{
	AUTO_FREE char *id = backend_of(disk);
	json_t *arguments = json_pack("{s:s,s:I,s:I,s:i,s:i,s:i,s:i}", "id", id,
		"iops", (json_int_t)limits->iops, "bps",
		(json_int_t)limits->bps, "iops_rd", 0, "iops_wr", 0, "bps_rd",
		0, "bps_wr", 0);

	if (limits->iops_burst)
		json_object_set_new(arguments, "iops_max",
			json_integer((json_int_t)limits->iops_burst));
	if (limits->bps_burst)
		json_object_set_new(arguments, "bps_max",
			json_integer((json_int_t)limits->bps_burst));
	return arguments;
}
