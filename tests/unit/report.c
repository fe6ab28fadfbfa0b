/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM as JSON: every key in every state, and the note that comes first. */
#include "supervisor/report.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/text.h"

#include "tests/unit/vmkit.h"

static struct vm *vm;

static void no_event(struct machine *m, const struct qmp_event *ev)
{
	(void)m;
	(void)ev;
}

static const struct machine_hooks hooks = { no_event, NULL, NULL, NULL };

static void fresh(const char *spec)
{
	if (vm && vm->running == vm->spec)
		vm->running = NULL;
	if (vm)
		vm->machine.pid = -1;
	vm_free(vm);
	vm = vm_new(&kit, "web", &hooks, kit_post);
	vm->spec = spec ? kit_spec(spec) : NULL;
}

static void fresh_running(const char *spec)
{
	fresh(spec);
	vm->running = vm->spec;
	vm->state = VM_RUNNING;
	vm->machine.pid = 4711;
	vm->record.started_mono_ms = loop_now_ms();
}

/* The text with IMAGES for their directory; new. */
static char *without_root(const char *text)
{
	const char *at = strstr(text, kit.paths.images);

	if (!at)
		return xstrdup(text);
	return xasprintf("%.*sIMAGES%s", (int)(at - text), text,
		at + strlen(kit.paths.images));
}

/* One member as text; new. */
static char *member(json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);
	AUTO_FREE char *text =
		value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT |
						  JSON_REAL_PRECISION(6))
		      : NULL;

	return text ? without_root(text) : xstrdup("(missing)");
}

/* All of it; new. */
static json_t *report(bool status)
{
	struct report_choice choice;
	struct err err = ERR_INIT;

	ok(report_choose(&choice, NULL, status, &err) == 0, "all members");
	return report_vm(vm, &choice);
}

static void lists(const char *name, const char *want, const char *what)
{
	AUTO_JSON json_t *o = report(false);
	AUTO_FREE char *got = member(o, name);

	is_str(got, want, "%s: %s", name, what);
}

static void states(const char *name, const char *want, const char *what)
{
	AUTO_JSON json_t *o = report(true);
	AUTO_FREE char *got = member(o, name);

	is_str(got, want, "%s: %s", name, what);
}

/* The keys are a promise: they are there in every state. */
static void test_keys(void)
{
	static const char *const keys[] = { "name", "state", "ready", "cause",
		"since", "uptime", "pid", "cpus", "memory", "restarts",
		"addresses", "autostart", "uuid", "tags", "owner", "pending",
		"isolation", "note", "age", "error", "description", "disks",
		"nics", "devices", "consoles", "ports_free", "helpers", "qemu",
		"stop_step", "next_try", "last_incident", "last_end", "detail",
		"recorded", "restart_us", "config", "log" };
	unsigned missing = 0;

	for (int s = 0; s < VM_NSTATES; s++)
		for (int has = 0; has < 2; has++) {
			fresh(has ? "" : NULL);
			vm->state = (enum vm_state)s;
			AUTO_JSON json_t *o = report(true);
			for (size_t i = 0; i < NELEMS(keys); i++)
				missing += !json_object_get(o, keys[i]);
		}
	is_int(missing, 0, "all keys in all states, with a spec and without");
}

static void test_stopped(void)
{
	fresh("[vm]\ncpus = 2\nmemory = 2G\ntags = a, b\nowner = ann\n"
	      "description = a shop\n[start]\nautostart = last\n");
	lists("name", "\"web\"", "its name");
	lists("state", "\"stopped\"", "stopped");
	lists("ready", "null", "neither");
	lists("cause", "null", "it never ended");
	lists("uptime", "null", "none");
	lists("pid", "null", "none");
	lists("cpus", "2", "as written");
	lists("memory", "2147483648", "in bytes");
	lists("autostart", "\"last\"", "as written");
	lists("tags", "[\"a\",\"b\"]", "as written");
	lists("owner", "\"ann\"", "as written");
	lists("isolation", "\"-\"", "of nothing");
	lists("addresses", "[]", "none");
	lists("note", "\"\"", "nothing to say");
	states("description", "\"a shop\"", "as written");
	states("qemu", "null", "none");
	states("stop_step", "null", "none");
	states("last_end", "null", "never");
	states("disks",
		"[{\"name\":\"root\",\"image\":\"IMAGES/web-root.qcow2\","
		"\"format\":\"qcow2\",\"bus\":\"virtio\",\"readonly\":false,"
		"\"attached\":false,\"chain\":[]}]",
		"one");
	fresh(NULL);
	lists("state", "\"invalid\"", "without a spec");
	lists("note", "\"its file is gone\"", "says so");
	lists("cpus", "null", "unknown");
	lists("uuid", "null", "unknown");
}

static void test_running(void)
{
	fresh_running("[net.lan]\nuser = yes\n[net.b]\nuser = yes\n"
		      "link = down\nmac = 52:54:00:00:00:01\n");
	loop_sim_advance(2500);
	lists("state", "\"running\"", "running");
	lists("uptime", "2.5", "in seconds");
	lists("pid", "4711", "of QEMU");
	lists("isolation", "\"none (tcg)\"", "none under tcg");
	vm->accel.kvm = true;
	lists("isolation", "\"seccomp\"", "under kvm");
	lists("addresses",
		"[{\"address\":\"10.0.2.15\",\"source\":\"user-mode\","
		"\"age\":null,\"nic\":\"lan\"},{\"address\":\"10.0.2.15\",\"source\":"
		"\"user-mode\",\"age\":null,\"nic\":\"b\"}]",
		"user mode's");
	vm->ready = VM_READY_NO;
	lists("ready", "false", "not yet");
	vm->ready = VM_READY_YES;
	lists("ready", "true", "now");
	vm->machine.ready = true;
	vm->machine.qmp.version = 70222;
	vm->machine.qmp.commands = 5;
	states("qemu",
		"{\"version\":\"7.2.22\",\"accel\":\"kvm\",\"reason\":\"\","
		"\"commands\":5,\"bytes_sent\":0}",
		"what it is");
	AUTO_JSON json_t *o = report(true);
	json_t *nic = json_array_get(json_object_get(o, "nics"), 1);
	AUTO_FREE char *got = json_dumps(nic, JSON_COMPACT);
	is_str(got,
		"{\"name\":\"b\",\"mac\":\"52:54:00:00:00:01\",\"mode\":"
		"\"user\",\"network\":null,\"link\":false,\"tap\":null,"
		"\"forward\":null,\"note\":null}",
		"a nic");
	states("consoles", "[]", "none");
	vm->machine.ready = false;
}

static void add_error(void)
{
	findings_add(&vm->findings, FINDING_NOTE, "web.ini", 1, "a note");
	findings_add(
		&vm->findings, FINDING_ERROR, "web.ini", 7, "bad %s", "thing");
	findings_add(&vm->findings, FINDING_ERROR, "web.ini", 9, "worse");
}

static void test_invalid(void)
{
	fresh("");
	add_error();
	lists("state", "\"invalid\"", "a stopped one");
	lists("note", "\"web.ini:7: bad thing\"", "the first error");
	lists("error",
		"{\"file\":\"web.ini\",\"line\":7,\"text\":\"bad thing\"}",
		"with its place");
	fresh_running("");
	add_error();
	lists("state", "\"running\"", "one that runs goes on");
	lists("note", "\"web.ini:7: bad thing\"", "with the mistake beside");
}

/* What a person should know first. */
static void test_notes(void)
{
	fresh_running("");
	vm_replace_spec_steal(vm, kit_spec("[vm]\ncpus = 2\nmemory = 65M\n"));
	lists("pending", "2", "what is written and does not run");
	lists("note", "\"2 changes pending: vmward plan web\"", "is noted");
	vm_set_note(vm, "disk full: x");
	lists("note", "\"disk full: x\"", "what happens comes first");
	fresh_running("");
	vm->gone = true;
	lists("note", "\"its file is gone\"", "no file any more");
	vm->gone = false;
	vm->recorded = false;
	lists("note", "\"its state could not be recorded\"", "a full disk");
	states("recorded", "false", "said as well");
	vm->recorded = true;
	snprintf(vm->accel.reason, sizeof(vm->accel.reason), "no /dev/kvm");
	lists("note", "\"no /dev/kvm\"", "why it is slow");
	setenv("TZ", "UTC", 1);
	fresh("");
	vm->last.cause = CAUSE_QEMU_SIGNAL;
	snprintf(vm->last.detail, sizeof(vm->last.detail), "11");
	vm->record.last_end_real_us = INT64_C(1700000000000000);
	lists("note", "\"qemu-signal 11 2023-11-14 22:13\"", "its last end");
	lists("cause", "\"qemu-signal\"", "by name");
	states("last_end", "\"2023-11-14T22:13:20.000Z\"", "with its time");
	states("detail", "\"11\"", "and its detail");
	vm->state = VM_WAITING;
	vm->retry_at_ms = loop_now_ms() + 1500;
	states("next_try", "1.5", "of a back-off");
	vm->retry_at_ms = 0;
	states("next_try", "0.0", "at once, when its time is over");
	text_set(&vm->stop_step, "acpi 2s");
	states("stop_step", "\"acpi 2s\"", "the step that worked");
	vm->last_end_us = 5000;
	vm->restarted_us = 5100;
	vm->machine.spawned_us = 5350;
	states("restart_us", "350", "from death to exec");
}

static void test_log(void)
{
	AUTO_JSON json_t *o = NULL;

	fresh("");
	for (int i = 0; i < 30; i++)
		vmlog_line(&vm->log, LOG_INFO, "line %d", i);
	o = report(true);
	is_int(json_array_size(json_object_get(o, "log")), 10,
		"the last ten lines of its log");
}

static void test_pages(void)
{
	AUTO_JSON json_t *array = json_array();
	AUTO_FREE char *big = xmalloc(1001);
	struct findings found;
	size_t size = 0;
	unsigned n = 0;

	memset(big, 'b', 1000);
	big[1000] = '\0';
	while (report_append(array, json_string(big), &size))
		n++;
	is_int(json_array_size(array), n, "items are added while they fit");
	ok(n > 55 && n < 60, "a line of 60 kB (%u)", n);
	ok(json_dumpb(array, NULL, 0, JSON_COMPACT) < 65536,
		"and less than 64");
	json_array_clear(array);
	size = 0;
	findings_init(&found);
	for (int i = 0; i < 90; i++)
		findings_add(&found, FINDING_ERROR, "web.ini", 1, "%s", big);
	ok(!report_append_findings(array, &found, &size), "findings as well");
	ok(json_array_size(array) > 50, "as many as fit");
	findings_fini(&found);
	findings_init(&found);
	findings_add(&found, FINDING_NOTE, "web.ini", 0, "fine");
	json_decref(array);
	array = report_findings(&found);
	AUTO_FREE char *text = json_dumps(array, JSON_COMPACT);
	is_str(text,
		"[{\"file\":\"web.ini\",\"line\":0,\"level\":\"note\","
		"\"text\":\"fine\"}]",
		"one of them");
	findings_fini(&found);
}

static enum job_state run(struct job *job)
{
	JOB_BEGIN(job);
	JOB_AWAIT(job, false, JOB_FOREVER);
	JOB_END(job);
}

static void test_job(void)
{
	static const struct job_kind kind = { "disk-attach", run, NULL, NULL };
	struct job job;

	job_start(&job, &kind, "web", NULL, NULL);
	job.id = 12;
	job.progress = (struct job_progress){ 3, 10, "copying" };
	clock_settle();
	loop_sim_advance(1500);
	AUTO_JSON json_t *o = report_job(&job);
	AUTO_FREE char *text =
		json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(3));
	is_str(text,
		"{\"job\":\"j12\",\"kind\":\"disk-attach\",\"vm\":\"web\","
		"\"age\":1.5,\"phase\":\"copying\",\"done\":3,\"total\":10}",
		"a job");
	job_cancel(&job);
	clock_settle();
}

int main(void)
{
	kit_start();
	test_keys();
	test_stopped();
	test_running();
	test_invalid();
	test_notes();
	test_log();
	test_pages();
	test_job();
	fresh(NULL);
	vm_free(vm);
	kit_end();
	return done();
}
