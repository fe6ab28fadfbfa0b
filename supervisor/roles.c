/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what; see supervisor/roles.h. */
#include "supervisor/roles.h"

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/sock.h"
#include "base/str.h"

static gid_t admin_group;
static bool has_admin_group;

void roles_init(void)
{
	const struct group *group = getgrnam("vmward");

	has_admin_group = group != NULL;
	if (group)
		admin_group = group->gr_gid;
}

static bool owns(uid_t uid, const char *owner)
{
	const struct passwd *user;
	uint64_t number;
	struct err err = ERR_INIT;

	if (!owner || !*owner)
		return false;
	if (!str_to_u64(owner, &number, &err))
		return number == uid;
	user = getpwnam(owner);
	return user && user->pw_uid == uid;
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
