/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world's processes and its aio.  Pids come from a small range in turn,
 * so one that is free is soon somebody else's; a pidfd stays with its process.
 */
#include <errno.h>
#include <linux/aio_abi.h>
#include <signal.h>
#include <stdlib.h>

#include "base/log.h"
#include "tests/sim/world_impl.h"

enum { FIRST_PID = 1000, SLOWEST_FSYNC_MS = 20 };

/* One fsync on its way; completes by the virtual clock. */
struct aio_work {
	struct list link; /* aio.works */
	struct loop_timer timer;
	struct file *file;
	struct file *event;
	uint64_t data;
	int64_t result;
	bool done;
};

static struct {
	struct list works;
	bool set_up;
} aio;

static pid_t last_pid;

struct proc *world_proc_of(pid_t pid)
{
	list_each(&world.procs, at, next) {
		struct proc *proc = list_entry(at, struct proc, link);
		if (proc->pid == pid)
			return proc;
	}
	return NULL;
}

static pid_t free_pid(void)
{
	for (int i = 0; i < WORLD_PIDS; i++) {
		last_pid = FIRST_PID + (last_pid + 1 - FIRST_PID) % WORLD_PIDS;
		if (!world_proc_of(last_pid))
			return last_pid;
	}
	errno = EAGAIN;
	return -1;
}

struct proc *world_new_proc(struct proc *parent)
{
	pid_t pid = free_pid();

	if (pid < 0)
		return NULL;
	struct proc *proc = world_alloc(sizeof *proc);
	proc->pid = pid;
	proc->parent = parent;
	proc->alive = true;
	list_add(&world.procs, &proc->link);
	return proc;
}

static void reap(struct proc *proc)
{
	proc->reaped = true;
	list_del(&proc->link);
}

void world_proc_ends(struct proc *proc, bool signalled, int code)
{
	if (!proc->alive)
		return;
	proc->alive = false;
	proc->exit = (struct sys_exit){ true, signalled, code };
	for (int fd = 0; fd < WORLD_FDS; fd++) {
		if (proc->fds[fd])
			world_put(proc->fds[fd]);
		proc->fds[fd] = NULL;
	}
	list_each(&world.procs, at, next) {
		struct proc *child = list_entry(at, struct proc, link);
		if (child->parent != proc)
			continue;
		child->parent = NULL;
		if (!child->alive)
			child->reaped = true;
	}
	list_each(&world.procs, it, after) {
		struct proc *other = list_entry(it, struct proc, link);
		if (other->reaped)
			reap(other);
	}
	if (!proc->parent)
		reap(proc);
	if (world.on_end)
		world.on_end(proc->pid);
}

/* Those who asked to die with a parent that is gone. */
static void end_orphans(void)
{
	struct list *at = world.procs.next;

	while (at != &world.procs) {
		struct proc *proc = list_entry(at, struct proc, link);
		if (!proc->alive || proc->parent || !proc->die_with_parent) {
			at = at->next;
			continue;
		}
		world_proc_ends(proc, true, SIGKILL);
		at = world.procs.next;
	}
}

/* ---- spawn ---- */

static int refuse(const struct spawn_plan *plan, const char *stage, int os)
{
	errno = os;
	if (plan->err)
		err_os(plan->err, "cannot start '%s': %s", plan->path, stage);
	errno = os;
	return -1;
}

static const char *const *copy_argv(const char *const *argv)
{
	size_t n = 0;

	while (argv[n])
		n++;
	const char **copy = world_alloc((n + 1) * sizeof *copy);
	for (size_t i = 0; i < n; i++)
		copy[i] = world_strdup(argv[i]);
	return copy;
}

static int give_fds(struct proc *proc, const struct spawn_plan *plan)
{
	for (size_t i = 0; i < plan->nfds; i++) {
		struct file *file = world_file(plan->fds[i].from);
		if (!file)
			return -1;
		BUG_ON(plan->fds[i].to >= WORLD_FDS);
		proc->fds[plan->fds[i].to] = file;
		file->refs++;
	}
	for (int fd = 0; fd <= 2; fd++) {
		struct place place;
		if (proc->fds[fd])
			continue;
		if (world_find(-1, "/dev/null", &place) < 0 || !place.inode)
			return -1;
		struct file *file = world_new_file(FILE_INODE);
		file->inode = place.inode;
		file->flags = 2; /* O_RDWR */
		file->refs = 1;
		proc->fds[fd] = file;
	}
	return 0;
}

int world_spawn(const struct spawn_plan *plan, pid_t *pid, int *pidfd)
{
	struct place place;

	if (world_find(-1, plan->path, &place) < 0)
		return refuse(plan, "exec", errno);
	if (!place.inode)
		return refuse(plan, "exec", ENOENT);
	if (place.inode->type != INODE_FILE || !(place.inode->mode & 0111))
		return refuse(plan, "exec", EACCES);
	struct proc *proc = world_new_proc(world.current);
	if (!proc)
		return refuse(plan, "making a process", EAGAIN);
	struct file *file = world_new_file(FILE_PIDFD);
	file->proc = proc;
	int fd = world_add_fd(file);
	const char *stage = fd < 0 ? "making a process" : "passing descriptors";
	if (fd < 0 || give_fds(proc, plan) < 0) {
		int os = errno;
		proc->parent = NULL;
		world_proc_ends(proc, false, 127);
		if (fd >= 0)
			world_close(fd);
		return refuse(plan, stage, os);
	}
	proc->die_with_parent = plan->die_with_us;
	*pid = proc->pid;
	*pidfd = fd;
	if (world.on_spawn)
		world.on_spawn(proc->pid, copy_argv(plan->argv));
	return 0;
}

/* ---- pidfds ---- */

static struct proc *proc_behind(int pidfd)
{
	const struct file *file = world_file(pidfd);

	if (!file || file->kind == FILE_PIDFD)
		return file ? file->proc : NULL;
	errno = EBADF;
	return NULL;
}

int world_pidfd_open(pid_t pid)
{
	struct proc *proc = world_proc_of(pid);

	if (!proc) {
		errno = ESRCH;
		return -1;
	}
	struct file *file = world_new_file(FILE_PIDFD);
	file->proc = proc;
	return world_add_fd(file);
}

static void send_signal(struct proc *proc, int signal)
{
	if (signal == 0)
		return;
	if (world.on_kill)
		world.on_kill(proc->pid, signal);
	if (signal == SIGSTOP || signal == SIGCONT) {
		proc->stopped = signal == SIGSTOP;
		return;
	}
	if (signal != SIGKILL && world.on_signal &&
		world.on_signal(proc->pid, signal))
		return;
	world_proc_ends(proc, true, signal);
	end_orphans();
}

int world_pidfd_kill(int pidfd, int signal)
{
	struct proc *proc = proc_behind(pidfd);

	if (!proc)
		return -1;
	if (proc->reaped) {
		errno = ESRCH;
		return -1;
	}
	if (proc->alive)
		send_signal(proc, signal);
	return 0;
}

/* Its processes lead no groups. */
int world_kill_group(pid_t leader)
{
	struct proc *proc = world_proc_of(leader);

	if (proc && proc->alive)
		send_signal(proc, SIGKILL);
	return 0;
}

int world_pidfd_wait(int pidfd, struct sys_exit *out)
{
	struct proc *proc = proc_behind(pidfd);

	if (!proc)
		return -1;
	if (proc->alive) {
		errno = EAGAIN;
		return -1;
	}
	if (!proc->reaped && proc->parent != world.current) {
		errno = EINPROGRESS;
		return -1;
	}
	if (!proc->reaped)
		reap(proc);
	*out = proc->exit;
	return 0;
}

/* ---- aio: fsync only ---- */

static void complete(struct aio_work *work)
{
	if (work->done)
		return;
	work->done = true;
	bool fails =
		world_faults(CALL_fsync) || world_fsync_file(work->file) != 0;
	work->result = fails ? -errno : 0;
	world_put(work->file);
	if (work->event) {
		work->event->count++;
		world_put(work->event);
	}
}

static void work_is_due(struct loop_timer *timer)
{
	complete(container_of(timer, struct aio_work, timer));
}

int world_io_setup(unsigned n UNUSED, unsigned long *context)
{
	if (!aio.set_up)
		list_init(&aio.works);
	aio.set_up = true;
	*context = 1;
	return 0;
}

int world_io_destroy(unsigned long context UNUSED)
{
	world_aio_forget();
	return 0;
}

int world_io_submit(unsigned long context UNUSED, long n, struct iocb **at)
{
	if (!aio.set_up) {
		errno = EINVAL;
		return -1;
	}
	for (long i = 0; i < n; i++) {
		const struct iocb *iocb = at[i];
		struct file *file = world_file((int)iocb->aio_fildes);
		if (!file || iocb->aio_lio_opcode != IOCB_CMD_FSYNC) {
			errno = file ? EINVAL : EBADF;
			return i ? (int)i : -1;
		}
		struct aio_work *work = world_alloc(sizeof *work);
		work->file = file;
		work->data = iocb->aio_data;
		file->refs++;
		if (iocb->aio_flags & IOCB_FLAG_RESFD)
			work->event = world_file((int)iocb->aio_resfd);
		if (work->event)
			work->event->refs++;
		list_add(&aio.works, &work->link);
		loop_timer_start(&work->timer,
			1 + world_random(SLOWEST_FSYNC_MS), work_is_due);
	}
	return (int)n;
}

int world_io_getevents(
	unsigned long context UNUSED, long min, long n, struct io_event *at)
{
	long got = 0;

	if (!aio.set_up) {
		errno = EINVAL;
		return -1;
	}
	list_each(&aio.works, it, next) {
		struct aio_work *work = list_entry(it, struct aio_work, link);
		if (got == n)
			break;
		if (!work->done && got < min) {
			loop_timer_stop(&work->timer);
			complete(work);
		}
		if (!work->done)
			continue;
		at[got++] = (struct io_event){
			.data = work->data,
			.res = work->result,
		};
		list_del(&work->link);
	}
	return (int)got;
}

/* The queue is gone; what was under way has reached the disk, or not. */
void world_aio_forget(void)
{
	if (!aio.set_up)
		return;
	list_each(&aio.works, it, next) {
		struct aio_work *work = list_entry(it, struct aio_work, link);
		loop_timer_stop(&work->timer);
		list_del(&work->link);
		if (work->done)
			continue;
		work->done = true;
		if (world_random(2))
			world_fsync_file(work->file);
		world_put(work->file);
		if (work->event)
			world_put(work->event);
	}
	aio.set_up = false;
}

/* ---- what tests do from outside ---- */

static struct proc *new_supervisor(void)
{
	struct proc *proc = world_new_proc(NULL);

	BUG_ON(!proc);
	world.self = world.current = proc;
	for (int fd = 0; fd <= 2; fd++)
		world_add_fd(world_new_file(FILE_LOG));
	return proc;
}

void world_proc_start(void)
{
	last_pid = FIRST_PID + WORLD_PIDS - 1;
	new_supervisor();
}

pid_t world_self(void)
{
	return world.self->pid;
}

pid_t world_as(pid_t pid)
{
	pid_t before = world.current->pid;
	struct proc *proc = world_proc_of(pid);

	BUG_ON(!proc || !proc->alive);
	world.current = proc;
	return before;
}

void world_on_spawn(void (*hook)(pid_t pid, const char *const *argv))
{
	world.on_spawn = hook;
}

void world_on_signal(bool (*hook)(pid_t pid, int signal))
{
	world.on_signal = hook;
}

void world_on_kill(void (*hook)(pid_t pid, int signal))
{
	world.on_kill = hook;
}

void world_on_end(void (*hook)(pid_t pid))
{
	world.on_end = hook;
}

static void end(pid_t pid, bool signalled, int code)
{
	struct proc *proc = world_proc_of(pid);

	BUG_ON(!proc || proc == world.self);
	if (world.current == proc)
		world.current = world.self;
	world_proc_ends(proc, signalled, code);
	end_orphans();
}

void world_exit(pid_t pid, int status)
{
	end(pid, false, status);
}

void world_die(pid_t pid, int signal)
{
	end(pid, true, signal);
}

bool world_is_alive(pid_t pid)
{
	const struct proc *proc = world_proc_of(pid);

	return proc && proc->alive;
}

pid_t world_bystander(void)
{
	struct proc *proc = world_new_proc(NULL);

	return proc ? proc->pid : -1;
}

pid_t world_bystander_as(pid_t pid)
{
	if (world_proc_of(pid))
		return -1;
	last_pid = pid - 1;
	return world_bystander();
}

unsigned world_count(void)
{
	unsigned n = 0;

	list_each(&world.procs, at, next)
		n += list_entry(at, struct proc, link)->alive;
	return n;
}

unsigned world_fds(pid_t pid)
{
	const struct proc *proc = world_proc_of(pid);
	unsigned n = 0;

	for (int fd = 0; proc && fd < WORLD_FDS; fd++)
		n += proc->fds[fd] != NULL;
	return n;
}

/* The supervisor ends with all that is in its memory. */
static void lose_supervisor(void)
{
	world_aio_forget();
	loop_sim_forget();
	world_proc_ends(world.self, true, SIGKILL);
	end_orphans();
}

void world_crash(void)
{
	lose_supervisor();
	new_supervisor();
}

static void lose_power(bool partly)
{
	lose_supervisor();
	while (!list_is_empty(&world.procs)) {
		struct proc *proc =
			list_entry(world.procs.next, struct proc, link);
		proc->parent = NULL;
		if (proc->alive)
			world_proc_ends(proc, true, SIGKILL);
		else
			reap(proc);
	}
	world_fs_lose_power(partly);
	new_supervisor();
}

void world_power_loss(void)
{
	lose_power(false);
}

void world_power_loss_partly(void)
{
	lose_power(true);
}
