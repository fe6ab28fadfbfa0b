/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fake's migration to and from a descriptor: eight bytes of memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/fake/fake.h"

static const char stream[8] = "QEVMfake";
static int kept = -1;
static const char *status = "none";

/* Of a machine named "slow..." it is active until it is cancelled. */
static const char *go_out(const char *name)
{
	if (str_starts(name, "slow")) {
		status = "active";
		return "finish-migrate";
	}
	status = write(kept, stream, sizeof(stream)) == sizeof(stream)
			 ? "completed"
			 : "failed";
	fd_close(&kept);
	return "postmigrate";
}

/* A stream that is none ends us as it ends QEMU. */
static const char *come_in(void)
{
	char buf[sizeof(stream)];

	if (read(kept, buf, sizeof(buf)) != sizeof(buf) ||
		memcmp(buf, stream, sizeof(buf)) != 0) {
		fputs("qemu-system-x86_64: Not a migration stream\n", stderr);
		exit(1);
	}
	fd_close(&kept);
	status = "completed";
	return "paused";
}

json_t *migrate_execute(const char *command, struct port *port,
	const char *name, const char **machine, char **desc)
{
	if (str_eq(command, "query-migrate"))
		return json_pack("{s:s, s:{s:i, s:i}}", "status", status, "ram",
			"total", 8, "remaining",
			str_eq(status, "completed") ? 0 : 8);
	if (str_eq(command, "migrate_cancel")) {
		if (str_eq(status, "active"))
			status = "cancelled";
		return json_object();
	}
	if (str_eq(command, "getfd")) {
		fd_close(&kept);
		kept = jstream_take_fd(&port->stream);
		return json_object();
	}
	if (kept < 0) {
		*desc = xstrdup("File descriptor named 'vmward' has not been "
				"found");
		return NULL;
	}
	*machine = str_eq(command, "migrate") ? go_out(name) : come_in();
	return json_object();
}
