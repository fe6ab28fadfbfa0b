/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of VMs as a graph: who follows whom, who pulls whom in, who goes
 * down with whom.  Cycles, chains and the division of one deadline; pure.
 * Names that are no node are left out, as systemd does.
 */
#ifndef SUPERVISOR_GRAPH_H
#define SUPERVISOR_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/spec.h"

#define GRAPH_NONE SIZE_MAX

enum graph_kind {
	GRAPH_AFTER = 1,
	GRAPH_REQUIRES = 2,
	GRAPH_WANTS = 4,
	GRAPH_PART_OF = 8
};

struct graph_link {
	size_t to;
	enum graph_kind kind;
	bool before; /* the file of `to` says it, as before = */
};

struct graph;

/* Without nodes. */
struct graph *graph_new(void);
void graph_free(struct graph *g); /* accepts NULL */
/* A node; the name is borrowed, the owner is the caller's. */
size_t graph_add(struct graph *g, const char *name, void *owner);
/* What a node's file says; once all nodes are there. */
void graph_say(struct graph *g, size_t node, const struct spec_start *start);
size_t graph_size(const struct graph *g);
/* GRAPH_NONE if there is no such node. */
size_t graph_find(struct graph *g, const char *name);
const char *graph_name(const struct graph *g, size_t node);
void *graph_owner(const struct graph *g, size_t node);
/* Whom a node follows, requires, wants, is part of; *n of them. */
const struct graph_link *graph_links(
	const struct graph *g, size_t node, size_t *n);
/* The same from the other end: `to` follows, requires, ... the node. */
const struct graph_link *graph_back(
	const struct graph *g, size_t node, size_t *n);
/*
 * Nodes of which each follows the next, and the last the first; new, *n of
 * them.  NULL: there is no cycle.
 */
size_t *graph_cycle(const struct graph *g, size_t *n);
/* Forgets that one node follows another. */
void graph_cut(struct graph *g, size_t node, size_t other);
/* Marks who goes down with a node: all that require or are part of it. */
void graph_mark_dependents(const struct graph *g, size_t node, bool marks[]);
/*
 * The dearest chain of those that go down after a node, which it follows;
 * need_ms of each, 0 for one that does not go down.
 */
int64_t graph_chain_ms(
	const struct graph *g, size_t node, const int64_t need_ms[]);
/* One deadline divided: the part of own_ms when below_ms follow. */
int64_t graph_share_ms(int64_t left_ms, int64_t own_ms, int64_t below_ms);

#endif
