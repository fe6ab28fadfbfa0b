/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sd_notify of a guest; see sdnotify.h. */
#include "supervisor/sdnotify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#define DEVICE     "/dev/vhost-vsock"
#define EXTEND_MAX ((uint64_t)24 * 3600 * 1000 * 1000) /* us: a day */

/* ---- the keys; false: a value that is none ---- */

static bool take_ready(struct sdnotify *n, const char *value)
{
	if (!str_eq(value, "1"))
		return false;
	n->ready = true;
	n->reloading = false;
	return true;
}

static bool take_reloading(struct sdnotify *n, const char *value)
{
	n->reloading |= str_eq(value, "1");
	return str_eq(value, "1");
}

static bool take_stopping(struct sdnotify *n, const char *value)
{
	n->stopping |= str_eq(value, "1");
	return str_eq(value, "1");
}

static bool take_status(struct sdnotify *n, const char *value)
{
	AUTO_STR struct str text = STR_INIT;

	str_add_visible(&text, value, strlen(value));
	snprintf(n->status, sizeof(n->status), "%s", str_text(&text));
	return true;
}

static bool take_extend(struct sdnotify *n, const char *value)
{
	struct err err = ERR_INIT;
	uint64_t us;

	if (str_to_u64(value, &us, &err))
		return false;
	if (us > EXTEND_MAX)
		us = EXTEND_MAX;
	n->extend_ms = (int64_t)(us / 1000);
	return true;
}

static bool take_failure(struct sdnotify *n, const char *value)
{
	struct err err = ERR_INIT;
	uint64_t number;

	if (str_to_u64(value, &number, &err) || number > INT32_MAX)
		return false;
	n->failed |= number != 0;
	return true;
}

static const struct {
	const char *key;
	bool (*take)(struct sdnotify *n, const char *value);
} keys[] = {
	{ "READY=", take_ready },
	{ "RELOADING=", take_reloading },
	{ "STOPPING=", take_stopping },
	{ "STATUS=", take_status },
	{ "EXTEND_TIMEOUT_USEC=", take_extend },
	{ "ERRNO=", take_failure },
	{ "EXIT_STATUS=", take_failure },
};

static bool take_line(struct sdnotify *n)
{
	for (size_t i = 0; i < NELEMS(keys); i++)
		if (str_starts(n->line, keys[i].key))
			return keys[i].take(n, n->line + strlen(keys[i].key));
	return false;
}

/* ---- the framing ---- */

static void end_line(struct sdnotify *n)
{
	n->line[n->len] = '\0';
	if (n->spoilt || (n->len > 0 && !take_line(n)))
		n->ignored++;
	n->len = 0;
	n->spoilt = false;
}

void sdnotify_feed(struct sdnotify *n, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len && n->bytes <= SDNOTIFY_MAX; i++) {
		/* what is cut off in the middle is no value */
		if (++n->bytes > SDNOTIFY_MAX || !bytes[i])
			n->spoilt = true;
		else if (bytes[i] == '\n')
			end_line(n);
		else if (n->len + 1 < sizeof(n->line))
			n->line[n->len++] = bytes[i];
		else
			n->spoilt = true;
	}
}

void sdnotify_end(struct sdnotify *n)
{
	end_line(n);
	n->bytes = 0;
}

/* ---- the host ---- */

int sdnotify_check_host(struct err *err)
{
	struct stat st;

	if (sys_fstatat(AT_FDCWD, DEVICE, &st, 0))
		return err_set(err, ERR_UNSUPPORTED,
			"this host has no " DEVICE ": modprobe vhost_vsock");
	AUTO_CLOSE int fd = sys_socket(AF_VSOCK, SOCK_STREAM, 0);
	if (fd < 0)
		return err_set(err, ERR_UNSUPPORTED,
			"this host has no AF_VSOCK: modprobe vsock");
	return 0;
}
