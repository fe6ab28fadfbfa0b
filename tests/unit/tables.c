/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether tables of rules are there, as the kernel of a namespace says. */
#include "net/tables.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tap.h"

/* `nft ADD|DELETE table FAMILY NAME`; false: there is no nft. */
static bool nft(const char *what, const char *family, const char *name)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execlp("nft", "nft", what, "table", family, name, (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int main(void)
{
	if (unshare(CLONE_NEWNET) < 0 &&
		unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		printf("# no network namespace: %s\n", strerror(errno));
		return done();
	}
	ok(tables_are_free("vmward-a"), "a new namespace has no tables");
	if (!nft("add", "inet", "vmward-a")) {
		printf("# no nft here\n");
		return done();
	}
	ok(!tables_are_free("vmward-a"), "one of a family is one");
	ok(tables_are_free("vmward"), "another name is another table");
	nft("delete", "inet", "vmward-a");
	ok(tables_are_free("vmward-a"), "it is gone");
	nft("add", "bridge", "vmward-a");
	ok(!tables_are_free("vmward-a"), "one of bridges is one, too");
	return done();
}
