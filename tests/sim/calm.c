/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must work when all is well again, whatever happened before. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "supervisor/vm.h"
#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

enum {
	BACK_S = 20,  /* more than the longest delay and a start */
	ADOPT_S = 90, /* until the slowest adoption has come through */
	HOOKS_S = 45, /* until four of a VM have run one after the other */
	QUIET_S = 180 /* until those of all VMs have */
};

/* Its one QEMU, which runs the guest; NULL in so many seconds. */
static struct sim_qemu *await_guest(const struct sim_vm *vm, unsigned seconds)
{
	for (unsigned s = 0; s <= seconds; s++) {
		struct sim_qemu *q = qemu_of_vm(vm);

		if (q && q->ran && !q->off)
			return q;
		life_sleep(1000);
	}
	return NULL;
}

static const struct vm *known(const struct sim_vm *vm)
{
	const struct vm *found =
		sim.up ? registry_find(sim.service.registry, vm->name) : NULL;

	if (!found)
		sim_breach("I3", "%s is not known", vm->name);
	return found;
}

bool calm_knows(const struct sim_vm *vm)
{
	return sim.up && registry_find(sim.service.registry, vm->name);
}

/* The next supervisor has come, and had time to look around. */
void calm_await_life(void)
{
	while (!sim.up)
		life_sleep(1000);
	life_sleep(BACK_S * 1000);
}

static struct sim_qemu *need_guest(const struct sim_vm *vm, const char *after)
{
	struct sim_qemu *q = await_guest(vm, BACK_S);

	if (!q)
		sim_breach("I3", "%s does not run after %s", vm->name, after);
	return q;
}

static void start(struct sim_vm *vm)
{
	unsigned births = vm->births;

	client_ask(vm, "vm-start");
	if (qemu_count(vm) != 1)
		sim_breach("I3", "%s has started without a QEMU", vm->name);
	life_sleep(1000);
	if (vm->births != births && known(vm)->ready != VM_READY_YES)
		sim_breach("ready", "%s runs and is not ready", vm->name);
}

/* Its guest reboots itself; then it goes the way its file says. */
static void reboot(struct sim_vm *vm)
{
	unsigned births = vm->births;
	struct sim_qemu *q = qemu_of_vm(vm);

	bool cold = vm->reboot == SIM_COLD;

	if (!q || q->paused || q->stopped || !q->ran)
		return;
	if (vm->reboot == SIM_IF_PENDING && world_random(2)) {
		client_ask(vm, "vm-set");
		life_sleep(1000);
		cold = true;
	}
	pid_t before = world_as(q->pid);
	guest_reset(q, "guest-reset");
	world_as(before);
	life_sleep(2000);
	if (vm->reboot == SIM_STOP && qemu_count(vm))
		sim_breach("policy", "%s lives after a reboot", vm->name);
	else if (vm->reboot != SIM_STOP && !need_guest(vm, "a reboot"))
		return;
	if (vm->births != births + cold)
		sim_breach("policy", "%s has %u new QEMUs after a reboot",
			vm->name, vm->births - births);
	if (vm->reboot == SIM_STOP)
		start(vm);
}

/* Its disk is full for a while: it waits, and goes on by itself. */
static void fill_up(struct sim_vm *vm)
{
	struct sim_qemu *q = qemu_of_vm(vm);

	if (!q || q->paused || q->stopped || !q->ran)
		return;
	world_set_space(0);
	guest_write(q);
	life_sleep(500 + world_random(20000));
	if (known(vm)->state != VM_PAUSED ||
		!strstr(known(vm)->note, "disk full") ||
		!strstr(known(vm)->note, vm->disk_is_in))
		sim_breach("I3", "%s does not wait for space", vm->name);
	world_set_space((uint64_t)1 << 40);
	life_sleep(2000);
	if (q->paused)
		sim_breach("I3", "%s does not go on with space", vm->name);
}

static void restart(struct sim_vm *vm)
{
	unsigned births = vm->births;

	client_ask(vm, "vm-restart");
	if (need_guest(vm, "a restart") && vm->births != births + 1)
		sim_breach("I3", "%s was not restarted", vm->name);
}

/* A paused guest is woken, so that it can do what the button asks for. */
static void stop(struct sim_vm *vm)
{
	struct sim_qemu *q = qemu_of_vm(vm);
	bool obeys = q && q->ran && !q->off && !q->deaf && !q->stopped;

	if (obeys)
		client_ask(vm, "vm-pause");
	client_ask(vm, "vm-stop");
	if (qemu_count(vm))
		sim_breach("I4", "%s was stopped and lives", vm->name);
	if (obeys && !strstr(known(vm)->stop_step, "powered off"))
		sim_breach("policy", "%s was not powered off: %s", vm->name,
			known(vm)->stop_step);
}

/* What its bad end was to bring: an incident, and the hooks for it. */
static void check_told(const struct sim_vm *vm, const char *cause,
	const unsigned before[SIM_NHOOKS])
{
	if (!incidents_tell(vm, known(vm)->record.incident, cause))
		sim_breach(
			"incidents", "%s: none tells of %s", vm->name, cause);
	if (!vm->hooked)
		return;
	life_sleep(HOOKS_S * 1000);
	if (vm->hooks[SIM_HOOK_STOPPED] == before[SIM_HOOK_STOPPED] ||
		vm->hooks[SIM_HOOK_INCIDENT] == before[SIM_HOOK_INCIDENT])
		sim_breach("hooks", "%s: none was told of %s", vm->name, cause);
	if (vm->hooks[SIM_HOOK_CRASH_LOOP] !=
		before[SIM_HOOK_CRASH_LOOP] + (known(vm)->state == VM_FAILED))
		sim_breach(
			"hooks", "%s: its crash loop was not told", vm->name);
}

/* It crashes until its policy has enough of it. */
static void crash(struct sim_vm *vm)
{
	unsigned times = vm->restarts ? vm->burst : 0;
	unsigned before[SIM_NHOOKS];

	memcpy(before, vm->hooks, sizeof(before));
	for (unsigned i = 0; i < times; i++) {
		world_die(need_guest(vm, "a crash")->pid, SIGSEGV);
		life_sleep(100);
	}
	world_die(need_guest(vm, "a crash")->pid, SIGSEGV);
	if (await_guest(vm, BACK_S))
		sim_breach(
			"policy", "%s runs after too many crashes", vm->name);
	const struct vm *state = known(vm);
	if ((state->state == VM_FAILED) != vm->restarts)
		sim_breach("policy", "%s is %s after its crashes", vm->name,
			vm_state_id(state->state));
	check_told(vm, "qemu-signal", before);
	life_crash();
	life_sleep(BACK_S * 1000);
	if ((known(vm)->state == VM_FAILED) != vm->restarts)
		sim_breach("policy", "%s is %s in the next life", vm->name,
			vm_state_id(known(vm)->state));
}

/* ---- what happens while nobody looks ---- */

/* It may have been given up by now. */
static struct sim_qemu *started(struct sim_vm *vm)
{
	client_ask(vm, "vm-start");
	return need_guest(vm, "a start");
}

/* Another process has the pid of a QEMU that ended; it is left alone. */
static void lose_pid(struct sim_vm *vm)
{
	pid_t pid = started(vm)->pid;

	life_crash();
	world_die(pid, SIGKILL);
	bool taken = birth_stranger(pid) == pid;
	int lock = client_lock(vm); /* it seems to live */
	calm_await_life();
	if (taken && known(vm)->machine.pid == pid)
		sim_breach("I7", "%s: a bystander is taken for it", vm->name);
	client_let_go(lock);
	life_sleep(ADOPT_S * 1000);
	if (!taken)
		return;
	client_ask(vm, "vm-stop");
	if (!world_is_alive(pid))
		sim_breach("I7", "%s: a bystander was killed for it", vm->name);
	client_ask(vm, "vm-start");
}

static void await_running(const struct sim_vm *vm, const char *after)
{
	for (unsigned s = 0; s < ADOPT_S; s++) {
		if (calm_knows(vm) && known(vm)->state == VM_RUNNING)
			return;
		life_sleep(1000);
	}
	sim_breach("I3", "%s is not adopted after %s", vm->name, after);
}

/* Its supervisor dies; the next one finds something odd at its monitor. */
static void adopt_oddly(struct sim_vm *vm)
{
	struct sim_qemu *q = started(vm);
	char right = q->uuid[0];
	int squatter = -1;

	if (q->paused || q->stopped || vm->hang >= SIM_HANG_STOP)
		return;
	life_crash();
	pid_t before = world_as(q->pid);
	qemu_hang_up(q);
	world_as(before);
	switch (world_random(5)) {
	case 0: /* another machine answers */
		q->uuid[0] = right == 'f' ? '0' : 'f';
		calm_await_life();
		if (known(vm)->state != VM_UNREACHABLE)
			sim_breach("I7", "%s: a stranger's QEMU is %s",
				vm->name, vm_state_id(known(vm)->state));
		q->uuid[0] = right;
		break;
	case 1: /* its answers are not for these questions */
		q->wrong = 1 + world_random(6);
		break;
	case 2: /* it does not greet whom it talks to */
		q->mute = 1 + world_random(2);
		break;
	case 3: /* it says who it is, and nothing more */
		q->dumb = true;
		break;
	default: /* somebody talks to it already */
		squatter = client_squat(vm);
		life_sleep(1000);
	}
	await_running(vm, "an odd talk");
	client_let_go(squatter);
}

/* Its supervisor dies before QEMU listens: who does so far is not it. */
static void begin_slowly(struct sim_vm *vm)
{
	if (vm->hang >= SIM_HANG_STOP) /* it would be taken for hung */
		return;
	client_ask(vm, "vm-stop");
	sim.slow_births = true;
	client_say(vm, "vm-start");
	life_sleep(1000);
	sim.slow_births = false;
	life_crash();
	calm_await_life();
	await_running(vm, "a slow birth");
}

/* It waits for its next try, and the supervisor becomes another program. */
static void upgrade_waiting(struct sim_vm *vm)
{
	if (!vm->restarts || vm->hooked)
		return;
	client_ask(vm, "vm-reset-failed");
	for (unsigned i = 0; i < 2; i++) {
		client_ask(vm, "vm-start");
		world_die(need_guest(vm, "a crash")->pid, SIGSEGV);
		life_sleep(200);
	}
	if (known(vm)->state == VM_WAITING) {
		client_ask(vm, "upgrade");
		need_guest(vm, "an upgrade in its back-off");
	}
	client_ask(vm, "vm-start");
	client_ask(vm, "vm-reset-failed"); /* so that it counts no more */
}

/* The supervisor becomes another program, and nobody notices. */
static void upgrade(struct sim_vm *vm)
{
	struct sim_qemu *q = started(vm);
	pid_t pid = q->pid;
	unsigned lives = sim.lives;

	life_sleep(QUIET_S * 1000);
	client_ask(vm, "upgrade");
	if (sim.lives != lives || !world_is_alive(pid))
		sim_breach("upgrade", "%s is another one after it", vm->name);
	if (q->paused || q->stopped)
		return;
	client_ask(vm, "vm-pause");
	client_ask(vm, "vm-resume");
	reboot(vm); /* its next image knows which way that goes */
	upgrade_waiting(vm);
}

/* The monitor's connection ends, QEMU does not. */
static void cut_off(struct sim_vm *vm)
{
	struct sim_qemu *q = started(vm);

	if (q->paused)
		return;
	pid_t before = world_as(q->pid);
	qemu_hang_up(q);
	world_as(before);
	life_sleep(BACK_S * 1000);
	client_ask(vm, "vm-pause");
	client_ask(vm, "vm-resume");
}

/* It was adopted paused, and is reset: that is no end. */
static void reset(struct sim_vm *vm)
{
	started(vm);
	client_ask(vm, "vm-pause");
	life_crash();
	calm_await_life();
	client_ask(vm, "vm-reset");
	client_ask(vm, "vm-resume");
	need_guest(vm, "a reset");
}

/* QEMU does nothing any more: only SIGKILL ends it. */
static void freeze(struct sim_vm *vm)
{
	started(vm)->stopped = true;
	client_ask(vm, "vm-stop");
	if (qemu_count(vm))
		sim_breach("I4", "%s was frozen, stopped and lives", vm->name);
	client_ask(vm, "vm-start");
}

/* It hung and was ended, here or by the next supervisor. */
static void check_hung(struct sim_vm *vm, pid_t pid)
{
	if (world_is_alive(pid))
		sim_breach("hang", "%s hangs and was not ended", vm->name);
	if (known(vm)->last.cause != CAUSE_HANG)
		sim_breach("hang", "%s hung, and it is told: %s", vm->name,
			cause_name(known(vm)->last.cause));
	if (vm->hang == SIM_HANG_RESTART)
		need_guest(vm, "it hung");
	else if (qemu_count(vm))
		sim_breach("hang", "%s hung, and runs again", vm->name);
	started(vm);
	client_ask(vm, "vm-reset-failed"); /* so that it counts no more */
}

/* It hung and goes on: that is told, and nothing is done. */
static void check_back(const struct sim_vm *vm, struct sim_qemu *q)
{
	if (!known(vm)->hang.what)
		sim_breach("hang", "%s hangs, nobody tells", vm->name);
	q->stopped = false;
	life_sleep(ADOPT_S * 1000);
	if (known(vm)->hang.what || !q->pid)
		sim_breach("hang", "%s does not hang any more", vm->name);
}

/* QEMU stands still for a minute, seen by one supervisor or by two. */
static void hang(struct sim_vm *vm)
{
	client_ask(vm, "vm-reset-failed");
	struct sim_qemu *q = started(vm);
	pid_t pid = q->pid;
	unsigned when = world_random(3);

	if (vm->hang == SIM_HANG_NEVER || q->paused)
		return;
	if (when == 1)
		life_crash();
	q->stopped = true;
	life_sleep(world_random(SIM_HANG_S) * 1000);
	if (when == 2)
		life_crash();
	calm_await_life();
	life_sleep(2 * SIM_HANG_S * 1000);
	if (vm->hang == SIM_HANG_TOLD)
		check_back(vm, q);
	else
		check_hung(vm, pid);
}

/* Its file is gone: it runs on, and is forgotten once it is down. */
static void forget(struct sim_vm *vm)
{
	AUTO_FREE char *path =
		life_path("%s/vms/%s.ini", sim.paths.config, vm->name);

	started(vm);
	if (world_random(2)) { /* by a supervisor without descriptors */
		life_crash();
		world_fail("inotify_init", 1, EMFILE);
		calm_await_life();
	}
	vm->gone = true;
	vm->promise = PROMISED_NOTHING;
	world_unlinkat(AT_FDCWD, path, 0);
	life_sleep(SIM_WATCH_S * 1000);
	if (!calm_knows(vm) || qemu_count(vm) != 1)
		sim_breach(
			"I7", "%s: its file is gone, and so is it", vm->name);
	client_ask(vm, "vm-stop");
	life_sleep(1000);
	if (calm_knows(vm))
		sim_breach("I5", "%s: its file is gone, it is known", vm->name);
	life_put_config(vm, vm->config, strlen(vm->config));
	life_sleep(SIM_WATCH_S * 1000);
	if (vm->autostart == SIM_YES)
		vm->wanted = true;
	if (!calm_knows(vm))
		sim_breach("I3", "%s: its file is back, it is not known",
			vm->name);
	client_ask(vm, "vm-start");
}

static bool is_drawn(void)
{
	return world_random(100) < sim.shape.calm;
}

/* Started and restarted by an admin: its crashes of before are forgiven. */
static void wake(struct sim_vm *vm)
{
	if (vm->awake)
		return;
	vm->awake = true;
	start(vm);
	restart(vm);
}

void calm_run(void)
{
	static void (*const tries[])(struct sim_vm *) = { hang, reboot, upgrade,
		fill_up, crash, begin_slowly, adopt_oddly, cut_off, reset,
		freeze, forget, lose_pid, stop };

	for (unsigned i = 0; i < sim.nvms; i++)
		if (is_drawn())
			wake(&sim.vms[i]);
	for (size_t i = 0; i < NELEMS(tries); i++) {
		if (tries[i] == upgrade && !sim.upgrades)
			continue;
		struct sim_vm *vm = &sim.vms[world_random(sim.nvms)];
		if (!is_drawn())
			continue;
		wake(vm);
		tries[i](vm);
	}
	/* the last two, so that all before is as it was */
	if (sim.upgrades && is_drawn())
		twin_run(&sim.vms[world_random(sim.nvms)]);
	if (is_drawn())
		erase_run(&sim.vms[world_random(sim.nvms)]);
}
