/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supervisor names a console's socket; the client connects to it. */
#include "ctl/serial.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/str.h"
#include "ctl/print.h"

int serial_open(const struct call *call, struct wire *w, const char *vm,
	struct err *err)
{
	json_t *arguments = json_copy(call->wire);
	const char *path;
	json_t *reply;
	int fd = -1;

	/* of start --console, the wire holds start's arguments */
	if (!str_eq(call->verb->name, "console"))
		json_object_clear(arguments);
	json_object_set_new(arguments, "vm", json_string(vm));
	reply = wire_call(w, "vm-console", arguments, WIRE_PATIENCE_MS, err);
	json_decref(arguments);
	if (!reply)
		return -1;
	path = print_member(reply, "path");
	if (!path)
		err_set(err, ERR_STATE, "it has no console");
	else
		fd = wire_connect(path, WIRE_PATIENCE_MS, err);
	if (fd < 0 && path)
		err_wrap(err, "cannot reach its console at %s: ", path);
	json_decref(reply);
	return fd;
}

int serial_send(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		struct pollfd at = { .fd = fd, .events = POLLOUT };
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			if (poll(&at, 1, WIRE_PATIENCE_MS) == 0)
				return -1;
		} else if (n == 0 || errno != EINTR) {
			return -1;
		}
	}
	return 0;
}
