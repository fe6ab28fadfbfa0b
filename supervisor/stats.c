/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one QEMU said of its work; see stats.h. */
#include "supervisor/stats.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"

#define FRESH_MS   200   /* readers so close together share an answer */
#define ANSWER_MS  5000  /* then QEMU is sick */
#define SILENT_MS  60000 /* the longest time a sick one is left alone */
#define THREADS_MS 60000 /* vCPUs are rarely plugged */
#define POLL_S     10    /* how often the balloon asks its guest */
#define DISKS_MAX  64
#define CPUS_MAX   1024

/* One who waits for one QEMU. */
struct hope {
	struct list in_stats;
	struct list in_wait;
	struct stats *stats;
	struct stats_wait *wait;
};

/* ---- what it says; every member may be missing or nonsense ---- */

/* A number that is no number, or QEMU's own "unknown", is unknown. */
static uint64_t number_of(const json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return STATS_UNKNOWN;
	return (uint64_t)json_integer_value(value);
}

/* Names are keys to our readers: none twice, whatever QEMU says. */
static bool has_cpu(const struct stats *s, unsigned index)
{
	for (size_t i = 0; i < s->ncpus; i++)
		if (s->cpus[i].index == index)
			return true;
	return false;
}

static bool has_disk(const struct stats *s, const char *name)
{
	for (size_t i = 0; i < s->ndisks; i++)
		if (str_eq(s->disks[i].name, name))
			return true;
	return false;
}

static void take_cpus(struct stats *s, const json_t *result)
{
	size_t n = json_array_size(result);
	size_t i;
	json_t *cpu;

	if (n > CPUS_MAX)
		n = CPUS_MAX;
	free(s->cpus);
	s->cpus = xcalloc(n + 1, sizeof(*s->cpus));
	s->ncpus = 0;
	json_array_foreach(result, i, cpu)
	{
		uint64_t thread = number_of(cpu, "thread-id");
		uint64_t index = number_of(cpu, "cpu-index");
		struct stats_cpu *at = &s->cpus[s->ncpus];

		if (s->ncpus == n)
			break;
		if (thread == 0 || thread > INT32_MAX || index > CPUS_MAX ||
			has_cpu(s, (unsigned)index))
			continue;
		at->index = (unsigned)index;
		at->thread = (pid_t)thread;
		at->exits = STATS_UNKNOWN;
		snprintf(at->path, sizeof(at->path), "%s",
			member_text(cpu, "qom-path"));
		s->ncpus++;
	}
	s->cpus_ms = loop_now_ms();
}

static const struct {
	enum stats_counter counter;
	const char *member;
} counters[] = {
	{ STATS_READ_BYTES, "rd_bytes" },
	{ STATS_READ_OPS, "rd_operations" },
	{ STATS_READ_NS, "rd_total_time_ns" },
	{ STATS_WRITE_BYTES, "wr_bytes" },
	{ STATS_WRITE_OPS, "wr_operations" },
	{ STATS_WRITE_NS, "wr_total_time_ns" },
	{ STATS_FLUSH_OPS, "flush_operations" },
	{ STATS_FLUSH_NS, "flush_total_time_ns" },
	{ STATS_DISCARD_BYTES, "unmap_bytes" },
	{ STATS_DISCARD_OPS, "unmap_operations" },
	{ STATS_ERRORS, "failed_rd_operations" },
	{ STATS_ERRORS, "failed_wr_operations" },
	{ STATS_ERRORS, "failed_flush_operations" },
	{ STATS_ERRORS, "failed_unmap_operations" },
};

/* "/machine/peripheral/disk-root/virtio-backend" is root. */
static void name_disk(struct stats_disk *disk, const json_t *block)
{
	const char *device = "/machine/peripheral/";
	const char *name = member_text(block, "qdev");

	if (str_starts(name, device))
		name += strlen(device);
	else if (!*name)
		name = member_text(block, "node-name");
	if (str_starts(name, "disk-"))
		name += strlen("disk-");
	snprintf(disk->name, sizeof(disk->name), "%s", name);
	disk->name[strcspn(disk->name, "/")] = '\0';
}

const struct stats_member stats_members[STATS_NCOUNTERS] = {
	[STATS_READ_BYTES] = { "read_bytes", false },
	[STATS_READ_OPS] = { "read_ops", false },
	[STATS_READ_NS] = { "read_seconds", true },
	[STATS_WRITE_BYTES] = { "write_bytes", false },
	[STATS_WRITE_OPS] = { "write_ops", false },
	[STATS_WRITE_NS] = { "write_seconds", true },
	[STATS_FLUSH_OPS] = { "flush_ops", false },
	[STATS_FLUSH_NS] = { "flush_seconds", true },
	[STATS_DISCARD_BYTES] = { "discard_bytes", false },
	[STATS_DISCARD_OPS] = { "discard_ops", false },
	[STATS_ERRORS] = { "errors", false },
};

static void take_disks(struct stats *s, const json_t *result)
{
	size_t n = json_array_size(result);
	size_t i;
	json_t *block;

	if (n > DISKS_MAX)
		n = DISKS_MAX;
	free(s->disks);
	s->disks = xcalloc(n + 1, sizeof(*s->disks));
	s->ndisks = 0;
	json_array_foreach(result, i, block)
	{
		const json_t *stats = json_object_get(block, "stats");
		struct stats_disk *disk = &s->disks[s->ndisks];

		if (s->ndisks == n)
			break;
		name_disk(disk, block);
		if (!*disk->name || !json_is_object(stats) ||
			has_disk(s, disk->name))
			continue;
		for (size_t k = 0; k < NELEMS(counters); k++) {
			uint64_t value = number_of(stats, counters[k].member);
			uint64_t *at = &disk->at[counters[k].counter];

			if (value != STATS_UNKNOWN)
				*at += value;
		}
		s->ndisks++;
	}
	s->answered_ms = loop_now_ms();
}

static void take_balloon(struct stats *s, const json_t *result)
{
	s->balloon = number_of(result, "actual");
}

static void take_poll(struct stats *s, const json_t *result UNUSED)
{
	s->polls = true;
}

static const char *const guest_members[] = {
	[STATS_TOTAL] = "stat-total-memory",
	[STATS_FREE] = "stat-free-memory",
	[STATS_AVAILABLE] = "stat-available-memory",
	[STATS_CACHES] = "stat-disk-caches",
	[STATS_SWAP_IN] = "stat-swap-in",
	[STATS_SWAP_OUT] = "stat-swap-out",
	[STATS_MAJOR_FAULTS] = "stat-major-faults",
	[STATS_MINOR_FAULTS] = "stat-minor-faults",
};

const char *const stats_guest_names[STATS_NGUEST] = { "total", "free",
	"available", "caches", "swap_in", "swap_out", "major_faults",
	"minor_faults" };

static void take_guest(struct stats *s, const json_t *result)
{
	const json_t *stats = json_object_get(result, "stats");

	for (size_t i = 0; i < STATS_NGUEST; i++)
		s->guest[i] = number_of(stats, guest_members[i]);
}

/* [{"provider": "kvm", "qom-path": P, "stats": [{"name", "value"}]}] */
static void take_exits(struct stats *s, const json_t *result)
{
	size_t i, k;
	json_t *one, *stat;

	json_array_foreach(result, i, one)
	{
		json_array_foreach(json_object_get(one, "stats"), k, stat)
		{
			for (size_t c = 0; c < s->ncpus; c++)
				if (str_eq(member_text(stat, "name"),
					    "exits") &&
					str_eq(s->cpus[c].path,
						member_text(one, "qom-path")))
					s->cpus[c].exits =
						number_of(stat, "value");
		}
	}
}

/* ---- what is asked ---- */

static bool wants_cpus(const struct stats *s, const struct stats_scope *scope)
{
	(void)scope;
	return !s->ncpus || loop_now_ms() - s->cpus_ms > THREADS_MS;
}

static bool wants_disks(const struct stats *s, const struct stats_scope *scope)
{
	(void)s;
	(void)scope;
	return true;
}

static bool wants_balloon(
	const struct stats *s, const struct stats_scope *scope)
{
	(void)s;
	return scope->balloon;
}

static bool wants_poll(const struct stats *s, const struct stats_scope *scope)
{
	return scope->balloon && !s->polls;
}

static bool wants_exits(const struct stats *s, const struct stats_scope *scope)
{
	(void)s;
	return scope->kvm;
}

static json_t *no_args(void)
{
	return NULL;
}

static json_t *poll_args(void)
{
	return json_pack("{s:s,s:s,s:i}", "path",
		"/machine/peripheral/balloon0", "property",
		"guest-stats-polling-interval", "value", POLL_S);
}

static json_t *guest_args(void)
{
	return json_pack("{s:s,s:s}", "path", "/machine/peripheral/balloon0",
		"property", "guest-stats");
}

static json_t *exits_args(void)
{
	return json_pack("{s:s,s:[{s:s,s:[s]}]}", "target", "vcpu", "providers",
		"provider", "kvm", "names", "exits");
}

static const struct {
	const char *command;
	bool (*wanted)(const struct stats *s, const struct stats_scope *scope);
	json_t *(*args)(void);
	void (*take)(struct stats *s, const json_t *result);
} questions[STATS_NQUESTIONS] = {
	[STATS_ASK_CPUS] = { "query-cpus-fast", wants_cpus, no_args,
		take_cpus },
	[STATS_ASK_DISKS] = { "query-blockstats", wants_disks, no_args,
		take_disks },
	[STATS_ASK_BALLOON] = { "query-balloon", wants_balloon, no_args,
		take_balloon },
	[STATS_ASK_POLL] = { "qom-set", wants_poll, poll_args, take_poll },
	[STATS_ASK_GUEST] = { "qom-get", wants_balloon, guest_args,
		take_guest },
	[STATS_ASK_EXITS] = { "query-stats", wants_exits, exits_args,
		take_exits },
};

/* ---- those who wait ---- */

static void drop_hope(struct hope *hope)
{
	struct stats_wait *wait = hope->wait;

	list_del(&hope->in_stats);
	list_del(&hope->in_wait);
	free(hope);
	if (list_is_empty(&wait->hopes) && wait->on_over) {
		loop_timer_stop(&wait->timer);
		TAKE(wait->on_over)(wait);
	}
}

/* All was answered, or will not be. */
static void settle_hopes(struct stats *s)
{
	s->late = false;
	while (!list_is_empty(&s->hopes))
		drop_hope(list_entry(s->hopes.next, struct hope, in_stats));
}

void stats_wait_for(struct stats_wait *wait, struct stats *stats)
{
	struct hope *hope;

	if (!wait->hopes.next)
		list_init(&wait->hopes);
	if (!stats->pending || stats->late)
		return;
	hope = NEW(struct hope);
	hope->stats = stats;
	hope->wait = wait;
	list_add(&stats->hopes, &hope->in_stats);
	list_add(&wait->hopes, &hope->in_wait);
}

static void on_patience(struct loop_timer *timer)
{
	struct stats_wait *wait = container_of(timer, struct stats_wait, timer);
	void (*on_over)(struct stats_wait *) = wait->on_over;

	list_each(&wait->hopes, it, next)
		list_entry(it, struct hope, in_wait)->stats->late = true;
	stats_wait_stop(wait);
	on_over(wait);
}

bool stats_wait_start(struct stats_wait *wait, int64_t ms,
	void (*on_over)(struct stats_wait *wait))
{
	if (!wait->hopes.next || list_is_empty(&wait->hopes))
		return false;
	wait->on_over = on_over;
	loop_timer_start(&wait->timer, ms, on_patience);
	return true;
}

void stats_wait_stop(struct stats_wait *wait)
{
	wait->on_over = NULL;
	loop_timer_stop(&wait->timer);
	while (wait->hopes.next && !list_is_empty(&wait->hopes))
		drop_hope(list_entry(wait->hopes.next, struct hope, in_wait));
}

/* ---- asking ---- */

static void on_reply(
	struct qmp_slot *slot, json_t *result, const struct err *err)
{
	struct stats_slot *at = container_of(slot, struct stats_slot, slot);
	struct stats *s = at->stats;

	if (result)
		questions[at->question].take(s, result);
	else if (err->code == ERR_TIMEOUT || err->code == ERR_GONE ||
		 err->code == ERR_LIMIT)
		s->failed = true;
	else
		s->refused |= 1u << at->question;
	if (--s->pending > 0)
		return;
	s->timeouts = s->failed ? s->timeouts + 1 : 0;
	s->heard = s->machine->qmp.stream.rx_bytes;
	settle_hopes(s);
}

/* Another QEMU: nothing that was known is about it. */
static void forget(struct stats *s)
{
	free(TAKE(s->cpus));
	free(TAKE(s->disks));
	s->ncpus = s->ndisks = 0;
	s->refused = 0;
	s->polls = s->failed = false;
	s->timeouts = 0;
	s->asked_ms = s->answered_ms = -1;
	s->balloon = STATS_UNKNOWN;
	for (size_t i = 0; i < STATS_NGUEST; i++)
		s->guest[i] = STATS_UNKNOWN;
}

/* How long a QEMU is left alone after it was asked. */
static int64_t rest_ms(const struct stats *s)
{
	int64_t ms = s->timeouts ? ANSWER_MS : FRESH_MS;

	for (unsigned i = 0; i < s->timeouts && ms < SILENT_MS; i++)
		ms *= 2;
	return ms < SILENT_MS ? ms : SILENT_MS;
}

void stats_ask(struct stats *s, const struct stats_scope *scope)
{
	struct machine *m = s->machine;

	if (s->pending)
		return;
	if (s->generation != m->generation) {
		forget(s);
		s->generation = m->generation;
	}
	if (s->heard != m->qmp.stream.rx_bytes)
		s->timeouts = 0; /* it speaks again */
	if (!m->ready ||
		(s->asked_ms >= 0 && loop_now_ms() - s->asked_ms < rest_ms(s)))
		return;
	s->asked_ms = loop_now_ms();
	s->failed = false;
	for (size_t i = 0; i < STATS_NQUESTIONS; i++) {
		if (s->refused & 1u << i || !questions[i].wanted(s, scope))
			continue;
		s->pending++;
		s->commands++;
		qmp_send_steal(machine_qmp(m), &s->slots[i].slot,
			QMP_COMMAND_IN(ANSWER_MS, questions[i].command,
				questions[i].args()),
			on_reply);
	}
}

bool stats_is_stale(const struct stats *s)
{
	return s->pending || s->failed || s->answered_ms < 0 ||
	       s->generation != s->machine->generation || !s->machine->ready;
}

int64_t stats_age_ms(const struct stats *s)
{
	return s->answered_ms < 0 || s->generation != s->machine->generation
		       ? -1
		       : loop_now_ms() - s->answered_ms;
}

struct stats *stats_new(struct machine *machine)
{
	struct stats *s = NEW(struct stats);

	s->machine = machine;
	s->generation = machine->generation;
	list_init(&s->hopes);
	forget(s);
	for (unsigned i = 0; i < STATS_NQUESTIONS; i++) {
		s->slots[i].stats = s;
		s->slots[i].question = (enum stats_question)i;
	}
	return s;
}

void stats_free(struct stats *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < STATS_NQUESTIONS; i++)
		qmp_cancel(&s->slots[i].slot);
	s->pending = 0;
	settle_hopes(s);
	forget(s);
	free(s);
}
