/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port forwards as text.  Reading from the right makes the grammar
 * unambiguous: the last field is the guest's port, the one before it the
 * host's, and what is left is protocol, address, both or neither.
 */
#include "supervisor/forward.h"

#include <arpa/inet.h>

#include "base/mem.h"
#include "base/str.h"

enum { RANGE_MAX = 1000, ITEMS_MAX = 200 };

/* "ITEM: what to write". */
#define complain(item, ...) complain_as((item)->err, (item)->text, __VA_ARGS__)

struct item {
	const char *text; /* as written */
	struct err *err;
};

__attribute__((format(printf, 3, 4))) static int complain_as(
	struct err *err, const char *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	AUTO_FREE char *remedy = xvasprintf(fmt, ap);
	va_end(ap);
	return err_set(err, ERR_CONFIG, "%s: %s", text, remedy);
}

static int parse_port(const struct item *item, const char *text, uint16_t *out)
{
	uint64_t n;
	struct err ignored = ERR_INIT;

	if (str_to_u64(text, &n, &ignored) < 0)
		return complain(item,
			"'%s' is no port: say HOSTPORT:GUESTPORT,"
			" as 8080:80",
			text);
	if (n < 1 || n > 65535)
		return complain(item, "ports are 1 to 65535");
	*out = (uint16_t)n;
	return 0;
}

/* "5000" or "5000-5010". */
static int parse_host_ports(
	const struct item *item, char *text, struct spec_forward *out)
{
	char *hyphen = strchr(text, '-');

	if (hyphen)
		*hyphen = '\0';
	if (parse_port(item, text, &out->host_first) < 0)
		return -1;
	out->host_last = out->host_first;
	if (hyphen && parse_port(item, hyphen + 1, &out->host_last) < 0)
		return -1;
	if (out->host_last < out->host_first)
		return complain(item, "the range ends before it starts");
	int count = out->host_last - out->host_first;
	if (count >= RANGE_MAX)
		return complain(
			item, "a range has at most %d ports", RANGE_MAX);
	if (out->guest_first + count > 65535)
		return complain(item, "the guest's ports end beyond 65535");
	return 0;
}

/* Cuts "tcp" or "udp" off the front; what is left is the address, or NULL. */
static char *take_proto(char *text, struct spec_forward *out)
{
	static const char *const names[] = { "tcp", "udp" };

	for (size_t i = 0; i < NELEMS(names); i++) {
		size_t len = strlen(names[i]);
		if (!str_starts(text, names[i]) ||
			(text[len] != ':' && text[len] != '\0'))
			continue;
		out->udp = i == 1;
		return text[len] ? text + len + 1 : NULL;
	}
	return text;
}

/* "127.0.0.1" or "[::1]". */
static int parse_addr(
	const struct item *item, char *text, struct spec_forward *out)
{
	unsigned char bytes[16];
	size_t len = strlen(text);
	bool v6 = len > 0 && text[0] == '[' && text[len - 1] == ']';

	if (len == 0)
		return complain(item, "there is nothing before the first ':'");
	if (v6) {
		text[len - 1] = '\0';
		text++;
	}
	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, bytes) != 1) {
		if (inet_pton(AF_INET6, text, bytes) == 1)
			return complain(
				item, "write the address as [%s]", text);
		return complain(item,
			"'%s' is neither tcp, udp nor an IP "
			"address of this host",
			text);
	}
	if (strlen(text) >= sizeof out->addr)
		return complain(item, "the address is too long");
	memcpy(out->addr, text, strlen(text) + 1);
	return 0;
}

/* QEMU's "tcp::2222-:22" and Docker's "8080:80/tcp" in our spelling. */
static int check_foreign(const struct item *item)
{
	const char *text = item->text;
	const char *slash = strchr(text, '/');
	const char *guest = strstr(text, "-:");
	AUTO_STR struct str ours = STR_INIT;

	if (slash)
		return complain(item, "say %s:%.*s", slash + 1,
			(int)(slash - text), text);
	if (!guest && !str_starts(text, "tcp::") && !str_starts(text, "udp::"))
		return 0;
	for (const char *at = text; *at; at++) {
		if (at == guest || (at[0] == ':' && at[1] == ':'))
			continue;
		str_addc(&ours, *at);
	}
	return complain(
		item, "that is QEMU's spelling, say %s", str_text(&ours));
}

static int parse_item(const struct item *item, struct spec_forward *out)
{
	AUTO_FREE char *text = xstrdup(item->text);
	char *guest = strrchr(text, ':');

	*out = (struct spec_forward){ .udp = false };
	if (check_foreign(item) < 0)
		return -1;
	if (!guest)
		return complain(item, "say HOSTPORT:GUESTPORT, as 8080:80");
	*guest++ = '\0';
	char *host = strrchr(text, ':');
	if (host)
		*host++ = '\0';
	if (parse_port(item, guest, &out->guest_first) < 0 ||
		parse_host_ports(item, host ? host : text, out) < 0)
		return -1;
	char *addr = host ? take_proto(text, out) : NULL;
	return addr ? parse_addr(item, addr, out) : 0;
}

const char *forward_addr(const struct spec_forward *forward)
{
	return forward->addr[0] ? forward->addr : "127.0.0.1";
}

bool forward_overlaps(
	const struct spec_forward *a, const struct spec_forward *b)
{
	const char *one = forward_addr(a);
	const char *other = forward_addr(b);
	bool any = str_eq(one, "0.0.0.0") || str_eq(other, "0.0.0.0") ||
		   str_eq(one, "::") || str_eq(other, "::");

	return a->udp == b->udp && a->host_first <= b->host_last &&
	       b->host_first <= a->host_last && (any || str_eq(one, other));
}

static int add(struct spec_forwards *list, const struct item *item)
{
	struct spec_forward fresh;

	if (parse_item(item, &fresh) < 0)
		return -1;
	for (unsigned i = 0; i < list->n; i++)
		if (forward_overlaps(&list->at[i], &fresh))
			return complain(item,
				"port %u of the host is in the "
				"list twice",
				fresh.host_first);
	if (list->n == ITEMS_MAX)
		return complain(item, "at most %d forwards", ITEMS_MAX);
	list->at = xreallocarray(list->at, list->n + 1, sizeof fresh);
	list->at[list->n++] = fresh;
	return 0;
}

int forward_parse(const char *text, void *field, struct err *err)
{
	struct spec_forwards list = { 0, NULL };

	for (bool more = true; more;) {
		size_t len = strcspn(text, ",");
		AUTO_STR struct str bare = STR_INIT;
		for (size_t i = 0; i < len; i++)
			if (!strchr(" \t", text[i]))
				str_addc(&bare, text[i]);
		struct item item = { bare.len ? str_text(&bare) : "(empty)",
			err };
		if (add(&list, &item) < 0) {
			free(list.at);
			return -1;
		}
		more = text[len] == ',';
		text += len + 1;
	}
	*(struct spec_forwards *)field = list;
	return 0;
}

void forward_release(void *field)
{
	struct spec_forwards *list = field;

	free(list->at);
	*list = (struct spec_forwards){ 0, NULL };
}

void forward_add_text(struct str *out, const struct spec_forwards *forwards)
{
	for (unsigned i = 0; i < forwards->n; i++) {
		const struct spec_forward *f = &forwards->at[i];
		bool v6 = strchr(f->addr, ':') != NULL;

		str_addf(out, "%s%s:", i ? ", " : "", f->udp ? "udp" : "tcp");
		if (f->addr[0])
			str_addf(out, v6 ? "[%s]:" : "%s:", f->addr);
		str_addf(out, "%u", f->host_first);
		if (f->host_last != f->host_first)
			str_addf(out, "-%u", f->host_last);
		str_addf(out, ":%u", f->guest_first);
	}
}
