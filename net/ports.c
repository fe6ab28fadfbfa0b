/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports as /proc/net shows them.  A listener on another address does not
 * count; what seems taken is tried with bind(2), because an IPv6 listener
 * may or may not take IPv4 with it.
 */
#include "net/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

enum { TABLE_MAX_BYTES = 4 << 20, TCP_LISTEN = 0x0a };

/* ---- the table ---- */

/* Hexadecimal digits at *at, moved behind them; false if there is none. */
static bool read_hex(const char **at, size_t digits, uint32_t *out)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;

	for (*out = 0; n < digits && **at && strchr(hex, **at); n++)
		*out = *out << 4 | (uint32_t)(strchr(hex, *(*at)++) - hex);
	return n == digits;
}

/* "0100007F:1F90": the kernel's words of memory, and the port. */
static bool read_addr(const char *text, struct ports_entry *out)
{
	size_t words = strcspn(text, ":") / 8;
	uint32_t word;

	out->v6 = words == 4;
	if (words != 1 && words != 4)
		return false;
	for (size_t i = 0; i < words; i++) {
		if (!read_hex(&text, 8, &word))
			return false;
		memcpy(out->addr + i * 4, &word, 4);
	}
	if (*text++ != ':' || !read_hex(&text, 4, &word))
		return false;
	out->port = (uint16_t)word;
	return true;
}

/* The n-th blank-separated word of a line, or "". */
static const char *word_of(const char *line, unsigned n)
{
	for (line += strspn(line, " "); n > 0; n--) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	return line;
}

/* Words of a line of /proc/net/tcp and its like. */
enum { LOCAL = 1, STATE = 3, INODE = 9 };

static void add_line(struct ports *ports, const char *line, bool udp)
{
	struct ports_entry e = { .udp = udp };
	const char *state_at = word_of(line, STATE);
	const char *inode_at = word_of(line, INODE);
	AUTO_FREE char *inode = xstrndup(inode_at, strcspn(inode_at, " "));
	struct err ignored = ERR_INIT;
	uint32_t state;

	if (!read_addr(word_of(line, LOCAL), &e) ||
		!read_hex(&state_at, 2, &state) ||
		str_to_u64(inode, &e.inode, &ignored) < 0)
		return;
	if (!udp && state != TCP_LISTEN)
		return;
	ports->at = xreallocarray(ports->at, ports->n + 1, sizeof e);
	ports->at[ports->n++] = e;
}

static void add_table(struct ports *ports, const char *path, bool udp)
{
	AUTO_STR struct str text = STR_INIT;
	struct err ignored = ERR_INIT;

	if (fd_read_file(AT_FDCWD, path, TABLE_MAX_BYTES, &text, &ignored) < 0)
		return;
	for (const char *at = str_text(&text); *at;) {
		size_t len = strcspn(at, "\n");
		AUTO_FREE char *line = xstrndup(at, len);
		add_line(ports, line, udp);
		at += len + (at[len] == '\n');
	}
}

void ports_init(struct ports *ports)
{
	*ports = (struct ports){ NULL, 0 };
	add_table(ports, "/proc/net/tcp", false);
	add_table(ports, "/proc/net/tcp6", false);
	add_table(ports, "/proc/net/udp", true);
	add_table(ports, "/proc/net/udp6", true);
}

void ports_fini(struct ports *ports)
{
	free(ports->at);
	*ports = (struct ports){ NULL, 0 };
}

/* ---- addresses ---- */

/* Fills an address of either family; its length, or 0. */
static socklen_t make_addr(
	const char *text, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		memcpy(out, &v4, sizeof v4);
		return sizeof v4;
	}
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
		memcpy(out, &v6, sizeof v6);
		return sizeof v6;
	}
	return 0;
}

/* errno of binding a socket that is closed at once; 0: it worked. */
static int try_bind(bool udp, const char *text, uint16_t port)
{
	struct sockaddr_storage addr = { .ss_family = AF_UNSPEC };
	socklen_t len = make_addr(text, port, &addr);
	AUTO_CLOSE int fd =
		sys_socket(addr.ss_family, udp ? SOCK_DGRAM : SOCK_STREAM, 0);

	if (fd < 0)
		return errno;
	return sys_bind(fd, (const struct sockaddr *)&addr, len) < 0 ? errno
								     : 0;
}

bool ports_addr_is_ours(const char *addr)
{
	return try_bind(true, addr, 0) != EADDRNOTAVAIL;
}

static bool is_any(const unsigned char *addr, bool v6)
{
	static const unsigned char zero[16];

	return memcmp(addr, zero, v6 ? 16 : 4) == 0;
}

/* The listener may stand in the way of the address. */
static bool concerns(const struct ports_entry *e, const char *text)
{
	unsigned char addr[16];
	bool v6 = inet_pton(AF_INET6, text, addr) == 1;

	if (!v6 && inet_pton(AF_INET, text, addr) != 1)
		return false;
	if (is_any(e->addr, e->v6) || is_any(addr, v6))
		return true;
	return e->v6 == v6 && memcmp(e->addr, addr, v6 ? 16 : 4) == 0;
}

const struct ports_entry *ports_find(
	const struct ports *ports, bool udp, const char *addr, uint16_t port)
{
	for (size_t i = 0; i < ports->n; i++) {
		const struct ports_entry *e = &ports->at[i];
		if (e->udp == udp && e->port == port && concerns(e, addr) &&
			try_bind(udp, addr, port) != 0)
			return e;
	}
	return NULL;
}

unsigned ports_first_free(void)
{
	AUTO_STR struct str text = STR_INIT;
	struct err ignored = ERR_INIT;
	uint64_t first = 1024;

	if (geteuid() == 0)
		return 0;
	if (fd_read_file(AT_FDCWD,
		    "/proc/sys/net/ipv4/ip_unprivileged_port_start", 64, &text,
		    &ignored) < 0)
		return 1024;
	str_cut(&text, strcspn(str_text(&text), "\n"));
	if (str_to_u64(str_text(&text), &first, &ignored) < 0)
		return 1024;
	return (unsigned)first;
}

/* ---- processes ---- */

struct search {
	uint64_t inode;
	const char *dir; /* /proc/PID/fd */
	pid_t pid;       /* 0 until found */
};

static void look_at_fd(void *arg, const char *name)
{
	struct search *search = arg;
	AUTO_FREE char *path = xasprintf("%s/%s", search->dir, name);
	struct stat st;

	if (search->pid == 0 && sys_fstatat(AT_FDCWD, path, &st, 0) == 0 &&
		S_ISSOCK(st.st_mode) && st.st_ino == search->inode)
		search->pid = -1;
}

static void look_at_process(void *arg, const char *name)
{
	struct search *search = arg;
	struct err ignored = ERR_INIT;
	uint64_t pid;

	if (search->pid != 0 || str_to_u64(name, &pid, &ignored) < 0)
		return;
	AUTO_FREE char *dir = xasprintf("/proc/%s/fd", name);
	search->dir = dir;
	/* a process that is gone or another user's shows nothing */
	if (sys_listdir(AT_FDCWD, dir, look_at_fd, search) == 0 &&
		search->pid != 0)
		search->pid = (pid_t)pid;
}

pid_t ports_holder(const struct ports_entry *entry, char name[32])
{
	struct search search = { entry->inode, NULL, 0 };
	AUTO_STR struct str comm = STR_INIT;
	struct err ignored = ERR_INIT;

	name[0] = '\0';
	if (sys_listdir(AT_FDCWD, "/proc", look_at_process, &search) < 0)
		return 0;
	if (search.pid <= 0)
		return 0;
	AUTO_FREE char *path = xasprintf("/proc/%d/comm", (int)search.pid);
	if (fd_read_file(AT_FDCWD, path, 4096, &comm, &ignored) == 0) {
		str_cut(&comm, strcspn(str_text(&comm), "\n"));
		snprintf(name, 32, "%.31s", str_text(&comm));
	}
	return search.pid;
}

bool ports_pid_says(pid_t pid, const char *text)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/cmdline", (int)pid);
	AUTO_STR struct str args = STR_INIT;
	struct err ignored = ERR_INIT;

	if (fd_read_file(AT_FDCWD, path, TABLE_MAX_BYTES, &args, &ignored) < 0)
		return false;
	return memmem(str_text(&args), args.len, text, strlen(text)) != NULL;
}
