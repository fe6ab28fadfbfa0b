/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log of one VM; see supervisor/vmlog.h. */
#include "supervisor/vmlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/atom.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/events.h"
#include "supervisor/recorder.h"

#define FILE_MAX          (1024 * 1024)
#define READ_MAX          (40 * 1024)
#define STDERR_PER_SECOND 20
#define BURST             60

static const char *const level_names[] = { "error", "warn", "info", "debug",
	"trace" };

void vmlog_init(struct vmlog *log, const char *dir, const char *vm)
{
	*log = (struct vmlog){ .vm = atom_get(vm),
		.object = atom_take(xasprintf("vm=%s", vm)),
		.path = atom_take(xasprintf("%s/%s/vm.log", dir, vm)) };
}

void vmlog_fini(struct vmlog *log)
{
	atom_drop(log->vm);
	atom_drop(log->object);
	atom_drop(log->path);
}

void vmlog_time(int64_t real_us, char out[32])
{
	str_time(real_us, out);
}

static int open_log(const struct vmlog *log)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW;
	int fd = sys_openat(AT_FDCWD, log->path, flags, 0640);
	struct err err = ERR_INIT;

	if (fd >= 0 || errno != ENOENT)
		return fd;
	AUTO_FREE char *dir =
		xstrndup(log->path, strlen(log->path) - strlen("/vm.log"));
	if (fd_make_dirs(dir, 0755, &err))
		return -1;
	return sys_openat(AT_FDCWD, log->path, flags, 0640);
}

static void rotate(const struct vmlog *log)
{
	AUTO_FREE char *older = xasprintf("%s.1", log->path);

	sys_renameat(AT_FDCWD, log->path, AT_FDCWD, older);
}

/* The whole line or none of it: a part would spoil the next one. */
static int append(const struct vmlog *log, int fd, const struct str *line)
{
	struct stat st;
	ssize_t put;

	if (fd < 0 || sys_fstat(fd, &st))
		return -1;
	put = sys_write(fd, line->data, line->len);
	if (put == (ssize_t)line->len) {
		if (st.st_size + put > FILE_MAX)
			rotate(log);
		return 0;
	}
	if (put > 0)
		sys_ftruncate(fd, st.st_size);
	return -1;
}

/* One line a second, or more for a while. */
static bool has_room(struct vmlog *log)
{
	uint64_t second = sys_now_us() / 1000000;
	uint64_t passed = second - log->filled;

	log->filled = second;
	log->spent = passed < log->spent ? log->spent - (unsigned)passed : 0;
	if (log->spent >= BURST) {
		log->left_out++;
		return false;
	}
	log->spent++;
	return true;
}

static void write_line(
	struct vmlog *log, enum log_level level, const char *text)
{
	char time[32];
	AUTO_STR struct str line = STR_INIT;

	vmlog_time(sys_realtime_us(), time);
	str_addf(&line, "%s %s %s\n", time, level_names[level], text);
	AUTO_CLOSE int fd = open_log(log);
	if (append(log, fd, &line))
		log->lost++;
	if (log->recorder)
		recorder_line(log->recorder, level_names[level], text);
	log_line(level, log->object, "%s", text);
	events_emit("VM_LOG",
		json_pack("{s:s,s:s,s:s,s:s}", "vm", log->vm, "level",
			level_names[level], "time", time, "text", text));
}

void vmlog_line(struct vmlog *log, enum log_level level, const char *fmt, ...)
{
	AUTO_STR struct str text = STR_INIT;
	va_list ap;

	if (!has_room(log))
		return;
	va_start(ap, fmt);
	AUTO_FREE char *raw = xvasprintf(fmt, ap);
	va_end(ap);
	str_add_visible(&text, raw, strlen(raw));
	if (log->left_out)
		str_addf(&text, " (%u more lines before it were left out)",
			log->left_out);
	log->left_out = 0;
	write_line(log, level, str_text(&text));
}

void vmlog_stderr(struct vmlog *log, const char *line)
{
	uint64_t second = sys_now_us() / 1000000;

	if (second != log->second) {
		if (log->lines > STDERR_PER_SECOND)
			vmlog_line(log, LOG_WARN,
				"qemu: %u more lines in one second",
				log->lines - STDERR_PER_SECOND);
		log->second = second;
		log->lines = 0;
	}
	if (++log->lines <= STDERR_PER_SECOND)
		vmlog_line(log, LOG_INFO, "qemu: %s", line);
}

/* One line of the file as an object, or NULL if it is none of ours. */
static json_t *parse_line(char *line)
{
	char *level = strchr(line, ' ');
	char *text = level ? strchr(level + 1, ' ') : NULL;

	if (!text)
		return NULL;
	*level = '\0';
	*text = '\0';
	return json_pack("{s:s,s:s,s:s}", "time", line, "level", level + 1,
		"text", text + 1);
}

/* The whole lines from `line` on; returns where the first cut one begins. */
static char *collect(json_t *out, char *line, const char *since)
{
	for (char *end; (end = strchr(line, '\n')) != NULL; line = end) {
		json_t *item;

		*end++ = '\0';
		item = parse_line(line);
		if (item &&
			strcmp(json_string_value(json_object_get(item, "time")),
				since) >= 0)
			json_array_append_new(out, item);
		else
			json_decref(item);
	}
	return line;
}

/* Where the last lines of a text begin. */
static char *last_lines(char *data, size_t lines)
{
	char *at = data + strlen(data);

	for (size_t seen = 0; at > data; at--) {
		if (at[-1] == '\n' && seen++ == lines)
			break;
	}
	return at;
}

/*
 * Lines from offset `from` on, the last `most` of them or a few more; returns
 * the offset after them.  `cut`: it is likely amid a line, which is skipped.
 */
static off_t read_lines(int fd, off_t from, bool cut, size_t most,
	const char *since, json_t *out)
{
	AUTO_FREE char *data = xmalloc(READ_MAX + 1);
	ssize_t got = sys_pread(fd, data, READ_MAX, from);
	char *start = data;
	char *end;

	if (got <= 0)
		return from;
	for (ssize_t i = 0; i < got; i++) { /* a power cut leaves zeros */
		if (!data[i])
			data[i] = '?';
	}
	data[got] = '\0';
	if (cut && strchr(data, '\n'))
		start = strchr(data, '\n') + 1;
	if (most < READ_MAX) /* the very last may not count: it is cut */
		start = last_lines(start, most + 1);
	end = collect(out, start, since);
	return end > data || got < READ_MAX ? from + (end - data) : from + got;
}

json_t *vmlog_read(
	const struct vmlog *log, size_t lines, int64_t after, int64_t since_us)
{
	AUTO_CLOSE int fd =
		sys_openat(AT_FDCWD, log->path, O_RDONLY | O_NOFOLLOW, 0);
	json_t *out = json_array();
	struct stat st = { 0 };
	char since[32] = "";
	off_t from = 0;

	if (since_us > 0)
		vmlog_time(since_us, since);
	if (fd >= 0 && !sys_fstat(fd, &st)) {
		bool goes_on = after >= 0 && after <= st.st_size;

		if (goes_on)
			from = (off_t)after;
		else if (st.st_size > READ_MAX)
			from = st.st_size - READ_MAX;
		from = read_lines(fd, from, !goes_on && from > 0,
			after < 0 ? lines : READ_MAX, since, out);
	}
	while (after < 0 && json_array_size(out) > lines)
		json_array_remove(out, 0);
	return json_pack("{s:o,s:I}", "lines", out, "next", (json_int_t)from);
}
