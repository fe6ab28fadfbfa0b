/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of one size of pieces each, a few of the kernel's long, so that
 * large pieces waste little.  What is known of a page stands outside of it:
 * an unused one can be given back.  Under a sanitizer and in the simulator
 * all comes from the heap, where they see misuse.
 */
#include "base/slab.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/list.h"
#include "base/loop.h"
#include "base/mem.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ALL_FROM_HEAP true
#endif
#endif
#if !defined(ALL_FROM_HEAP) && defined(__SANITIZE_ADDRESS__)
#define ALL_FROM_HEAP true
#endif
#ifndef ALL_FROM_HEAP
#define ALL_FROM_HEAP false
#endif

enum { PAGE = 16384, PAGES = 512, GRAIN = 16, SIZES = 256 };

static struct page {
	struct list link; /* roomy[], or unused; in none while it is full */
	void *free;       /* pieces that came back, each points to the next */
	uint16_t size;    /* of a piece, in grains; 0: never used */
	uint16_t used;    /* pieces */
	uint16_t cut;     /* pieces that were ever given */
} pages[PAGES];

static _Alignas(PAGE) unsigned char region[PAGES][PAGE];
static unsigned begun; /* pages that were ever used */
static struct list roomy[SIZES];
static struct list unused = LIST_INIT(unused);

static unsigned char *bytes_of(const struct page *page)
{
	return region[page - pages];
}

static bool is_full(const struct page *page)
{
	return page->used == PAGE / (page->size * GRAIN);
}

/* A page for pieces of a size, or NULL. */
static struct page *begin(unsigned size)
{
	struct page *page;

	if (!list_is_empty(&unused)) {
		page = list_entry(unused.prev, struct page, link);
		list_del(&page->link);
	} else if (begun < PAGES) {
		if (begun == 0) /* small pages, whatever the host prefers */
			madvise(region, sizeof(region), MADV_NOHUGEPAGE);
		page = &pages[begun++];
	} else {
		return NULL;
	}
	page->free = NULL;
	page->size = (uint16_t)size;
	page->used = page->cut = 0;
	list_add(&roomy[size - 1], &page->link);
	return page;
}

static struct page *page_for(unsigned size)
{
	struct list *head = &roomy[size - 1];

	if (!head->next)
		list_init(head);
	return list_is_empty(head) ? begin(size)
				   : list_entry(head->next, struct page, link);
}

static void *take(struct page *page)
{
	void *at = page->free;

	if (at)
		memcpy(&page->free, at, sizeof(void *));
	else
		at = bytes_of(page) + page->cut++ * page->size * GRAIN;
	page->used++;
	if (is_full(page))
		list_del(&page->link);
	return at;
}

void *slab_get(size_t size)
{
	size_t grains = (size + GRAIN - 1) / GRAIN + (size == 0);
	struct page *page = NULL;

	if (grains <= SIZES && !ALL_FROM_HEAP && !loop_sim_is_on())
		page = page_for((unsigned)grains);
	return page ? take(page) : xmalloc(size);
}

void *slab_zeroed(size_t size)
{
	return memset(slab_get(size), 0, size);
}

void slab_put(void *at)
{
	uintptr_t offset = (uintptr_t)at - (uintptr_t)region;
	struct page *page;

	if (offset >= sizeof(region)) {
		free(at);
		return;
	}
	page = &pages[offset / PAGE];
	if (is_full(page))
		list_add(&roomy[page->size - 1], &page->link);
	memcpy(at, &page->free, sizeof(void *));
	page->free = at;
	if (--page->used)
		return;
	list_del(&page->link);
	list_add(&unused, &page->link);
}

void slab_trim(void)
{
	list_each(&unused, it, next) {
		struct page *page = list_entry(it, struct page, link);

		if (page->cut)
			madvise(bytes_of(page), PAGE, MADV_DONTNEED);
		page->cut = 0;
	}
}

unsigned slab_pages(void)
{
	unsigned n = begun;

	list_each(&unused, it, next)
		n--;
	return n;
}
