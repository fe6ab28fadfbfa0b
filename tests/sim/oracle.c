/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must be true: at each moment (I1, I2, I7), and when no fault has
 * struck for a while (I3 to I6).  It reads the durable bytes and the table
 * of processes, not what the supervisor says of itself.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#include "base/fd.h"
#include "supervisor/argv.h"
#include "supervisor/store.h"
#include "supervisor/vm.h"
#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

enum { SLOT = 4096, JOBS_MAX = 32, FDS_MAX = 100, FDS_REST = 9, FDS_VM = 6 };

struct slot {
	bool known;
	bool blank;
	bool parsed;
	int rc;
	uint64_t sequence;
	struct record record;
	unsigned char bytes[SLOT];
};

static struct vm *known(const struct sim_vm *vm)
{
	return sim.up && sim.service.registry
		       ? registry_find(sim.service.registry, vm->name)
		       : NULL;
}

/* ---- births, orders and deaths ---- */

static void check_lock(const struct sim_qemu *q, int fd)
{
	const struct proc *proc = world_proc_of(q->pid);
	const struct file *file = proc->fds[fd];

	if (!file || (fd == ARGV_FD_LOCK && file->lock != LOCK_EX) ||
		(fd == ARGV_FD_NAME && !file->abstract))
		sim_breach("I1", "%s: QEMU does not hold its lock (fd %d)",
			q->vm->name, fd);
}

void oracle_spawned(const struct sim_qemu *q)
{
	struct sim_vm *vm = q->vm;
	struct sim_qemu *mine = qemu_of_pid(q->pid);

	if (qemu_count(vm) > 1)
		sim_breach("I1", "%s: a second QEMU", vm->name);
	check_lock(q, ARGV_FD_LOCK);
	check_lock(q, ARGV_FD_NAME);
	if (!vm->wanted || vm->promise == PROMISED_DOWN)
		sim_breach("I7", "%s: started, and nobody asked", vm->name);
	mine->asked = vm->stop_is_open || vm->unread > 0;
	if (vm->open == 0)
		vm->stop_is_open = false;
}

/* Its file says to end one that is silent, and of late it may have been. */
static bool may_be_hung(const struct sim_qemu *q)
{
	int64_t since = (int64_t)loop_sim_now_us() - sim.healed_us;

	return q->vm->hang >= SIM_HANG_STOP &&
	       (q->stopped || !sim.healed ||
		       since < 2 * SIM_HANG_S * 1000000LL);
}

void oracle_told_to_end(const struct sim_qemu *q, const char *how)
{
	if (sim.diamond)
		diamond_told_to_end(q);
	if (q->settled && !q->asked && !q->off && !may_be_hung(q))
		sim_breach("I7", "%s: ended by %s, and nobody asked",
			q->vm->name, how);
}

void oracle_ended(const struct sim_qemu *q)
{
	/* its policy may see to it now, or give it up */
	if (q->vm->promise == PROMISED_UP)
		q->vm->promise = PROMISED_NOTHING;
}

static void on_kill(pid_t pid, int signal)
{
	const struct sim_qemu *q = qemu_of_pid(pid);
	const struct proc *proc = world_proc_of(pid);
	char how[32];

	snprintf(how, sizeof(how), "signal %d", signal);
	sim_note("pid %d gets %s", (int)pid, how);
	if (q)
		oracle_told_to_end(q, how);
	else if (proc && proc->parent != world.self)
		sim_breach("I7", "a bystander gets %s", how);
}

void oracle_start(void)
{
	world_on_kill(on_kill);
}

/* ---- the record on disk ---- */

/* Whether a slot is whole; one that was just seen is not looked at again. */
static void look(struct slot *seen, const struct bytes *bytes, size_t at)
{
	size_t left = bytes->len > at ? bytes->len - at : 0;
	unsigned char slot[SLOT];

	if (left > SLOT)
		left = SLOT;
	if (left)
		memcpy(slot, bytes->data + at, left);
	memset(slot + left, 0, SLOT - left);
	if (seen->known && !memcmp(seen->bytes, slot, SLOT))
		return;
	memcpy(seen->bytes, slot, SLOT);
	seen->known = true;
	seen->parsed = false;
	seen->blank = !memcmp(slot, (unsigned char[SLOT]){ 0 }, SLOT);
	seen->rc = store_check(slot, &seen->sequence);
}

/* The better of the slots, or NULL. */
static struct slot *better(struct slot seen[2])
{
	struct slot *best = NULL;

	for (size_t i = 0; i < 2; i++)
		if (!seen[i].rc && (!best || seen[i].sequence > best->sequence))
			best = &seen[i];
	return best;
}

/*
 * The record of a VM as it is on disk, or as its reader sees it: 1 found, 0
 * none so far, -1 no good one.  What it says, if that is wanted (out), is
 * parsed when it has changed only.
 */
static int read_record(
	const struct sim_vm *vm, bool durable, const struct record **out)
{
	static const struct record none;
	static struct {
		unsigned long version;
		struct slot slots[2];
	} last[SIM_VMS][2], *seen;
	const struct bytes *bytes = world_bytes_of(vm->record_path, durable);

	if (out)
		*out = &none;
	if (!bytes || bytes->len == 0)
		return 0;
	seen = &last[vm - sim.vms][durable];
	if (bytes->version != seen->version)
		for (size_t i = 0; i < 2; i++)
			look(&seen->slots[i], bytes, i * SLOT);
	seen->version = bytes->version;
	struct slot *best = better(seen->slots);
	if (!best)
		return seen->slots[0].blank || seen->slots[1].blank ? 0 : -1;
	if (!out)
		return 1;
	if (!best->parsed)
		record_fini(&best->record);
	if (!best->parsed && store_parse(best->bytes, &best->record))
		return -1;
	best->parsed = true;
	*out = &best->record;
	return 1;
}

static void check_promise(const struct sim_vm *vm)
{
	const struct record *record;
	bool promised = vm->promise != PROMISED_NOTHING;

	if (read_record(vm, true, promised ? &record : NULL) < 0)
		sim_breach("I6", "%s: no good record on disk", vm->name);
	if (!promised)
		return;
	if ((record->desired == DESIRED_UP) != (vm->promise == PROMISED_UP))
		sim_breach("I2",
			"%s: answered as %s, on disk it is %s (generation "
			"%d)",
			vm->name,
			vm->promise == PROMISED_UP ? "started" : "stopped",
			record->desired == DESIRED_UP ? "up" : "down",
			(int)record->generation);
}

/*
 * The newest slot that a power loss would leave is not written over, not
 * even by a life that sees a newer one on its way to the disk.  One that a
 * failed sync left in doubt may go, good as it is: nobody was told of it.
 */
static void check_write(const struct sim_vm *vm)
{
	const struct bytes *now = world_bytes_of(vm->record_path, false);
	const struct bytes *kept = world_bytes_of(vm->record_path, true);
	struct slot slots[2] = { { .rc = 0 } };

	if (sim.on[SIM_FSYNC] || !now || !kept || kept->len < SLOT ||
		now->len < kept->len ||
		container_of(now, struct inode, now) !=
			container_of(kept, struct inode, kept))
		return; /* another file has taken its name */
	for (size_t i = 0; i < 2; i++)
		look(&slots[i], kept, i * SLOT);
	const struct slot *best = better(slots);
	size_t at = best == &slots[1] ? SLOT : 0;
	if (best && memcmp(now->data + at, best->bytes, SLOT))
		sim_breach("I6", "%s: the newest slot on disk is written over",
			vm->name);
}

void oracle_wrote(void)
{
	for (unsigned i = 0; i < sim.nvms; i++)
		check_write(&sim.vms[i]);
}

static void check_value(const struct sim_vm *vm)
{
	const struct bytes *text;

	if (!vm->value[0])
		return;
	text = world_bytes_of(vm->dropin_path, true);
	if (!text ||
		!memmem(text->data, text->len, vm->value, strlen(vm->value)))
		sim_breach("I2",
			"%s: vm-set %s was answered and is not on disk",
			vm->name, vm->value);
}

/* ---- at each step ---- */

static void check_bounds(struct vm *vm)
{
	unsigned n = 0;

	list_each(&vm->jobs, it, next)
		n++;
	if (n > JOBS_MAX)
		sim_breach("bounds", "%s: %u jobs", vm->name, n);
}

void oracle_step(void)
{
	for (unsigned i = 0; i < sim.nvms; i++) {
		struct vm *vm = known(&sim.vms[i]);
		struct sim_qemu *q = qemu_of_vm(&sim.vms[i]);
		if (qemu_count(&sim.vms[i]) > 1)
			sim_breach("I1", "%s: two QEMUs", sim.vms[i].name);
		check_promise(&sim.vms[i]);
		check_value(&sim.vms[i]);
		twin_check_promise(&sim.vms[i]);
		if (vm)
			check_bounds(vm);
		if (q && vm && q->ran && !vm->op &&
			(vm->state == VM_RUNNING || vm->state == VM_PAUSED))
			q->settled = true;
	}
	if (world_fds(world_self()) > FDS_MAX)
		sim_breach("bounds", "%u descriptors", world_fds(world_self()));
}

/* ---- at rest ---- */

static void check_up(const struct sim_vm *vm, const struct vm *state)
{
	bool runs = state->state == VM_RUNNING || state->state == VM_PAUSED;

	if (runs && qemu_count(vm) == 1 && !qemu_of_vm(vm)->off) {
		if (qemu_of_vm(vm)->blocked && !qemu_of_vm(vm)->held)
			sim_breach("I3", "%s waits for a disk with space: %s",
				vm->name, state->note);
		plug_check(qemu_of_vm(vm));
		return;
	}
	sim_breach("I3", "%s should run, is %s with %u QEMUs: %s", vm->name,
		vm_state_id(state->state), qemu_count(vm), state->note);
}

static void add_name(void *arg, const char *name)
{
	str_addf(arg, " %s", name);
}

static void check_down(const struct sim_vm *vm, const struct vm *state)
{
	AUTO_FREE char *dir = life_path("%s/%s", sim.paths.run, vm->name);
	struct place place;

	if (qemu_count(vm) || vm_is_up(state))
		sim_breach("I4", "%s should be down, is %s with %u QEMUs: %s",
			vm->name, vm_state_id(state->state), qemu_count(vm),
			state->note);
	if (world_find(AT_FDCWD, dir, &place) || !place.inode)
		return;
	AUTO_FREE char *priv = life_path("%s/priv", dir);
	AUTO_STR struct str names = STR_INIT;
	world_listdir(AT_FDCWD, dir, add_name, &names);
	world_listdir(AT_FDCWD, priv, add_name, &names);
	sim_breach("I5", "%s is down, '%s' is left over:%s", vm->name, dir,
		str_text(&names));
}

static void check_name(void *arg, const char *name)
{
	const char *dir = arg;

	if (str_ends(name, ".tmp") || strstr(name, ".tmp."))
		sim_breach("I5", "'%s/%s' is left over", dir, name);
	if (str_ends(name, ".bad"))
		sim_breach("I6", "'%s/%s': a record was damaged", dir, name);
}

static void check_dir_steal(char *dir)
{
	world_listdir(AT_FDCWD, dir, check_name, dir);
	free(dir);
}

static void check_vm(const struct sim_vm *vm)
{
	const struct vm *state = known(vm);
	const struct record *record;

	if (!state)
		sim_breach("I3", "%s is not known", vm->name);
	if (read_record(vm, true, &record) < 0 ||
		read_record(vm, false, &record) < 0)
		sim_breach("I6", "%s: its record is damaged", vm->name);
	sim_note("%s: at rest %s, record %s", vm->name,
		vm_state_id(state->state),
		record->desired == DESIRED_UP ? "up" : "down");
	if (vm->missed && !qemu_count(vm))
		;
	else if (record->desired == DESIRED_UP &&
		 str_eq(record->boot_id, store_boot_id()))
		check_up(vm, state);
	else
		check_down(vm, state);
	check_dir_steal(
		life_path("%s/vms/%s.ini.d", sim.paths.config, vm->name));
	incidents_check(vm);
}

/* What no client and no QEMU needs any more is closed. */
static void check_fds(void)
{
	unsigned most = FDS_REST + SIM_CLIENTS;

	for (unsigned i = 0; i < sim.nvms; i++)
		most += qemu_count(&sim.vms[i]) * FDS_VM;
	if (world_fds(world_self()) > most)
		sim_breach("I5", "%u descriptors are open, %u are needed",
			world_fds(world_self()), most);
}

void oracle_rest(void)
{
	if (!sim.up)
		sim_breach("I8", "no supervisor");
	for (unsigned i = 0; i < sim.nvms; i++)
		check_vm(&sim.vms[i]);
	check_fds();
	check_dir_steal(life_path("%s/records", sim.paths.state));
	check_dir_steal(life_path("%s", sim.paths.run));
	check_dir_steal(life_path("%s", sim.paths.images));
}

void oracle_left(void)
{
	unsigned n = world_fds(world_self()) - 2 * hooks_count();

	if (n != 3) /* a hook that runs goes with it */
		sim_breach("I5", "%u descriptors are open at the end", n - 3);
}
