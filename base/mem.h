/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory: allocation that cannot fail (it aborts: guests survive, the next
 * supervisor adopts them) and cleanup attributes.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* As the functions without x, but they never return NULL. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size)
	__attribute__((malloc, returns_nonnull));
void *xrealloc(void *old, size_t size) __attribute__((returns_nonnull));
/* Grows an array of `count` elements of `size`; aborts on overflow. */
void *xreallocarray(void *old, size_t count, size_t size)
	__attribute__((returns_nonnull));
/* As strdup and strndup, but never NULL. */
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t len)
	__attribute__((malloc, returns_nonnull));
/* A new string; the caller frees it. */
char *xasprintf(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), returns_nonnull));
char *xvasprintf(const char *fmt, va_list ap)
	__attribute__((format(printf, 1, 0), returns_nonnull));

/* One zeroed object of a type. */
#define NEW(type) ((type *)xcalloc(1, sizeof(type)))

void mem_auto_free(void *at); /* for AUTO_FREE only */
#define AUTO_FREE __attribute__((cleanup(mem_auto_free)))

/* Gives the pointer away: yields it and sets the variable to NULL. */
#define TAKE(p)                            \
	(__extension__({                   \
		__typeof__(p) take_ = (p); \
		(p) = NULL;                \
		take_;                     \
	}))

#define NELEMS(a)   (sizeof(a) / sizeof((a)[0]))
#define UNUSED      __attribute__((unused))
#define FALLTHROUGH __attribute__((fallthrough))

#define container_of(ptr, type, member) \
	((type *)((uintptr_t)(ptr)-offsetof(type, member)))

#endif
