/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intrusive doubly linked list.  A head is a link that points to itself; an
 * unlinked element does too, so list_del() may be called twice.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct list {
	struct list *prev;
	struct list *next;
};

#define LIST_INIT(name)          \
	{                        \
		&(name), &(name) \
	}

/* An empty list, or an element that is in none. */
static inline void list_init(struct list *head)
{
	head->prev = head;
	head->next = head;
}

/* True if nothing is in the list. */
static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

/* Puts an element at the end of the list. */
static inline void list_add(struct list *head, struct list *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

/* Takes an element out; it points to itself afterwards. */
static inline void list_del(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

#define list_entry(link, type, member) container_of(link, type, member)

/* Iterates; the body may delete the current element, and no other. */
#define list_each(head, it, next_)                                            \
	for (struct list *it = (head)->next, *next_ = it->next; it != (head); \
		it = next_, next_ = it->next)

/* Moves all elements to the end of another list. */
static inline void list_move(struct list *to, struct list *from)
{
	list_each(from, it, next) {
		list_del(it);
		list_add(to, it);
	}
}

/* How many elements it has; looks at each. */
static inline unsigned list_count(const struct list *head)
{
	unsigned n = 0;

	for (const struct list *at = head->next; at != head; at = at->next)
		n++;
	return n;
}

#endif
