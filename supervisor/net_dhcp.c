/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dnsmasq for one network; see net_dhcp.h. */
#include "supervisor/net_dhcp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#define AGAIN_MS  100 /* doubled with each try */
#define AGAIN_MAX 6
#define STEADY_MS 10000 /* who served that long has not failed at once */
#define PATIENCE  3     /* tries before whoever waits is told */

/* ---- places ---- */

/* A file of a network in the run directory; new. */
static char *path_of(const struct net_state *state, const struct net_live *net,
	const char *leaf)
{
	AUTO_FREE char *name = xasprintf("%s/%s", net->name, leaf);

	return net_state_path(state, name);
}

char *net_dhcp_leases(const struct paths *paths, const char *network)
{
	return xasprintf("%s/networks/%s.leases", paths->state, network);
}

/* ---- what it is told ---- */

static void add_range(struct str *text, const struct net_live *net)
{
	char first[CIDR_TEXT_SIZE];
	char last[CIDR_TEXT_SIZE];

	if (net->first.family) {
		cidr_address(&net->first, first);
		cidr_address(&net->last, last);
		str_addf(text, "dhcp-range=%s,%s,1h\ndhcp-authoritative\n",
			first, last);
	}
	for (size_t i = 0; i < net->naddresses; i++) {
		struct cidr base;

		if (net->addresses[i].family != AF_INET6 ||
			!cidr_nth(&net->addresses[i], 0, &base))
			continue;
		cidr_address(&base, first);
		str_addf(text, "dhcp-range=%s,ra-stateless,ra-names,64,1h\n",
			first);
	}
	if (net->mode == NETWORK_ISOLATED)
		str_add(text, "dhcp-option=3\n"); /* there is no way out */
	if (net->mtu)
		str_addf(text, "dhcp-option-force=26,%u\n", net->mtu);
}

static void add_names(struct str *text, const struct net_live *net)
{
	if (!net->dns) {
		str_add(text, "port=0\n");
		return;
	}
	str_addf(text,
		"domain=%s\nlocal=/%s/\nexpand-hosts\n"
		"domain-needed\nbogus-priv\n",
		net->domain, net->domain);
	if (net->mode == NETWORK_ISOLATED)
		str_add(text, "no-resolv\n");
}

/* Somebody other than root can come here. */
static bool is_open(const char *dir)
{
	AUTO_FREE char *at = xstrdup(dir);
	struct stat st;

	for (char *slash = at + strlen(at); slash > at;
		slash = strrchr(at, '/')) {
		*slash = '\0';
		if (*at && (sys_fstatat(AT_FDCWD, at, &st, 0) ||
				   !(st.st_mode & 01)))
			return false;
	}
	return true;
}

static char *make_config(
	const struct net_state *state, const struct net_live *net)
{
	AUTO_FREE char *pid = path_of(state, net, "dnsmasq.pid");
	AUTO_FREE char *hosts = path_of(state, net, "hosts");
	AUTO_FREE char *leases = net_dhcp_leases(state->paths, net->name);
	AUTO_STR struct str text = STR_INIT;

	str_addf(&text,
		"interface=%s\nexcept-interface=lo\nbind-dynamic\n"
		"no-hosts\npid-file=%s\n",
		net->bridge, pid);
	str_addf(&text, "dhcp-hostsdir=%s\ndhcp-leasefile=%s\n", hosts, leases);
	if (!is_open(hosts)) /* it cannot read there as another user */
		str_add(&text, "user=root\n");
	add_range(&text, net);
	add_names(&text, net);
	return str_take(&text);
}

/* Written in place: dnsmasq would read a file that is only renamed, too. */
static int write_file(const char *path, const char *text, struct err *err)
{
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644);
	size_t len = strlen(text);

	if (fd < 0 || sys_write(fd, text, len) != (ssize_t)len)
		return err_os(err, "cannot write '%s'", path);
	return 0;
}

static int write_files(const struct net_state *state,
	const struct net_live *net, struct err *err)
{
	AUTO_FREE char *hosts = path_of(state, net, "hosts");
	AUTO_FREE char *strangers = path_of(state, net, "hosts/strangers");
	AUTO_FREE char *conf = path_of(state, net, "dnsmasq.conf");
	AUTO_FREE char *lasting = xasprintf("%s/networks", state->paths->state);

	if (fd_make_dirs(hosts, 0755, err) || fd_make_dirs(lasting, 0711, err))
		return -1;
	AUTO_FREE char *text = make_config(state, net);
	if (write_file(conf, text, err))
		return -1;
	return *net->hosts ? write_file(strangers, net->hosts, err) : 0;
}

/* "web" of web, "ci-7" of ci@7: as names in DNS are. */
static void add_host_name(struct str *text, const char *vm)
{
	for (; *vm; vm++)
		str_addc(text, strchr("_.@", *vm) ? '-' : *vm);
}

/* Its files go; who is killed writes none any more. */
static void remove_files(
	const struct net_state *state, const struct net_live *net)
{
	static const char *const leaves[] = { "hosts/strangers", "dnsmasq.conf",
		"dnsmasq.pid" };
	AUTO_FREE char *hosts = path_of(state, net, "hosts");
	AUTO_FREE char *dir = net_state_path(state, net->name);

	for (size_t i = 0; i < NELEMS(leaves); i++) {
		AUTO_FREE char *path = path_of(state, net, leaves[i]);

		sys_unlinkat(AT_FDCWD, path, 0);
	}
	sys_unlinkat(AT_FDCWD, hosts, AT_REMOVEDIR);
	sys_unlinkat(AT_FDCWD, dir, AT_REMOVEDIR);
}

void net_dhcp_host(const struct net_state *state, const struct net_port *port,
	bool present)
{
	AUTO_FREE char *leaf = xasprintf("hosts/%s", port->tap);
	AUTO_FREE char *path = path_of(state, port->net, leaf);
	AUTO_STR struct str text = STR_INIT;
	const struct net_dhcp *dhcp = port->net->dhcp;
	char address[CIDR_TEXT_SIZE];
	struct err err = ERR_INIT;

	if (port->net->joined || !port->address.family)
		return;
	if (!present) {
		sys_unlinkat(AT_FDCWD, path, 0);
		if (!dhcp) /* it had one once: the last takes the rest along */
			remove_files(state, port->net);
		else if (dhcp->pidfd >= 0)
			sys_pidfd_kill(dhcp->pidfd, SIGHUP);
		return;
	}
	if (!dhcp)
		return;
	cidr_address(&port->address, address);
	str_addf(&text, "%s,%s,", port->mac, address);
	add_host_name(&text, port->vm);
	str_add(&text, "\n");
	if (write_file(path, str_text(&text), &err))
		log_warn(port->vm, "%s", err.text);
}

/* ---- its life ---- */

static void start(struct net_dhcp *d);

static void settle(struct net_dhcp *d, enum net_dhcp_state is)
{
	d->is = is;
	d->on_change(d);
}

static void on_again(struct loop_timer *timer)
{
	start(container_of(timer, struct net_dhcp, again));
}

/*
 * It is gone, or could not be: another try later.  A predecessor that was
 * killed just now may have its sockets for some milliseconds more.
 */
static void fails(struct net_dhcp *d)
{
	unsigned doubled = d->tries < AGAIN_MAX ? d->tries : AGAIN_MAX;

	log_warn(NULL, "network %s: %s", d->net->name, d->err.text);
	d->tries++;
	loop_timer_start(&d->again, (int64_t)AGAIN_MS << doubled, on_again);
	settle(d, d->err.code == ERR_UNSUPPORTED || d->tries >= PATIENCE
			  ? NET_DHCP_FAILED
			  : NET_DHCP_STARTING);
}

static void on_exit_(struct loop_child *child, const struct sys_exit *how)
{
	struct net_dhcp *d = container_of(child, struct net_dhcp, child);

	fd_close(&d->pidfd);
	if (loop_now_ms() - d->up_ms >= STEADY_MS)
		d->tries = 0;
	if (how->known)
		err_set(&d->err, ERR_GONE, "dnsmasq ended with %s %d",
			how->signalled ? "signal" : "status", how->code);
	else
		err_set(&d->err, ERR_GONE, "dnsmasq is gone");
	fails(d);
}

/* True for the dnsmasq of this network: its words name our file. */
static bool is_ours(const struct net_dhcp *d, pid_t pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/cmdline", (int)pid);
	AUTO_FREE char *conf = path_of(d->state, d->net, "dnsmasq.conf");
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
	char text[1024];
	ssize_t n = fd < 0 ? -1 : sys_read(fd, text, sizeof(text) - 1);

	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\0')
			text[i] = '\n';
	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, "dnsmasq") && strstr(text, conf);
}

/* Knows the daemon by its pid file; false: there is none. */
static bool know(struct net_dhcp *d)
{
	AUTO_FREE char *path = path_of(d->state, d->net, "dnsmasq.pid");
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	pid_t pid;
	int pidfd;

	if (fd_read_file(AT_FDCWD, path, 32, &text, &err))
		return false;
	pid = (pid_t)str_digits(str_text(&text));
	pidfd = pid > 0 ? sys_pidfd_open(pid) : -1;
	if (pidfd < 0)
		return false;
	if (!is_ours(d, pid)) { /* asked after the pidfd: it is that one */
		sys_close(pidfd);
		return false;
	}
	d->pid = pid;
	d->pidfd = pidfd;
	d->up_ms = loop_now_ms();
	loop_child_start(&d->child, pidfd, on_exit_);
	return true;
}

static void take_words(struct net_dhcp *d)
{
	const char *said = str_text(&d->tool.errors);
	AUTO_FREE char *line = NULL;

	said += strspn(said, "\r\n");
	if (str_starts(said, "dnsmasq: "))
		said += strlen("dnsmasq: ");
	line = xstrndup(said, strcspn(said, "\r\n"));
	err_set(&d->err, ERR_OS, "dnsmasq does not start: %s",
		*line ? line : "it said nothing");
}

static void on_end(struct spawn_tool *tool)
{
	struct net_dhcp *d = container_of(tool, struct net_dhcp, tool);
	bool good = tool->exit.known && !tool->exit.signalled &&
		    tool->exit.code == 0;

	if (!good)
		take_words(d);
	else if (!know(d))
		err_set(&d->err, ERR_GONE, "dnsmasq ended at once");
	spawn_tool_stop(tool);
	if (d->pidfd >= 0)
		settle(d, NET_DHCP_UP);
	else
		fails(d);
}

static int spawn_it(struct net_dhcp *d)
{
	AUTO_FREE char *conf = path_of(d->state, d->net, "dnsmasq.conf");
	AUTO_FREE char *option = xasprintf("--conf-file=%s", conf);
	const char *const argv[] = { "dnsmasq", option, NULL };

	if (write_files(d->state, d->net, &d->err))
		return -1;
	d->tool.on_end = on_end;
	if (!spawn_tool_start(&d->tool, argv, &d->err))
		return 0;
	if (d->err.code == ERR_UNSUPPORTED)
		err_set(&d->err, ERR_UNSUPPORTED,
			"dnsmasq is not installed: apt-get install "
			"dnsmasq-base; or say dhcp = no and dns = no");
	return -1;
}

static void start(struct net_dhcp *d)
{
	d->err = (struct err)ERR_INIT;
	if (spawn_it(d))
		fails(d);
}

static bool has_v6(const struct net_live *net)
{
	for (size_t i = 0; i < net->naddresses; i++)
		if (net->addresses[i].family == AF_INET6)
			return true;
	return false;
}

void net_dhcp_begin(const struct net_state *state, struct net_live *net,
	void (*on_change)(struct net_dhcp *dhcp))
{
	struct net_dhcp *d = net->dhcp;

	if (d || net->joined ||
		(!net->first.family && !net->dns && !has_v6(net)))
		return;
	d = net->dhcp = NEW(struct net_dhcp);
	d->state = state;
	d->net = net;
	d->pidfd = -1;
	d->on_change = on_change;
	if (know(d))
		d->is = NET_DHCP_UP;
	else
		start(d);
}

void net_dhcp_end(struct net_live *net, bool kill)
{
	struct net_dhcp *d = TAKE(net->dhcp);

	if (!d)
		return;
	loop_timer_stop(&d->again);
	loop_child_stop(&d->child);
	spawn_tool_stop(&d->tool);
	if (kill && d->pidfd >= 0)
		sys_pidfd_kill(d->pidfd, SIGKILL);
	fd_close(&d->pidfd);
	if (kill)
		remove_files(d->state, net);
	free(d);
}
