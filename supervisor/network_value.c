/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, ranges and names in a network's file; see network_value.h. */
#include "supervisor/network_value.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/atom.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/link.h"

static int keep(const char *text, void *field)
{
	*(const char **)field = atom_get(text);
	return 0;
}

static int refuse_name(const char *text, struct err *err)
{
	if (strlen(text) >= LINK_NAME_SIZE)
		return err_set(err, ERR_CONFIG,
			"%s: has %zu bytes, the kernel takes 15", text,
			strlen(text));
	return err_set(
		err, ERR_CONFIG, "%s: say the name of a device, as br0", text);
}

int network_value_device(const char *text, void *field, struct err *err)
{
	return !*text || link_name_ok(text) ? keep(text, field)
					    : refuse_name(text, err);
}

/* The next word of a list, new; NULL at its end. */
static char *next_word(const char **at)
{
	size_t len;
	char *word;

	*at += strspn(*at, " \t,");
	if (!**at)
		return NULL;
	len = strcspn(*at, " \t,");
	word = xstrndup(*at, len);
	*at += len;
	return word;
}

static int add_member(
	struct network_members *list, const char *name, struct err *err)
{
	if (!link_name_ok(name))
		return refuse_name(name, err);
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->at[i], name))
			return err_set(
				err, ERR_CONFIG, "%s is in it twice", name);
	if (list->n == NETWORK_MEMBERS_MAX)
		return err_set(err, ERR_CONFIG, "%d devices are the most",
			NETWORK_MEMBERS_MAX);
	snprintf(list->at[list->n++], LINK_NAME_SIZE, "%s", name);
	return 0;
}

int network_value_members(const char *text, void *field, struct err *err)
{
	struct network_members list = { 0 };
	char *word;
	int rc = 0;

	while (!rc && (word = next_word(&text)) != NULL) {
		rc = add_member(&list, word, err);
		free(word);
	}
	if (!rc)
		*(struct network_members *)field = list;
	return rc;
}

static int add_address(
	struct network_addresses *list, const char *text, struct err *err)
{
	struct cidr c;
	struct err why = ERR_INIT;

	if (cidr_parse(text, &c, &why))
		return err_set(err, ERR_CONFIG,
			"%s: say the host's address and the prefix, as "
			"10.64.0.1/24",
			text);
	if (c.family == AF_INET6 && c.prefix != 64)
		return err_set(err, ERR_CONFIG,
			"%s: guests make their IPv6 addresses in a network "
			"with a prefix of 64",
			text);
	if (c.family == AF_INET && (c.prefix < 8 || c.prefix > 30))
		return err_set(err, ERR_CONFIG,
			"%s: a prefix from 8 to 30 holds guests", text);
	if (cidr_is_edge(&c, &c))
		return err_set(err, ERR_CONFIG,
			"%s: is the network's own or its broadcast address, "
			"the host needs one between",
			text);
	list->at = xreallocarray(list->at, list->n + 1, sizeof(list->at[0]));
	list->at[list->n++] = c;
	return 0;
}

int network_value_addresses(const char *text, void *field, struct err *err)
{
	struct network_addresses list = { 0 };
	char *word;
	int rc = 0;

	while (!rc && (word = next_word(&text)) != NULL) {
		rc = add_address(&list, word, err);
		free(word);
	}
	if (rc)
		free(list.at);
	else
		*(struct network_addresses *)field = list;
	return rc;
}

void network_value_addresses_release(void *field)
{
	struct network_addresses *list = field;

	free(TAKE(list->at));
	list->n = 0;
}

int network_value_range(const char *text, void *field, struct err *err)
{
	struct network_range range = { .written = true };
	const char *dash = strchr(text, '-');
	struct err why = ERR_INIT;
	bool on;

	if (!dash && !str_to_bool(text, &on, &why)) {
		*(struct network_range *)field =
			(struct network_range){ .off = !on };
		return 0;
	}
	AUTO_FREE char *first = xstrndup(text, strcspn(text, "- \t"));
	const char *last = dash ? dash + 1 + strspn(dash + 1, " \t") : "";
	if (cidr_parse_address(first, &range.first, &why) ||
		cidr_parse_address(last, &range.last, &why) ||
		range.first.family != AF_INET || range.last.family != AF_INET)
		return err_set(err, ERR_CONFIG,
			"%s: say FIRST-LAST of IPv4, as "
			"10.64.0.100-10.64.0.199, or yes or no",
			text);
	if (cidr_compare(&range.first, &range.last) > 0)
		return err_set(err, ERR_CONFIG,
			"%s: the first address is behind the last", text);
	*(struct network_range *)field = range;
	return 0;
}

int network_value_domain(const char *text, void *field, struct err *err)
{
	size_t len = strlen(text);

	if (len > 0 && len < 128 && text[0] != '-' && text[0] != '.' &&
		text[len - 1] != '.' && !strstr(text, "..") &&
		text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-")] ==
			'\0')
		return keep(text, field);
	return err_set(
		err, ERR_CONFIG, "%s: say a domain, as lab.internal", text);
}

int network_value_address(const char *text, void *field, struct err *err)
{
	struct cidr *out = field;
	struct err why = ERR_INIT;

	if (!*text) {
		*out = (struct cidr){ 0 };
		return 0;
	}
	if (!cidr_parse_address(text, out, &why) && out->family == AF_INET)
		return 0;
	*out = (struct cidr){ 0 };
	return err_set(err, ERR_CONFIG,
		"%s: say an IPv4 address, as 10.64.0.10", text);
}
