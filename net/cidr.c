/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP addresses with a prefix; see cidr.h. */
#include "net/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/str.h"

unsigned cidr_bits(const struct cidr *c)
{
	return c->family == AF_INET ? 32 : 128;
}

static bool parse_address(const char *text, struct cidr *out)
{
	*out = (struct cidr){ .family = AF_INET };
	if (inet_pton(AF_INET, text, out->at) != 1) {
		out->family = AF_INET6;
		if (inet_pton(AF_INET6, text, out->at) != 1)
			return false;
	}
	out->prefix = cidr_bits(out);
	return true;
}

int cidr_parse_address(const char *text, struct cidr *out, struct err *err)
{
	if (parse_address(text, out))
		return 0;
	return err_set(err, ERR_CONFIG, "'%s' is no IP address", text);
}

int cidr_parse(const char *text, struct cidr *out, struct err *err)
{
	size_t len = strcspn(text, "/");
	AUTO_FREE char *address = xstrndup(text, len);
	struct err bad = ERR_INIT;
	uint64_t prefix = 0;

	if (cidr_parse_address(address, out, err) < 0)
		return -1;
	if (text[len] != '/')
		return err_set(err, ERR_CONFIG,
			"'%s' has no prefix: write %s/%s", text, text,
			out->family == AF_INET ? "24" : "64");
	if (str_to_u64(text + len + 1, &prefix, &bad) < 0 ||
		prefix > cidr_bits(out) || prefix == 0)
		return err_set(err, ERR_CONFIG,
			"'%s': the prefix is a number from 1 to %u", text,
			cidr_bits(out));
	out->prefix = (unsigned)prefix;
	return 0;
}

/* The address with all bits behind the prefix cleared. */
static struct cidr network_of(const struct cidr *c)
{
	struct cidr net = *c;

	for (unsigned bit = c->prefix; bit < cidr_bits(c); bit++)
		net.at[bit / 8] &= (unsigned char)~(0x80U >> bit % 8);
	return net;
}

void cidr_address(const struct cidr *c, char out[CIDR_TEXT_SIZE])
{
	inet_ntop(c->family, c->at, out, CIDR_TEXT_SIZE);
}

void cidr_text(const struct cidr *c, char out[CIDR_TEXT_SIZE])
{
	cidr_address(c, out);
	size_t len = strlen(out);
	snprintf(out + len, CIDR_TEXT_SIZE - len, "/%u", c->prefix);
}

void cidr_network(const struct cidr *c, char out[CIDR_TEXT_SIZE])
{
	struct cidr net = network_of(c);

	cidr_text(&net, out);
}

bool cidr_same_address(const struct cidr *a, const struct cidr *b)
{
	return a->family == b->family &&
	       memcmp(a->at, b->at, cidr_bits(a) / 8) == 0;
}

bool cidr_holds(const struct cidr *c, const struct cidr *address)
{
	struct cidr other = *address;

	other.prefix = c->prefix;
	struct cidr mine = network_of(c);
	struct cidr its = network_of(&other);
	return cidr_same_address(&mine, &its);
}

bool cidr_overlaps(const struct cidr *a, const struct cidr *b)
{
	return a->family == b->family &&
	       (a->prefix <= b->prefix ? cidr_holds(a, b) : cidr_holds(b, a));
}

int cidr_compare(const struct cidr *a, const struct cidr *b)
{
	return memcmp(a->at, b->at, cidr_bits(a) / 8);
}

bool cidr_is_edge(const struct cidr *c, const struct cidr *address)
{
	struct cidr net = network_of(c);
	struct cidr last = net;

	if (c->family != AF_INET || c->prefix > 30)
		return false;
	for (unsigned bit = c->prefix; bit < 32; bit++)
		last.at[bit / 8] |= (unsigned char)(0x80U >> bit % 8);
	return cidr_same_address(address, &net) ||
	       cidr_same_address(address, &last);
}

bool cidr_nth(const struct cidr *c, uint32_t n, struct cidr *out)
{
	unsigned bytes = cidr_bits(c) / 8;
	unsigned free_bits = cidr_bits(c) - c->prefix;

	if (free_bits < 32 && n >> free_bits)
		return false;
	*out = network_of(c);
	for (unsigned i = 0; i < 4; i++)
		out->at[bytes - 1 - i] |= (unsigned char)(n >> i * 8);
	return true;
}

/* "52:54:00:ab:cd:ef" as six bytes. */
static bool parse_mac(const char *text, unsigned char out[6])
{
	static const char hex[] = "0123456789abcdef";

	if (strlen(text) != 17)
		return false;
	for (unsigned i = 0; i < 12; i++) {
		char c = text[i / 2 * 3 + i % 2];
		const char *at = c ? strchr(hex, c | 0x20) : NULL;

		if (!at)
			return false;
		out[i / 2] = (unsigned char)(out[i / 2] << 4 | (at - hex));
	}
	return true;
}

bool cidr_eui64(const struct cidr *net, const char *mac, struct cidr *out)
{
	unsigned char m[6];

	if (net->family != AF_INET6 || net->prefix != 64 || !parse_mac(mac, m))
		return false;
	const unsigned char id[8] = { m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3],
		m[4], m[5] };
	*out = network_of(net);
	out->prefix = 128;
	memcpy(out->at + 8, id, sizeof(id));
	return true;
}

bool cidr_pick(const struct cidr *taken, size_t n, struct cidr *out)
{
	static const struct {
		unsigned char at[2];
		uint32_t networks; /* of 256 addresses each */
	} from[] = { { { 10, 64 }, 64 << 8 }, { { 172, 16 }, 16 << 8 },
		{ { 192, 168 }, 1 << 8 } };

	for (size_t i = 0; i < NELEMS(from); i++) {
		for (uint32_t k = 0; k < from[i].networks; k++) {
			size_t t = 0;

			*out = (struct cidr){ AF_INET, 24,
				{ from[i].at[0],
					(unsigned char)(from[i].at[1] +
							(k >> 8)),
					(unsigned char)k, 1 } };
			while (t < n && !cidr_overlaps(&taken[t], out))
				t++;
			if (t == n)
				return true;
		}
	}
	return false;
}
