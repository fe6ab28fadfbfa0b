/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A simulated world behind base/sys: files with volatile and durable bytes,
 * flock, pipes and UNIX sockets, processes whose pids come back soon, a
 * seeded random and the virtual clock of the simulated loop.  Every call can
 * be made to fail.  The same seed gives the same run.
 *
 * Calls act as the current process: at first a supervisor without files but
 * 0, 1 and 2.  Nothing blocks: what would, says EAGAIN.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/child.h"
#include "base/str.h"

/* Installs a fresh world and the simulated loop; forgets the one before. */
void world_start(uint64_t seed);
/* Back to the kernel and the real loop. */
void world_end(void);

/* A number below a limit; 0 for the limit 0. */
uint32_t world_random(uint32_t below);
/* Moves the wall clock. */
void world_jump(int64_t us);
/* Free bytes of every disk; endless at first. */
void world_set_space(uint64_t bytes);
uint64_t world_space(void);
/* What the supervisor wrote to stderr; the last 64 KiB at least. */
const char *world_log(void);

/*
 * Faults.  Calls are named as in struct sys_backend; an unknown name aborts.
 * The nth call from now on (1: the next) fails with errno `os`.
 */
void world_fail(const char *call, unsigned nth, int os);
/* So many of a thousand calls fail from now on; 0 ends it. */
void world_fail_often(const char *call, unsigned per_mille, int os);
/* No more faults. */
void world_heal(void);
/* How often a call was made since the start. */
unsigned long world_calls(const char *call);
/* Runs after every call, as a place to crash at (longjmp is fine). */
void world_on_call(void (*hook)(const char *call));

/* Makes a durable file and its directories; replaces what is there. */
void world_put_file(
	const char *path, const char *bytes, size_t len, mode_t mode);
/* From now on fsync says that it has, and does nothing. */
void world_lie(void);
/* Empties a directory, as a tmpfs is after a power loss. */
void world_wipe(const char *path);
/* The bytes as a reader sees them, or as they would be after a power loss. */
bool world_get_file(const char *path, bool durable, struct str *out);

/* The supervisor dies: its watchers, fds and locks are gone, all else stays. */
void world_crash(void);
/* All processes die; files and directories are as last fsynced. */
void world_power_loss(void);
/* The same, but some of what was not fsynced may be there, even in part. */
void world_power_loss_partly(void);

/* ---- processes ---- */

pid_t world_self(void); /* the supervisor */
/* Acts as another process from now on; the pid before. */
pid_t world_as(pid_t pid);
/* Called for each spawned child, with its copy of the plan's arguments. */
void world_on_spawn(void (*hook)(pid_t pid, const char *const *argv));
/* Called for signals but SIGKILL; true: the process deals with it itself. */
void world_on_signal(bool (*hook)(pid_t pid, int signal));
/* Called before any signal is delivered by a pidfd. */
void world_on_kill(void (*hook)(pid_t pid, int signal));
/* Called when a process has ended, however it did. */
void world_on_end(void (*hook)(pid_t pid));
/* The process ends by itself, or by a signal. */
void world_exit(pid_t pid, int status);
void world_die(pid_t pid, int signal);
bool world_is_alive(pid_t pid);
/* Somebody else's process takes the next free pid. */
pid_t world_bystander(void);
/* The same with this pid, if it is free. */
pid_t world_bystander_as(pid_t pid);
/* How many processes of the world live, the supervisor included. */
unsigned world_count(void);
/* Which of the wanted events (LOOP_READ, LOOP_WRITE) a process's fd has. */
int world_poll(pid_t pid, int fd, int wanted);
/* How many fds the process has. */
unsigned world_fds(pid_t pid);

#endif
