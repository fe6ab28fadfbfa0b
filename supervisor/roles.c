/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what; see supervisor/roles.h. */
#include "supervisor/roles.h"

#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sock.h"
#include "base/str.h"

#define PASSWD_MAX (1024 * 1024)

static gid_t admin_group;
static bool has_admin_group;

void roles_init(void)
{
	const struct group *group = getgrnam("vmward");

	has_admin_group = group != NULL;
	if (group)
		admin_group = group->gr_gid;
}

/*
 * The uid of a local user, by /etc/passwd alone: name services may block for
 * long, and a name they only know can be written as a number.
 */
static int local_uid(const char *user, uint64_t *uid)
{
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	size_t len = strlen(user);

	if (strchr(user, ':') ||
		fd_read_file(AT_FDCWD, "/etc/passwd", PASSWD_MAX, &text, &err))
		return -1;
	for (const char *line = str_text(&text); line;
		line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, user, len) || line[len] != ':')
			continue;
		line = strpbrk(line + len + 1, ":\n");
		if (!line || *line != ':')
			return -1;
		*uid = str_digits(line + 1);
		return 0;
	}
	return -1;
}

static bool owns(uid_t uid, const char *owner)
{
	uint64_t number;
	struct err err = ERR_INIT;

	if (!owner || !*owner)
		return false;
	if (str_to_u64(owner, &number, &err) && local_uid(owner, &number))
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
