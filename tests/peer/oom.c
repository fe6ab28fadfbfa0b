/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An allocation that fails, to be preloaded: OOM_AT=N fails the N-th malloc,
 * calloc or realloc after the first accept (0: none), OOM_STICKY=1 all from
 * there on.  OOM_FILE gets "failed N" when it does, and "ended N" with their
 * number when the process ends in order.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int accept4(int fd, void *address, unsigned *len, int flags);

static unsigned long at, count;
static bool sticky, counts;
static const char *file;
static char early[65536]; /* for dlsym() itself */
static size_t early_used;
static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);

static void tell(const char *how)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "%s %lu\n", how, count);
	int fd = file ? open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;

	if (fd >= 0 && write(fd, line, (size_t)len) == len)
		close(fd);
}

static void at_end(void)
{
	if (!at || count < at)
		tell("ended");
}

__attribute__((constructor)) static void begin(void)
{
	const char *number = getenv("OOM_AT");

	at = number ? strtoul(number, NULL, 10) : 0;
	sticky = getenv("OOM_STICKY") != NULL;
	file = getenv("OOM_FILE");
	unsetenv("LD_PRELOAD"); /* for our children */
	unsetenv("OOM_AT");
	atexit(at_end);
}

static void find(void)
{
	*(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
	*(void **)&real_calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&real_realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)&real_free = dlsym(RTLD_NEXT, "free");
}

static bool fails(void)
{
	if (!counts || ++count < at || at == 0)
		return false;
	if (count > at && !sticky)
		return false;
	if (count == at)
		tell("failed");
	errno = ENOMEM;
	return true;
}

static void *take_early(size_t size)
{
	void *block = early + early_used;

	early_used += (size + 15) & ~(size_t)15;
	return early_used <= sizeof(early) ? block : NULL;
}

static bool is_early(const void *block)
{
	uintptr_t where = (uintptr_t)block;

	return where >= (uintptr_t)early &&
	       where < (uintptr_t)(early + sizeof(early));
}

void *malloc(size_t size)
{
	if (!real_malloc)
		find();
	return fails() ? NULL : real_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	static bool finding;

	if (finding)
		return take_early(n * size);
	if (!real_calloc) {
		finding = true;
		find();
		finding = false;
	}
	return fails() ? NULL : real_calloc(n, size);
}

void *realloc(void *block, size_t size)
{
	if (!real_realloc)
		find();
	return fails() ? NULL : real_realloc(block, size);
}

void free(void *block)
{
	if (block && !is_early(block))
		real_free(block);
}

int accept4(int fd, void *address, unsigned *len, int flags)
{
	static int (*real)(int, void *, unsigned *, int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "accept4");
	counts = true;
	return real(fd, address, len, flags);
}
