/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what; see supervisor/roles.h. */
#include "supervisor/roles.h"

#include <unistd.h>

#include "base/sock.h"
#include "supervisor/settings.h"
#include "supervisor/users.h"

static gid_t admin_group;
static bool has_admin_group;

void roles_init(void)
{
	has_admin_group = users_find_group("vmward", &admin_group) == 0;
}

static bool owns(uid_t uid, const char *owner)
{
	uint32_t number;

	return users_find(owner, &number) == 0 && number == uid;
}

/* The most that [roles] gives it. */
static enum role named(int fd, uid_t uid, const struct settings_roles *roles)
{
	enum role most = ROLE_NONE;

	for (size_t i = 0; i < roles->nwho; i++) {
		const struct settings_who *who = &roles->who[i];
		bool is = who->group ? sock_peer_in_group(fd, who->id)
				     : who->id == uid;

		if (is && who->role > most)
			most = who->role;
	}
	return most;
}

enum role roles_of_peer(int fd, const char *owner, const struct env *env)
{
	struct sock_peer peer;
	enum role role;

	if (sock_peer(fd, &peer))
		return ROLE_NONE;
	if (peer.uid == 0 || peer.uid == geteuid())
		return ROLE_ADMIN;
	if (has_admin_group && sock_peer_in_group(fd, admin_group))
		return ROLE_ADMIN;
	role = named(fd, peer.uid, &settings_of(env)->roles);
	if (role < ROLE_OPERATOR && owns(peer.uid, owner))
		return ROLE_OPERATOR;
	return role;
}

bool roles_are_of_vm(enum role role, uid_t uid, const struct env *env)
{
	const struct settings_uids *pool = &settings_of(env)->confinement.uids;

	return role == ROLE_NONE && uid >= pool->first && uid <= pool->last;
}
