/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live QEMU of one VM: its process, monitor connection, stderr FIFO and
 * consoles.  Tells its owner what it sees; decides nothing.
 *
 * The end is told once, when all is in: the process is dead and what it
 * still had to say on monitor and stderr was read.
 */
#ifndef SUPERVISOR_MACHINE_H
#define SUPERVISOR_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/handover.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/spawn.h"
#include "base/str.h"
#include "qmp/client.h"
#include "supervisor/argv.h"
#include "supervisor/boot_files.h"
#include "supervisor/cause.h"
#include "supervisor/chains.h"
#include "supervisor/env.h"
#include "supervisor/firmware.h"
#include "supervisor/host.h"
#include "supervisor/oom.h"
#include "supervisor/stderr.h"
#include "supervisor/taps.h"
#include "supervisor/vmlog.h"

struct machine;

struct machine_hooks {
	void (*on_event)(struct machine *m, const struct qmp_event *event);
	/* The monitor is ready: greeting and capabilities are through. */
	void (*on_ready)(struct machine *m);
	/* The monitor is lost while the process may live on. */
	void (*on_lost)(struct machine *m, const struct err *err);
	/* The process is gone and everything it left was read. */
	void (*on_end)(struct machine *m);
};

#define MACHINE_SERIALS 4

struct machine {
	const struct env *env;
	const struct machine_hooks *hooks;
	void *owner;
	struct vmlog *log;
	const char *name; /* of the VM; borrowed */
	const char *side; /* "", or HOST_NEXT; set after machine_init() */
	pid_t pid;        /* -1: none */
	int pidfd;
	struct loop_child child;
	struct qmp_client qmp;
	struct qmp_sub sub;
	bool attached; /* the monitor client is open */
	bool ready;
	bool adopted;                  /* not our child */
	bool dead;                     /* the process is gone */
	struct loop_timer drain_timer; /* patience with an EOF or a death */
	struct err *lost_err;          /* what is to be told of; or NULL */
	int yank_fd; /* to the second monitor, while it throws somebody off */
	struct stderr_pipe errors;
	struct list consoles; /* console.link */
	struct cause_inputs seen;
	struct oom oom;
	uint64_t generation;
	uint64_t spawned_us; /* monotonic */
	/* Between listen and spawn: */
	int listen_fd[ARGV_FD_SERIAL + MACHINE_SERIALS];
};

/* No process yet; env, name, log and hooks must outlive it. */
void machine_init(struct machine *m, const struct env *env, const char *name,
	struct vmlog *log, const struct machine_hooks *hooks, void *owner);
/* Lets go of everything; the process is not touched. */
void machine_fini(struct machine *m);
/*
 * Nothing runs and nothing will soon: consoles, sockets, lock and directory
 * of the VM go.
 */
MUST_CHECK int machine_clean(struct machine *m, struct err *err);
/* Its process is gone: its sockets and its FIFO go. */
void machine_sweep(const struct machine *m);
/* The monitor's client, or NULL while there is none: calls fail at once. */
struct qmp_client *machine_qmp(struct machine *m);
/* True while a process is known (adopted or ours) and not yet ended. */
bool machine_is_alive(const struct machine *m);

/* True when its end was told; false also of one that was never known. */
bool machine_is_ended(const struct machine *m);

/* Binds all sockets of a start and opens the FIFO, for nserials ports. */
MUST_CHECK int machine_listen(
	struct machine *m, unsigned nserials, bool agent, struct err *err);
/* The socket of a display, which QEMU gets later: the descriptor. */
MUST_CHECK int machine_listen_display(struct machine *m, struct err *err);
/* What QEMU is started with, besides its sockets. */
struct machine_start {
	char **argv;
	uint64_t generation;
	int lock_fd;
	int name_fd;
	struct spawn_fd files[CHAINS_FDS_MAX + TAPS_FDS_MAX + BOOT_FILES +
			      FIRMWARE_FILES + 2]; /* a TPM, a home */
	size_t nfiles;
	struct host_confine confine;
	struct spawn_group group;
	unsigned parts; /* out: of its confinement, taken */
};

/*
 * Starts QEMU; connects monitor and consoles first.  Afterwards on_ready or
 * on_lost/on_end follow.
 */
MUST_CHECK int machine_spawn(
	struct machine *m, struct machine_start *start, struct err *err);
/*
 * Connects to a QEMU that runs already: monitor (peer's pidfd), FIFO,
 * consoles.  ERR_UNREACHABLE when the monitor cannot be connected.
 */
MUST_CHECK int machine_adopt(struct machine *m, struct err *err);
/* Knows the process by a pid that was checked; for kill without monitor. */
void machine_know_pid(struct machine *m, pid_t pid, int pidfd);
/*
 * Knows the process by who listens on its sockets, whoever is served there;
 * false if none tells.
 */
bool machine_find(struct machine *m);
/* Ends the talk on the monitor of a QEMU that lives; no on_lost. */
void machine_hang_up(struct machine *m);
/*
 * Forgets a process that another one takes the place of, without a word to
 * the owner; its pidfd becomes the caller's.
 */
int machine_let_go(struct machine *m);
/* Sends a signal by pidfd. */
MUST_CHECK int machine_signal(struct machine *m, int signal, struct err *err);
/* Throws a squatter off the monitor through the second one; best effort. */
void machine_yank(struct machine *m);
/* False while its talk begins or ends, or a command is under way. */
bool machine_can_move(const struct machine *m);
/* A live QEMU on its way to the next image of this process. */
void machine_put(struct handover *h, json_t *to, const struct machine *m);
/* Goes on with it; m NULL: only checks. */
MUST_CHECK int machine_get(
	const json_t *from, struct machine *m, struct err *err);
/* The generation in the command line of a QEMU; false: it is none (yet). */
bool machine_pid_generation(pid_t pid, uint64_t *out);
/* Field 22 of /proc/PID/stat, or 0. */
uint64_t machine_pid_start(pid_t pid);
/* True if /proc/PID is that VM's QEMU, of this uuid, started at that time. */
bool machine_pid_is(
	pid_t pid, uint64_t start, const char *uuid, const char *name);
/* Its command line, words ended by NUL, new; NULL: it has none (any more). */
char *machine_pid_words(pid_t pid, size_t *len);
/* True if the program of its file is another one since it was started. */
bool machine_pid_is_replaced(pid_t pid);
/* Path of a file in the VM's priv directory; new. */
char *machine_priv_path(const struct machine *m, const char *leaf);

#endif
