/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mistakes in the order of VMs; see order_check.h. */
#include "supervisor/order_check.h"

#include "base/mem.h"
#include "supervisor/remark.h"

struct graph *order_graph(
	struct vm_spec *const *specs, const char *const *names, size_t n)
{
	struct graph *g = graph_new();

	for (size_t i = 0; i < n; i++)
		graph_add(g, names[i], specs[i]);
	for (size_t i = 0; i < n; i++) {
		if (specs[i])
			graph_say(g, i, &specs[i]->start);
	}
	return g;
}

/* The link from one node of a cycle to the next. */
static const struct graph_link *link_of(
	const struct graph *g, const size_t *nodes, size_t n, size_t at)
{
	size_t to = nodes[(at + 1) % n];
	size_t count;
	const struct graph_link *links = graph_links(g, nodes[at], &count);

	for (size_t i = 0; i < count; i++) {
		if (links[i].to == to && links[i].kind == GRAPH_AFTER)
			return &links[i];
	}
	return NULL;
}

/* Whose file says the link. */
static size_t teller(const struct graph_link *link, size_t from)
{
	return link->before ? link->to : from;
}

static const char *key_of(const struct graph_link *link)
{
	return link->before ? "before" : "after";
}

void order_add_cycle(
	const struct graph *g, const size_t *nodes, size_t n, struct str *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct graph_link *link = link_of(g, nodes, n, i);
		const struct vm_spec *spec =
			graph_owner(g, teller(link, nodes[i]));
		const struct ini_entry *entry =
			ini_find(&spec->ini, "start", key_of(link));

		str_addf(out, "%s%s after %s", i ? ", " : "",
			graph_name(g, nodes[i]), graph_name(g, link->to));
		if (entry)
			str_addf(out, " (%s:%u)", entry->file, entry->line);
	}
}

/* The first link of the cycle that the node's file says, or NULL. */
static const struct graph_link *said_by(
	const struct graph *g, const size_t *nodes, size_t n, size_t node)
{
	for (size_t i = 0; i < n; i++) {
		const struct graph_link *link = link_of(g, nodes, n, i);

		if (teller(link, nodes[i]) == node)
			return link;
	}
	return NULL;
}

bool order_says_cycle(
	const struct graph *g, const size_t *nodes, size_t n, size_t node)
{
	return said_by(g, nodes, n, node) != NULL;
}

void order_remark_cycle(const struct graph *g, const size_t *nodes, size_t n,
	size_t node, struct findings *f)
{
	const struct graph_link *link = said_by(g, nodes, n, node);
	const struct vm_spec *spec = graph_owner(g, node);
	const struct remarks to = { &spec->ini, spec->shown, f };
	AUTO_STR struct str text = STR_INIT;

	if (!link)
		return;
	order_add_cycle(g, nodes, n, &text);
	remark_error(&to, "start", key_of(link), "they wait in a circle: %s",
		str_text(&text));
}

static bool names_one(
	const struct graph *g, const size_t *nodes, size_t n, const char *only)
{
	for (size_t i = 0; i < n; i++) {
		if (!only || str_eq(graph_name(g, nodes[i]), only))
			return true;
	}
	return false;
}

void order_check_cycles(struct graph *g, const char *only, struct findings *f)
{
	size_t n;
	size_t *nodes;

	while ((nodes = graph_cycle(g, &n)) != NULL) {
		size_t at = 0;

		while (!order_says_cycle(g, nodes, n, nodes[at]))
			at++;
		if (names_one(g, nodes, n, only))
			order_remark_cycle(g, nodes, n, nodes[at], f);
		graph_cut(g, nodes[n - 1], nodes[0]);
		free(nodes);
	}
}

/* ---- names of nobody ---- */

static void check_network(
	const struct remarks *to, const char *key, const char *name)
{
	if (str_eq(key, "requires"))
		remark_error(to, "start", key,
			"there is no network '%s': networks are not supported "
			"by this version yet",
			name);
	else
		remark_note(to, "start", key,
			"net:%s has no effect: networks are not supported by "
			"this version yet",
			name);
}

static void check_name(
	const struct remarks *to, const char *key, const char *name)
{
	if (str_eq(key, "requires"))
		remark_error(to, "start", key, "there is no VM '%s'", name);
	else
		remark_note(to, "start", key,
			"there is no VM '%s' so far: without effect until "
			"then",
			name);
}

void order_check_names(const struct vm_spec *spec,
	bool (*known)(const void *arg, const char *name), const void *arg,
	struct findings *f)
{
	const struct remarks to = { &spec->ini, spec->shown, f };
	const struct {
		const char *key;
		char **names;
	} lists[] = {
		{ "after", spec->start.after },
		{ "before", spec->start.before },
		{ "requires", spec->start.requires },
		{ "wants", spec->start.wants },
		{ "part-of", spec->start.part_of },
	};

	for (size_t i = 0; i < NELEMS(lists); i++) {
		for (char **name = lists[i].names; name && *name; name++) {
			if (str_starts(*name, "net:"))
				check_network(&to, lists[i].key, *name + 4);
			else if (!known(arg, *name))
				check_name(&to, lists[i].key, *name);
		}
	}
}
