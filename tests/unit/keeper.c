/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper as a process, with this program as its brain: whatever is no
 * request kills both, what is not granted is refused, the rest is done.
 */
#include "supervisor/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#include "tests/unit/keeper_nonsense.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

enum { LOST = 111, ANSWERED = 50, NO_ANSWER = 51, FD = 3 };

#define CASE "KEEPER_CASE"

/* ---- what is refused, and what is done ---- */

static struct keeper_reply reply;
static struct keeper_fds got;
static uint64_t serial;

static void answer(const char *what)
{
	rq.serial = ++serial;
	if (keeper_send(FD, &rq, sizeof(rq), &fds) ||
		keeper_receive(FD, &reply, sizeof(reply), &got) !=
			(ssize_t)sizeof(reply))
		_exit(NO_ANSWER);
	printf("%s: %s, %zu fds\n", what,
		reply.rc ? strerror(reply.os) : "done", got.n);
	fflush(stdout);
	keeper_fds_close(&fds);
}

static void try_path(const char *what, const char *path, int flags)
{
	with_path(path);
	rq.flags = (uint32_t)flags;
	answer(what);
	keeper_fds_close(&got);
}

static void try_hook(const char *what, const char *const *argv)
{
	ask_for(KEEPER_HOOK);
	add_batch(argv, NULL, 6);
	answer(what);
}

static void try_files(void)
{
	try_path("shadow", "/etc/shadow", O_RDONLY);
	try_path("named", temp_path("disks/named.raw"), O_RDWR);
	try_path("beside it", temp_path("disks/other.raw"), O_RDWR);
	try_path("in a pool", temp_path("pool/any.raw"), O_RDWR);
	try_path("by a link", temp_path("pool/link.raw"), O_RDWR);
	try_path("a second name", temp_path("pool/twice.raw"), O_RDWR);
	try_path(
		"by the brain's own file", temp_path("disks/mine.raw"), O_RDWR);
	try_path(
		"configuration", temp_path("etc/vmward/vms/web.ini"), O_RDONLY);
	try_path("to write", temp_path("etc/vmward/vms/web.ini"), O_RDWR);
	try_path("made", temp_path("disks/named.raw"), O_RDWR | O_CREAT);
	try_path("a hook to read", temp_path("hook"), O_RDONLY);
	try_path("a hook to write", temp_path("hook"), O_RDWR);
	try_path("a kernel to write", temp_path("disks/kernel"), O_RDWR);
	try_path("quoted", temp_path("disks/web-1.img"), O_RDWR);
	try_path("not what %n is", temp_path("disks/web/1.img"), O_RDWR);
	with_name(KEEPER_CREATE, "new.ini.tmp");
	answer("create");
	keeper_fds_close(&got);
	with_name(KEEPER_RENAME, "new.ini.tmp");
	snprintf(rq.other, sizeof(rq.other), "new.ini");
	answer("rename");
	with_name(KEEPER_MAKE_DIR, "new.ini.d");
	answer("directory");
	with_name(KEEPER_REMOVE, "new.ini");
	answer("remove");
	with_name(KEEPER_CREATE, "link.ini.d/x.sh");
	answer("create by a link");
	try_path("by a part of the brain's", temp_path("disks/part.raw"),
		O_RDWR);
}

static void await_end(int pidfd)
{
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };

	while (poll(&wait, 1, 20000) < 0)
		continue;
	ask_for(KEEPER_WAIT);
	add_fd(pidfd);
	answer("wait");
	printf("status %d\n", reply.pid);
}

static void try_programs(void)
{
	static const char *const shell[] = { "/bin/sh", "-c", "id", NULL };
	const char *const hook[] = { temp_path("hook"), "seven", NULL };
	const char *const mine[] = { temp_path("pool/hook"), NULL };
	const char *const more[] = { temp_path("hook"), "seven", "rm", NULL };

	try_hook("shell", shell);
	try_hook("hook in the brain's directory", mine);
	try_hook("hook with more", more);
	try_hook("hook", hook);
	if (got.n == 1)
		await_end(got.at[0]);
	with_qemu(BOTH, KEEPER_UID_FIRST + 7, 0);
	snprintf(rq.path, sizeof(rq.path), "%s", temp_path("pool/hook"));
	answer("qemu of the brain's own");
	with_qemu(BOTH, KEEPER_UID_FIRST + 7, 0);
	answer("qemu");
	if (got.n == 1)
		await_end(got.at[0]);
}

static void try_processes(void)
{
	ask_for(KEEPER_KILL);
	rq.number = SIGKILL;
	add_fd((int)syscall(SYS_pidfd_open, getppid(), 0));
	answer("kill of the keeper");
	ask_for(KEEPER_KILL_GROUP);
	rq.number = getppid();
	answer("its group");
	ask_for(KEEPER_WAIT);
	add_fd((int)syscall(SYS_pidfd_open, getppid(), 0));
	answer("wait for it");
	ask_for(KEEPER_GETFD);
	add_fd((int)syscall(SYS_pidfd_open, getppid(), 0));
	answer("what it has open");
	with_group(
		&(struct keeper_group){
			.op = KEEPER_GROUP_SCORE, .vm = "web", .score = -1000 },
		(int)syscall(SYS_pidfd_open, getppid(), 0));
	answer("whom the kernel kills");
	ask_for(KEEPER_GIVE);
	rq.number = (int32_t)KEEPER_UID;
	add_fd(open("/etc", O_PATH));
	answer("a gift of root's");
	ask_for(KEEPER_GIVE);
	rq.number = (int32_t)KEEPER_UID_FIRST;
	add_fd(open(temp_path("pool"), O_PATH));
	answer("one of the brain's");
	with_net(
		&(struct host_net_request){ .verb = HOST_NET_UP, .name = "lo" },
		sizeof(struct host_net_request));
	answer("a device of the host's");
	printf("uid %u, root's powers %s\n", (unsigned)getuid(),
		setuid(0) ? "none" : "all");
}

/* As the brain: the case tells what. */
static int be_brain(const char *word)
{
	size_t i = str_digits(word);
	unsigned char bytes[sizeof(rq) + 1] = { 0 };

	snprintf(temp_root, sizeof(temp_root), "%s", getenv("KEEPER_ROOT"));
	if (str_eq(word, "all")) {
		try_files();
		try_programs();
		try_processes();
		fflush(stdout);
		return 0;
	}
	with_path("/etc/passwd");
	nonsense[i].say();
	memcpy(bytes, &rq, sizeof(rq));
	if (keeper_send(FD, bytes, length, &fds))
		return NO_ANSWER;
	return keeper_receive(FD, &reply, sizeof(reply), &got) > 0 ? ANSWERED
								   : NO_ANSWER;
}

/* ---- the keeper ---- */

static char *program;

static int be_keeper(void)
{
	char *argv[] = { program, NULL };
	struct keeper k = { .program = program, .argv = argv, .notify_fd = -1 };
	struct err err = ERR_INIT;

	if (paths_init(&k.paths, PATHS_SYSTEM, temp_root, &err))
		return 1;
	return keeper_main(&k, -1);
}

/* Its exit status with a brain of that case; what that said: `out`. */
static int run(const char *word, struct str *out)
{
	int pipe[2];
	int status = 0;
	pid_t pid;
	char bytes[4096];

	if (pipe2(pipe, O_CLOEXEC))
		return -1;
	setenv(CASE, word, 1);
	setenv("KEEPER_ROOT", temp_root, 1);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(pipe[1], 1);
		if (!out)
			dup2(open("/dev/null", O_WRONLY), 2);
		alarm(60);
		_exit(be_keeper());
	}
	close(pipe[1]);
	for (ssize_t n; (n = read(pipe[0], bytes, sizeof(bytes))) > 0;)
		if (out)
			str_addn(out, bytes, (size_t)n);
	close(pipe[0]);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static void test_nonsense(void)
{
	for (size_t i = 0; i < NELEMS(nonsense); i++) {
		char word[16];

		snprintf(word, sizeof(word), "%zu", i);
		is_int(run(word, NULL), LOST, "%s: both are gone",
			nonsense[i].name);
	}
}

static void write_text(const char *name, const char *text, mode_t mode)
{
	int fd = open(temp_path(name), O_WRONLY | O_CREAT | O_TRUNC, mode);

	ok(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text),
		"%s is there", name);
	close(fd);
}

static void make_dirs(void)
{
	static const char *const dirs[] = { "etc", "etc/vmward",
		"etc/vmward/vms", "etc/vmward/vms/web.ini.d",
		"etc/vmward/pools", "disks", "pool" };

	umask(022);
	for (size_t i = 0; i < NELEMS(dirs); i++)
		ok(!mkdir(temp_path(dirs[i]), 0755), "%s", dirs[i]);
}

static void make_files(void)
{
	AUTO_FREE char *web =
		xasprintf("[disk.root]\nimage = %s\n"
			  "[hooks]\nstarted =  %s \t seven\n"
			  "stopped = %s\n# x = %s/disks/other.raw\n"
			  "incident = %s/hook\n"
			  "[vm]\nkernel = %s/disks/kernel ; ours\n"
			  "[disk.b]\nimage = \"%s/disks/%%n.img\"\n",
			temp_path("disks/named.raw"), temp_path("hook"),
			temp_path("pool/hook"), temp_root, temp_root, temp_root,
			temp_root);
	AUTO_FREE char *part = xasprintf(
		"[disk.root]\nimage = %s\n", temp_path("disks/part.raw"));
	AUTO_FREE char *pool =
		xasprintf("[pool]\npath = %s\n", temp_path("pool"));
	AUTO_FREE char *mine = xasprintf(
		"[disk.root]\nimage = %s\n", temp_path("disks/mine.raw"));

	make_dirs();
	write_text("etc/vmward/vms/web.ini", web, 0644);
	write_text("etc/vmward/pools/fast.ini", pool, 0644);
	write_text("etc/vmward/vms/mine.ini", mine, 0644);
	ok(!chown(temp_path("etc/vmward/vms/mine.ini"), KEEPER_UID, 0),
		"a file of the brain's");
	write_text("etc/vmward/vms/web.ini.d/1.ini", part, 0644);
	ok(!chown(temp_path("etc/vmward/vms/web.ini.d"), KEEPER_UID, 0) &&
			!symlink(temp_root,
				temp_path("etc/vmward/vms/link.ini.d")),
		"a directory of the brain's, and a link");
	write_text("disks/part.raw", "x", 0600);
	write_text("pool/hook", "#!/bin/sh\n", 0755);
	write_text("disks/named.raw", "x", 0600);
	write_text("disks/kernel", "x", 0600);
	write_text("disks/web-1.img", "x", 0600);
	write_text("disks/other.raw", "x", 0600);
	write_text("disks/mine.raw", "x", 0600);
	write_text("pool/any.raw", "x", 0600);
	write_text("pool/twice.raw", "x", 0600);
	write_text("hook",
		"#!/bin/sh\n[ \"$(id -u) $1\" = '0 seven' ] && exit 7\n", 0755);
	ok(!chown(temp_path("pool"), KEEPER_UID, 0) &&
			!link(temp_path("pool/twice.raw"),
				temp_path("disks/second.raw")) &&
			!symlink("/etc/shadow", temp_path("pool/link.raw")),
		"a pool of the brain's, with a link and a second name");
}

static const char wanted[] =
	"shadow: Permission denied, 0 fds\n"
	"named: done, 1 fds\n"
	"beside it: Permission denied, 0 fds\n"
	"in a pool: done, 1 fds\n"
	"by a link: Too many levels of symbolic links, 0 fds\n"
	"a second name: Permission denied, 0 fds\n"
	"by the brain's own file: Permission denied, 0 fds\n"
	"configuration: done, 1 fds\n"
	"to write: Permission denied, 0 fds\n"
	"made: Permission denied, 0 fds\n"
	"a hook to read: done, 1 fds\n"
	"a hook to write: Permission denied, 0 fds\n"
	"a kernel to write: Permission denied, 0 fds\n"
	"quoted: done, 1 fds\n"
	"not what %n is: Permission denied, 0 fds\n"
	"create: done, 1 fds\n"
	"rename: done, 0 fds\n"
	"directory: done, 0 fds\n"
	"remove: done, 0 fds\n"
	"create by a link: Not a directory, 0 fds\n"
	"by a part of the brain's: Permission denied, 0 fds\n"
	"shell: Permission denied, 0 fds\n"
	"hook in the brain's directory: Permission denied, 0 fds\n"
	"hook with more: Permission denied, 0 fds\n"
	"hook: done, 1 fds\n"
	"wait: done, 0 fds\n"
	"status 1792\n"
	"qemu of the brain's own: Permission denied, 0 fds\n"
	"qemu: done, 1 fds\n"
	"wait: done, 0 fds\n"
	"status 0\n"
	"kill of the keeper: Operation not permitted, 0 fds\n"
	"its group: No such process, 0 fds\n"
	"wait for it: No child processes, 0 fds\n"
	"what it has open: Operation not permitted, 0 fds\n"
	"whom the kernel kills: Operation not permitted, 0 fds\n"
	"a gift of root's: Operation not permitted, 0 fds\n"
	"one of the brain's: done, 0 fds\n"
	"a device of the host's: Permission denied, 0 fds\n"
	"uid 1987510271, root's powers none\n";

static void test_answers(void)
{
	AUTO_STR struct str out = STR_INIT;

	is_int(run("all", &out), 0, "a brain that ends takes its keeper along");
	is_str(str_text(&out), wanted, "what is refused, and what is done");
}

/* Where the user of brains can run it. */
static bool copy_program(void)
{
	AUTO_CLOSE int from = open("/proc/self/exe", O_RDONLY);
	AUTO_CLOSE int to = -1;
	char bytes[65536];
	ssize_t n;

	program = xstrdup(temp_path("brain"));
	to = open(program, O_WRONLY | O_CREAT | O_EXCL, 0755);
	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)n) != n)
			return false;
	return n == 0 && !chmod(temp_root, 0711) && !fchmod(to, 0755);
}

int main(void)
{
	const char *word = getenv(CASE);

	if (word)
		return be_brain(word);
	if (geteuid() != 0) {
		printf("1..0 # SKIP only root has powers to keep\n");
		return 0;
	}
	temp_make();
	ok(copy_program(), "a program for the brain");
	make_files();
	test_answers();
	test_nonsense();
	temp_remove();
	free(program);
	return done();
}
