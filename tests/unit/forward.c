/* SPDX-License-Identifier: GPL-2.0-or-later */
/* supervisor/forward: the grammar, and the remedy for each other spelling. */
#include "supervisor/forward.h"

#include "base/mem.h"
#include "base/str.h"
#include "tests/unit/tap.h"

/* The canonical form of what was parsed. */
static char *shown(const struct spec_forwards *list)
{
	struct str out = STR_INIT;

	for (unsigned i = 0; i < list->n; i++) {
		const struct spec_forward *f = &list->at[i];
		str_addf(&out, "%s%s %s %u-%u %u", i ? "; " : "",
			f->udp ? "udp" : "tcp", forward_addr(f), f->host_first,
			f->host_last, f->guest_first);
	}
	return str_take(&out);
}

static const struct {
	const char *text;
	const char *want;
} good[] = {
	{ "8080:80", "tcp 127.0.0.1 8080-8080 80" },
	{ "tcp:8080:80", "tcp 127.0.0.1 8080-8080 80" },
	{ "udp:53:53", "udp 127.0.0.1 53-53 53" },
	{ "tcp:127.0.0.1:2222:22", "tcp 127.0.0.1 2222-2222 22" },
	{ "0.0.0.0:2222:22", "tcp 0.0.0.0 2222-2222 22" },
	{ "udp:5000-5010:5000", "udp 127.0.0.1 5000-5010 5000" },
	{ "tcp:[::1]:8443:443", "tcp ::1 8443-8443 443" },
	{ "[::1]:8443:443", "tcp ::1 8443-8443 443" },
	{ " 8080 : 80 , udp:53:53 ",
		"tcp 127.0.0.1 8080-8080 80; udp 127.0.0.1 53-53 53" },
	{ "53:53, udp:53:53", "tcp 127.0.0.1 53-53 53; udp 127.0.0.1 53-53 "
			      "53" },
	{ "127.0.0.1:1:1, [::1]:1:1", "tcp 127.0.0.1 1-1 1; tcp ::1 1-1 1" },
	{ "1-1000:64536", "tcp 127.0.0.1 1-1000 64536" },
};

static const struct {
	const char *text;
	const char *want;
} bad[] = {
	{ "8080", "8080: say HOSTPORT:GUESTPORT, as 8080:80" },
	{ "", "(empty): say HOSTPORT:GUESTPORT, as 8080:80" },
	{ "8080:80,", "(empty): say HOSTPORT:GUESTPORT, as 8080:80" },
	{ "8080:80,,81:81", "(empty): say HOSTPORT:GUESTPORT, as 8080:80" },
	{ "http:80", "http:80: 'http' is no port: say HOSTPORT:GUESTPORT, as "
		     "8080:80" },
	{ "8080:", "8080:: '' is no port: say HOSTPORT:GUESTPORT, as 8080:80" },
	{ "8080:x", "8080:x: 'x' is no port: say HOSTPORT:GUESTPORT, as "
		    "8080:80" },
	{ "0:80", "0:80: ports are 1 to 65535" },
	{ "65536:80", "65536:80: ports are 1 to 65535" },
	{ "80:65536", "80:65536: ports are 1 to 65535" },
	{ "20-10:80", "20-10:80: the range ends before it starts" },
	{ "1-1001:80", "1-1001:80: a range has at most 1000 ports" },
	{ "1-1000:64537", "1-1000:64537: the guest's ports end beyond "
			  "65535" },
	{ "tcp::2222-:22", "tcp::2222-:22: that is QEMU's spelling, say "
			   "tcp:2222:22" },
	{ "udp::53:53", "udp::53:53: that is QEMU's spelling, say "
			"udp:53:53" },
	{ "8080:80/tcp", "8080:80/tcp: say tcp:8080:80" },
	{ "::1:80:80", "::1:80:80: write the address as [::1]" },
	{ "sctp:80:80", "sctp:80:80: 'sctp' is neither tcp, udp nor an IP "
			"address of this host" },
	{ "localhost:80:80", "localhost:80:80: 'localhost' is neither tcp, "
			     "udp nor an IP address of this host" },
	{ "tcp:udp:80:80", "tcp:udp:80:80: 'udp' is neither tcp, udp nor an "
			   "IP address of this host" },
	{ ":80:80", ":80:80: there is nothing before the first ':'" },
	{ "[]:80:80", "[]:80:80: '' is neither tcp, udp nor an IP address of "
		      "this host" },
	{ "80:80, 80:81", "80:81: port 80 of the host is in the list twice" },
	{ "80-90:80, 85:81", "85:81: port 85 of the host is in the list "
			     "twice" },
	{ "80:80, 0.0.0.0:80:80", "0.0.0.0:80:80: port 80 of the host is in "
				  "the list twice" },
	{ "-80:80", "-80:80: '' is no port: say HOSTPORT:GUESTPORT, as "
		    "8080:80" },
};

int main(void)
{
	for (size_t i = 0; i < NELEMS(good); i++) {
		struct spec_forwards list = { 0, NULL };
		struct err err = ERR_INIT;
		int rc = forward_parse(good[i].text, &list, &err);
		ok(rc == 0, "'%s' is taken %s", good[i].text, err.text);
		AUTO_FREE char *text = shown(&list);
		is_str(text, good[i].want, "and means");
		forward_release(&list);
	}
	for (size_t i = 0; i < NELEMS(bad); i++) {
		struct spec_forwards list = { 0, NULL };
		struct err err = ERR_INIT;
		int rc = forward_parse(bad[i].text, &list, &err);
		ok(rc < 0 && list.n == 0, "'%s' is refused", bad[i].text);
		is_str(err.text, bad[i].want, "with a remedy");
	}
	return done();
}
