/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The measurement of `make bench` about networks: a NAT network comes up.
 * The floor of the design is three programs, one after the other: ip for the
 * same bridge, nft and dnsmasq on the rules and the file that ours had.  The
 * lower one makes the bridge by raw netlink and runs the other two at once.
 * All of it is in a network namespace of its own, which the bench stays in:
 * it comes last.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define BRIDGE "vw-default"
#define PLACE  "run/vmward/.net/default" /* below the root */

static int rtnl = -1;
static char rules[96], conf[96], hosts[96], pid_file[96], links[96];
static struct in_addr address;
static unsigned prefix;

/* ---- the kernel ---- */

struct message {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
	} of;
	char attributes[128];
};

static struct rtattr *add(
	struct message *m, unsigned short type, const void *data, size_t len)
{
	struct rtattr *at =
		(struct rtattr *)(void *)((char *)m +
					  NLMSG_ALIGN(m->head.nlmsg_len));

	at->rta_type = type;
	at->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len > 0)
		memcpy(RTA_DATA(at), data, len);
	m->head.nlmsg_len =
		NLMSG_ALIGN(m->head.nlmsg_len) + RTA_ALIGN(at->rta_len);
	return at;
}

/* One request, and the kernel's yes. */
static void tell(struct message *m)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr said;
		char more[256];
	} answer;

	m->head.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(rtnl, m, m->head.nlmsg_len, 0) < 0 ||
		recv(rtnl, &answer, sizeof(answer), 0) < 0)
		die("cannot talk to the kernel: %s", strerror(errno));
	if (answer.said.error)
		die("the kernel refuses the floor's bridge: %s",
			strerror(-answer.said.error));
}

static struct message of_link(unsigned short type, unsigned index)
{
	struct message m = { .head = { .nlmsg_type = type } };

	m.head.nlmsg_len = NLMSG_LENGTH(sizeof(m.of.link));
	m.of.link.ifi_index = (int)index;
	return m;
}

static void make_bridge(void)
{
	struct message m = of_link(RTM_NEWLINK, 0);
	struct rtattr *info;
	unsigned index;

	m.head.nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	add(&m, IFLA_IFNAME, BRIDGE, sizeof(BRIDGE));
	info = add(&m, IFLA_LINKINFO, NULL, 0);
	add(&m, IFLA_INFO_KIND, "bridge", sizeof("bridge"));
	info->rta_len =
		(unsigned short)((char *)&m + m.head.nlmsg_len - (char *)info);
	tell(&m);
	index = if_nametoindex(BRIDGE);
	m = (struct message){ .head = { .nlmsg_type = RTM_NEWADDR,
				      .nlmsg_flags = NLM_F_CREATE } };
	m.head.nlmsg_len = NLMSG_LENGTH(sizeof(m.of.address));
	m.of.address = (struct ifaddrmsg){ .ifa_family = AF_INET,
		.ifa_prefixlen = (unsigned char)prefix,
		.ifa_index = index };
	add(&m, IFA_LOCAL, &address, sizeof(address));
	tell(&m);
	m = of_link(RTM_NEWLINK, index);
	m.of.link.ifi_flags = m.of.link.ifi_change = IFF_UP;
	tell(&m);
}

static void remove_bridge(void)
{
	struct message m = of_link(RTM_DELLINK, if_nametoindex(BRIDGE));

	tell(&m);
}

static void turn_on(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1\n", 2) != 2)
		die("cannot write '%s': %s", path, strerror(errno));
	close(fd);
}

/* ---- what ours had ---- */

static char *read_text(const char *path)
{
	char *text = calloc(1, 1 << 16);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (!text || fd < 0 || read(fd, text, (1 << 16) - 1) < 0)
		die("cannot read '%s': %s", path, strerror(errno));
	close(fd);
	return text;
}

/* A copy of dnsmasq's file with places of our own. */
static void copy_conf(void)
{
	char path[128];
	FILE *out = fopen(conf, "w");
	char *text, *rest;

	snprintf(path, sizeof(path), "%s/" PLACE "/dnsmasq.conf", lab_root);
	text = rest = read_text(path);
	if (!out)
		die("cannot write '%s': %s", conf, strerror(errno));
	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		if (strncmp(line, "pid-file=", 9) == 0)
			fprintf(out, "pid-file=%s\n", pid_file);
		else if (strncmp(line, "dhcp-hostsdir=", 14) == 0)
			fprintf(out, "dhcp-hostsdir=%s\n", hosts);
		else if (strncmp(line, "dhcp-leasefile=", 15) == 0)
			fprintf(out, "dhcp-leasefile=%s/leases\n", hosts);
		else
			fprintf(out, "%s\n", line);
	}
	free(text);
	if (fclose(out))
		die("cannot write '%s': %s", conf, strerror(errno));
}

static void learn_address(void)
{
	char path[128];
	json_t *all, *net;
	char text[64];

	snprintf(path, sizeof(path), "%s/run/vmward/.net/state.json", lab_root);
	all = json_load_file(path, 0, NULL);
	net = json_array_get(json_object_get(all, "nets"), 0);
	snprintf(text, sizeof(text), "%s",
		json_string_value(
			json_array_get(json_object_get(net, "addresses"), 0)));
	if (!strchr(text, '/'))
		die("no address in '%s'", path);
	prefix = (unsigned)strtoul(strchr(text, '/') + 1, NULL, 10);
	*strchr(text, '/') = '\0';
	if (inet_pton(AF_INET, text, &address) != 1)
		die("no IPv4 address: %s", text);
	json_decref(all);
}

/* What ip has to do. */
static void write_links(void)
{
	char text[INET_ADDRSTRLEN];
	FILE *out = fopen(links, "we");

	if (!out)
		die("cannot write '%s': %s", links, strerror(errno));
	inet_ntop(AF_INET, &address, text, sizeof(text));
	fprintf(out,
		"link add " BRIDGE " type bridge\n"
		"addr add %s/%u dev " BRIDGE "\nlink set " BRIDGE " up\n",
		text, prefix);
	if (fclose(out))
		die("cannot write '%s': %s", links, strerror(errno));
}

/* Starts a program, without a shell, with a file as its stdin or stdout. */
static pid_t begin(const char *const *argv, const char *in, const char *out)
{
	const union {
		const char *const *ours;
		char *const *theirs;
	} args = { argv };
	pid_t pid = vfork();

	if (pid == 0) {
		int from = open(in, O_RDONLY);
		int to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		setsid(); /* as ours: the scheduler looks at that */
		dup2(from, 0);
		dup2(to, 1);
		execvp(argv[0], args.theirs);
		_exit(127);
	}
	return pid;
}

static void end(pid_t pid, const char *program)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		die("the floor's %s failed", program);
}

static void learn(void)
{
	static const char *const list[] = { "nft", "-j", "list", "ruleset",
		NULL };

	snprintf(rules, sizeof(rules), "%s/run/rules.json", lab_root);
	snprintf(conf, sizeof(conf), "%s/run/dnsmasq.conf", lab_root);
	snprintf(hosts, sizeof(hosts), "%s/run/hosts", lab_root);
	snprintf(pid_file, sizeof(pid_file), "%s/run/dnsmasq.pid", lab_root);
	snprintf(links, sizeof(links), "%s/run/links", lab_root);
	mkdir(hosts, 0755);
	end(begin(list, "/dev/null", rules), "nft");
	copy_conf();
	learn_address();
	write_links();
}

/* ---- one after the other ---- */

static pid_t read_pid(const char *path)
{
	char *text = read_text(path);
	pid_t pid = (pid_t)strtol(text, NULL, 10);

	free(text);
	return pid;
}

/* A daemon that ends is a child of this process by then. */
static void await_end(pid_t pid)
{
	while (kill(pid, 0) == 0) {
		waitpid(pid, NULL, WNOHANG);
		sleep_ms(1);
	}
}

/* by_programs: three of them in turn; else two at once. */
static void bring_up(bool by_programs)
{
	static const char *const ip[] = { "ip", "-batch", "-", NULL };
	static const char *const nft[] = { "nft", "-j", "-f", "-", NULL };
	char option[128];
	const char *dnsmasq[] = { "dnsmasq", option, NULL };
	pid_t pid;

	snprintf(option, sizeof(option), "--conf-file=%s", conf);
	if (by_programs)
		end(begin(ip, links, "/dev/null"), "ip");
	else
		make_bridge();
	turn_on("/proc/sys/net/ipv4/ip_forward");
	turn_on("/proc/sys/net/ipv4/conf/" BRIDGE "/route_localnet");
	pid = begin(dnsmasq, "/dev/null", "/dev/null");
	if (by_programs)
		end(pid, "dnsmasq");
	end(begin(nft, rules, "/dev/null"), "nft");
	if (!by_programs)
		end(pid, "dnsmasq");
}

static double floor_once(bool by_programs)
{
	static const char *const flush[] = { "nft", "flush", "ruleset", NULL };
	double from = now_ms();
	double took;
	pid_t pid;

	bring_up(by_programs);
	took = now_ms() - from;
	pid = read_pid(pid_file);
	kill(pid, SIGKILL);
	await_end(pid);
	unlink(pid_file);
	remove_bridge();
	end(begin(flush, "/dev/null", "/dev/null"), "nft");
	return took;
}

static json_t *network(void)
{
	return json_pack("{s:s}", "network", "default");
}

/* The nft that takes the rules away is no part of what comes next. */
static void await_quiet(void)
{
	char path[64], *text;
	bool busy;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
		(int)daemon_pid(), (int)daemon_pid());
	do {
		sleep_ms(1);
		text = read_text(path);
		busy = *text;
		free(text);
	} while (busy);
}

static void down(void)
{
	char path[128];
	pid_t dnsmasq;

	snprintf(path, sizeof(path), "%s/" PLACE "/dnsmasq.pid", lab_root);
	dnsmasq = read_pid(path);
	json_decref(ask("net-down", NULL, network()));
	await_end(dnsmasq);
	while (if_nametoindex(BRIDGE))
		sleep_ms(1);
	json_decref(ask("net-list", NULL, NULL)); /* it is at rest */
	await_quiet();
}

static double ours_once(void)
{
	double from = now_ms();

	json_decref(ask("net-up", NULL, network()));
	return now_ms() - from;
}

/* ---- which programs it runs ---- */

/* The stop of one that is traced is over. */
static void go_on(pid_t pid, int status)
{
	int signal = status >> 16 || WSTOPSIG(status) == SIGSTOP
			     ? 0
			     : WSTOPSIG(status);

	ptrace(PTRACE_CONT, pid, NULL, signal);
}

static void add_name(pid_t pid, char *names, size_t size)
{
	char path[64];
	size_t at = strlen(names);
	char *name;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	name = read_text(path);
	name[strcspn(name, "\n")] = '\0';
	if (at + strlen(name) + 3 < size)
		stpcpy(stpcpy(names + at, at ? ", " : ""), name);
	free(name);
}

/* Every program that is begun meanwhile, by whichever process of ours. */
static unsigned count_programs(char *names, size_t size)
{
	json_t *reply = NULL;
	unsigned n = 0;
	int status;
	pid_t pid;

	if (ptrace(PTRACE_SEIZE, daemon_pid(), NULL,
		    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			    PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC))
		die("cannot trace vmwardd: %s", strerror(errno));
	ask_send("net-up", NULL, network());
	while (!reply) {
		while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
			if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
				add_name(pid, names, size);
				n++;
			}
			if (WIFSTOPPED(status))
				go_on(pid, status);
		}
		reply = ask_answer(1);
	}
	json_decref(reply);
	return n;
}

/* ---- all of it ---- */

static const char *missing(void)
{
	static const char *const lacking[] = { "nft", "dnsmasq", "ip" };
	static const char *const version[] = { "--version", "--version", "-V" };

	for (unsigned i = 0; i < 3; i++) {
		const char *argv[] = { lacking[i], version[i], NULL };

		if (run_program(argv).status != 0)
			return "NAT network up: skipped: no nft, dnsmasq or ip";
	}
	return unshare(CLONE_NEWNET)
		       ? "NAT network up: skipped: no network namespace"
		       : NULL;
}

void measure_network(const struct plan *plan)
{
	static struct samples floor, lower, ours, programs;
	char names[256] = "", text[320];
	const char *why = missing();

	if (why) {
		table_note(why);
		return;
	}
	rtnl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	daemon_spawn();
	control_open();
	ours_once(); /* the first one settles on an address */
	learn();
	down();
	for (unsigned i = 0; i < plan->rounds; i++) {
		sample(&floor, floor_once(true));
		sample(&lower, floor_once(false));
		sample(&ours, ours_once());
		down();
	}
	table_row(&(struct row){ "NAT network up; floor: ip, nft, dnsmasq",
		"ms", &floor, &ours, BAR_RATIO, 1.1 });
	table_row(&(struct row){ "  without ip, the others at once", "ms",
		&lower, &ours, BAR_NONE, 0 });
	sample(&programs, count_programs(names, sizeof(names)));
	table_row(&(struct row){
		"programs that it runs", "", NULL, &programs, BAR_MOST, 2 });
	snprintf(text, sizeof(text), "NAT network up ran %s", names);
	table_note(text);
	control_close();
	daemon_end(SIGKILL);
	close(rtnl);
}
