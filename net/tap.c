/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tap devices; see tap.h. */
#include "net/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

enum {
	VNET_HEADER = 12, /* bytes of virtio 1's header: QEMU's own choice */
	FDINFO_MAX = 4096,
};

static const char tun_path[] = "/dev/net/tun";

void tap_name(const char *vm, const char *nic, char out[TAP_NAME_SIZE])
{
	uint64_t hash = hash_add(
		hash_add(HASH_START, vm, strlen(vm) + 1), nic, strlen(nic) + 1);

	snprintf(out, TAP_NAME_SIZE, "vw%010llx",
		(unsigned long long)(hash & 0xffffffffffULL));
}

void tap_close(int fds[], unsigned n)
{
	while (n > 0)
		sys_close(fds[--n]);
}

/* The descriptor becomes a queue of the device; -1 with errno. */
static int attach(int fd, const char *name, bool several)
{
	struct ifreq request = { .ifr_flags =
					 IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int header = VNET_HEADER;

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	if (several)
		request.ifr_flags |= IFF_MULTI_QUEUE;
	if (sys_ioctl(fd, TUNSETIFF, &request) < 0)
		return -1;
	return sys_ioctl(fd, TUNSETVNETHDRSZ, &header);
}

/* One queue of a device: its descriptor, or -1 with errno. */
static int open_queue(const char *path, const char *name, bool several)
{
	AUTO_CLOSE int fd =
		sys_openat(AT_FDCWD, path, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);

	if (fd < 0 || attach(fd, name, several) < 0)
		return -1;
	return TAKE_FD(fd);
}

int tap_make_again(int pidfd, int first, unsigned queues, const char *name,
	struct err *err)
{
	for (unsigned i = 0; i < queues; i++) {
		AUTO_CLOSE int fd = sys_pidfd_getfd(pidfd, first + (int)i);

		if (fd < 0 || attach(fd, name, queues > 1) < 0)
			return err_os(err, "cannot make tap '%s' again", name);
	}
	return 0;
}

static int open_all(const char *path, const char *name, unsigned queues,
	int fds[], struct err *err)
{
	for (unsigned i = 0; i < queues; i++) {
		fds[i] = open_queue(path, name, queues > 1);
		if (fds[i] >= 0)
			continue;
		int why = errno;
		tap_close(fds, i);
		errno = why;
		if (why == EBUSY)
			return err_set(err, ERR_BUSY,
				"tap '%s' is in use by another process", name);
		if (why == EPERM || why == EACCES)
			return err_set(err, ERR_DENIED,
				"no right to make tap '%s': this needs root or "
				"CAP_NET_ADMIN; user = yes works without",
				name);
		return err_os(err, "cannot make tap '%s'", name);
	}
	return 0;
}

int tap_open(const char *name, unsigned queues, int fds[], struct err *err)
{
	return open_all(tun_path, name, queues, fds, err);
}

int tap_open_macvtap(const char *name, unsigned index, unsigned queues,
	int fds[], struct err *err)
{
	AUTO_FREE char *path = xasprintf("/dev/tap%u", index);
	struct stat st;

	if (sys_fstatat(AT_FDCWD, path, &st, 0) && errno == ENOENT)
		return err_set(err, ERR_UNSUPPORTED,
			"there is no '%s', which the kernel makes where /dev "
			"is a devtmpfs, else udev: start one of them, or say "
			"bridge = or user = yes",
			path);
	if (open_all(path, name, queues, fds, err))
		return -1;
	/* another namespace may have a device of that number */
	for (unsigned i = 0; i < queues; i++) {
		struct ifreq request = { .ifr_flags = 0 };

		if (sys_ioctl(fds[i], TUNGETIFF, &request) == 0 &&
			str_eq(request.ifr_name, name))
			continue;
		tap_close(fds, queues);
		return err_set(
			err, ERR_OS, "'%s' is not macvtap '%s'", path, name);
	}
	return 0;
}

bool tap_possible(struct err *err)
{
	int fd;

	/* a name of the kernel's choice, gone at once */
	if (open_all(tun_path, "vwprobe%d", 1, &fd, err) < 0)
		return false;
	sys_close(fd);
	return true;
}

/* ---- of another process ---- */

struct share {
	pid_t pid;
	int pidfd;
	char line[16 + TAP_NAME_SIZE]; /* as its fdinfo says it */
	int *fds;
	unsigned n, max;
};

static void share_one(void *arg, const char *name)
{
	struct share *share = arg;
	AUTO_FREE char *path =
		xasprintf("/proc/%d/fdinfo/%s", (int)share->pid, name);
	AUTO_STR struct str text = STR_INIT;
	struct err none = ERR_INIT;
	uint64_t number;
	int fd;

	if (share->n == share->max || str_to_u64(name, &number, &none) ||
		fd_read_file(AT_FDCWD, path, FDINFO_MAX, &text, &none) ||
		!strstr(str_text(&text), share->line))
		return;
	fd = sys_pidfd_getfd(share->pidfd, (int)number);
	if (fd >= 0)
		share->fds[share->n++] = fd;
}

int tap_share(pid_t pid, int pidfd, const char *name, int fds[], unsigned max,
	struct err *err)
{
	struct share share = {
		.pid = pid, .pidfd = pidfd, .fds = fds, .max = max
	};
	AUTO_FREE char *dir = xasprintf("/proc/%d/fdinfo", (int)pid);

	snprintf(share.line, sizeof share.line, "\niff:\t%s\n", name);
	if (sys_listdir(AT_FDCWD, dir, share_one, &share) < 0)
		return err_os(err, "cannot look at '%s'", dir);
	return (int)share.n;
}

int tap_header(int fd)
{
	int size;

	return sys_ioctl(fd, TUNGETVNETHDRSZ, &size) ? -1 : size;
}

int tap_set_header(int fd, int size)
{
	return sys_ioctl(fd, TUNSETVNETHDRSZ, &size);
}
