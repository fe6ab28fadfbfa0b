/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which ports of this host are taken, and by whom: a look at /proc. */
#ifndef NET_PORTS_H
#define NET_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A socket that listens. */
struct ports_entry {
	bool udp;
	bool v6;
	unsigned char addr[16];
	uint16_t port;
	uint64_t inode;
};

struct ports {
	struct ports_entry *at;
	size_t n;
};

/* Looks once; where /proc does not tell, the table is empty. */
void ports_init(struct ports *ports);
void ports_fini(struct ports *ports);
/* The socket that keeps others from addr:port, or NULL. */
const struct ports_entry *ports_find(
	const struct ports *ports, bool udp, const char *addr, uint16_t port);
/* The process of a socket, or 0 if it cannot be seen; name has its command. */
pid_t ports_holder(const struct ports_entry *entry, char name[32]);
/* True if the process has the text in its arguments. */
bool ports_pid_says(pid_t pid, const char *text);
/* True if the address is one of this host's. */
bool ports_addr_is_ours(const char *addr);
/* The first port that needs no right; 0 for root. */
unsigned ports_first_free(void);

#endif
