/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor/host_check: images that are missing or something else, kernels
 * that cannot be read, ports that are taken; on a private directory and on
 * loopback ports that the kernel chose.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/unit/confdir.h"
#include "tests/unit/tap.h"

/* The output of `check` for vms/h.ini with this text; new. */
static char *check(const char *text)
{
	struct findings f;
	bool missing;

	conf_put("vms/h.ini", text);
	findings_init(&f);
	config_check(&conf, "h", NULL, &f, &missing);
	char *found = conf_found(&f);
	findings_fini(&f);
	return found;
}

static void put_image(const char *name, const char *bytes, size_t len)
{
	AUTO_FREE char *path = xasprintf("%s/%s", conf.images, name);
	struct err err = ERR_INIT;

	if (fd_make_dirs(conf.images, 0755, &err) < 0 ||
		fd_write_file(AT_FDCWD, path, bytes, len, 0644, false, &err) <
			0)
		abort();
}

/* Header of an empty qcow2 of 3 GiB. */
static const char qcow2[512] = "QFI\xfb\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
			       "\0\20\0\0\0\0\xc0\0\0\0";

static void is_check(const char *text, const char *want, const char *what)
{
	AUTO_FREE char *got = check(text);
	AUTO_STR struct str full = STR_INIT;

	/* IMAGES in the expectation is the directory of volumes */
	for (const char *at = want; *at; at++) {
		if (!str_starts(at, "IMAGES")) {
			str_addc(&full, *at);
			continue;
		}
		str_add(&full, conf.images);
		at += strlen("IMAGES") - 1;
	}
	is_str(got, str_text(&full), "%s", what);
}

static void test_images(void)
{
	put_image("q.qcow2", qcow2, sizeof qcow2);
	put_image("r.qcow2", "\0\0\0\0", 4);
	put_image("q.img", qcow2, sizeof qcow2);
	is_check("[disk.r]\nimage = q.qcow2\n", "", "an image that is there");
	is_check("[disk.r]\nimage = none.qcow2\n",
		"h.ini:2: [disk.r] image: 'IMAGES/none.qcow2' does not exist: "
		"add size = 20G to make it, or instead say base = IMAGE for "
		"an overlay, or size alone\n",
		"one that is missing");
	is_check("[disk.r]\nimage = none.qcow2\nsize = 1G\n", "",
		"with a size it is made");
	is_check("[disk.r]\nsize = 1G\n", "", "size alone");
	is_check("[disk.r]\nbase = none.qcow2\n",
		"h.ini:2: [disk.r] base: 'IMAGES/none.qcow2' does not exist\n",
		"a base must be there");
	is_check("[disk.r]\nbase = q.qcow2\nsize = 20G\n", "", "a base");
	is_check("[disk.r]\nbase = q.qcow2\nsize = 2G\n",
		"h.ini:3: [disk.r] size: 2G is less than base has (3G)\n",
		"an overlay is not smaller than its base");
	is_check("[disk.r]\nimage = q.qcow2\nsize = 2G\n",
		"h.ini:3: [disk.r] size: 2G is less than image has (3G)\n",
		"nothing shrinks");
	is_check("[disk.r]\nimage = q.img\nformat = raw\n",
		"h.ini:2: [disk.r] image: q.img is qcow2 by its header, "
		"format says raw\n",
		"format against header");
	is_check("[disk.r]\nimage = r.qcow2\n",
		"h.ini:2: [disk.r] image: r.qcow2 is raw by its header, its "
		"suffix says qcow2\n",
		"suffix against header");
	is_check("[disk.r]\nimage = /dev\nformat = raw\n",
		"h.ini:2: [disk.r] image: '/dev' is a directory\n",
		"a directory");
}

static void test_kernel(void)
{
	AUTO_FREE char *kernel = xasprintf("%s/vms/k", conf.config);
	AUTO_FREE char *want = xasprintf("h.ini:2: [vm] kernel: cannot open "
					 "'%s': No such file or directory\n"
					 "h.ini:3: [vm] initrd: '/dev/null' "
					 "is not a regular file\n",
		kernel);

	is_check("[vm]\nkernel = k\ninitrd = /dev/null\n", want,
		"kernel and initrd");
	conf_put("vms/k", "kernel");
	is_check("[vm]\nkernel = k\n", "", "a kernel that is there");
	AUTO_FREE char *much = check("[vm]\nkernel = k\nmemory = 1024T\n");
	ok(str_starts(much, "note: h.ini:3: [vm] memory: this host has "),
		"more memory than there is is a note: %s", much);
}

/* ---- ports ---- */

/* A listening or bound socket on a port of the kernel's choice. */
static int open_port(int family, int type, uint16_t *port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	bool four = family == AF_INET;
	socklen_t len = four ? sizeof v4 : sizeof v6;
	struct sockaddr *addr =
		four ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v6.sin6_addr = in6addr_loopback;
	if (fd < 0 || bind(fd, addr, len) < 0 ||
		(type == SOCK_STREAM && listen(fd, 1) < 0) ||
		getsockname(fd, addr, &len) < 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*port = ntohs(four ? v4.sin_port : v6.sin6_port);
	return fd;
}

static void test_taken(int family, int type, const char *spelling)
{
	uint16_t port = 0;
	int fd = open_port(family, type, &port);

	if (fd < 0) {
		ok(true, "%s # SKIP no such sockets here", spelling);
		return;
	}
	AUTO_FREE char *text = xasprintf("[disk.r]\nsize = 1G\n[net.lan]\n"
					 "user = yes\nforward = %s%u:80\n",
		spelling, port);
	AUTO_FREE char *want =
		xasprintf("h.ini:5: [net.lan] forward: port %u is taken by "
			  "pid %d (config_host)\n",
			port, (int)getpid());
	is_check(text, want, spelling);
	close(fd);
	is_check(text, "", "and free again");
}

static void test_other_addr(void)
{
	uint16_t port = 0;
	int fd = open_port(AF_INET, SOCK_STREAM, &port);
	AUTO_FREE char *text = xasprintf("[disk.r]\nsize = 1G\n[net.lan]\n"
					 "user = yes\nforward = "
					 "tcp:127.0.0.2:%u:80, udp:%u:80\n",
		port, port);

	is_check(text, "", "another address or protocol is free");
	close(fd);
	is_check("[disk.r]\nsize = 1G\n[net.lan]\nuser = yes\nforward = "
		 "192.0.2.1:8080:80\n",
		"h.ini:5: [net.lan] forward: 192.0.2.1 is no address of this "
		"host\n",
		"an address of somebody else");
}

/* The rule of the demo: an error of the file hides none of the host. */
static void test_both(void)
{
	uint16_t port = 0;
	int fd = open_port(AF_INET, SOCK_STREAM, &port);
	AUTO_FREE char *text = xasprintf("[vm]\nmemmory = 1G\n[disk.r]\nsize "
					 "= 1G\n[net.lan]\nforward = %u:80\n",
		port);
	AUTO_FREE char *want =
		xasprintf("h.ini:2: unknown key 'memmory' in [vm] (did you "
			  "mean 'memory'?)\n"
			  "h.ini:6: [net.lan] forward: port %u is taken by pid "
			  "%d (config_host)\n",
			port, (int)getpid());

	is_check(text, want, "errors of file and host in one run");
	close(fd);
}

/* sd_notify of a guest: what this host has not is said with its line. */
static void test_notify(void)
{
	AUTO_FREE char *got = check("[disk.root]\nimage = a.qcow2\n"
				    "[start]\nready = notify\n");

	ok(strstr(got, "h.ini:4: [start] ready = notify"), "file and line");
	ok(strstr(got, "has no /dev/vhost-vsock: modprobe vhost_vsock") ||
			strstr(got, "modprobe vsock") ||
			strstr(got, "not supported by this version yet"),
		"and why (%s)", got);
}

int main(void)
{
	conf_start(PATHS_SYSTEM);
	test_notify();
	test_images();
	test_kernel();
	test_taken(AF_INET, SOCK_STREAM, "");
	test_taken(AF_INET, SOCK_STREAM, "tcp:0.0.0.0:");
	test_taken(AF_INET, SOCK_DGRAM, "udp:");
	test_taken(AF_INET6, SOCK_STREAM, "tcp:[::1]:");
	test_other_addr();
	test_both();
	conf_end();
	return done();
}
