/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocation that cannot fail.  Without memory the supervisor dies at once:
 * guests run on, its successor adopts them.
 */
#include "base/mem.h"

#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* So long are most texts: they are formatted once. */
enum { SHORT = 256 };

static _Noreturn void out_of_memory(void)
{
	static const char text[] = "error out of memory\n";

	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		abort();
	abort();
}

/*
 * glibc keeps seven freed pieces of each size up to 1032 for itself, and does
 * not join them with their neighbours: larger ones come in two sizes only, or
 * those alone would be 200 KiB.
 */
static size_t rounded(size_t size)
{
	enum { EXACT = 256, MIDDLE = 512, KEPT = 1032 };

	if (size == 0)
		return 1;
	if (size <= EXACT || size > KEPT)
		return size;
	return size <= MIDDLE ? MIDDLE : KEPT;
}

void *xmalloc(size_t size)
{
	void *p = malloc(rounded(size));

	if (!p)
		out_of_memory();
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	void *p;

	if (size && count > SIZE_MAX / size)
		out_of_memory();
	p = calloc(1, rounded(count * size));
	if (!p)
		out_of_memory();
	return p;
}

#ifdef HAVE_MALLOC_TRIM
/* Of glibc: its realloc() leaves crumbs of all sizes, which it keeps too. */
void *xrealloc(void *old, size_t size)
{
	size_t had = old ? malloc_usable_size(old) : 0;
	void *p;

	if (had && size <= had && size > had / 2)
		return old;
	p = xmalloc(size);
	if (old)
		memcpy(p, old, size < had ? size : had);
	free(old);
	return p;
}
#else
void *xrealloc(void *old, size_t size)
{
	void *p = realloc(old, rounded(size));

	if (!p)
		out_of_memory();
	return p;
}
#endif

void *xreallocarray(void *old, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		out_of_memory();
	return xrealloc(old, count * size);
}

char *xstrndup(const char *text, size_t len)
{
	size_t n = strnlen(text, len);
	char *copy = xmalloc(n + 1);

	memcpy(copy, text, n);
	copy[n] = '\0';
	return copy;
}

char *xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char buf[SHORT];
	va_list again;

	va_copy(again, ap);
	int len = vsnprintf(buf, sizeof buf, fmt, again);
	va_end(again);
	if (len < 0)
		out_of_memory();
	char *text = xmalloc((size_t)len + 1);
	if ((size_t)len < sizeof buf)
		memcpy(text, buf, (size_t)len + 1);
	else
		vsnprintf(text, (size_t)len + 1, fmt, ap);
	return text;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = xvasprintf(fmt, ap);
	va_end(ap);
	return text;
}

void mem_auto_free(void *at)
{
	void **p = at;

	free(*p);
}
