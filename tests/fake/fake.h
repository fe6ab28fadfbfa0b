/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fake QEMU of the tests: sockets (qemu.c), a machine that behaves
 * (board.c), a script that does not (script.c).
 */
#ifndef TESTS_FAKE_FAKE_H
#define TESTS_FAKE_FAKE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/jstream.h"
#include "base/loop.h"

/* One -chardev socket: a monitor, or bytes (serial port, guest agent). */
struct port {
	char *id;
	int listen_fd; /* -1: the socket was connected already */
	struct loop_io accepting;
	bool is_monitor;
	bool negotiated;
	struct jstream stream; /* of a monitor */
	int fd;                /* of bytes, or -1 */
	struct loop_io bytes;
};

/* ---- qemu.c ---- */
/* Sends JSON text or raw bytes; false if nobody is connected. */
bool port_send(struct port *port, const char *text, size_t len, int fd);
bool port_send_json(struct port *port, json_t *message);
bool port_is_connected(const struct port *port);
void port_greet(struct port *port);
/* Drops the client; a listening port takes the next one. */
void port_drop(struct port *port);
struct port *port_by_id(const char *id);
/* The chardevs in order; NULL behind the last. */
struct port *port_at(size_t i);
/* Answers a command as QEMU would. */
void port_answer(struct port *port, json_t *message);
/* Writes to all connected serial ports. */
void serial_write(const char *text, size_t len);
/* From now on the agent says this all the time to whoever connects. */
void agent_chatter(const char *text, size_t len);
/* An event (data stolen, or NULL) to every negotiated monitor. */
void emit(const char *name, json_t *data);

/* ---- board.c ---- */
void board_init(void);
/* One option of the command line that shapes the machine. */
void board_option(const char *option, const char *value);
/*
 * Executes; a new result, or NULL with *class and desc (new) set.  Events
 * that follow the reply wait for board_settle().
 */
json_t *board_execute(const char *command, json_t *args, struct port *port,
	const char **class, char **desc);
void board_settle(void);

/* ---- fdsets.c ---- */
/* Keeps a descriptor in a set. */
void fdsets_put(json_int_t set, int fd, const char *opaque);
/* Closes those of a set; false if there is none. */
bool fdsets_remove(json_int_t set);
/* What query-fdsets returns; new. */
json_t *fdsets_list(void);

/* ---- migrate.c ---- */
/*
 * getfd, migrate, migrate-incoming, migrate_cancel, query-migrate: a new
 * result, NULL without a descriptor.  It changes the machine's run state.
 */
json_t *migrate_execute(const char *command, struct port *port,
	const char *name, const char **machine, char **desc);

/* ---- script.c ---- */
/* Reads a script; NULL: behave.  Exits with a message if it cannot. */
void script_load(const char *path);
void script_start(struct port *monitor);
/* Called by qemu.c for the scripted monitor. */
void script_connected(void);
void script_disconnected(void);
void script_drained(void);
/* Takes a command; false if it is to be answered the ordinary way. */
bool script_command(json_t *message);
/* Runs one script line at once (command x-fake). */
void script_line(const char *line);

#endif
