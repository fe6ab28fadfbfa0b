/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hang detector; see hang.h. */
#include "supervisor/hang.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/events.h"

#define LOOKS 3 /* within the patience */

static const char monitor[] = "monitor";
static const char vcpus[] = "vcpus";

/* How long; STR_FOREVER: nobody looks. */
static int64_t patience(const struct vm *vm)
{
	const struct vm_spec *spec = vm->spec ? vm->spec : vm->running;

	return spec ? spec->restart.hang_after_ms : STR_FOREVER;
}

/* Rounded up: the last look does not come a moment too early. */
static int64_t pace(const struct vm *vm)
{
	return (patience(vm) + LOOKS - 1) / LOOKS;
}

/* ---- the virtual CPUs ---- */

struct threads {
	pid_t pid;
	uint64_t ns;
};

static bool read_leaf(const struct threads *t, const char *tid,
	const char *leaf, char *text, size_t size)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/task/%.20s/%s", (int)t->pid, tid,
		leaf);
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
	ssize_t got = fd < 0 ? -1 : sys_read(fd, text, size - 1);

	text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

/* "CPU 0/KVM", "ALL CPUs/TCG": what -name debug-threads=on calls them. */
static void add_thread(void *arg, const char *tid)
{
	struct threads *t = arg;
	char text[64];

	if (*tid == '.' || !read_leaf(t, tid, "comm", text, sizeof(text)) ||
		!strstr(text, "CPU") || !strchr(text, '/'))
		return;
	if (read_leaf(t, tid, "schedstat", text, sizeof(text)))
		t->ns += str_digits(text);
}

static void look_at_vcpus(struct vm *vm, int64_t now)
{
	struct threads t = { .pid = vm->machine.pid };
	AUTO_FREE char *path = xasprintf("/proc/%d/task", (int)t.pid);

	if (vm->state == VM_RUNNING && vm->hang.runs)
		sys_listdir(AT_FDCWD, path, add_thread, &t);
	if (t.ns == 0 || t.ns != vm->hang.cpu_ns) /* 0: it is not known */
		vm->hang.moved_ms = now;
	vm->hang.cpu_ns = t.ns;
}

/* ---- the monitor ---- */

static void on_answer(
	struct qmp_slot *slot, json_t *result, const struct err *err)
{
	struct vm *vm = container_of(slot, struct vm, hang.question);

	(void)err;
	if (!result)
		return;
	vm->hang.silent_ms = 0;
	/* a guest that sleeps (suspended) is running for us, not for QEMU */
	vm->hang.runs = json_is_true(json_object_get(result, "running"));
}

static void look_at_monitor(struct vm *vm, int64_t now)
{
	struct vm_hang *hang = &vm->hang;
	struct qmp_client *qmp = machine_qmp(&vm->machine);

	if (!hang->silent_ms)
		hang->silent_ms = now;
	if (vm->machine.ready && qmp && !hang->question.client)
		qmp_send_steal(qmp, &hang->question,
			QMP_COMMAND_IN(patience(vm), "query-status", NULL),
			on_answer);
}

/* ---- what follows ---- */

static void tell(struct vm *vm, const char *what, int64_t since, int64_t now)
{
	AUTO_STR struct str age = STR_INIT;

	vm->hang.what = what;
	str_add_duration(&age, now - since);
	if (what == monitor)
		vm_set_note(vm, "hangs: its monitor has been silent for %s",
			str_text(&age));
	else
		vm_set_note(vm, "hangs: its vCPUs have not run for %s",
			str_text(&age));
	vmlog_line(&vm->log, LOG_WARN, "%s", vm->note);
	events_emit("VM_HANG",
		json_pack("{s:s,s:s,s:f}", "vm", vm->name, "what", what,
			"seconds", (double)(now - since) / 1000));
	vm_changed(vm);
}

static void recovered(struct vm *vm)
{
	vm->hang.what = NULL;
	vm_set_note(vm, "%s", "");
	vmlog_line(&vm->log, LOG_INFO, "hangs no more");
	vm_changed(vm);
}

/* Where a person said so. */
static void act(struct vm *vm)
{
	const struct vm_spec *spec = vm->spec ? vm->spec : vm->running;
	int action = spec->restart.on_cause[CAUSE_HANG];
	struct err err = ERR_INIT;

	if (action != ACTION_RESTART && action != ACTION_STOP)
		return;
	vm->machine.seen.hang = true;
	vmlog_line(&vm->log, LOG_WARN, "killed, for it hangs");
	if (machine_signal(&vm->machine, SIGKILL, &err))
		vmlog_line(&vm->log, LOG_ERROR, "%s", err.text);
}

static void judge(struct vm *vm, int64_t now)
{
	const struct vm_hang *hang = &vm->hang;
	int64_t most = patience(vm);
	const char *what = NULL;

	if (hang->silent_ms && now - hang->silent_ms >= most)
		what = monitor;
	else if (now - hang->moved_ms >= most)
		what = vcpus;
	if (what && !hang->what) {
		tell(vm, what,
			what == monitor ? hang->silent_ms : hang->moved_ms,
			now);
		act(vm);
	} else if (!what && hang->what) {
		recovered(vm);
	}
}

/* What stops QEMU's monitor for long, or is no business of ours. */
static bool is_excused(const struct vm *vm)
{
	switch (vm->state) {
	case VM_RUNNING:
	case VM_PAUSED:
		return vm_busy(vm) != NULL;
	case VM_ADOPTING:
	case VM_UNREACHABLE:
		return !machine_is_alive(&vm->machine);
	case VM_STOPPED:
	case VM_STARTING:
	case VM_STOPPING:
	case VM_ENDED:
	case VM_SAVING:
	case VM_SAVED:
	case VM_WAITING:
	case VM_FAILED:
	case VM_NSTATES:
		break;
	}
	return true;
}

static void on_look(struct loop_timer *timer)
{
	struct vm *vm = container_of(timer, struct vm, hang.timer);
	int64_t now = loop_now_ms();

	loop_timer_start(timer, pace(vm), on_look);
	if (is_excused(vm)) {
		vm->hang.silent_ms = 0;
		vm->hang.moved_ms = now;
		return;
	}
	look_at_vcpus(vm, now);
	judge(vm, now); /* of the question before this one */
	look_at_monitor(vm, now);
}

void hang_follow(struct vm *vm)
{
	if (patience(vm) == STR_FOREVER || !vm_is_up(vm)) {
		hang_end(vm);
		return;
	}
	if (loop_timer_is_active(&vm->hang.timer))
		return;
	if (!vm->hang.what) /* else it hung before, too */
		vm->hang.moved_ms = loop_now_ms();
	loop_timer_start(&vm->hang.timer, pace(vm), on_look);
}

void hang_end(struct vm *vm)
{
	loop_timer_stop(&vm->hang.timer);
	qmp_cancel(&vm->hang.question);
	vm->hang.silent_ms = 0;
	vm->hang.runs = false;
	vm->hang.cpu_ns = 0;
	vm->hang.what = NULL;
}

/* ---- to the next image of this process ---- */

struct moved {
	char what[16]; /* "" : it does not hang */
	int64_t silent_ms, moved_ms;
	uint64_t cpu_ns;
	bool runs;
};

static const struct handover_field fields[] = {
	HAND(HAND_TEXT, struct moved, what),
	HAND(HAND_I64, struct moved, silent_ms),
	HAND(HAND_I64, struct moved, moved_ms),
	HAND(HAND_I64, struct moved, cpu_ns),
	HAND(HAND_BOOL, struct moved, runs),
};

void hang_hush(struct vm *vm)
{
	qmp_cancel(&vm->hang.question);
}

json_t *hang_save(struct handover *h, const struct vm *vm)
{
	const struct vm_hang *hang = &vm->hang;
	struct moved moved = { .silent_ms = hang->silent_ms,
		.moved_ms = hang->moved_ms,
		.cpu_ns = hang->cpu_ns,
		.runs = hang->runs };
	json_t *to = json_object();

	snprintf(moved.what, sizeof(moved.what), "%s", str_or(hang->what, ""));
	handover_put(h, to, fields, NELEMS(fields), &moved);
	return to;
}

int hang_restore(const json_t *from, struct vm *vm, struct err *err)
{
	struct moved moved = { .runs = false };

	if (!from)
		return err_set(err, ERR_CONFIG, "'hang' is missing");
	if (handover_get(from, fields, NELEMS(fields), vm ? &moved : NULL, err))
		return -1;
	if (!vm)
		return 0;
	vm->hang.what = str_eq(moved.what, monitor) ? monitor
			: str_eq(moved.what, vcpus) ? vcpus
						    : NULL;
	vm->hang.silent_ms = moved.silent_ms;
	vm->hang.moved_ms = moved.moved_ms;
	vm->hang.cpu_ns = moved.cpu_ns;
	vm->hang.runs = moved.runs;
	return 0;
}
