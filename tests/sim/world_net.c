/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world's pipes and UNIX stream sockets. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/un.h>

#include "base/log.h"
#include "tests/sim/world_impl.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* ---- streams ---- */

void world_stream_open(struct file *file, struct stream *in, struct stream *out)
{
	file->kind = FILE_STREAM;
	file->in = in;
	file->out = out;
	if (in)
		in->readers++;
	if (out)
		out->writers++;
}

static void shift(struct stream *stream, size_t n)
{
	struct bytes *bytes = &stream->bytes;

	memmove(bytes->data, bytes->data + n, bytes->len - n);
	bytes->len -= n;
	for (struct passed *p = stream->passed; p; p = p->next)
		p->at -= p->at < n ? p->at : n;
}

ssize_t world_stream_read(struct file *file, void *buf, size_t len)
{
	struct stream *stream = file->in;

	if (!stream) {
		errno = EBADF;
		return -1;
	}
	size_t n = stream->bytes.len < len ? stream->bytes.len : len;
	if (stream->passed && stream->passed->at > 0 && stream->passed->at < n)
		n = stream->passed->at;
	if (n == 0 && len > 0) {
		if (stream->writers == 0)
			return 0;
		errno = EAGAIN;
		return -1;
	}
	memcpy(buf, stream->bytes.data, n);
	shift(stream, n);
	return (ssize_t)n;
}

ssize_t world_stream_write(struct file *file, const void *buf, size_t len)
{
	struct stream *stream = file->out;

	if (!stream) {
		errno = EBADF;
		return -1;
	}
	if (stream->readers == 0) {
		errno = EPIPE;
		return -1;
	}
	size_t room = WORLD_STREAM - stream->bytes.len;
	size_t n = room < len ? room : len;
	if (n == 0 && len > 0) {
		errno = EAGAIN;
		return -1;
	}
	world_bytes_write(&stream->bytes, stream->bytes.len, buf, n);
	return (ssize_t)n;
}

static int stream_events(const struct file *file)
{
	int events = 0;

	if (file->in && (file->in->bytes.len > 0 || file->in->writers == 0))
		events |= LOOP_READ;
	if (file->out && (file->out->bytes.len + 4096 <= WORLD_STREAM ||
				 file->out->readers == 0))
		events |= LOOP_WRITE;
	return events;
}

int world_file_events(const struct file *file, int wanted)
{
	switch (file->kind) {
	case FILE_STREAM:
		return stream_events(file) & wanted;
	case FILE_SOCKET:
		return file->nqueue > 0 ? LOOP_READ & wanted : 0;
	case FILE_PIDFD:
		return file->proc->alive ? 0 : LOOP_READ & wanted;
	case FILE_INOTIFY:
		return file->count ? LOOP_READ & wanted : 0;
	case FILE_EVENT:
		return (file->count ? wanted : LOOP_WRITE) & wanted;
	case FILE_INODE:
	case FILE_LOG:
		break;
	}
	return wanted;
}

int world_pipe(int fds[2])
{
	struct stream *stream = world_alloc(sizeof *stream);
	struct file *in = world_new_file(FILE_STREAM);
	struct file *out = world_new_file(FILE_STREAM);

	world_stream_open(in, stream, NULL);
	world_stream_open(out, NULL, stream);
	int a = world_add_fd(in);
	int b = world_add_fd(out);
	if (a < 0 || b < 0) {
		if (a >= 0)
			world_close(a);
		errno = EMFILE;
		return -1;
	}
	fds[0] = a;
	fds[1] = b;
	return 0;
}

/* ---- sockets ---- */

int world_socket(int domain, int type, int protocol UNUSED)
{
	if (domain != AF_UNIX) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	if ((type & 0xf) != SOCK_STREAM) {
		errno = ESOCKTNOSUPPORT;
		return -1;
	}
	struct file *file = world_new_file(FILE_SOCKET);
	file->is_socket = true;
	return world_add_fd(file);
}

/* Ties two sockets together. */
static void join(struct file *a, struct file *b)
{
	struct stream *there = world_alloc(sizeof *there);
	struct stream *back = world_alloc(sizeof *back);

	world_stream_open(a, back, there);
	world_stream_open(b, there, back);
	a->is_socket = b->is_socket = true;
}

int world_socketpair(int domain, int type, int protocol, int fds[2])
{
	int a = world_socket(domain, type, protocol);
	int b = a < 0 ? -1 : world_socket(domain, type, protocol);

	if (b < 0) {
		if (a >= 0)
			world_close(a);
		return -1;
	}
	join(world_file(a), world_file(b));
	world_file(a)->peer = world_file(b)->peer = world.current;
	fds[0] = a;
	fds[1] = b;
	return 0;
}

/* The text of an address; true if the name is an abstract one. */
static bool read_name(
	const struct sockaddr *addr, socklen_t len, char name[112])
{
	size_t start = offsetof(struct sockaddr_un, sun_path);
	const char *path = (const char *)addr + start;
	size_t most = len > start ? len - start : 0;
	bool abstract = most > 0 && path[0] == '\0';
	size_t n = 0;

	BUG_ON(most > 108);
	for (size_t i = abstract; i < most; i++) {
		if (path[i] == '\0' && !abstract)
			break;
		/* NULs are part of an abstract name */
		name[n++] = path[i] ? path[i] : '\1';
	}
	name[n] = '\0';
	return abstract;
}

/* Who has bound an abstract name; it need not listen yet. */
static struct file *find_abstract(const char *name)
{
	list_each(&world.files, at, next) {
		struct file *file = list_entry(at, struct file, link);
		if (file->kind == FILE_SOCKET && file->abstract &&
			str_eq(file->abstract, name))
			return file;
	}
	return NULL;
}

/* An unconnected socket; NULL with errno. */
static struct file *fresh_socket(int fd)
{
	struct file *file = world_file(fd);

	if (!file || file->kind == FILE_SOCKET)
		return file;
	errno = file->is_socket ? EISCONN : ENOTSOCK;
	return NULL;
}

int world_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct file *file = fresh_socket(fd);
	struct place place;
	char name[112];

	if (!file)
		return -1;
	if (read_name(addr, len, name)) {
		if (find_abstract(name)) {
			errno = EADDRINUSE;
			return -1;
		}
		file->abstract = world_strdup(name);
		return 0;
	}
	if (world_find(AT_FDCWD, name, &place) < 0)
		return -1;
	if (place.inode) {
		errno = EADDRINUSE;
		return -1;
	}
	struct inode *inode = world_new_inode(INODE_SOCKET, 0777);
	inode->listener = file;
	file->inode = inode;
	world_dir_set(place.dir, place.name, inode);
	return 0;
}

int world_listen(int fd, int backlog)
{
	struct file *file = fresh_socket(fd);

	if (!file)
		return -1;
	file->listening = true;
	file->peer = world.current;
	file->backlog = backlog < 1 ? 1 : backlog > 15 ? 15 : (unsigned)backlog;
	return 0;
}

void world_socket_closed(struct file *file)
{
	if (file->inode)
		file->inode->listener = NULL;
	for (unsigned i = 0; i < file->nqueue; i++)
		world_put(file->queue[i]);
	file->nqueue = 0;
}

static struct file *find_listener(const struct sockaddr *addr, socklen_t len)
{
	struct file *server = NULL;
	struct place place;
	char name[112];

	if (read_name(addr, len, name)) {
		server = find_abstract(name);
	} else {
		if (world_find(AT_FDCWD, name, &place) < 0)
			return NULL;
		if (!place.inode) {
			errno = ENOENT;
			return NULL;
		}
		server = place.inode->listener;
	}
	if (server && server->listening)
		return server;
	errno = ECONNREFUSED;
	return NULL;
}

int world_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct file *file = fresh_socket(fd);
	struct file *server = file ? find_listener(addr, len) : NULL;

	if (!server)
		return -1;
	/* the kernel lets one more in than listen() was told */
	if (server->nqueue > server->backlog) {
		errno = EAGAIN;
		return -1;
	}
	struct file *other = world_new_file(FILE_STREAM);
	join(file, other);
	file->peer = server->peer;
	other->peer = world.current;
	other->refs = 1;
	server->queue[server->nqueue++] = other;
	return 0;
}

int world_accept(int fd)
{
	struct file *server = fresh_socket(fd);

	if (!server)
		return -1;
	if (!server->listening || server->nqueue == 0) {
		errno = server->listening ? EAGAIN : EINVAL;
		return -1;
	}
	struct file *file = server->queue[0];
	int result = world_add_fd(file);
	if (result < 0)
		return -1;
	server->nqueue--;
	memmove(server->queue, server->queue + 1, server->nqueue * sizeof file);
	file->refs--;
	return result;
}

/* UNIX sockets that were never bound have no name. */
int world_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	if (!world_file(fd))
		return -1;
	addr->sa_family = AF_UNIX;
	*len = sizeof(addr->sa_family);
	return 0;
}

int world_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	const struct file *file = world_file(fd);

	if (!file)
		return -1;
	if (level != SOL_SOCKET || !file->is_socket) {
		errno = file->is_socket ? ENOPROTOOPT : ENOTSOCK;
		return -1;
	}
	if (name == SO_PEERCRED && *len >= sizeof(struct ucred)) {
		struct ucred cred = { .pid = file->peer ? file->peer->pid : 0 };
		memcpy(value, &cred, sizeof cred);
		*len = sizeof cred;
		return 0;
	}
	if (name == SO_PEERPIDFD && *len >= sizeof(int) && file->peer) {
		struct file *of = world_new_file(FILE_PIDFD);
		of->proc = file->peer;
		int pidfd = world_add_fd(of);
		memcpy(value, &pidfd, sizeof pidfd);
		return pidfd < 0 ? -1 : 0;
	}
	if (name == SO_ERROR && *len >= sizeof(int)) {
		memset(value, 0, sizeof(int));
		return 0;
	}
	errno = ENOPROTOOPT;
	return -1;
}

/* ---- messages ---- */

/* Notes the descriptors of a message at the end of the stream. */
static int attach(struct stream *stream, const struct msghdr *msg)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(msg);

	if (!head || head->cmsg_type != SCM_RIGHTS)
		return 0;
	size_t n = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	struct passed *passed = world_alloc(sizeof *passed);
	struct passed **tail = &stream->passed;
	BUG_ON(n > WORLD_PASSED);
	for (size_t i = 0; i < n; i++) {
		int fd;
		memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
		passed->files[i] = world_file(fd);
		if (!passed->files[i])
			return -1;
	}
	for (; passed->n < n; passed->n++)
		passed->files[passed->n]->refs++;
	passed->at = stream->bytes.len;
	while (*tail)
		tail = &(*tail)->next;
	*tail = passed;
	return 0;
}

ssize_t world_sendmsg(int fd, const struct msghdr *msg, int flags UNUSED)
{
	struct file *file = world_file(fd);
	ssize_t sum = 0;

	if (!file)
		return -1;
	if (file->kind != FILE_STREAM || !file->is_socket) {
		errno = file->kind == FILE_SOCKET ? ENOTCONN : ENOTSOCK;
		return -1;
	}
	if (file->out->readers == 0) {
		errno = EPIPE;
		return -1;
	}
	if (file->out->bytes.len == WORLD_STREAM) {
		errno = EAGAIN;
		return -1;
	}
	if (attach(file->out, msg) < 0)
		return -1;
	for (size_t i = 0; i < (size_t)msg->msg_iovlen; i++) {
		const struct iovec *part = &msg->msg_iov[i];
		ssize_t n =
			world_stream_write(file, part->iov_base, part->iov_len);
		if (n > 0)
			sum += n;
		if (n < (ssize_t)part->iov_len)
			break;
	}
	return sum;
}

/* Hands over the descriptors that stand at the front of the stream. */
static void detach(struct stream *stream, struct msghdr *msg)
{
	struct passed *passed = stream->passed;
	size_t room = msg->msg_control ? msg->msg_controllen : 0;
	struct cmsghdr *head = CMSG_FIRSTHDR(msg);
	int fds[WORLD_PASSED];
	size_t n = 0;

	msg->msg_controllen = 0;
	msg->msg_flags = 0;
	if (!passed || passed->at > 0)
		return;
	stream->passed = passed->next;
	for (size_t i = 0; i < passed->n; i++) {
		int fd = -1;
		if (CMSG_SPACE((n + 1) * sizeof fd) <= room)
			fd = world_add_fd(passed->files[i]);
		if (fd < 0)
			msg->msg_flags |= MSG_CTRUNC;
		else
			fds[n++] = fd;
		world_put(passed->files[i]);
	}
	if (n == 0)
		return;
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(n * sizeof *fds);
	memcpy(CMSG_DATA(head), fds, n * sizeof *fds);
	msg->msg_controllen = CMSG_SPACE(n * sizeof *fds);
}

ssize_t world_recvmsg(int fd, struct msghdr *msg, int flags UNUSED)
{
	struct file *file = world_file(fd);
	ssize_t sum = 0;

	if (!file)
		return -1;
	if (file->kind != FILE_STREAM || !file->is_socket) {
		errno = file->kind == FILE_SOCKET ? ENOTCONN : ENOTSOCK;
		return -1;
	}
	if (file->in->bytes.len == 0 && file->in->writers > 0) {
		errno = EAGAIN;
		return -1;
	}
	detach(file->in, msg);
	for (size_t i = 0; i < (size_t)msg->msg_iovlen; i++) {
		struct iovec *part = &msg->msg_iov[i];
		if (file->in->bytes.len == 0 ||
			(sum > 0 && file->in->passed &&
				file->in->passed->at == 0))
			break;
		ssize_t n =
			world_stream_read(file, part->iov_base, part->iov_len);
		sum += n;
		if (n < (ssize_t)part->iov_len)
			break;
	}
	return sum;
}
