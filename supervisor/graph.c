/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes by number, links in both directions; see graph.h. */
#include "supervisor/graph.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000) /* longer waits count as much */

struct links {
	struct graph_link *at;
	size_t n;
};

struct node {
	const char *name;
	void *owner;
	struct links out, back;
};

struct entry {
	const char *name;
	size_t node;
};

struct graph {
	struct node *nodes;
	size_t n;
	struct entry *by_name; /* in order, once one was looked up */
};

struct graph *graph_new(void)
{
	return NEW(struct graph);
}

void graph_free(struct graph *g)
{
	for (size_t i = 0; g && i < g->n; i++) {
		free(g->nodes[i].out.at);
		free(g->nodes[i].back.at);
	}
	if (g) {
		free(g->nodes);
		free(g->by_name);
	}
	free(g);
}

size_t graph_add(struct graph *g, const char *name, void *owner)
{
	free(TAKE(g->by_name));
	g->nodes = xreallocarray(g->nodes, g->n + 1, sizeof(struct node));
	g->nodes[g->n] = (struct node){ .name = name, .owner = owner };
	return g->n++;
}

size_t graph_size(const struct graph *g)
{
	return g->n;
}

const char *graph_name(const struct graph *g, size_t node)
{
	return g->nodes[node].name;
}

void *graph_owner(const struct graph *g, size_t node)
{
	return g->nodes[node].owner;
}

/* ---- names ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name,
		((const struct entry *)b)->name);
}

static void sort_names(struct graph *g)
{
	bool sorted = true;

	g->by_name = xcalloc(g->n + 1, sizeof(struct entry));
	for (size_t i = 0; i < g->n; i++) {
		g->by_name[i] = (struct entry){ g->nodes[i].name, i };
		sorted &= i == 0 ||
			  compare(&g->by_name[i - 1], &g->by_name[i]) < 0;
	}
	if (!sorted)
		qsort(g->by_name, g->n, sizeof(struct entry), compare);
}

size_t graph_find(struct graph *g, const char *name)
{
	size_t low = 0;
	size_t high = g->n;

	if (!g->by_name)
		sort_names(g);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, g->by_name[middle].name);

		if (order == 0)
			return g->by_name[middle].node;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return GRAPH_NONE;
}

/* ---- links ---- */

static void add_link(struct links *links, struct graph_link link)
{
	links->at = xreallocarray(
		links->at, links->n + 1, sizeof(struct graph_link));
	links->at[links->n++] = link;
}

static void link_nodes(struct graph *g, size_t from, struct graph_link link)
{
	if (from == link.to)
		return;
	add_link(&g->nodes[from].out, link);
	add_link(&g->nodes[link.to].back,
		(struct graph_link){ from, link.kind, link.before });
}

void graph_say(struct graph *g, size_t node, const struct spec_start *start)
{
	const struct {
		char **names;
		enum graph_kind kind;
		bool before;
	} lists[] = {
		{ start->after, GRAPH_AFTER, false },
		{ start->before, GRAPH_AFTER, true },
		{ start->requires, GRAPH_REQUIRES, false },
		{ start->wants, GRAPH_WANTS, false },
		{ start->part_of, GRAPH_PART_OF, false },
	};

	for (size_t i = 0; i < NELEMS(lists); i++) {
		for (char **name = lists[i].names; name && *name; name++) {
			size_t other = graph_find(g, *name);
			bool before = lists[i].before;

			if (other == GRAPH_NONE)
				continue;
			link_nodes(g, before ? other : node,
				(struct graph_link){ before ? node : other,
					lists[i].kind, before });
		}
	}
}

const struct graph_link *graph_links(
	const struct graph *g, size_t node, size_t *n)
{
	*n = g->nodes[node].out.n;
	return g->nodes[node].out.at;
}

const struct graph_link *graph_back(
	const struct graph *g, size_t node, size_t *n)
{
	*n = g->nodes[node].back.n;
	return g->nodes[node].back.at;
}

static void cut(struct links *links, size_t to)
{
	size_t kept = 0;

	for (size_t i = 0; i < links->n; i++) {
		if (links->at[i].to != to || links->at[i].kind != GRAPH_AFTER)
			links->at[kept++] = links->at[i];
	}
	links->n = kept;
}

void graph_cut(struct graph *g, size_t node, size_t other)
{
	cut(&g->nodes[node].out, other);
	cut(&g->nodes[other].back, node);
}

/* ---- cycles ---- */

/* A walk along what nodes follow: the way so far, and what was seen. */
struct walk {
	const struct graph *g;
	enum { UNSEEN, ON_THE_WAY, DONE } * seen;
	size_t *way;
	size_t n;
};

/* True when the way comes back to itself: the cycle is its end. */
static bool walk_from(struct walk *w, size_t node, size_t *first)
{
	const struct links *out = &w->g->nodes[node].out;

	w->seen[node] = ON_THE_WAY;
	w->way[w->n++] = node;
	for (size_t i = 0; i < out->n; i++) {
		size_t to = out->at[i].to;

		if (out->at[i].kind != GRAPH_AFTER)
			continue;
		if (w->seen[to] == ON_THE_WAY) {
			*first = to;
			return true;
		}
		if (w->seen[to] == UNSEEN && walk_from(w, to, first))
			return true;
	}
	w->seen[node] = DONE;
	w->n--;
	return false;
}

size_t *graph_cycle(const struct graph *g, size_t *n)
{
	struct walk w = { .g = g };
	size_t first = 0;
	size_t at = 0;
	bool found = false;

	w.seen = xcalloc(g->n + 1, sizeof(*w.seen));
	w.way = xcalloc(g->n + 1, sizeof(*w.way));
	for (size_t i = 0; i < g->n && !found; i++)
		found = w.seen[i] == UNSEEN && walk_from(&w, i, &first);
	free(w.seen);
	if (!found) {
		free(w.way);
		return NULL;
	}
	while (w.way[at] != first)
		at++;
	*n = w.n - at;
	memmove(w.way, w.way + at, *n * sizeof(*w.way));
	return w.way;
}

/* ---- going down ---- */

void graph_mark_dependents(const struct graph *g, size_t node, bool marks[])
{
	const struct links *back = &g->nodes[node].back;

	for (size_t i = 0; i < back->n; i++) {
		size_t who = back->at[i].to;

		if (marks[who] ||
			!(back->at[i].kind & (GRAPH_REQUIRES | GRAPH_PART_OF)))
			continue;
		marks[who] = true;
		graph_mark_dependents(g, who, marks);
	}
}

/* The dearest chain from a node on; -1 in memo: not known so far. */
static int64_t chain(const struct graph *g, size_t node,
	const int64_t need_ms[], int64_t memo[])
{
	const struct links *out = &g->nodes[node].out;
	int64_t most = 0;

	if (memo[node] >= 0)
		return memo[node];
	memo[node] = 0; /* whatever the files say: no walk in a circle */
	for (size_t i = 0; i < out->n; i++) {
		size_t to = out->at[i].to;
		int64_t own = need_ms[to] < DAY_MS ? need_ms[to] : DAY_MS;

		if (out->at[i].kind != GRAPH_AFTER)
			continue;
		own += chain(g, to, need_ms, memo);
		if (own > most)
			most = own;
	}
	memo[node] = most;
	return most;
}

int64_t graph_chain_ms(
	const struct graph *g, size_t node, const int64_t need_ms[])
{
	AUTO_FREE int64_t *memo = xcalloc(g->n + 1, sizeof(int64_t));

	for (size_t i = 0; i < g->n; i++)
		memo[i] = -1;
	return chain(g, node, need_ms, memo);
}

int64_t graph_share_ms(int64_t left_ms, int64_t own_ms, int64_t below_ms)
{
	int64_t own = own_ms < DAY_MS ? own_ms : DAY_MS;

	if (left_ms <= 0)
		return 1;
	if (own + below_ms <= left_ms)
		return own;
	if (left_ms > DAY_MS)
		left_ms = DAY_MS;
	own = left_ms * own / (own + below_ms);
	return own > 0 ? own : 1;
}
