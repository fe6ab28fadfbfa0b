/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulator's own malloc: blocks by size class, never given back, the
 * same addresses in every run.  Half of a seed's time went to the C
 * library's.  It is the stricter of the two: a block freed twice, or one
 * that is none, ends the run, and what was freed is overwritten.  A build
 * with sanitizers keeps theirs.
 */
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifndef SANITIZED

enum { ALIGN = 16, SMALL = 512, NCLASSES = SMALL / ALIGN + 64, POISON = 64 };

static const size_t arena_len = (size_t)1 << 30;
static const uint32_t live = 0x600d600d, dead = 0xdeadb10c;

/* In front of each block; its size is a multiple of ALIGN. */
struct head {
	uint32_t state;
	uint32_t class;
	struct head *next; /* of the free ones */
};

static struct {
	unsigned char *at;
	unsigned char *end;
	struct head *free[NCLASSES];
} heap;

static _Noreturn void give_up(const char *why)
{
	if (write(STDERR_FILENO, why, strlen(why)) < 0)
		_exit(3);
	abort();
}

/* Up to SMALL in steps of ALIGN, then powers of two. */
static uint32_t class_of(size_t size)
{
	if (size <= SMALL)
		return (uint32_t)((size + ALIGN - 1) / ALIGN);
	return SMALL / ALIGN + 64 - (uint32_t)__builtin_clzl(size - 1);
}

static size_t size_of(uint32_t class)
{
	if (class <= SMALL / ALIGN)
		return (size_t) class * ALIGN;
	return (size_t)1 << (class - SMALL / ALIGN);
}

static struct head *carve(uint32_t class)
{
	size_t len = sizeof(struct head) + size_of(class);

	if (!heap.at) {
		heap.at = mmap(NULL, arena_len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (heap.at == MAP_FAILED)
			give_up("no memory for a heap\n");
		heap.end = heap.at + arena_len;
	}
	if ((size_t)(heap.end - heap.at) < len)
		give_up("the heap is full\n");
	struct head *head = (struct head *)(void *)heap.at;
	heap.at += len;
	head->class = class;
	return head;
}

/* Not by the name of malloc(): that and memset() would become calloc(). */
static void *take(size_t size)
{
	if (size > arena_len) {
		errno = ENOMEM;
		return NULL;
	}
	uint32_t class = class_of(size ? size : 1);
	struct head *head = heap.free[class];

	if (head)
		heap.free[class] = head->next;
	else
		head = carve(class);
	head->state = live;
	return head + 1;
}

void *malloc(size_t size)
{
	return take(size);
}

static struct head *head_of(void *block)
{
	struct head *head = (struct head *)block - 1;

	if (head->state == dead)
		give_up("a block is used after it was freed\n");
	if (head->state != live)
		give_up("a block is freed that is none\n");
	return head;
}

void free(void *block)
{
	if (!block)
		return;
	struct head *head = head_of(block);
	size_t size = size_of(head->class);

	memset(block, 0xdd, size < POISON ? size : POISON);
	head->state = dead;
	head->next = heap.free[head->class];
	heap.free[head->class] = head;
}

void *calloc(size_t count, size_t size)
{
	size_t sum;

	if (__builtin_mul_overflow(count, size, &sum)) {
		errno = ENOMEM;
		return NULL;
	}
	void *block = take(sum);
	return block ? memset(block, 0, sum) : NULL;
}

/* What base/mem asks before it makes a block larger. */
size_t malloc_usable_size(void *block)
{
	return block ? size_of(head_of(block)->class) : 0;
}

void *realloc(void *old, size_t size)
{
	if (!old)
		return take(size);
	size_t had = size_of(head_of(old)->class);
	if (size <= had)
		return old;
	void *block = take(size);
	if (!block)
		return NULL;
	memcpy(block, old, had);
	free(old);
	return block;
}

#endif
