/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the guest's memory is from; see ram.h. */
#include "supervisor/ram.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#define NODES   "/sys/devices/system/node"
#define MEMINFO "/proc/meminfo"

static bool has_nodes(const struct vm_spec *spec)
{
	return spec->limits.numa && *spec->limits.numa;
}

bool ram_is_chosen(const struct vm_spec *spec)
{
	return spec->limits.hugepages || has_nodes(spec);
}

/* Calls each for every number of "0-1,3". */
static void each_node(
	const char *ranges, void (*each)(void *arg, uint64_t node), void *arg)
{
	while (*ranges) {
		uint64_t first = str_digits(ranges);
		const char *end = ranges + strcspn(ranges, "-,");
		uint64_t last = *end == '-' ? str_digits(end + 1) : first;

		for (uint64_t n = first; n <= last; n++)
			each(arg, n);
		ranges += strcspn(ranges, ",");
		ranges += *ranges == ',';
	}
}

static void add_node(void *arg, uint64_t node)
{
	json_array_append_new(arg, json_integer((json_int_t)node));
}

json_t *ram_backend(const struct vm_spec *spec, const char *id, uint64_t size)
{
	json_t *backend = json_pack("{s:s,s:s,s:I}", "qom-type",
		spec->limits.hugepages ? "memory-backend-memfd"
				       : "memory-backend-ram",
		"id", id, "size", (json_int_t)size);

	if (spec->limits.hugepages)
		json_object_set_new(backend, "hugetlb", json_true());
	if (has_nodes(spec)) {
		json_t *nodes = json_array();

		each_node(spec->limits.numa, add_node, nodes);
		json_object_set_new(backend, "host-nodes", nodes);
		json_object_set_new(backend, "policy", json_string("bind"));
	}
	return backend;
}

/* ---- this host ---- */

/* A number of /proc/meminfo: of kB, or of pages. */
static uint64_t meminfo(const char *name)
{
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	const char *at;

	if (fd_read_file(AT_FDCWD, MEMINFO, 65536, &text, &err))
		return 0;
	at = strstr(str_text(&text), name);
	if (!at)
		return 0;
	at += strlen(name);
	return str_digits(at + strspn(at, " \t"));
}

static void check_pages(const struct vm_spec *spec, const struct remarks *to)
{
	uint64_t page = meminfo("Hugepagesize:") * 1024;
	uint64_t have = meminfo("HugePages_Free:");
	uint64_t most = spec->vm.memory_max > spec->vm.memory
				? spec->vm.memory_max
				: spec->vm.memory;
	uint64_t need = page ? (most + page - 1) / page : 0;

	if (!page)
		remark_error(to, "limits", "hugepages",
			"this host's kernel has no huge pages: say no");
	else if (spec->vm.memory % page)
		remark_error(to, "limits", "hugepages",
			"[vm] memory is no multiple of a huge page (%" PRIu64
			"M here)",
			page >> 20);
	else if (have < need)
		remark_note(to, "limits", "hugepages",
			"the start takes %" PRIu64 " huge pages of %" PRIu64
			"M, and %" PRIu64
			" are free: sysctl -w vm.nr_hugepages=%" PRIu64,
			need, page >> 20, have,
			meminfo("HugePages_Total:") + need - have);
}

static void check_node(void *arg, uint64_t node)
{
	const struct remarks *to = arg;
	AUTO_FREE char *dir = xasprintf(NODES "/node%" PRIu64, node);
	struct stat st;

	if (sys_fstatat(AT_FDCWD, dir, &st, 0))
		remark_error(to, "limits", "numa",
			"this host has no memory node %" PRIu64 ": " NODES
			" lists them",
			node);
}

void ram_check(const struct vm_spec *spec, const struct remarks *to)
{
	if (spec->limits.hugepages)
		check_pages(spec, to);
	if (has_nodes(spec))
		each_node(spec->limits.numa, check_node, (void *)(uintptr_t)to);
}
