/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who follows whom: links, cycles, dependents, chains and shares. */
#include "supervisor/graph.h"

#include "base/mem.h"
#include "base/str.h"
#include "tests/unit/tap.h"

static char *none[] = { NULL };

/* A graph of one-letter names; each says "KEYNAME..." words: "ab" a after b */
static struct graph *graph_of(const char *names, const char *const *says)
{
	static const char all[26][2] = { "a", "b", "c", "d", "e", "f", "g", "h",
		"i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u",
		"v", "w", "x", "y", "z" };
	struct graph *g = graph_new();

	for (const char *at = names; *at; at++)
		graph_add(g, all[*at - 'a'], NULL);
	for (; *says; says++) { /* "a>b" after, "a<b" before, "a!b", "a?b" */
		const char *text = *says;
		char name[2] = { text[2], '\0' };
		char *list[] = { name, NULL };
		struct spec_start start = { .after = none,
			.before = none,
			.requires = none,
			.wants = none,
			.part_of = none };
		char from[2] = { text[0], '\0' };

		*(text[1] == '>'         ? &start.after
			: text[1] == '<' ? &start.before
			: text[1] == '!' ? &start.requires
			: text[1] == '?' ? &start.wants
					 : &start.part_of) = list;
		graph_say(g, graph_find(g, from), &start);
	}
	return g;
}

#define GRAPH(names, ...) \
	graph_of((names), (const char *const[]){ __VA_ARGS__, NULL })

static void test_links(void)
{
	struct graph *g = GRAPH("abc", "a>b", "a<c", "b!c", "a>z", "b>b");
	size_t n;
	const struct graph_link *links = graph_links(g, 0, &n);

	is_int(n, 1, "a follows one");
	ok(links[0].to == 1 && links[0].kind == GRAPH_AFTER && !links[0].before,
		"it is b, a's file says so");
	links = graph_links(g, 2, &n);
	ok(n == 1 && links[0].to == 0 && links[0].before,
		"c follows a, by a's file");
	links = graph_links(g, 1, &n);
	ok(n == 1 && links[0].kind == GRAPH_REQUIRES,
		"b requires c; itself is left out");
	links = graph_back(g, 0, &n);
	ok(n == 1 && links[0].to == 2, "from behind: c follows a");
	is_int(graph_size(g), 3, "size");
	ok(graph_find(g, "z") == GRAPH_NONE, "z is nobody");
	graph_cut(g, 0, 1);
	graph_links(g, 0, &n);
	is_int(n, 0, "cut");
	graph_back(g, 1, &n);
	is_int(n, 0, "cut from behind");
	graph_free(g);
	graph_free(NULL);
}

static void test_find(void)
{
	struct graph *g = graph_new();
	char names[40][8];
	unsigned found = 0;

	for (unsigned i = 0; i < 40; i++) { /* in no order */
		snprintf(names[i], sizeof(names[i]), "v%u", i * 7 % 40);
		graph_add(g, names[i], &names[i]);
	}
	for (unsigned i = 0; i < 40; i++) {
		size_t at = graph_find(g, names[i]);

		found += at == i && graph_owner(g, at) == &names[i] &&
			 str_eq(graph_name(g, at), names[i]);
	}
	is_int(found, 40, "found by name, in whatever order they came");
	graph_free(g);
}

/* The cycle as letters, beginning with its least one. */
static char *cycle_of(struct graph *g)
{
	size_t n = 0;
	size_t first = 0;
	size_t *nodes = graph_cycle(g, &n);
	AUTO_STR struct str text = STR_INIT;

	for (size_t i = 0; i < n; i++)
		if (nodes[i] < nodes[first])
			first = i;
	for (size_t i = 0; i < n; i++)
		str_add(&text, graph_name(g, nodes[(first + i) % n]));
	free(nodes);
	graph_free(g);
	return str_take(&text);
}

static void test_cycles(void)
{
	static const struct {
		const char *says[6];
		const char *want;
	} rows[] = {
		{ { "a>b", "b>c", "c>d" }, "" },
		{ { "a>b", "b>a" }, "ab" },
		{ { "a>b", "a<b" }, "ab" },
		{ { "a>b", "b>c", "c>a" }, "abc" },
		{ { "d>a", "a>b", "b>c", "c>b" }, "bc" },
		{ { "a>b", "a>c", "b>d", "c>d" }, "" },
		{ { "a!b", "b!a" }, "" },
		{ { "a!b", "b>a" }, "" },
		{ { "a<b", "b<c", "c<a" }, "acb" },
	};

	for (size_t i = 0; i < NELEMS(rows); i++) {
		AUTO_FREE char *got = cycle_of(graph_of("abcd", rows[i].says));
		is_str(got, rows[i].want, "cycle %zu", i);
	}
}

static void test_dependents(void)
{
	struct graph *g =
		GRAPH("abcdef", "b!a", "c=b", "d?a", "e>a", "a!f", "f!c");
	bool marks[6] = { false };

	graph_mark_dependents(g, 0, marks);
	ok(marks[1] && marks[2], "who requires, who is part of that one");
	ok(!marks[3] && !marks[4], "not who wants, not who only follows");
	ok(marks[5] && marks[0], "also in a circle");
	graph_free(g);
}

static void test_shares(void)
{
	/* d follows b and c, which follow a: d goes first */
	struct graph *g = GRAPH("abcd", "d>b", "d>c", "b>a", "c>a");
	int64_t need[4] = { 10, 20, 50, 30 };

	is_int(graph_chain_ms(g, 3, need), 60, "the dearest chain below d");
	is_int(graph_chain_ms(g, 1, need), 10, "below b");
	is_int(graph_chain_ms(g, 0, need), 0, "below a is nobody");
	need[2] = 0;
	is_int(graph_chain_ms(g, 3, need), 30, "who is down takes no time");
	is_int(graph_share_ms(90, 30, 60), 30, "enough for all");
	is_int(graph_share_ms(45, 30, 60), 15, "half of it: half for each");
	is_int(graph_share_ms(0, 30, 60), 1, "nothing left");
	is_int(graph_share_ms(1000, STR_FOREVER, 0), 1000,
		"who needs for ever gets what there is");
	graph_free(g);
}

int main(void)
{
	test_links();
	test_find();
	test_cycles();
	test_dependents();
	test_shares();
	return done();
}
