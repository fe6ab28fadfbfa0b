/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor/stats with a QEMU in this process: what it asks, what it makes
 * of answers that are wrong, late, missing, and who waits for how long.
 */
#include "supervisor/stats.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "tests/unit/clock.h"
#include "tests/unit/tap.h"

static struct machine machine;
static struct jstream qemu;
static struct str asked = STR_INIT; /* "query-cpus-fast " */
static bool mute;
static const struct stats_scope all = { .kvm = true, .balloon = true };
static const struct stats_scope plain = { .kvm = false };

/* What QEMU answers, by command; NULL: it does not know it. */
static struct {
	const char *command;
	const char *text;
} answers[] = {
	{ "query-cpus-fast", NULL },
	{ "query-blockstats", NULL },
	{ "query-balloon", NULL },
	{ "qom-get", NULL },
	{ "qom-set", NULL },
	{ "query-stats", NULL },
};

static void answer(const char *command, const char *text)
{
	for (size_t i = 0; i < NELEMS(answers); i++)
		if (str_eq(answers[i].command, command))
			answers[i].text = text;
}

static const char *answer_of(const char *command)
{
	for (size_t i = 0; i < NELEMS(answers); i++)
		if (str_eq(answers[i].command, command) && answers[i].text)
			return answers[i].text;
	if (str_eq(command, "qmp_capabilities"))
		return "\"return\": {}";
	return "\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"x\"}";
}

static void on_command(struct jstream *js, json_t *message, const char *why)
{
	const char *command =
		json_string_value(json_object_get(message, "execute"));
	struct err err = ERR_INIT;

	if (why || !command)
		return;
	if (!str_eq(command, "qmp_capabilities"))
		str_addf(&asked, "%s ", command);
	if (mute && !str_eq(command, "qmp_capabilities"))
		return;
	AUTO_FREE char *id =
		json_dumps(json_object_get(message, "id"), JSON_ENCODE_ANY);
	AUTO_FREE char *line = xasprintf(
		"{%s, \"id\": %s}\n", answer_of(command), id ? id : "null");
	if (jstream_send_text(js, line, strlen(line), -1, &err))
		printf("# %s\n", err.text);
}

static void on_end(struct jstream *js UNUSED, const struct err *err UNUSED) {}

static const struct jstream_hooks hooks = { .on_message = on_command,
	.on_end = on_end };

static void on_ready(struct qmp_client *client)
{
	machine.ready = client->ready;
}

static void on_lost(struct qmp_client *at UNUSED, const struct err *err UNUSED)
{
	machine.ready = false;
}

static const struct qmp_hooks client_hooks = { on_ready, on_lost };

static struct stats *begin(void)
{
	struct err err = ERR_INIT;
	const char *hello = "{\"QMP\": {\"capabilities\": [\"oob\"]}}\n";
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		abort();
	memset(&machine, 0, sizeof(machine));
	machine.generation = 1;
	machine.attached = true;
	mute = false;
	for (size_t i = 0; i < NELEMS(answers); i++)
		answers[i].text = "\"return\": []";
	jstream_open(&qemu, fds[1], &prescan_qmp, &hooks, NULL);
	if (jstream_send_text(&qemu, hello, strlen(hello), -1, &err))
		abort();
	qmp_client_open(&machine.qmp, fds[0], 5000, &client_hooks, NULL);
	clock_settle();
	str_cut(&asked, 0);
	return stats_new(&machine);
}

static void end(struct stats *s)
{
	stats_free(s);
	qmp_client_close(&machine.qmp);
	jstream_close(&qemu);
}

/* Asks and lets QEMU answer; the commands that it saw. */
static const char *ask(struct stats *s, const struct stats_scope *scope)
{
	static char text[256];

	str_cut(&asked, 0);
	stats_ask(s, scope);
	clock_settle();
	snprintf(text, sizeof(text), "%s", str_text(&asked));
	return text;
}

static void test_questions(void)
{
	struct stats *s = begin();

	ok(stats_is_stale(s) && stats_age_ms(s) == -1, "nothing is known");
	is_str(ask(s, &plain), "query-cpus-fast query-blockstats ",
		"two commands without balloon and KVM");
	ok(!stats_is_stale(s) && stats_age_ms(s) == 0, "now it is");
	is_str(ask(s, &plain), "", "a moment later it is fresh enough");
	loop_sim_advance(300);
	is_int(stats_age_ms(s), 300, "its age");
	answer("query-cpus-fast",
		"\"return\": [{\"thread-id\": 7, \"cpu-index\": 0}]");
	is_str(ask(s, &all),
		"query-cpus-fast query-blockstats query-balloon qom-set "
		"qom-get query-stats ",
		"all of them");
	loop_sim_advance(300);
	is_str(ask(s, &all),
		"query-blockstats query-balloon qom-get query-stats ",
		"threads are remembered, and the balloon polls");
	answer("query-stats", NULL);
	loop_sim_advance(300);
	ask(s, &all);
	loop_sim_advance(300);
	is_str(ask(s, &all), "query-blockstats query-balloon qom-get ",
		"what QEMU refused is not asked again");
	ok(!stats_is_stale(s), "and is no reason to doubt the rest");
	loop_sim_advance(60000);
	is_str(ask(s, &plain), "query-cpus-fast query-blockstats ",
		"threads after a minute");
	machine.generation = 2;
	ok(stats_is_stale(s) && stats_age_ms(s) == -1, "another QEMU");
	is_str(ask(s, &all),
		"query-cpus-fast query-blockstats query-balloon qom-set "
		"qom-get query-stats ",
		"is asked all");
	end(s);
}

static void test_answers(void)
{
	struct stats *s = begin();

	answer("query-cpus-fast",
		"\"return\": [{\"thread-id\": 7, \"cpu-index\": 1, "
		"\"qom-path\": \"/a\"}, {\"thread-id\": -1}, {}, 5, "
		"{\"thread-id\": 8, \"cpu-index\": 0, \"qom-path\": \"/b\"}]");
	answer("query-blockstats",
		"\"return\": [{\"qdev\": \"/machine/peripheral/disk-root/"
		"virtio-backend\", \"node-name\": \"disk-root\", \"stats\": "
		"{\"rd_bytes\": 512, \"wr_operations\": 3, "
		"\"failed_rd_operations\": 1, \"failed_wr_operations\": 2}}, "
		"{\"qdev\": \"/machine/peripheral/disk-s\", \"stats\": {}}, "
		"{\"node-name\": \"other\", \"stats\": {\"rd_bytes\": -1, "
		"\"wr_bytes\": 18446744073709551615, \"rd_operations\": \"x\"}"
		"}, {\"qdev\": 5}, {\"stats\": {}}, null]");
	answer("query-balloon", "\"return\": {\"actual\": 4096}");
	answer("qom-get",
		"\"return\": {\"stats\": {\"stat-total-memory\": 1000, "
		"\"stat-free-memory\": 18446744073709551615}}");
	answer("query-stats",
		"\"return\": [{\"provider\": \"kvm\", \"qom-path\": \"/b\", "
		"\"stats\": [{\"name\": \"halts\", \"value\": 1}, {\"name\": "
		"\"exits\", \"value\": 99}]}, 7]");
	ask(s, &all);
	is_int(s->ncpus, 2, "two of five vCPUs make sense");
	is_int(s->cpus[0].thread, 7, "by their threads");
	is_int(s->cpus[1].exits, 99, "exits find their vCPU");
	ok(s->cpus[0].exits == STATS_UNKNOWN, "others have none");
	is_int(s->ndisks, 3, "three of six disks do");
	is_str(s->disks[0].name, "root", "by the name of the section");
	is_int(s->disks[0].at[STATS_READ_BYTES], 512, "its bytes");
	is_int(s->disks[0].at[STATS_ERRORS], 3, "its errors of all kinds");
	is_str(s->disks[1].name, "s", "without virtio");
	is_str(s->disks[2].name, "other", "without a device");
	is_int(s->disks[2].at[STATS_READ_BYTES], 0, "nonsense is nothing");
	is_int(s->disks[2].at[STATS_WRITE_BYTES], 0, "nor is too much");
	is_int(s->balloon, 4096, "the balloon");
	is_int(s->guest[STATS_TOTAL], 1000, "what the guest says");
	ok(s->guest[STATS_FREE] == STATS_UNKNOWN, "and does not say");
	loop_sim_advance(300);
	answer("query-blockstats", "\"return\": {\"a\": 1}");
	answer("query-balloon", "\"return\": 5");
	answer("qom-get", "\"return\": []");
	ask(s, &all);
	is_int(s->ndisks, 0, "an answer of another kind is none");
	ok(s->balloon == STATS_UNKNOWN, "of the balloon as well");
	end(s);
}

/* ---- waiting ---- */

static unsigned overs;

static void on_over(struct stats_wait *wait UNUSED)
{
	overs++;
}

static bool waits(struct stats_wait *wait, struct stats *s)
{
	overs = 0;
	*wait = (struct stats_wait){ .on_over = NULL };
	stats_ask(s, &plain);
	stats_wait_for(wait, s);
	return stats_wait_start(wait, 100, on_over);
}

static void test_waiting(void)
{
	struct stats *s = begin();
	struct stats_wait one, two;

	ok(waits(&one, s), "there is something to wait for");
	is_int(overs, 0, "not over inside the call");
	clock_settle();
	is_int(overs, 1, "over with the answer");
	ok(!waits(&one, s), "fresh: nothing to wait for");
	loop_sim_advance(300);
	mute = true;
	ok(waits(&one, s), "one who is silent");
	ok(waits(&two, s), "two can wait");
	loop_sim_advance(99);
	is_int(overs, 0, "for a while");
	loop_sim_advance(1);
	is_int(overs, 2, "then both go on");
	ok(stats_is_stale(s), "with what is old");
	ok(!waits(&one, s), "nobody waits for it again");
	str_cut(&asked, 0);
	for (int i = 0; i < 600; i++) {
		loop_sim_advance(100);
		(void)!waits(&one, s);
		stats_wait_stop(&one);
	}
	ok(asked.len < 200, "a minute of asking sends little: %s",
		str_text(&asked));
	mute = false;
	loop_sim_advance(60000);
	ok(waits(&one, s), "asked again after a while");
	stats_wait_stop(&one);
	stats_wait_stop(&one);
	clock_settle();
	is_int(overs, 0, "a wait that was given up");
	ok(!stats_is_stale(s), "it is well again");
	loop_sim_advance(300);
	ok(waits(&one, s), "asked");
	stats_free(s);
	is_int(overs, 1, "an end of it all is told as well");
	qmp_client_close(&machine.qmp);
	jstream_close(&qemu);
}

/* A silent one that speaks again is not left alone for a minute. */
static void test_recovery(void)
{
	struct stats *s = begin();

	mute = true;
	for (int i = 0; i < 4; i++) {
		ask(s, &plain);
		loop_sim_advance(60000);
	}
	ok(s->timeouts >= 3, "silent for long");
	ask(s, &plain);
	loop_sim_advance(6000);
	is_str(ask(s, &plain), "", "so it is left alone");
	mute = false;
	struct err err = ERR_INIT;
	const char *event = "{\"event\": \"STOP\", \"timestamp\": "
			    "{\"seconds\": 1, \"microseconds\": 1}}\n";
	ok(!jstream_send_text(&qemu, event, strlen(event), -1, &err),
		"it says something");
	clock_settle();
	is_str(ask(s, &plain), "query-cpus-fast query-blockstats ",
		"then it is asked at once");
	ok(!stats_is_stale(s), "and answers");
	loop_sim_advance(300);
	mute = true;
	stats_ask(s, &plain);
	jstream_close(&qemu);
	clock_settle();
	ok(stats_is_stale(s) && !s->pending, "a QEMU that goes meanwhile");
	is_str(ask(s, &plain), "", "is not asked");
	stats_free(s);
	qmp_client_close(&machine.qmp);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	clock_start();
	test_questions();
	test_answers();
	test_waiting();
	test_recovery();
	stats_free(NULL);
	str_fini(&asked);
	loop_sim_end();
	return done();
}
