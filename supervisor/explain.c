/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a VM is as it is, in sentences; see explain.h. */
#include "supervisor/explain.h"

#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/policy.h"
#include "supervisor/ready.h"
#include "supervisor/schedule.h"

static const char *const causes[NCAUSES] = {
	[CAUSE_NONE] = "nothing has ended yet",
	[CAUSE_GUEST_POWEROFF] = "the guest powered itself off",
	[CAUSE_GUEST_REBOOT] = "the guest rebooted, and a cold start was due",
	[CAUSE_ADMIN_STOP] = "somebody stopped it",
	[CAUSE_ADMIN_KILL] = "somebody killed it",
	[CAUSE_HOST_SHUTDOWN] = "the host was shut down",
	[CAUSE_PANIC] = "the guest's kernel panicked",
	[CAUSE_WATCHDOG] = "the guest's watchdog fired",
	[CAUSE_IO_ERROR] = "it had stopped on a disk error",
	[CAUSE_OUT_OF_MEMORY] = "the kernel killed QEMU for memory",
	[CAUSE_QEMU_EXIT] = "QEMU left by itself with this status",
	[CAUSE_QEMU_SIGNAL] = "QEMU was killed by this signal",
	[CAUSE_SANDBOX] = "QEMU made a system call its sandbox forbids",
	[CAUSE_HANG] = "it hung and the hang detector ended it",
	[CAUSE_START_FAILED] = "it could not be started",
	[CAUSE_UNKNOWN] = "nobody watched, and nothing tells",
};

const char *explain_cause(enum cause cause)
{
	return causes[cause];
}

static void explain_up(const struct vm *vm, struct str *out)
{
	if (vm->waits && vm->order) {
		str_addf(out, "%s; it ", vm_state_word(vm));
		vm->order->describe(vm, out);
		str_add(out, ".\n");
		return;
	}
	str_addf(out, "%s (pid %d", vm_state_word(vm), (int)vm->machine.pid);
	if (vm_uptime_ms(vm) >= 0) {
		str_add(out, ", up ");
		str_add_duration(out, vm_uptime_ms(vm));
	}
	str_add(out, ")");
	if (vm->state == VM_RUNNING && vm->ready == VM_READY_YES)
		str_add(out, " and ready");
	if (vm->probe) {
		str_add(out, ", not ready: ");
		ready_describe(vm, out);
	}
	if (*vm->note)
		str_addf(out, "; %s", vm->note);
	str_add(out, ".\n");
}

static void explain_state(const struct vm *vm, struct str *out)
{
	int64_t left = vm->retry_at_ms - (int64_t)(sys_now_us() / 1000);

	str_addf(out, "%s is ", vm->name);
	switch (vm->state) {
	case VM_WAITING:
		str_add(out, "down and will be started again in ");
		str_add_duration(out, left > 0 ? left : 0);
		str_add(out, ".\n");
		return;
	case VM_FAILED:
		str_addf(out,
			"down and given up after %u failures, until \"vmward "
			"reset-failed %s\" or a start.\n",
			vm->record.history.n, vm->name);
		return;
	case VM_ADOPTING:
	case VM_UNREACHABLE:
		str_addf(out,
			"unreachable: QEMU lives, its lock is held, but %s. "
			"It is left alone and asked again.\n",
			*vm->note ? vm->note : "it has not answered yet");
		return;
	case VM_STOPPED:
		str_addf(out, "%s.\n", vm_state_word(vm));
		return;
	case VM_SAVED:
		str_addf(out,
			"down, its memory on disk: \"vmward restore %s\" or "
			"a start goes on from there.\n",
			vm->name);
		return;
	case VM_SAVING:
	case VM_STARTING:
	case VM_RUNNING:
	case VM_PAUSED:
	case VM_STOPPING:
	case VM_ENDED:
	case VM_NSTATES:
		break;
	}
	explain_up(vm, out);
}

static void explain_end(const struct vm *vm, struct str *out)
{
	char when[32];

	if (!vm->last.cause)
		return;
	vmlog_time(vm->record.last_end_real_us, when);
	str_addf(out, "It last ended at %s: %s%s%s (%s).\n", when,
		cause_name(vm->last.cause), *vm->last.detail ? " " : "",
		vm->last.detail, causes[vm->last.cause]);
	if (*vm->record.incident)
		str_addf(out, "Its last incident: vmward incident show %s %s\n",
			vm->name, vm->record.incident);
	if (vm->start_err)
		str_addf(out, "The last start failed: %s\n",
			vm->start_err->text);
	if (vm->record.history.restarts)
		str_addf(out,
			"It was restarted %u time%s since it was "
			"ordered to start.\n",
			vm->record.history.restarts,
			vm->record.history.restarts == 1 ? "" : "s");
}

/* All ends since there is a record. */
static void explain_tally(const struct vm *vm, struct str *out)
{
	const struct tally *tally = &vm->record.tally;
	uint64_t all = 0;
	const char *comma = "";

	for (int c = 0; c < NCAUSES; c++)
		all += tally->ends[c];
	if (all < 2)
		return; /* the last one was told */
	str_addf(out, "In all it ended %llu times: ", (unsigned long long)all);
	for (int c = 0; c < NCAUSES; c++) {
		if (!tally->ends[c])
			continue;
		str_addf(out, "%s%s %llu", comma, cause_name((enum cause)c),
			(unsigned long long)tally->ends[c]);
		comma = ", ";
	}
	str_addf(out, "; policy restarted it %llu times.\n",
		(unsigned long long)tally->restarts);
}

/* What is under way, and for how long. */
static void explain_jobs(const struct vm *vm, struct str *out)
{
	list_each(&vm->jobs, it, next) {
		const struct job *job = list_entry(it, struct job, link);

		str_addf(out, "Under way: %s", job->kind->name);
		if (job->progress.phase)
			str_addf(out, " (%s)", job->progress.phase);
		str_add(out, ", for ");
		str_add_duration(out, loop_now_ms() - job->started_ms);
		str_add(out, ".\n");
	}
}

static void explain_crash_loop(const struct spec_restart *spec, struct str *out)
{
	const struct spec_crash_loop *loop = &spec->on_crash_loop;

	if (loop->kind == CRASH_LOOP_LAST_GOOD)
		str_add(out, "A crash loop takes it back to the last "
			     "configuration that was good.\n");
	else if (loop->kind == CRASH_LOOP_REVERT)
		str_addf(out, "A crash loop reverts it to the snapshot '%s'.\n",
			loop->text);
	else if (loop->kind == CRASH_LOOP_EXEC)
		str_addf(out, "A crash loop runs: %s\n", loop->text);
}

/* What the policy would do, tried on a copy of the history. */
static void explain_policy(const struct vm *vm, struct str *out)
{
	const struct spec_restart *spec = &vm->spec->restart;
	struct policy_history history = vm->record.history;
	struct policy_decision next = policy_decide(spec, CAUSE_QEMU_SIGNAL,
		&history, (int64_t)(sys_now_us() / 1000), 0);

	str_addf(out, "Policy %s: if QEMU died now, it would ",
		spec_policy_names[spec->policy]);
	switch (next.action) {
	case POLICY_RESTART_NOW:
		str_add(out, "be started again at once.\n");
		return;
	case POLICY_RESTART_LATER:
		str_add(out, "be started again after ");
		str_add_duration(out, next.delay_ms);
		str_add(out, ".\n");
		return;
	case POLICY_FAILED:
		str_addf(out, "be given up: %u failures within ",
			spec->burst.count);
		str_add_duration(out, spec->burst.window_ms);
		str_add(out, " are enough.\n");
		return;
	case POLICY_STAY_STOPPED:
	case POLICY_KEEP_PAUSED:
		break;
	}
	str_add(out, "stay down.\n");
}

void explain_vm(const struct vm *vm, struct str *out)
{
	struct err err = ERR_INIT;
	unsigned pending = vm_pending(vm);

	explain_state(vm, out);
	if (vm->record.fallback)
		str_addf(out,
			"It crashed in a loop and was started with the last "
			"configuration that was good; the next start by hand "
			"or change of its files takes the present one.\n");
	if (vm->record.revert)
		str_addf(out,
			"It crashed in a loop and %s back to the snapshot "
			"'%s'; the next loop gives it up.\n",
			vm->record.revert == REVERT_DUE ? "goes" : "went",
			vm->spec->restart.on_crash_loop.text);
	if (vm_check_files(vm, &err))
		str_addf(out, "Its files are wrong: %s\n", err.text);
	explain_jobs(vm, out);
	explain_end(vm, out);
	explain_tally(vm, out);
	if (vm->spec) {
		explain_policy(vm, out);
		explain_crash_loop(&vm->spec->restart, out);
	}
	if (pending)
		str_addf(out,
			"%u change%s of its file wait%s: vmward plan %s\n",
			pending, pending == 1 ? "" : "s",
			pending == 1 ? "s" : "", vm->name);
	for (enum schedule which = 0; which < SCHEDULES; which++) {
		char when[32];

		if (schedule_next(vm, which) == INT64_MAX)
			continue;
		vmlog_time(schedule_next(vm, which), when);
		str_addf(out, "Its next %s is due at %s.\n",
			schedule_name(which), when);
	}
	if (!vm->recorded)
		str_add(out, "Its last change could not be recorded: the "
			     "state directory takes no writes.\n");
}
