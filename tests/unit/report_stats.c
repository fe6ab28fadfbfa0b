/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VM uses as JSON: known, unknown, old; and what the host promised. */
#include <string.h>
#include <unistd.h>

#include "base/jstream.h"
#include "supervisor/report.h"
#include "supervisor/stats.h"
#include "tests/unit/vmkit.h"

static struct vm *vm;
static const struct machine_hooks hooks = { NULL, NULL, NULL, NULL };

static void fresh(const char *spec)
{
	if (vm) {
		vm->machine.ready = false;
		vm->running = NULL;
		vm->machine.pid = -1;
	}
	vm_free(vm);
	vm = vm_new(&kit, "web", &hooks, kit_post);
	vm->spec = spec ? kit_spec(spec) : NULL;
}

/* It runs, as this very process. */
static void run(void)
{
	vm->running = vm->spec;
	vm->state = VM_RUNNING;
	vm->machine.pid = getpid();
	vm->record.started_mono_ms = loop_now_ms() - 2500;
}

/* Numbers as QEMU would have said them a moment ago. */
static struct stats *known(void)
{
	struct stats *s = stats_new(&vm->machine);

	vm->machine.ready = true;
	s->generation = vm->machine.generation;
	s->answered_ms = s->asked_ms = loop_now_ms();
	s->balloon = 512 << 20;
	for (size_t i = 0; i < STATS_NGUEST; i++)
		s->guest[i] = i == STATS_FREE ? STATS_UNKNOWN : i + 1;
	s->ncpus = 2;
	s->cpus = xcalloc(2, sizeof(*s->cpus));
	s->cpus[0] = (struct stats_cpu){ .thread = getpid(), .exits = 7 };
	s->cpus[1] = (struct stats_cpu){
		.index = 1, .thread = -1, .exits = STATS_UNKNOWN
	};
	s->ndisks = 1;
	s->disks = xcalloc(1, sizeof(*s->disks));
	snprintf(s->disks[0].name, sizeof(s->disks[0].name), "root");
	for (size_t i = 0; i < STATS_NCOUNTERS; i++)
		s->disks[0].at[i] = (i + 1) * 1000000;
	return s;
}

/* A member by its path, "memory.guest.free" or "disks.0.name", as text. */
static char *at(const json_t *o, const char *path)
{
	AUTO_FREE char *copy = xstrdup(path);
	char *rest = copy;

	for (char *name; (name = strsep(&rest, "."));)
		o = json_is_array(o) ? json_array_get(o, str_digits(name))
				     : json_object_get(o, name);
	return o ? json_dumps(o, JSON_ENCODE_ANY | JSON_COMPACT |
					 JSON_REAL_PRECISION(6))
		 : xstrdup("(missing)");
}

static void has(const json_t *o, const char *path, const char *want)
{
	AUTO_FREE char *got = at(o, path);

	is_str(got, want, "%s", path);
}

static void test_down(void)
{
	fresh("[vm]\nmemory = 1G\ncpus = 3\n");
	vm->record.history.restarts = 2;
	vm->record.tally.restarts = 5000000000;
	AUTO_JSON json_t *o = report_stats(vm);
	has(o, "state", "\"stopped\"");
	has(o, "pid", "null");
	has(o, "cpu", "null");
	has(o, "uptime", "null");
	has(o, "age", "null");
	has(o, "stale", "false");
	has(o, "cpus", "3");
	has(o, "vcpus", "[]");
	has(o, "disks", "[]");
	has(o, "exits", "null");
	has(o, "memory.configured", "1073741824");
	has(o, "memory.rss", "null");
	has(o, "memory.guest", "null");
	/* a counter: what reset-failed forgives is not taken back */
	has(o, "restarts", "5000000000");
	fresh(NULL);
	AUTO_JSON json_t *none = report_stats(vm);
	has(none, "cpus", "null");
	has(none, "memory.configured", "null");
	has(none, "nics", "[]");
}

static void test_running(void)
{
	fresh("[vm]\nmemory = 1G\n[net.lan]\nuser = yes\n");
	run();
	AUTO_JSON json_t *deaf = report_stats(vm);
	has(deaf, "stale", "true");
	has(deaf, "age", "null");
	has(deaf, "memory.balloon", "null");
	vm->stats = known();
	AUTO_JSON json_t *o = report_stats(vm);
	has(o, "uptime", "2.5");
	has(o, "age", "0.0");
	has(o, "stale", "false");
	has(o, "cpu.threads", "1");
	has(o, "memory.balloon", "536870912");
	has(o, "memory.guest.total", "1");
	has(o, "memory.guest.free", "null");
	has(o, "memory.pss", "null");
	has(o, "vcpus.0.exits", "7");
	has(o, "vcpus.1.index", "1");
	has(o, "vcpus.1.seconds", "null");
	has(o, "vcpus.1.exits", "null");
	has(o, "exits", "7");
	has(o, "disks.0.name", "\"root\"");
	has(o, "disks.0.read_bytes", "1000000");
	has(o, "disks.0.read_seconds", "0.003");
	has(o, "nics.0.name", "\"lan\"");
	has(o, "nics.0.mode", "\"user\"");
	has(o, "nics.0.rx_bytes", "null");
	vm->state = VM_STOPPED;
	AUTO_JSON json_t *down = report_stats(vm);
	has(down, "disks", "[]");
	has(down, "memory.rss", "null");
}

/* The numbers of a QEMU before this one are nobody's. */
static void test_old(void)
{
	fresh("");
	run();
	vm->stats = known();
	loop_sim_advance(60000);
	AUTO_JSON json_t *o = report_stats(vm);
	has(o, "age", "60.0");
	vm->machine.generation++;
	AUTO_JSON json_t *other = report_stats(vm);
	has(other, "stale", "true");
}

static void test_host(void)
{
	struct list vms;

	list_init(&vms);
	AUTO_JSON json_t *none = report_host(&vms);
	has(none, "running", "0");
	has(none, "memory_promised", "0");
	fresh("[vm]\nmemory = 3G\ncpus = 4\n");
	list_add(&vms, &vm->link);
	AUTO_JSON json_t *down = report_host(&vms);
	has(down, "memory_promised", "0");
	run();
	AUTO_JSON json_t *up = report_host(&vms);
	has(up, "running", "1");
	has(up, "memory_promised", "3221225472");
	has(up, "cpus_promised", "4");
	ok(json_integer_value(json_object_get(up, "memory")) > 0 &&
			json_integer_value(json_object_get(up, "cpus")) > 0,
		"the host's own");
	list_del(&vm->link);
	list_init(&vm->link);
}

int main(void)
{
	kit_start();
	test_down();
	test_running();
	test_old();
	test_host();
	fresh(NULL);
	vm_free(vm);
	kit_end();
	return done();
}
