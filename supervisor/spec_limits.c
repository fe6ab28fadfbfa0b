/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of [limits]; they mean what systemd's of these names do. */
#include <stdlib.h>
#include <string.h>

#include "base/atom.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/cgroup.h"
#include "supervisor/spec_table.h"
#include "supervisor/spec_value.h"

#define MIB (UINT64_C(1) << 20)

/* uint64_t: percent of one processor */
static int value_percent(const char *text, void *field, struct err *err)
{
	size_t len = strlen(text);
	AUTO_FREE char *digits = xstrndup(text, len ? len - 1 : 0);
	struct err bad = ERR_INIT;
	uint64_t percent;

	if (!len || text[len - 1] != '%' ||
		str_to_u64(digits, &percent, &bad) || percent < 1 ||
		percent > 1000000)
		return err_set(err, ERR_CONFIG,
			"%s: say a share of one processor, as 150%%", text);
	*(uint64_t *)field = percent;
	return 0;
}

static bool is_range(const char *word, size_t len)
{
	AUTO_FREE char *text = xstrndup(word, len);
	char *dash = strchr(text, '-');
	struct err bad = ERR_INIT;
	uint64_t first;
	uint64_t last;

	if (dash)
		*dash = '\0';
	if (str_to_u64(text, &first, &bad))
		return false;
	last = first;
	if (dash && str_to_u64(dash + 1, &last, &bad))
		return false;
	return first <= last && last < 8192;
}

/* const char *: "0-3,8", without blanks */
static int value_ranges(const char *text, void *field, struct err *err)
{
	AUTO_STR struct str out = STR_INIT;

	for (const char *at = text; *at;) {
		size_t skip = strspn(at, " ,");
		size_t len = strcspn(at + skip, " ,");

		at += skip;
		if (!len)
			break;
		if (!is_range(at, len))
			return err_set(err, ERR_CONFIG,
				"%s: say numbers and ranges, as 0-3,8", text);
		if (out.len)
			str_addc(&out, ',');
		str_addn(&out, at, len);
		at += len;
	}
	if ((*text && !out.len) || out.len >= CGROUP_CPUSET_MAX)
		return err_set(err, ERR_CONFIG,
			"%s: say numbers and ranges, as 0-3,8", text);
	atom_set(field, str_text(&out));
	return 0;
}

/* int: -1000 to 1000 */
static int value_oom_score(const char *text, void *field, struct err *err)
{
	bool negative = *text == '-';
	struct err bad = ERR_INIT;
	uint64_t n;

	if (str_to_u64(text + negative, &n, &bad) || n > 1000)
		return err_set(err, ERR_CONFIG,
			"%s: say a number from -1000 to 1000", text);
	*(int *)field = negative ? -(int)n : (int)n;
	return 0;
}

/* One key a row. */
/* clang-format off */
#define AT(member) .offset = offsetof(struct spec_host_limits, member)
const struct key spec_limits_keys[] = {
	{ "cpu", KEY_CUSTOM, AT(cpu), .when = KEY_HOT, .live = "apply",
		.parse = value_percent, .form = "N%",
		.help = "At most this share of one processor, as CPUQuota of "
			"systemd: 150% is one and a half." },
	{ "cpu-weight", KEY_INT, AT(cpu_weight), .min = 1, .max = 10000,
		.when = KEY_HOT, .live = "apply",
		.help = "Its share when processors are short, against 100 of "
			"everybody else." },
	{ "memory", KEY_MEMORY, AT(memory), .min = MIB,
		.when = KEY_HOT, .live = "apply",
		.help = "At most this much of the host's memory for the guest "
			"and QEMU together; QEMU is killed when it needs "
			"more, and the cause is out-of-memory." },
	{ "io-weight", KEY_INT, AT(io_weight), .min = 1, .max = 10000,
		.when = KEY_HOT, .live = "apply",
		.help = "As cpu-weight, for the host's disks." },
	{ "pids", KEY_INT, AT(pids), .min = 8, .max = 4194304,
		.when = KEY_HOT, .live = "apply",
		.help = "At most so many threads of QEMU." },
	{ "cpuset", KEY_CUSTOM, AT(cpuset), .fallback = "",
		.when = KEY_HOT, .live = "apply", .parse = value_ranges,
		.release = value_string_release, .form = "numbers and ranges",
		.help = "The processors of the host that it runs on, as 0-3,8: "
			"vCPUs and all else of QEMU." },
	{ "numa", KEY_CUSTOM, AT(numa), .fallback = "",
		.when = KEY_COLD, .parse = value_ranges,
		.release = value_string_release, .form = "numbers and ranges",
		.help = "The host's memory nodes that the guest's memory is "
			"from." },
	{ "hugepages", KEY_BOOL, AT(hugepages), .fallback = "no",
		.when = KEY_COLD,
		.help = "Whether the guest's memory is of huge pages that the "
			"host has put aside." },
	{ "oom-score", KEY_CUSTOM, AT(oom_score), .fallback = "0",
		.when = KEY_HOT, .live = "apply", .parse = value_oom_score,
		.form = "-1000 to 1000",
		.help = "Whom the kernel kills when the host is out of memory: "
			"the higher, the sooner." },
	KEYS_END,
};
/* clang-format on */
