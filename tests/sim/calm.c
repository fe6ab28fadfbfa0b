/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must work when all is well again, whatever happened before. */
#include <signal.h>

#include "supervisor/vm.h"
#include "tests/sim/sim.h"

enum { BACK_S = 20 }; /* more than the longest delay and a start */

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
	return registry_find(sim.service.registry, vm->name);
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
		!strstr(known(vm)->note, "disk full"))
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

/* It crashes until its policy has enough of it. */
static void crash(struct sim_vm *vm)
{
	unsigned times = vm->restarts ? vm->burst : 0;

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
	life_crash();
	life_sleep(BACK_S * 1000);
	if ((known(vm)->state == VM_FAILED) != vm->restarts)
		sim_breach("policy", "%s is %s in the next life", vm->name,
			vm_state_id(known(vm)->state));
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
	static void (*const tries[])(
		struct sim_vm *) = { reboot, fill_up, crash, stop };

	for (unsigned i = 0; i < sim.nvms; i++)
		if (is_drawn())
			wake(&sim.vms[i]);
	for (size_t i = 0; i < NELEMS(tries); i++) {
		struct sim_vm *vm = &sim.vms[world_random(sim.nvms)];
		if (!is_drawn())
			continue;
		wake(vm);
		tries[i](vm);
	}
}
