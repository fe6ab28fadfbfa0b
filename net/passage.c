/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A way through the rules of others; see passage.h. */
#include "net/passage.h"

#include <stdio.h>
#include <string.h>

#include "base/jstream.h"
#include "base/mem.h"

/* Docker jumps there first, and leaves what is in it alone. */
#define DOCKER_USER "DOCKER-USER"

/* What is let through in which chains: the host serves DHCP and DNS. */
static const struct way {
	const char *hook;
	const char *key;
	const char *protocol; /* NULL: each */
	int ports[4];
} ways[] = {
	{ "forward", "iifname", NULL, { 0 } },
	{ "forward", "oifname", NULL, { 0 } },
	{ "input", "iifname", "udp", { 53, 67, 547 } },
	{ "input", "iifname", "tcp", { 53 } },
};

void passage_init(struct passage *passage, const char *tag)
{
	*passage = (struct passage){
		.tag = tag, .chains = json_array(), .there = json_array()
	};
}

void passage_fini(struct passage *passage)
{
	json_decref(passage->chains);
	json_decref(passage->there);
	str_fini(&passage->is);
	*passage = (struct passage){ 0 };
}

/* ---- the listing ---- */

/* The next word of a line; false: it has no more, or one too long. */
static bool next_word(const char **at, char out[PASSAGE_NAME_SIZE])
{
	size_t n;

	*at += strspn(*at, " \t");
	n = strcspn(*at, " \t");
	if (n == 0 || n >= PASSAGE_NAME_SIZE)
		return false;
	snprintf(out, PASSAGE_NAME_SIZE, "%.*s", (int)n, *at);
	*at += n;
	return true;
}

static json_t *place(
	const struct passage *p, const char *chain, const char *last)
{
	return json_pack("[s,s,s,s]", p->family, p->table, chain, last);
}

/* What is said of the table, of the chain of it and of the bridge. */
static void add_key(struct str *out, const json_t *at, const struct way *way,
	const char *bridge)
{
	for (size_t i = 0; i < 3; i++)
		str_addf(out, "%s ", json_string_value(json_array_get(at, i)));
	str_addf(out, "%s \"%s\" %s\n", way->key, bridge,
		str_or(way->protocol, "accept"));
}

bool passage_is_possible(const char *family)
{
	return str_eq(family, "ip") || str_eq(family, "ip6") ||
	       str_eq(family, "inet");
}

/* A base chain that drops: the rules go there, or to DOCKER-USER. */
static void read_policy(struct passage *p, const char *line)
{
	bool in = strstr(line, " hook input ");

	if (!passage_is_possible(p->family) ||
		!(in || strstr(line, " hook forward ")) ||
		!strstr(line, "policy drop;"))
		return;
	json_array_append_new(
		p->chains, place(p, p->chain, in ? "input" : "forward"));
}

/* `iifname "vw-lan" accept comment "TAG" # handle 7` */
static void read_rule(struct passage *p, const char *line)
{
	AUTO_FREE char *mark = xasprintf("comment \"%s\"", p->tag);
	const char *handle = strstr(line, "# handle ");
	char key[PASSAGE_NAME_SIZE];
	char bridge[PASSAGE_NAME_SIZE];
	char what[PASSAGE_NAME_SIZE];

	if (!strstr(line, mark) || !handle || !next_word(&line, key) ||
		!next_word(&line, bridge) || !next_word(&line, what))
		return;
	str_addf(&p->is, "%s %s %s %s %s %s\n", p->family, p->table, p->chain,
		key, bridge, what);
	json_array_append_new(
		p->there, json_pack("[s,s,s,I]", p->family, p->table, p->chain,
				  (json_int_t)str_digits(handle + 9)));
}

void passage_line(struct passage *p, const char *line)
{
	const char *at = line;
	char word[PASSAGE_NAME_SIZE];

	if (!next_word(&at, word))
		return;
	if (str_eq(word, "table") && line[0] == 't') {
		if (!next_word(&at, p->family) || !next_word(&at, p->table))
			p->family[0] = '\0';
	} else if (str_eq(word, "chain")) {
		if (!next_word(&at, p->chain))
			p->chain[0] = '\0';
		if (str_eq(p->chain, DOCKER_USER))
			json_array_append_new(
				p->chains, place(p, DOCKER_USER, "forward"));
	} else if (str_eq(word, "type")) {
		read_policy(p, line);
	} else {
		read_rule(p, line);
	}
}

/* ---- the batch ---- */

/* `udp dport { 53, 67, 547 }` as nft's JSON has it. */
static json_t *ports_of(const struct way *way)
{
	json_t *ports = json_array();

	for (size_t i = 0; way->ports[i]; i++)
		json_array_append_new(ports, json_integer(way->ports[i]));
	return json_pack("{s:{s:s,s:{s:{s:s,s:s}},s:{s:o}}}", "match", "op",
		"==", "left", "payload", "protocol", way->protocol, "field",
		"dport", "right", "set", ports);
}

static json_t *rule_of(const struct way *way, const char *bridge)
{
	json_t *parts = json_pack("[{s:{s:s,s:{s:{s:s}},s:s}}]", "match", "op",
		"==", "left", "meta", "key", way->key, "right", bridge);

	if (way->protocol)
		json_array_append_new(parts, ports_of(way));
	json_array_append_new(parts, json_pack("{s:n}", "accept"));
	return parts;
}

static void add_rule(json_t *commands, const json_t *at, const struct way *way,
	const char *bridge, const char *tag)
{
	json_array_append_new(commands,
		json_pack("{s:{s:{s:O,s:O,s:O,s:s,s:o}}}", "insert", "rule",
			"family", json_array_get(at, 0), "table",
			json_array_get(at, 1), "chain", json_array_get(at, 2),
			"comment", tag, "expr", rule_of(way, bridge)));
}

/* DOCKER-USER matters only where a chain of the same table drops. */
static bool is_needed(const struct passage *p, const json_t *at)
{
	const json_t *other;
	size_t i;

	if (!str_eq(json_string_value(json_array_get(at, 2)), DOCKER_USER))
		return true;
	json_array_foreach(p->chains, i, other)
	{
		if (json_equal(
			    json_array_get(at, 0), json_array_get(other, 0)) &&
			json_equal(json_array_get(at, 1),
				json_array_get(other, 1)) &&
			json_equal(json_array_get(at, 3),
				json_array_get(other, 3)) &&
			!json_equal(at, other))
			return true;
	}
	return false;
}

static void add_bridge(const struct passage *p, json_t *commands,
	struct str *want, const char *bridge)
{
	const json_t *at;
	size_t i;

	json_array_foreach(p->chains, i, at)
	{
		const char *hook = json_string_value(json_array_get(at, 3));

		for (size_t k = 0; is_needed(p, at) && k < NELEMS(ways); k++) {
			if (!str_eq(ways[k].hook, hook))
				continue;
			add_rule(commands, at, &ways[k], bridge, p->tag);
			add_key(want, at, &ways[k], bridge);
		}
	}
}

/* Each line of one is a line of the other, which has as many. */
static bool is_same(const char *want, const char *is)
{
	AUTO_FREE char *text = xstrdup(want);
	char *rest = text;
	char *line;

	if (strlen(want) != strlen(is))
		return false;
	while ((line = strsep(&rest, "\n")) && *line)
		if (!strstr(is, line))
			return false;
	return true;
}

json_t *passage_batch(const struct passage *p, const json_t *bridges)
{
	AUTO_JSON json_t *commands = json_array();
	AUTO_STR struct str want = STR_INIT;
	const json_t *item;
	size_t i;

	json_array_foreach(p->there, i, item)
	{
		json_array_append_new(commands,
			json_pack("{s:{s:{s:O,s:O,s:O,s:O}}}", "delete", "rule",
				"family", json_array_get(item, 0), "table",
				json_array_get(item, 1), "chain",
				json_array_get(item, 2), "handle",
				json_array_get(item, 3)));
	}
	json_array_foreach(bridges, i, item)
		add_bridge(p, commands, &want, json_string_value(item));
	if (is_same(str_text(&want), str_text(&p->is)))
		return NULL;
	return json_pack("{s:O}", "nftables", commands);
}
