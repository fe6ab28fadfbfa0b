/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim --seed N [--trace] runs one seed, --seeds A-B many (each in a process
 * of its own), --for SECONDS as many as fit from A on, --cpu SECONDS as many
 * as fit into that much CPU time.  A seed that fails is told with the line
 * that plays it again; the same seed is the same run, on any machine: a run
 * without end is ended by its CPU time.
 * --with CRASH,FILES has these faults in every run, beside those it draws.
 * --break I lets invariant I1 to I8 be broken on purpose: it must be seen.
 */
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

/* One seed of UPGRADES replaces the supervisor at times. */
enum { REST_MS = 300000, SEED_S = 30, WORKERS_MAX = 16, UPGRADES = 4 };

struct sim sim = { .shape = { .steps = 80, .calm = 30 } };

/* What the processes of the seeds add up. */
static struct {
	_Atomic unsigned long seeds;
	_Atomic unsigned long steps;
	_Atomic unsigned long lives;
	_Atomic unsigned long failed;
} * sums;

static const char *program;
static double limit;    /* seconds for many seeds; 0: none */
static double cpu;      /* the same of CPU time */
static uint64_t least;  /* so many of them even then */
static bool quick;      /* the first failure is enough */
static unsigned broken; /* I1 to I8: on purpose; 0: none */
static bool diamonds;   /* in order, without chaos */
static bool drop;       /* one edge is not in the files */

/* ---- telling ---- */

/* What the supervisor logged since the last time. */
static void tell_log(void)
{
	if (sim.trace)
		fwrite(str_text(&world.log), 1, world.log.len, stdout);
	if (sim.trace)
		str_cut(&world.log, 0);
}

void sim_note(const char *fmt, ...)
{
	int64_t now = (int64_t)loop_sim_now_us();
	va_list ap;

	if (!sim.trace)
		return;
	tell_log();
	printf("%" PRId64 ".%06" PRId64 " ", now / 1000000, now % 1000000);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static void tell_replay(void)
{
	printf("replay: %s --seed %" PRIu64, program, sim.seed);
	if (broken)
		printf(" --break %u", broken);
	if (sim.forced)
		printf(" --with %s", sim.forced);
	printf("%s%s --trace\n", diamonds ? " --diamonds" : "",
		drop ? " --drop" : "");
	fflush(stdout);
}

void sim_breach(const char *rule, const char *fmt, ...)
{
	va_list ap;

	tell_log();
	printf("seed %" PRIu64 ": %s: ", sim.seed, rule);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	tell_replay();
	_exit(1);
}

/* A bug check, a crash, or a run without end. */
static void on_fatal(int signal)
{
	size_t len = world.log.len;
	size_t tail = len < 300 ? len : 300;

	tell_log();
	printf("%.*s\nseed %" PRIu64 ": signal %d\n", (int)tail,
		len ? world.log.data + len - tail : "", sim.seed, signal);
	tell_replay();
	_exit(1);
}

bool sim_chance(enum sim_fault fault, unsigned per_mille)
{
	return sim.on[fault] && !sim.healed && world_random(1000) < per_mille;
}

/* ---- one seed ---- */

static void act(void)
{
	sim.steps++;
	if (world_random(3))
		client_act();
	chaos_act();
	switch (world_random(8)) {
	case 0:
		life_sleep(world_random(30000));
		break;
	case 1:
	case 2:
		life_sleep(world_random(2000));
		break;
	case 3:
		break; /* the next comes at the same moment */
	default:
		life_sleep(world_random(60));
	}
}

/* One that never ends has used this much CPU time, on any machine. */
static void limit_seed(unsigned seconds)
{
	struct itimerval left = { .it_value.tv_sec = seconds };

	setitimer(ITIMER_PROF, &left, NULL);
}

static void run_seed(uint64_t seed)
{
	sim.seed = seed;
	sim.upgrades = seed % UPGRADES == UPGRADES - 1;
	limit_seed(SEED_S);
	world_start(seed);
	life_start();
	qemu_start();
	oracle_start();
	client_start();
	chaos_start();
	while (sim.steps < sim.shape.steps)
		act();
	chaos_heal();
	life_sleep(REST_MS);
	client_check(true);
	erase_mend();
	twin_mend();
	oracle_rest();
	broken_run(broken);
	calm_run();
	client_leave();
	life_leave();
	life_sleep(REST_MS / 5);
	oracle_rest();
	sim_note("the end: %lu steps, %u lives", sim.steps, sim.lives);
	limit_seed(0);
}

/* ---- many ---- */

static void prepare(void)
{
	static const int fatal[] = { SIGABRT, SIGSEGV, SIGBUS, SIGPROF };

	for (size_t i = 0; i < NELEMS(fatal); i++)
		signal(fatal[i], on_fatal);
	json_object_seed(1);
	setenv("TZ", "UTC", 1);
	setenv("PATH", "/usr/bin", 1);
}

static void run_diamond(uint64_t seed)
{
	sim.seed = seed;
	sim.diamond = sim.healed = true;
	limit_seed(SEED_S);
	world_start(seed);
	life_start();
	diamond_put(drop);
	qemu_start();
	oracle_start();
	client_start();
	diamond_run();
	client_leave();
	limit_seed(0);
}

static void in_child(uint64_t seed)
{
	if (diamonds)
		run_diamond(seed);
	else
		run_seed(seed);
	sums->steps += sim.steps;
	sums->lives += sim.lives;
	_exit(0);
}

static void start_child(uint64_t seed)
{
	pid_t pid = fork();

	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	if (pid == 0)
		in_child(seed);
}

static bool wait_child(void)
{
	int status;

	if (wait(&status) < 0)
		return false;
	sums->seeds++;
	sums->failed += status != 0;
	return true;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* CPU time of all seeds that have ended. */
static double cpu_seconds(void)
{
	struct rusage use;

	getrusage(RUSAGE_CHILDREN, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* Those we may use, as nproc has them. */
static long processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return sysconf(_SC_NPROCESSORS_ONLN);
	return CPU_COUNT(&set);
}

static bool is_enough(uint64_t done, double began)
{
	if (quick && sums->failed)
		return true;
	if (done < least)
		return false;
	return (limit > 0 && seconds() - began >= limit) ||
	       (cpu > 0 && cpu_seconds() >= cpu);
}

static void tell_many(uint64_t first, double took)
{
	double used = cpu_seconds();

	printf("seeds=%lu failed=%lu first=%" PRIu64 " steps=%lu lives=%lu "
	       "seconds=%.1f per_s=%.1f cpu=%.1f per_cpu_s=%.1f\n",
		sums->seeds, sums->failed, first, sums->steps, sums->lives,
		took, (double)sums->seeds / took, used,
		(double)sums->seeds / used);
	if (diamonds)
		printf("diamonds of 12 VMs in order: %lu of %lu\n",
			sums->seeds - sums->failed, sums->seeds);
}

/* Seeds from first to last, or for a while; the exit status. */
static int run_many(uint64_t first, uint64_t last)
{
	long workers = processors();
	double began = seconds();
	long running = 0;
	uint64_t seed = first;

	for (; seed <= last && !is_enough(seed - first, began); seed++) {
		if (running == workers)
			running -= wait_child();
		start_child(seed);
		running++;
	}
	while (wait_child())
		;
	tell_many(first, seconds() - began);
	return sums->failed ? 1 : 0;
}

static int usage(void)
{
	fputs("usage: sim --seed N [--trace] [--break 1..8] [--with FAULTS]\n"
	      "       sim --seeds A-B [--for SECONDS] [--cpu SECONDS] [--least N] "
	      "[--quick]\n"
	      "       sim --seed N|--seeds A-B --diamonds [--drop] [--trace]\n",
		stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "seeds", required_argument, NULL, 'm' },
		{ "for", required_argument, NULL, 'f' },
		{ "cpu", required_argument, NULL, 'c' },
		{ "least", required_argument, NULL, 'l' },
		{ "shape", required_argument, NULL, 'S' },
		{ "diamonds", no_argument, NULL, 'd' },
		{ "drop", no_argument, NULL, 'x' },
		{ "trace", no_argument, NULL, 't' },
		{ "quick", no_argument, NULL, 'q' },
		{ "break", required_argument, NULL, 'b' },
		{ "with", required_argument, NULL, 'w' }, { NULL, 0, NULL, 0 }
	};
	uint64_t first = 0, last = 0;
	int option;

	program = argv[0];
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		char *end = NULL;
		if (option == 's' || option == 'm') {
			first = last = strtoull(optarg, &end, 10);
			if (*end == '-')
				last = strtoull(end + 1, NULL, 10);
		} else if (option == 'f') {
			limit = strtod(optarg, NULL);
		} else if (option == 'S') {
			sim.shape.steps = (unsigned)strtoul(optarg, &end, 10);
			sim.shape.calm = (unsigned)strtoul(end + 1, NULL, 10);
		} else if (option == 'c') {
			cpu = strtod(optarg, NULL);
		} else if (option == 'l') {
			least = strtoull(optarg, NULL, 10);
		} else if (option == 't') {
			sim.trace = true;
		} else if (option == 'b') {
			broken = (unsigned)strtoul(optarg, NULL, 10);
		} else if (option == 'w') {
			sim.forced = optarg;
		} else if (option == 'd') {
			diamonds = true;
		} else if (option == 'x') {
			drop = true;
		} else if (option == 'q') {
			quick = true;
		} else {
			return usage();
		}
	}
	if (first == 0 || last < first)
		return usage();
	prepare();
	sums = mmap(NULL, sizeof(*sums), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (first < last)
		return run_many(first, last);
	if (diamonds)
		run_diamond(first);
	else
		run_seed(first);
	printf("seed %" PRIu64 ": ok, %lu steps, %u lives\n", first, sim.steps,
		sim.lives);
	return 0;
}
