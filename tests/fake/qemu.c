/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stand-in for qemu-system-x86_64 that understands the command line of
 * vmwardd: monitors, serial ports and the agent are -chardev sockets on
 * inherited descriptors.  It behaves well, or as the script given with
 * -D FILE says (-D is QEMU's log file, so a [raw] argument can name it).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "tests/fake/fake.h"

#define PORTS_MAX 32

static const char greeting[] =
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, "
	"\"major\": 7}, \"package\": \"Debian 1:7.2+dfsg-7+deb12u18\"}, "
	"\"capabilities\": [\"oob\"]}}\r\n";

static struct port ports[PORTS_MAX];
static size_t nports;
static struct port *scripted;
static struct loop_signal on_term;
static struct str chatter = STR_INIT; /* of the agent */

static void await_client(struct port *port);

/* ---- ports ---- */

bool port_is_connected(const struct port *port)
{
	return port->is_monitor ? jstream_is_open(&port->stream)
				: port->fd >= 0;
}

struct port *port_at(size_t i)
{
	return i < nports ? &ports[i] : NULL;
}

struct port *port_by_id(const char *id)
{
	for (size_t i = 0; i < nports; i++)
		if (str_eq(ports[i].id, id))
			return &ports[i];
	return NULL;
}

bool port_send(struct port *port, const char *text, size_t len, int fd)
{
	struct err err = ERR_INIT;

	return jstream_send_text(&port->stream, text, len, fd, &err) == 0;
}

bool port_send_json(struct port *port, json_t *message)
{
	struct err err = ERR_INIT;

	return jstream_send(&port->stream, message, -1, &err) == 0;
}

void port_greet(struct port *port)
{
	port->negotiated = false;
	port_send(port, greeting, sizeof(greeting) - 1, -1);
}

static void lost_client(struct port *port)
{
	if (port == scripted)
		script_disconnected();
	if (port->listen_fd >= 0)
		await_client(port);
	else if (port == scripted)
		exit(0); /* nobody can ever come again */
}

void port_drop(struct port *port)
{
	jstream_close(&port->stream);
	loop_io_stop(&port->bytes);
	fd_close(&port->fd);
	lost_client(port);
}

void port_answer(struct port *port, json_t *message)
{
	const char *command =
		json_string_value(json_object_get(message, "execute"));
	json_t *args = json_object_get(message, "arguments");
	AUTO_JSON json_t *answer = json_object();
	AUTO_JSON json_t *none = json_object();
	AUTO_FREE char *desc = NULL;
	const char *class;
	json_t *result;

	if (!command)
		command =
			json_string_value(json_object_get(message, "exec-oob"));
	result = board_execute(command ? command : "", args ? args : none, port,
		&class, &desc);
	if (result)
		json_object_set_new(answer, "return", result);
	else
		json_object_set_new(answer, "error",
			json_pack("{s:s, s:s}", "class", class, "desc", desc));
	if (json_object_get(message, "id"))
		json_object_set(answer, "id", json_object_get(message, "id"));
	port_send_json(port, answer);
	board_settle();
}

static void on_message(struct jstream *js, json_t *message, const char *why)
{
	struct port *port = js->owner;
	AUTO_JSON json_t *error = NULL;

	if (message && port == scripted && script_command(message))
		return;
	if (message) {
		port_answer(port, message);
		return;
	}
	error = json_pack("{s:{s:s, s:s}}", "error", "class", "GenericError",
		"desc", why);
	port_send_json(port, error);
}

static void on_end(struct jstream *js, const struct err *err UNUSED)
{
	lost_client(js->owner);
}

static void on_drained(struct jstream *js)
{
	if (js->owner == scripted)
		script_drained();
}

static const struct jstream_hooks hooks = { on_message, on_end, on_drained };

/*
 * Reads and forgets what comes for a serial port or the agent, which may
 * chatter all the while.
 */
static void on_bytes(struct loop_io *io, int events)
{
	struct port *port = container_of(io, struct port, bytes);
	char chunk[4096];
	ssize_t len;

	if (events & LOOP_WRITE &&
		write(port->fd, chatter.data, chatter.len) < 0 &&
		errno != EAGAIN) {
		port_drop(port);
		return;
	}
	if (!(events & LOOP_READ))
		return;
	len = read(port->fd, chunk, sizeof(chunk));
	if (len == 0 || (len < 0 && errno != EAGAIN))
		port_drop(port);
}

static void take_client(struct port *port, int fd)
{
	if (!port->is_monitor) {
		port->fd = fd;
		loop_io_start(&port->bytes, fd,
			chatter.len && str_eq(port->id, "agent")
				? LOOP_READ | LOOP_WRITE
				: LOOP_READ,
			on_bytes);
		return;
	}
	jstream_open(&port->stream, fd, &prescan_qmp, &hooks, port);
	port->stream.line_end = "\r\n";
	port->stream.want_fds = true;
	if (port == scripted)
		script_connected();
	else
		port_greet(port);
}

static void on_client(struct loop_io *io, int events UNUSED)
{
	struct port *port = container_of(io, struct port, accepting);
	int fd = sys_accept(port->listen_fd);

	if (fd < 0)
		return;
	loop_io_stop(io);
	take_client(port, fd);
}

/* One client at a time, like QEMU. */
static void await_client(struct port *port)
{
	loop_io_start(&port->accepting, port->listen_fd, LOOP_READ, on_client);
}

void serial_write(const char *text, size_t len)
{
	for (size_t i = 0; i < nports; i++)
		if (str_starts(ports[i].id, "serial") && ports[i].fd >= 0 &&
			write(ports[i].fd, text, len) < 0)
			perror("fake-qemu: serial");
}

void agent_chatter(const char *text, size_t len)
{
	while (chatter.len < 65536 && len > 0)
		str_addn(&chatter, text, len);
}

void emit(const char *name, json_t *data)
{
	int64_t now = sys_realtime_us();
	AUTO_JSON json_t *event = json_pack("{s:{s:I, s:I}, s:s, s:o*}",
		"timestamp", "seconds", (json_int_t)(now / 1000000),
		"microseconds", (json_int_t)(now % 1000000), "event", name,
		"data", data);

	for (size_t i = 0; i < nports; i++)
		if (ports[i].negotiated && port_is_connected(&ports[i]))
			port_send_json(&ports[i], event);
}

/* ---- command line ---- */

/* -chardev socket,id=ID,fd=N[,server=on] */
static void add_port(const char *text)
{
	AUTO_FREE char *copy = xstrdup(text);
	struct port *port = &ports[nports];
	char *rest = copy;
	bool server = false;
	int fd = -1;

	if (!str_starts(text, "socket,") || nports == PORTS_MAX)
		return;
	*port = (struct port){ .fd = -1, .listen_fd = -1 };
	for (char *pair; (pair = strsep(&rest, ","));) {
		if (str_starts(pair, "id="))
			port->id = xstrdup(pair + 3);
		else if (str_starts(pair, "fd="))
			fd = (int)strtol(pair + 3, NULL, 10);
		else if (str_eq(pair, "server=on") || str_eq(pair, "server"))
			server = true;
	}
	if (!port->id || fd < 0)
		return;
	nports++;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	port->is_monitor =
		str_starts(port->id, "mon") || str_starts(port->id, "yank");
	if (server)
		listen(fd, 1); /* as QEMU: from now on the peer is we */
	*(server ? &port->listen_fd : &port->fd) = fd;
	if (server && listen(fd, 2)) /* as QEMU: now the peer is we */
		perror("fake-qemu: listen");
}

static void open_ports(void)
{
	for (size_t i = 0; i < nports; i++)
		if (!scripted && str_starts(ports[i].id, "mon"))
			scripted = &ports[i];
	if (scripted)
		script_start(scripted);
	for (size_t i = 0; i < nports; i++) {
		int fd = ports[i].fd;

		ports[i].fd = -1;
		if (ports[i].listen_fd >= 0)
			await_client(&ports[i]);
		else
			take_client(&ports[i], fd);
	}
}

static void on_sigterm(struct loop_signal *watcher UNUSED, int signal UNUSED)
{
	emit("SHUTDOWN",
		json_pack("{s:b, s:s}", "guest", 0, "reason", "host-signal"));
	exit(0);
}

int main(int argc, char **argv)
{
	const char *script = getenv("VMWARD_FAKE_SCRIPT");
	struct err err = ERR_INIT;

	board_init();
	for (int i = 1; i < argc; i++) {
		const char *value = argv[i + 1] ? argv[i + 1] : "";

		if (str_eq(argv[i], "--version") ||
			str_eq(argv[i], "-version")) {
			puts("QEMU emulator version 7.2.22 "
			     "(Debian 1:7.2+dfsg-7+deb12u18)");
			return 0;
		}
		if (str_eq(argv[i], "-chardev"))
			add_port(value);
		else if (str_eq(argv[i], "-D"))
			script = value;
		else
			board_option(argv[i], value);
	}
	signal(SIGPIPE, SIG_IGN);
	if (loop_init(&err) < 0) {
		fprintf(stderr, "fake-qemu: %s\n", err.text);
		return 1;
	}
	script_load(script);
	loop_signal_start(&on_term, SIGTERM, on_sigterm);
	open_ports();
	loop_run();
	return 0;
}
