/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a VM: every cell of the matrix walked against its print and
 * the golden one, what a machine's hooks post, and where recovery begins.
 * The actions are stood in for here: each only leaves its name.
 */
#include "supervisor/lifecycle.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/jstream.h"
#include "supervisor/actions.h"

#include "tests/unit/vmkit.h"

#include "tests/unit/golden.h"

static const char *acted;

#define ACT(name)                \
	void name(struct vm *vm) \
	{                        \
		acted = #name;   \
		(void)vm;        \
	}
ACT(act_start)
ACT(act_retry)
ACT(act_stop)
ACT(act_stop_more)
ACT(act_cancel_start)
ACT(act_stop_cancelled)
ACT(act_quit)
ACT(act_save)
ACT(act_save_failed)
ACT(act_kill)
ACT(act_kill_start)
ACT(act_retry_adoption)
ACT(act_adopt)
ACT(act_running)
ACT(act_paused_start)
ACT(act_resumed)
ACT(act_paused)
ACT(act_start_failed)
ACT(act_rest)
ACT(act_wait)
ACT(act_give_up)
ACT(act_forgive)
ACT(act_reap)
ACT(act_nothing)
ACT(act_follow_files)

static struct vm *vm;

static struct vm *fresh(const char *spec)
{
	vm_free(vm);
	vm = lifecycle_new(&kit, "web");
	if (spec)
		vm->spec = kit_spec(spec);
	acted = "";
	return vm;
}

/* ---- the matrix ---- */

static unsigned changes; /* told to watches */

static void on_change(struct vm_watch *watch, struct vm *of)
{
	(void)watch;
	(void)of;
	changes++;
}

/* Posts every event in every state; the text of what came of it. */
static void walk(struct str *out, struct str *actions)
{
	struct vm_watch watch = { .link = { NULL, NULL } };
	unsigned odd = 0;

	fresh("");
	vm_watch(vm, &watch, on_change);
	for (int s = 0; s < VM_NSTATES; s++)
		for (int e = 0; e < VM_NEVENTS; e++) {
			const char *state = vm_state_id((enum vm_state)s);
			const char *event = vm_event_name((enum vm_event)e);

			vm->state = (enum vm_state)s;
			acted = "";
			changes = 0;
			vm_post(vm, (enum vm_event)e);
			odd += (*acted ? 1 : 0) != changes;
			odd += !*acted && vm->state != (enum vm_state)s;
			if (!*acted)
				continue;
			str_addf(out, "%-12s %-16s %s\n", state, event,
				vm_state_id(vm->state));
			str_addf(actions, "%-12s %-16s %-12s %s\n", state,
				event, vm_state_id(vm->state), acted);
		}
	is_int(odd, 0, "an empty cell does nothing, a full one tells watches");
	vm_unwatch(&watch);
}

static void test_matrix(void)
{
	AUTO_STR struct str printed = STR_INIT;
	AUTO_STR struct str walked = STR_INIT;
	AUTO_STR struct str actions = STR_INIT;

	lifecycle_print(&printed);
	walk(&walked, &actions);
	is_str(str_text(&walked), str_text(&printed),
		"the matrix does what it prints");
	golden("tests/golden/lifecycle.txt", str_text(&printed));
	golden("tests/golden/lifecycle-actions.txt", str_text(&actions));
}

/* However a VM stands, these must lead out of it. */
static void test_ways_out(void)
{
	static const enum vm_event ends[] = { EV_END_STOPPED, EV_END_RESTART,
		EV_END_BACKOFF, EV_END_FAILED };
	struct err err = ERR_INIT;
	unsigned stuck = 0;

	fresh("");
	for (int s = 0; s < VM_NSTATES; s++) {
		vm->state = (enum vm_state)s;
		if (lifecycle_accepts(vm, EV_KILL, &err))
			ok(false, "kill while %s", vm_state_id(vm->state));
		for (size_t i = 0; vm_is_up(vm) && i < NELEMS(ends); i++)
			stuck += lifecycle_accepts(vm, ends[i], &err) != 0;
	}
	is_int(stuck, 0, "the end of a QEMU ends every state that has one");
}

static void test_accepts(void)
{
	struct err err = ERR_INIT;

	fresh("");
	is_int(lifecycle_accepts(vm, EV_START, &err), 0, "start when stopped");
	is_int(lifecycle_accepts(vm, EV_GUEST_OFF, &err), -1, "not an end");
	is_int(err.code, ERR_STATE, "by its state");
	is_str(err.text, "it is stopped", "which is named");
	vm->state = VM_STOPPING;
	is_int(lifecycle_accepts(vm, EV_START, &err), -1, "start of stopping");
	is_str(err.text, "it is stopping", "says what it does");
	vm->state = VM_ENDED;
	is_int(lifecycle_accepts(vm, EV_RETRY, &err), -1, "retry of one ended");
	is_str(err.text, "it is stopping", "says what people call it");
	vm->state = VM_ADOPTING;
	is_int(lifecycle_accepts(vm, EV_START, &err), -1, "start of a found");
	is_str(err.text, "it is unreachable", "says why");
	vm->state = VM_STOPPED;
	vm->newer_record = true;
	is_int(lifecycle_accepts(vm, EV_START, &err), -1, "a newer record");
	is_str(err.text, "its record was written by a newer vmward",
		"is left alone");
	fresh(NULL);
	is_int(lifecycle_accepts(vm, EV_STARTED, &err), -1, "without a spec");
	is_str(err.text, "it is invalid", "it is invalid");
}

/* ---- what the machine tells ---- */

static void tells(enum vm_state state, const char *name, const char *data,
	enum vm_state next, const char *action)
{
	AUTO_JSON json_t *object = json_loads(data, 0, NULL);
	struct qmp_event ev = {
		.name = name, .type = qmp_event_type_of(name), .data = object
	};

	vm->state = state;
	acted = "";
	vm->machine.hooks->on_event(&vm->machine, &ev);
	is_str(acted, action, "%s while %s", name, vm_state_id(state));
	is_int(vm->state, next, "leads to %s", vm_state_id(next));
}

static void test_qmp_events(void)
{
	fresh("");
	tells(VM_RUNNING, "SHUTDOWN", "{\"guest\":true}", VM_ENDED, "act_quit");
	tells(VM_RUNNING, "GUEST_PANICKED", "{}", VM_ENDED, "act_quit");
	tells(VM_RUNNING, "STOP", "{}", VM_PAUSED, "act_paused");
	tells(VM_PAUSED, "RESUME", "{}", VM_RUNNING, "act_resumed");
	tells(VM_STOPPING, "STOP", "{}", VM_STOPPING, "act_nothing");
	tells(VM_RUNNING, "RTC_CHANGE", "{}", VM_RUNNING, "");
	tells(VM_RUNNING, "X_UNKNOWN", "{}", VM_RUNNING, "");
	is_str(vm->note, "", "nothing to note so far");
	tells(VM_RUNNING, "BLOCK_IO_ERROR",
		"{\"action\":\"report\",\"node-name\":\"disk-root\"}",
		VM_RUNNING, "");
	is_str(vm->note, "", "an error that the guest sees is the guest's");
	tells(VM_RUNNING, "BLOCK_IO_ERROR",
		"{\"action\":\"stop\",\"node-name\":\"disk-root\","
		"\"nospace\":true}",
		VM_RUNNING, "");
	is_str(vm->note, "disk full: disk-root", "a full disk is noted");
	tells(VM_RUNNING, "BLOCK_IO_ERROR",
		"{\"action\":\"stop\",\"node-name\":\"disk-a\"}", VM_RUNNING,
		"");
	is_str(vm->note, "disk error: disk-a", "and a broken one");
	tells(VM_RUNNING, "BLOCK_IO_ERROR", "{\"action\":7}", VM_RUNNING, "");
}

static void test_losses(void)
{
	struct err lost = ERR_INIT;

	err_set(&lost, ERR_GONE, "connection lost");
	fresh("");
	vm->state = VM_RUNNING;
	vm->machine.hooks->on_lost(&vm->machine, &lost);
	is_str(acted, "act_adopt", "a lost monitor is reached for again");
	ok(kit_logged(vm, "monitor lost: connection lost"), "and logged");
	vm->state = VM_RUNNING;
	vm->machine.seen = (struct cause_inputs){ .started = true,
		.shutdown_seen = true,
		.shutdown_reason = "guest-shutdown" };
	vm->machine.hooks->on_end(&vm->machine);
	ok(vm->machine.dead, "a dead process");
	is_str(acted, "act_rest", "is settled");
	is_int(vm->state, VM_STOPPED, "by its cause");
	is_int(vm->last.cause, CAUSE_GUEST_POWEROFF, "which is kept");
	vm->machine.hooks->on_ready(&vm->machine);
	ok(true, "readiness without an operation is harmless");
}

/* ---- recovery ---- */

static struct record saved(void)
{
	struct record r = { .version = STORE_VERSION,
		.desired = DESIRED_UP,
		.last_cause = CAUSE_PANIC,
		.last_detail = "oops",
		.generation = 4,
		.pid = 4242 };

	snprintf(r.boot_id, sizeof(r.boot_id), "%s", store_boot_id());
	return r;
}

/* A VM with this record (NULL: none) becomes known. */
static void recover(const struct record *r, const char *spec, bool boot)
{
	struct err err = ERR_INIT;

	store_remove(kit.store, "web");
	if (r && store_write(kit.store, "web", r, NULL, &err))
		ok(false, "%s", err.text);
	loop_sim_advance(1000);
	fresh(spec);
	lifecycle_recover(vm, boot);
}

static void test_recovery(void)
{
	struct record r = saved();

	recover(NULL, "", true);
	is_str(acted, "", "no record, no autostart: it rests");
	recover(NULL, "[start]\nautostart = yes\n", true);
	is_str(acted, "act_start", "autostart at the supervisor's start");
	recover(NULL, "[start]\nautostart = yes\n", false);
	is_str(acted, "", "but not when the file comes later");
	recover(NULL, "[start]\nautostart = last\n", true);
	is_str(acted, "", "last: it was down");
	recover(&r, "", true);
	is_str(acted, "act_retry", "it died while nobody watched");
	is_int(vm->state, VM_STARTING, "so it starts again");
	is_int(vm->last.cause, CAUSE_UNKNOWN, "of an unknown cause");
	r.desired = DESIRED_DOWN;
	recover(&r, "", true);
	is_str(acted, "act_rest",
		"it ended in a stop that nobody saw the end of");
	is_int(vm->last.cause, CAUSE_ADMIN_STOP, "which is its cause");
	r.killed = true;
	recover(&r, "", true);
	is_int(vm->last.cause, CAUSE_ADMIN_KILL, "or a kill");
	r = saved();
	r.pid = 0;
	recover(&r, "", true);
	is_str(acted, "act_start", "a start that was cut short goes on");
	is_int(vm->last.cause, CAUSE_PANIC, "which is no end");
	recover(&r, "", false);
	is_int(vm->last.cause, CAUSE_PANIC, "the last end is remembered");
	is_str(vm->last.detail, "oops", "with its detail");
	r.desired = DESIRED_DOWN;
	r.history.n = 2;
	recover(&r, "[start]\nautostart = last\n", true);
	is_str(acted, "", "what was stopped stays stopped");
	r.failed = true;
	recover(&r, "[start]\nautostart = yes\n", true);
	is_str(acted, "", "what failed is not tried");
	is_int(vm->state, VM_FAILED, "until reset-failed");
	snprintf(r.boot_id, sizeof(r.boot_id), "another-boot");
	recover(&r, "[start]\nautostart = yes\n", true);
	is_str(acted, "act_start", "or the next boot of the host");
	is_int(vm->record.history.n, 0, "which forgives all failures");
	r = saved();
	snprintf(r.boot_id, sizeof(r.boot_id), "another-boot");
	recover(&r, "", true);
	is_str(acted, "", "up at another boot, without autostart");
	recover(&r, "[start]\nautostart = last\n", true);
	is_str(acted, "act_start", "last: it was up");
	recover(&r, NULL, true);
	is_str(acted, "", "no file, no start");
}

static void test_recovery_of_the_living(void)
{
	AUTO_FREE char *dir = xasprintf("%s/web/priv", kit.paths.run);
	AUTO_FREE char *path = xasprintf("%s/lock", dir);
	struct record r = saved();
	struct err err = ERR_INIT;
	AUTO_CLOSE int fd = -1;

	if (fd_make_dirs(dir, 0700, &err))
		ok(false, "%s", err.text);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	flock(fd, LOCK_EX);
	recover(&r, "", true);
	is_str(acted, "act_adopt", "a held lock: adopt");
	is_int(vm->state, VM_ADOPTING, "what lives");
	recover(NULL, NULL, false);
	is_str(acted, "act_adopt", "with no record, file or boot");
	r.failed = true;
	recover(&r, "", true);
	is_str(acted, "act_adopt", "whatever the record says");
	fd_close(&fd);
	unlink(path);
	if (symlink("/etc/passwd", path))
		ok(false, "symlink");
	r = saved();
	recover(&r, "", true);
	is_str(acted, "act_adopt", "a lock that cannot be looked at: it lives");
	unlink(path);
}

/* A record as the next version of vmward may write it. */
static void put_newer(void)
{
	AUTO_FREE char *path = xasprintf("%s/web", kit.paths.state);
	unsigned char bytes[8192] = { 0 };
	struct record r = saved();
	struct err err = ERR_INIT;
	uint64_t sum;

	store_encode(&r, 9, bytes);
	bytes[24] = STORE_VERSION + 1;
	memset(bytes + 8, 0, 8);
	sum = hash_add(HASH_START, bytes, 4096);
	memcpy(bytes + 8, &sum, 8);
	if (fd_write_file(AT_FDCWD, path, (const char *)bytes, sizeof(bytes),
		    0600, false, &err))
		ok(false, "%s", err.text);
}

static void test_newer(void)
{
	store_remove(kit.store, "web");
	loop_sim_advance(1000);
	put_newer();
	fresh("[start]\nautostart = yes\n");
	lifecycle_recover(vm, true);
	is_str(acted, "", "a newer record: left alone");
	is_int(vm->state, VM_UNREACHABLE, "as unreachable");
	ok(strstr(vm->note, "newer format"), "and it says so: %s", vm->note);
}

int main(void)
{
	kit_start();
	test_matrix();
	test_ways_out();
	test_accepts();
	test_qmp_events();
	test_losses();
	test_recovery();
	test_recovery_of_the_living();
	test_newer();
	vm_free(vm);
	kit_end();
	return done();
}
