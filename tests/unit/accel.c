/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM or TCG on hosts of every kind, each in a process of its own. */
#include "supervisor/accel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static int kvm_errno; /* 0: it opens */

static int open_host(int dirfd, const char *path, int flags, mode_t mode)
{
	if (strcmp(path, "/dev/kvm") == 0) {
		if (kvm_errno != 0) {
			errno = kvm_errno;
			return -1;
		}
		path = "/dev/null";
	} else if (strcmp(path, "/proc/cpuinfo") == 0) {
		path = temp_path("cpuinfo");
	}
	return sys_real.openat(dirfd, path, flags, mode);
}

struct host {
	const char *name;
	const char *cpuinfo; /* NULL: no such file */
	int kvm_errno;
	enum spec_accel wish;
	const char *want; /* "kvm", or the reason, or "!" and the error */
};

#define INTEL "processor\t: 0\nvmx flags\t: ept\nflags\t\t: fpu vmx sse\n\n"
#define LAST  "processor\t: 0\nflags\t\t: fpu sse svm\nbugs\t\t: svmx\n"
#define NONE  "processor\t: 0\nflags\t\t: fpu vmxx xsvm\nbugs\t\t: vmx\n"

static const struct host hosts[] = {
	{ "intel", INTEL, 0, ACCEL_AUTO, "kvm" },
	{ "amd, last word", LAST, 0, ACCEL_AUTO, "kvm" },
	{ "no flag", NONE, 0, ACCEL_AUTO,
		"tcg: this processor shows no vmx/svm" },
	{ "no cpuinfo", NULL, 0, ACCEL_AUTO,
		"tcg: this processor shows no vmx/svm" },
	{ "device denied", INTEL, EACCES, ACCEL_AUTO,
		"tcg: cannot open /dev/kvm: Permission denied" },
	{ "device missing", INTEL, ENOENT, ACCEL_AUTO,
		"tcg: cannot open /dev/kvm: No such file or directory" },
	{ "kvm insisted, paravirtual", NONE, 0, ACCEL_KVM, "kvm" },
	{ "kvm insisted, denied", INTEL, EACCES, ACCEL_KVM,
		"!accel = kvm: cannot open /dev/kvm: Permission denied" },
	{ "tcg asked for", INTEL, 0, ACCEL_TCG, "" },
};

static void put_cpuinfo(const char *text)
{
	int fd;

	unlink(temp_path("cpuinfo"));
	if (!text)
		return;
	fd = open(temp_path("cpuinfo"), O_WRONLY | O_CREAT, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		ok(false, "cpuinfo");
	close(fd);
}

/* What a fresh process decides: the flags are read once per process. */
static void decide(const struct host *host, char out[128])
{
	struct sys_backend fake = sys_real;
	int pipe_fds[2];
	ssize_t n;

	fake.openat = open_host;
	kvm_errno = host->kvm_errno;
	put_cpuinfo(host->cpuinfo);
	if (pipe(pipe_fds) != 0)
		_exit(1);
	if (fork() == 0) {
		struct err err = ERR_INIT;
		struct accel accel = { false, "" };

		sys_use(&fake);
		if (accel_choose(host->wish, &accel, &err) != 0)
			dprintf(pipe_fds[1], "!%s", err.text);
		else
			dprintf(pipe_fds[1], "%s",
				accel.kvm ? "kvm" : accel.reason);
		_exit(0);
	}
	close(pipe_fds[1]);
	n = read(pipe_fds[0], out, 127);
	out[n > 0 ? n : 0] = '\0';
	close(pipe_fds[0]);
	wait(NULL);
}

static void test_warning(void)
{
	struct accel accel = { false, "" };
	char out[160];

	ok(!accel_warning(&accel, out), "no reason: no warning");
	accel = (struct accel){ false, "tcg: no vmx" };
	ok(accel_warning(&accel, out), "a reason: a warning");
	is_str(out,
		"guests run without KVM, so slowly: no vmx (accel = tcg: no "
		"warning)",
		"that says what it means");
}

int main(void)
{
	temp_make();
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		char got[128];

		decide(&hosts[i], got);
		is_str(got, hosts[i].want, "%s", hosts[i].name);
	}
	test_warning();
	return done();
}
