/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what: root, our user, the group, the owner, and nobody else. */
#include "supervisor/roles.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/settings.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

enum { ANN = 1234567, ADMINS = 7654321 };

static struct env env;
static struct ucred peer;
static gid_t peer_group; /* its supplementary one */

static int peer_option(int fd, int level, int name, void *value, socklen_t *len)
{
	(void)fd;
	if (level != SOL_SOCKET || fd < 0) {
		errno = EBADF;
		return -1;
	}
	if (name == SO_PEERCRED) {
		memcpy(value, &peer, sizeof(peer));
		*len = sizeof(peer);
		return 0;
	}
	memcpy(value, &peer_group, sizeof(peer_group));
	*len = sizeof(peer_group);
	return 0;
}

/* /etc/passwd and /etc/group are files of ours. */
static int open_file(int dirfd, const char *path, int flags, mode_t mode)
{
	if (str_starts(path, "/etc/"))
		path = temp_path(path + strlen("/etc/"));
	return sys_real.openat(dirfd, path, flags, mode);
}

static void put_file(const char *name, const char *text)
{
	struct err err = ERR_INIT;

	if (fd_write_file(AT_FDCWD, temp_path(name), text, strlen(text), 0644,
		    false, &err))
		ok(false, "%s", err.text);
}

/* The role of ANN for a VM of that owner. */
static enum role role_for(const char *owner)
{
	return roles_of_peer(3, owner, &env);
}

static void test_owner(void)
{
	is_int(role_for(""), ROLE_NONE, "a VM of nobody");
	is_int(role_for(NULL), ROLE_NONE, "or without a spec");
	is_int(role_for("ann"), ROLE_OPERATOR, "the owner by name");
	is_int(role_for("1234567"), ROLE_OPERATOR, "the owner by number");
	is_int(role_for("123456"), ROLE_NONE, "another number");
	is_int(role_for("bob"), ROLE_NONE, "another user");
	is_int(role_for("an"), ROLE_NONE, "a part of the name");
	is_int(role_for("anna"), ROLE_NONE, "more than the name");
	is_int(role_for("carl"), ROLE_NONE, "nobody of that name");
	is_int(role_for("ann:x"), ROLE_NONE, "a name with fields behind it");
	is_int(role_for("last"), ROLE_OPERATOR, "a last line without its end");
	is_int(role_for("short"), ROLE_NONE, "a line without a number");
	is_int(role_for("cut"), ROLE_NONE, "a line without a password");
	unlink(temp_path("passwd"));
	is_int(role_for("ann"), ROLE_NONE, "no file, no names");
	is_int(role_for("1234567"), ROLE_OPERATOR, "numbers do without");
}

static void test_admins(void)
{
	peer.uid = 0;
	is_int(role_for(""), ROLE_ADMIN, "root");
	peer.uid = geteuid();
	is_int(role_for(""), ROLE_ADMIN, "the supervisor's own user");
	peer.uid = ANN;
	peer.gid = ADMINS;
	is_int(role_for(""), ROLE_NONE, "a group that is not there");
	put_file("group", "root:x:0:\nvmwardx:x:7:\nvmward:x:7654321:ann\n");
	roles_init();
	is_int(role_for(""), ROLE_ADMIN, "the group, as the first one");
	peer.gid = 5;
	is_int(role_for(""), ROLE_NONE, "not in it");
	peer_group = ADMINS;
	is_int(role_for(""), ROLE_ADMIN, "the group, as another one");
	put_file("group", "root:x:0:\n");
	roles_init();
	is_int(role_for(""), ROLE_NONE, "it is gone");
	peer_group = 0;
	is_int(roles_of_peer(-1, "ann", &env), ROLE_NONE, "no socket at all");
}

static void settle(const char *text)
{
	struct findings f;

	findings_init(&f);
	put_file("vmward.ini", text);
	settings_drop(&env);
	env.settings = settings_read(NULL, temp_path("vmward.ini"), &f);
	ok(env.settings, "[roles] are settled");
	findings_fini(&f);
}

static void test_named(void)
{
	peer.uid = ANN;
	peer.gid = 5;
	peer_group = 0;
	put_file("group", "root:x:0:\nstaff:x:50:\n");
	put_file("passwd", "bob:x:77:77::/:/bin/sh\nann:x:1234567:1::/:/\n");
	settle("[roles]\nviewer = ann\n");
	is_int(role_for(""), ROLE_VIEWER, "a viewer by name");
	is_int(role_for("ann"), ROLE_OPERATOR, "who owns a VM, operates it");
	is_int(role_for("bob"), ROLE_VIEWER, "but not another's");
	settle("[roles]\nviewer = 1234567\noperator = @staff, bob\n");
	is_int(role_for(""), ROLE_VIEWER, "by number; of two lists not in one");
	peer_group = 50;
	is_int(role_for(""), ROLE_OPERATOR, "the most of two lists, by group");
	peer_group = 0;
	peer.gid = 50;
	is_int(role_for(""), ROLE_OPERATOR, "and by the first group");
	peer.gid = 5;
	settle("[roles]\nadmin = @50, ann\nviewer = ann\n");
	is_int(role_for("bob"), ROLE_ADMIN, "an administrator");
	peer.uid = 77;
	is_int(role_for(""), ROLE_NONE, "whom nobody named");
	peer.gid = 50;
	is_int(role_for(""), ROLE_ADMIN, "a group by number");
	settings_drop(&env);
	is_int(role_for(""), ROLE_NONE, "no settings, no roles");
}

int main(void)
{
	struct sys_backend odd = sys_real;

	temp_make();
	odd.getsockopt = peer_option;
	odd.openat = open_file;
	sys_use(&odd);
	peer = (struct ucred){ .pid = 1, .uid = ANN, .gid = 5 };
	roles_init();
	put_file("passwd", "root:x:0:0::/:/bin/sh\nbob:x:77:77::/:/bin/sh\n"
			   "cut\nshort:x\nodd:1234567\n"
			   "ann:x:1234567:1234567:Ann:/:/bin/sh\n"
			   "last:x:1234567:1::/:/bin/sh");
	test_owner();
	test_admins();
	test_named();
	return done();
}
