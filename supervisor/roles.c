/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what; see supervisor/roles.h. */
#include "supervisor/roles.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sock.h"
#include "base/str.h"
#include "supervisor/settings.h"

#define FILE_MAX (1024 * 1024)

static gid_t admin_group;
static bool has_admin_group;

/*
 * The number of a local user or group, by /etc/passwd or /etc/group alone:
 * name services may block for long, and bring in libraries that take more
 * memory than ten VMs.
 */
static int local_id(const char *file, const char *name, uint64_t *id)
{
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	size_t len = strlen(name);

	if (strchr(name, ':') ||
		fd_read_file(AT_FDCWD, file, FILE_MAX, &text, &err))
		return -1;
	for (const char *line = str_text(&text); line;
		line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) || line[len] != ':')
			continue;
		line = strpbrk(line + len + 1, ":\n");
		if (!line || *line != ':')
			return -1;
		*id = str_digits(line + 1);
		return 0;
	}
	return -1;
}

void roles_init(void)
{
	uint64_t number;

	has_admin_group = local_id("/etc/group", "vmward", &number) == 0;
	if (has_admin_group)
		admin_group = (gid_t)number;
}

static bool owns(uid_t uid, const char *owner)
{
	uint64_t number;
	struct err err = ERR_INIT;

	if (!owner || !*owner)
		return false;
	if (str_to_u64(owner, &number, &err) &&
		local_id("/etc/passwd", owner, &number))
		return false;
	return number == uid;
}

enum role roles_of_peer(int fd, const char *owner)
{
	struct sock_peer peer;

	if (sock_peer(fd, &peer))
		return ROLE_NONE;
	if (peer.uid == 0 || peer.uid == geteuid())
		return ROLE_ADMIN;
	if (has_admin_group && sock_peer_in_group(fd, admin_group))
		return ROLE_ADMIN;
	return owns(peer.uid, owner) ? ROLE_OPERATOR : ROLE_NONE;
}

bool roles_are_of_vm(enum role role, uid_t uid, const struct env *env)
{
	const struct settings_uids *pool = &settings_of(env)->confinement.uids;

	return role == ROLE_NONE && uid >= pool->first && uid <= pool->last;
}
