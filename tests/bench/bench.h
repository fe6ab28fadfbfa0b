/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of `make bench`: samples and the table they are printed in
 * (table.c), a private supervisor with its VMs, the floor beside it and what
 * can be asked of them (lab.c, probe.c), and the measurements (measure.c,
 * mass.c).  Times are milliseconds unless a name says otherwise.  Whatever
 * fails ends the program with a message and nothing left behind.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#define VM "vm@0" /* of the rows about one VM */

/* ---- table.c ---- */

struct samples {
	double v[2048];
	unsigned n;
};

enum bar_kind {
	BAR_NONE,
	BAR_RATIO,       /* median of ours/floor, pair by pair, at most */
	BAR_RATIO_LEAST, /* at least */
	BAR_MARGIN,      /* median of ours - floor, at most */
	BAR_MOST,        /* median of ours, at most */
	BAR_LEAST
};

struct row {
	const char *what;
	const char *unit;
	const struct samples *floor; /* NULL: none */
	const struct samples *ours;
	enum bar_kind kind;
	double bar;
};

void sample(struct samples *s, double value);
double median(const struct samples *s);
void table_head(void);
void table_row(const struct row *row);
/* A line that is no figure: what was left out and why. */
void table_note(const char *text);
/* How many rows missed their bar. */
unsigned table_missed(void);
/* Says once more which, so that nobody overlooks one. */
void table_end(void);

/* ---- lab.c ---- */

struct cost {
	double wall;
	double cpu; /* user and system */
	int status; /* as of wait() */
};

extern const char *lab_root;
extern const char *lab_build; /* where the programs are */

_Noreturn void die(const char *fmt, ...);
double now_ms(void);
void sleep_ms(long ms);
/* Directories, disks and vms/vm@.ini with that many instances. */
void lab_open(const char *build);
void lab_instances(unsigned count);
/* Ends all that this program started; also when it dies. */
void lab_close(void);
/* Runs a program to its end; argv ends with NULL. */
struct cost run_program(const char *const *argv);
/* `vmward --root ROOT WORD...`; dies unless it exits with 0. */
struct cost vmward(const char *word, ...);
/* Starts vmwardd without waiting for it. */
void daemon_spawn(void);
pid_t daemon_pid(void);
/* Ends it with a signal and reaps it. */
void daemon_end(int signal);
/* Runs the floor once with its options; its output as an object. */
json_t *floor_run(const char *option, const char *value);
/* Makes the floor's arguments of the running VM. */
void floor_learn(void);
double floor_ms(const json_t *figures, const char *key);

/* ---- probe.c ---- */

/* Connects to the supervisor, waiting for it to listen; once. */
void control_open(void);
void control_close(void);
/* A request about one VM (or NULL) with further arguments, owned, or NULL:
 * its "return", new. */
json_t *ask(const char *execute, const char *vm, json_t *arguments);
/* The two halves of it: what comes in between can be done. */
void ask_send(const char *execute, const char *vm, json_t *arguments);
json_t *ask_answer(int timeout_ms);
/* QEMU's pid of a VM that runs. */
pid_t qemu_pid(const char *vm);
/* The console of VM: forgets what it said, connects, waits for READY. */
void console_forget(void);
void console_open(void);
void console_close(void);
void console_ready(void);
void console_type(char byte);
double daemon_cpu(void);
/* A number of /proc/PID/FILE behind "KEY:". */
long proc_number(const char *file, const char *key);
unsigned daemon_fds(void);

/* ---- measure.c, mass.c, snapshot.c, network.c ---- */

struct plan {
	bool shorter;
	unsigned rounds;   /* of starts */
	unsigned commands; /* cold */
	unsigned pings;
	unsigned many;    /* VMs at once */
	unsigned most;    /* and at the very most; 0: not */
	unsigned idle_ms; /* to look at an idle supervisor */
};

void measure_starts(const struct plan *plan);
void measure_commands(const struct plan *plan, unsigned count);
void measure_passthrough(const struct plan *plan);
void measure_disk(const struct plan *plan);
void measure_image(const struct plan *plan);
void measure_idle(const struct plan *plan, unsigned count);
void measure_recovery(const struct plan *plan, unsigned count);
void measure_mass(const struct plan *plan, unsigned count);
void measure_snapshots(const struct plan *plan);
/* Leaves the network namespace for good: the last of all. */
void measure_network(const struct plan *plan);

#endif
