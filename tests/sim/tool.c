/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated qemu-img: it copies an image, or makes an overlay of one, in
 * some seconds.  What it writes is half there meanwhile and on no disk; it
 * may fail, and goes with the supervisor that runs it.
 */
#include <fcntl.h>
#include <string.h>

#include "base/log.h"
#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

enum { TAKES_MS = 3000, HEAD = 72, NAME_AT = 128 };

static const char qemu_img[] = "/usr/bin/qemu-img";

static struct tool {
	pid_t pid;        /* 0: a free slot */
	const char *from; /* what is copied, or NULL */
	const char *base; /* or what the new one is on top of */
	const char *to;
	int64_t end_us;
	bool began;
	bool fails;
} running[SIM_QEMUS];

size_t tool_image(const char *base, char out[TOOL_IMAGE_MAX])
{
	size_t len = base ? strlen(base) : 0;

	BUG_ON(NAME_AT + len > TOOL_IMAGE_MAX);
	memset(out, 0, TOOL_IMAGE_MAX);
	memcpy(out, "QFI\xfb\0\0\0\2", 8);
	if (!base)
		return HEAD;
	out[15] = (char)NAME_AT;
	out[18] = (char)(len >> 8);
	out[19] = (char)len;
	memcpy(out + NAME_AT, base, len);
	return NAME_AT + len;
}

static struct tool *of_pid(pid_t pid)
{
	for (size_t i = 0; i < NELEMS(running); i++)
		if (running[i].pid == pid)
			return &running[i];
	return NULL;
}

static const char *after(const char *const *argv, size_t n, const char *option)
{
	for (size_t i = 0; i + 1 < n; i++)
		if (str_eq(argv[i], option))
			return argv[i + 1];
	return NULL;
}

bool tool_spawned(pid_t pid, const char *const *argv)
{
	struct tool *tool;
	size_t n = 0;

	while (argv[n])
		n++;
	if (!str_eq(argv[0], qemu_img))
		return false;
	tool = of_pid(0);
	BUG_ON(!tool || n < 3);
	*tool = (struct tool){ .pid = pid,
		.from = str_eq(argv[1], "convert") ? argv[n - 2] : NULL,
		.base = after(argv, n, "-b"),
		.to = argv[n - 1],
		.end_us = (int64_t)loop_sim_now_us() +
			  (int64_t)world_random(TAKES_MS) * 1000,
		.fails = sim_chance(SIM_EXEC, 200) };
	sim_note("qemu-img %s is pid %d", argv[1], (int)pid);
	return true;
}

bool tool_ended(pid_t pid)
{
	struct tool *tool = of_pid(pid);

	if (tool)
		tool->pid = 0;
	return tool;
}

/* The bytes of what it makes. */
static size_t bytes_of(const struct tool *tool, char out[TOOL_IMAGE_MAX])
{
	const struct bytes *from =
		tool->from ? world_bytes_of(tool->from, false) : NULL;

	if (!tool->from)
		return tool_image(tool->base, out);
	if (!from)
		return 0;
	if (from->len >= HEAD) /* all that was below is in it */
		return tool_image(NULL, out);
	memcpy(out, from->data, from->len);
	return from->len;
}

/* The first half of it, or the rest; false: it cannot. */
static bool put(const struct tool *tool, bool rest)
{
	char bytes[TOOL_IMAGE_MAX];
	size_t len = bytes_of(tool, bytes);
	size_t half = rest ? 0 : len / 2;
	int fd = world_openat(AT_FDCWD, tool->to, O_RDWR, 0);
	bool well;

	if (!len || fd < 0)
		return false;
	well = world_pwrite(fd, bytes, len - half, 0) == (ssize_t)(len - half);
	world_close(fd);
	return well;
}

static bool pump(struct tool *tool)
{
	bool over = (int64_t)loop_sim_now_us() >= tool->end_us;
	bool well;

	if (!tool->pid || (tool->began && !over))
		return false;
	pid_t before = world_as(tool->pid);
	well = put(tool, over && !tool->fails);
	tool->began = true;
	if (over || !well)
		world_exit(tool->pid, !well || tool->fails);
	world_as(before);
	return true;
}

bool tool_pump(void)
{
	bool did = false;

	for (size_t i = 0; i < NELEMS(running); i++)
		did |= pump(&running[i]);
	return did;
}

int64_t tool_next_us(void)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < NELEMS(running); i++)
		if (running[i].pid && running[i].end_us < next)
			next = running[i].end_us;
	return next;
}

void tool_check_life(void)
{
	for (size_t i = 0; i < NELEMS(running); i++)
		if (running[i].pid)
			sim_breach("I5", "a qemu-img outlived its supervisor");
}
