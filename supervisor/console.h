/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One serial port of a VM: drained always, so that a chatty guest is never
 * stopped; kept in a capped log file that is also the replay buffer; served
 * to any number of readers and one writer on NAME/console.sock (plain bytes:
 * `socat - UNIX:...` works).
 *
 * Our end is close-on-exec and in no child: with the supervisor dead the
 * guest runs at full speed and output is lost.  Readers stay across restarts
 * of QEMU.
 */
#ifndef SUPERVISOR_CONSOLE_H
#define SUPERVISOR_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/handover.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/str.h"

struct console_reader;

struct console {
	struct list link; /* the machine's list */
	const char *name; /* "console" of [serial.console] */
	const char *vm;
	const char *log_path;
	const char *socket_path; /* served to users; NULL: none */
	uint64_t log_max;
	int log_fd;
	uint64_t log_base; /* stream offset of the file's first byte */
	uint64_t log_len;
	uint64_t lost; /* bytes that no disk took */
	int fd;        /* QEMU's serial socket, or -1 */
	struct loop_io io;
	struct loop_timer rest; /* a flood's pause between drains */
	int listener;
	struct loop_io accept_io;
	struct loop_timer accept_again; /* after EMFILE */
	struct list readers;            /* console_reader.link */
	struct console_reader *writer;
	unsigned nreaders;
	struct str input; /* for the guest, at most 64 KiB */
	size_t input_done;
	/* Sees every chunk of output: the readiness probe. */
	void (*on_output)(struct console *c, const char *bytes, size_t len);
	void *owner;
	/* So does `run`, which copies it to its terminal. */
	void (*tee)(void *arg, const char *bytes, size_t len);
	void *tee_arg;
	bool (*may_attach)(const struct console *c, int fd, bool *may_write);
};

struct console_wish {
	const char *vm;
	const char *name; /* of [serial.NAME] */
	const char *log_dir;
	uint64_t log_max;        /* bytes */
	const char *socket_path; /* for users, or NULL: none */
};

/* Opens the log and the socket for users. */
struct console *console_new(const struct console_wish *wish,
	bool (*may_attach)(const struct console *c, int fd, bool *may_write),
	void *owner);
void console_free(struct console *c);
/* Takes over a (connecting) socket to QEMU's chardev and drains it. */
void console_attach(struct console *c, int fd);
/* QEMU is gone; what it wrote last is drained first. */
void console_detach(struct console *c);
/* Adds a reader on a descriptor of ours (a terminal); false fd stays ours. */
struct console_reader *console_add_reader(
	struct console *c, int fd, bool may_write, uint64_t replay);
/* Text for the guest from outside the socket (`run`'s terminal). */
void console_input(struct console *c, const char *bytes, size_t len);
/*
 * A console on its way to the next image of this process, with its readers:
 * they miss nothing and get nothing twice.
 */
void console_put(struct handover *h, json_t *to, const struct console *c);
/* 0 if it can be gone on with. */
MUST_CHECK int console_check(const json_t *from, struct err *err);
/* From such an object what console_new() makes, without owner; or NULL. */
struct console *console_get(const json_t *from, struct err *err);
/* The last `max` bytes of output; new. */
char *console_tail(const struct console *c, size_t max);

#endif
