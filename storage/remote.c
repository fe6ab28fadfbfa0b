/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A URL is cut into its parts, each decoded and looked at, and the parts
 * become QEMU's options: QEMU itself never sees the URL, so that nothing in
 * it can be an option of another driver.
 */
#include "storage/remote.h"

#include <string.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/str.h"

enum { LONGEST = 1000, MOST_PAIRS = 4, OPEN_MS = 10000 };

/* SCHEME://[USER@]HOST[:PORT]/PATH[?KEY=VALUE&...], decoded. */
struct parts {
	char *user; /* or NULL */
	char *host; /* or "" */
	char *port; /* or NULL */
	char *path; /* behind the slash, or "" */
	char *keys[MOST_PAIRS], *values[MOST_PAIRS];
	size_t npairs;
};

struct scheme {
	const char *prefix; /* "nbd://" */
	const char *driver;
	const char *form; /* what to write */
	const char *port; /* if none is written; or NULL */
	const char *const *keys;
	/* The parts as options; -1 with err. */
	int (*put)(json_t *node, const struct parts *p, struct err *err);
	const char *secret;   /* option for its id; or NULL */
	const char *patience; /* option for the seconds of waiting; or NULL */
};

static void parts_fini(struct parts *p)
{
	free(p->user);
	free(p->host);
	free(p->port);
	free(p->path);
	for (size_t i = 0; i < p->npairs; i++) {
		free(p->keys[i]);
		free(p->values[i]);
	}
}

static const char *value_of(const struct parts *p, const char *key)
{
	for (size_t i = 0; i < p->npairs; i++)
		if (str_eq(p->keys[i], key))
			return p->values[i];
	return NULL;
}

/* ---- text to parts ---- */

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)((at - digits) % 16) : -1;
}

char *remote_decode(const char *text, size_t len)
{
	AUTO_STR struct str out = STR_INIT;

	for (size_t i = 0; i < len; i++) {
		int high =
			text[i] == '%' && i + 2 < len ? digit(text[i + 1]) : -1;
		int low = high >= 0 ? digit(text[i + 2]) : -1;
		char c = text[i];

		if (c == '%') {
			if (low < 0)
				return NULL;
			c = (char)(high * 16 + low);
			i += 2;
		}
		if ((unsigned char)c < ' ' || c == 0x7f)
			return NULL;
		str_addc(&out, c);
	}
	if (!str_is_utf8(str_text(&out), out.len))
		return NULL;
	return out.len ? str_take(&out) : xstrdup("");
}

static bool is_port(const char *text, size_t len)
{
	return len > 0 && len <= 5 && strspn(text, "0123456789") >= len &&
	       str_digits(text) > 0 && str_digits(text) < 65536;
}

/* "HOST:PORT" or "[::1]:PORT". */
static bool cut_host(struct parts *p, const char *text, size_t len)
{
	const char *end = text + len;
	const char *close = memchr(text, ']', len);
	const char *colon;

	if (len && *text == '[') {
		if (!close)
			return false;
		p->host = remote_decode(text + 1, (size_t)(close - text) - 1);
		colon = close + 1;
	} else {
		colon = memchr(text, ':', len);
		if (!colon)
			colon = end;
		p->host = remote_decode(text, (size_t)(colon - text));
	}
	if (!p->host || (colon < end && *colon != ':'))
		return false;
	if (colon == end)
		return true;
	colon++;
	if (!is_port(colon, (size_t)(end - colon)))
		return false;
	p->port = xstrndup(colon, (size_t)(end - colon));
	return true;
}

static bool cut_query(struct parts *p, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "&");
		const char *equals = memchr(text, '=', len);

		if (!equals || p->npairs == MOST_PAIRS)
			return false;
		p->keys[p->npairs] =
			remote_decode(text, (size_t)(equals - text));
		p->values[p->npairs] = remote_decode(
			equals + 1, len - (size_t)(equals - text) - 1);
		p->npairs++;
		if (!p->keys[p->npairs - 1] || !p->values[p->npairs - 1])
			return false;
		text += len;
		text += *text == '&';
	}
	return true;
}

/* What is behind SCHEME://. */
static bool cut(struct parts *p, const char *text)
{
	size_t len = strcspn(text, "/?");
	const char *at = memchr(text, '@', len);
	const char *rest = text + len;

	if (at) {
		p->user = remote_decode(text, (size_t)(at - text));
		if (!p->user || !*p->user)
			return false;
		len -= (size_t)(at - text) + 1;
		text = at + 1;
	}
	if (!cut_host(p, text, len))
		return false;
	rest += *rest == '/';
	len = strcspn(rest, "?");
	p->path = remote_decode(rest, len);
	rest += len;
	return p->path && (!*rest || cut_query(p, rest + 1));
}

/* ---- parts to options ---- */

static void put(json_t *node, const char *key, const char *value)
{
	json_object_set_new(node, key, json_string(value));
}

static json_t *inet_of(const struct parts *p)
{
	return json_pack("{s:s,s:s,s:s}", "type", "inet", "host", p->host,
		"port", p->port);
}

static int put_nbd(json_t *node, const struct parts *p, struct err *err)
{
	if (!*p->host || p->user)
		return err_set(err, ERR_CONFIG, "whose host is that?");
	json_object_set_new(node, "server", inet_of(p));
	put(node, "export", p->path);
	return 0;
}

static int put_nbd_unix(json_t *node, const struct parts *p, struct err *err)
{
	const char *socket = value_of(p, "socket");

	if (*p->host || p->user || !socket || *socket != '/')
		return err_set(err, ERR_CONFIG, "which socket is that?");
	json_object_set_new(node, "server",
		json_pack("{s:s,s:s}", "type", "unix", "path", socket));
	put(node, "export", p->path);
	return 0;
}

static int put_iscsi(json_t *node, const struct parts *p, struct err *err)
{
	const char *slash = strrchr(p->path, '/');
	size_t digits = slash ? strspn(slash + 1, "0123456789") : 0;

	if (!*p->host || !slash || slash == p->path || !digits || digits > 5 ||
		slash[1 + digits])
		return err_set(err, ERR_CONFIG, "which target is that?");
	put(node, "transport", "tcp");
	json_object_set_new(node, "portal",
		strchr(p->host, ':') ? json_sprintf("[%s]:%s", p->host, p->port)
				     : json_sprintf("%s:%s", p->host, p->port));
	json_object_set_new(node, "target",
		json_stringn(p->path, (size_t)(slash - p->path)));
	json_object_set_new(
		node, "lun", json_integer((json_int_t)str_digits(slash + 1)));
	if (value_of(p, "initiator"))
		put(node, "initiator-name", value_of(p, "initiator"));
	if (p->user)
		put(node, "user", p->user);
	return 0;
}

/* "sha256:0123...": what the server's key must be. */
static json_t *host_key(const char *text)
{
	static const char *const types[] = { "md5", "sha1", "sha256", NULL };
	const char *colon = text ? strchr(text, ':') : NULL;

	if (!text)
		return json_pack("{s:s}", "mode", "known_hosts");
	for (size_t i = 0; colon && types[i]; i++)
		if (strlen(types[i]) == (size_t)(colon - text) &&
			str_starts(text, types[i]) &&
			!colon[1 + strspn(colon + 1, "0123456789abcdef")])
			return json_pack("{s:s,s:s,s:s}", "mode", "hash",
				"type", types[i], "hash", colon + 1);
	return NULL;
}

static int put_ssh(json_t *node, const struct parts *p, struct err *err)
{
	json_t *key = host_key(value_of(p, "host-key"));

	if (!*p->host || !*p->path || !key) {
		json_decref(key);
		return err_set(err, ERR_CONFIG,
			key ? "which file is that?" : "which key is that?");
	}
	json_object_set_new(node, "host-key-check", key);
	json_object_set_new(node, "server",
		json_pack("{s:s,s:s}", "host", p->host, "port", p->port));
	json_object_set_new(node, "path", json_sprintf("/%s", p->path));
	if (p->user)
		put(node, "user", p->user);
	return 0;
}

/* POOL/[NAMESPACE/]IMAGE; what is asked of the cluster is in `conf`. */
static int put_rbd(json_t *node, const struct parts *p, struct err *err)
{
	const char *first = strchr(p->path, '/');
	const char *last = strrchr(p->path, '/');
	const char *conf = value_of(p, "conf");

	if (!first || first == p->path || !last[1] ||
		(first != last && (last == first + 1 ||
					  memchr(first + 1, '/',
						  (size_t)(last - first - 1)))))
		return err_set(err, ERR_CONFIG, "which image is that?");
	if (conf && *conf != '/')
		return err_set(err, ERR_CONFIG, "conf is a whole path");
	json_object_set_new(
		node, "pool", json_stringn(p->path, (size_t)(first - p->path)));
	if (first != last)
		json_object_set_new(node, "namespace",
			json_stringn(first + 1, (size_t)(last - first - 1)));
	put(node, "image", last + 1);
	if (value_of(p, "user"))
		put(node, "user", value_of(p, "user"));
	if (conf)
		put(node, "conf", conf);
	return 0;
}

static const char *const no_keys[] = { NULL };
static const char *const unix_keys[] = { "socket", NULL };
static const char *const iscsi_keys[] = { "initiator", NULL };
static const char *const ssh_keys[] = { "host-key", NULL };
static const char *const rbd_keys[] = { "user", "conf", NULL };

static const struct scheme schemes[] = {
	{ "nbd://", "nbd", "nbd://HOST[:PORT][/EXPORT]", "10809", no_keys,
		put_nbd, NULL, "reconnect-delay" },
	{ "nbd+unix://", "nbd", "nbd+unix:///EXPORT?socket=PATH", NULL,
		unix_keys, put_nbd_unix, NULL, "reconnect-delay" },
	{ "iscsi://", "iscsi",
		"iscsi://[USER@]HOST[:PORT]/TARGET/LUN[?initiator=IQN]", "3260",
		iscsi_keys, put_iscsi, "password-secret", "timeout" },
	{ "ssh://", "ssh",
		"ssh://[USER@]HOST[:PORT]/PATH[?host-key=sha256:HEX]", "22",
		ssh_keys, put_ssh, NULL, NULL },
	{ "rbd:", "rbd", "rbd:POOL/[NAMESPACE/]IMAGE[?user=ID&conf=PATH]", NULL,
		rbd_keys, put_rbd, "key-secret", NULL },
};

/* ---- a URL ---- */

/* It can be shown, in messages too. */
static bool is_plain(const char *url)
{
	size_t len = strlen(url);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)url[i] < ' ' || url[i] == 0x7f)
			return false;
	return len <= LONGEST && str_is_utf8(url, len);
}

static const struct scheme *scheme_of(const char *url)
{
	for (size_t i = 0; i < NELEMS(schemes); i++)
		if (str_starts(url, schemes[i].prefix))
			return &schemes[i];
	return NULL;
}

static bool knows_keys(const struct scheme *s, const struct parts *p)
{
	for (size_t i = 0; i < p->npairs; i++) {
		const char *const *key = s->keys;

		while (*key && !str_eq(*key, p->keys[i]))
			key++;
		if (!*key)
			return false;
		for (size_t j = 0; j < i; j++)
			if (str_eq(p->keys[i], p->keys[j]))
				return false;
	}
	return true;
}

/* A password in a file that others may read, and in `show`. */
static int check_user(const char *url, const struct parts *p, struct err *err)
{
	if (!p->user || !strchr(p->user, ':'))
		return 0;
	return err_set(err, ERR_CONFIG,
		"%.*s...: no password here: put it into a file and say "
		"secret-file = PATH",
		(int)(strcspn(url, ":")), url);
}

static int fill(json_t *node, const struct scheme *s, const char *url,
	struct parts *p, struct err *err)
{
	struct err why = ERR_INIT;
	const char *text = url + strlen(s->prefix);
	bool rbd = str_eq(s->driver, "rbd");
	size_t len = strcspn(text, "?");
	bool good = rbd ? (p->path = remote_decode(text, len)) != NULL &&
				    (!text[len] || cut_query(p, text + len + 1))
			: cut(p, text);

	if (good && check_user(url, p, err))
		return -1;
	if (good && !rbd && !p->port && s->port)
		p->port = xstrdup(s->port);
	if (good && knows_keys(s, p) && !s->put(node, p, &why))
		return 0;
	return err_set(err, ERR_CONFIG, "%s: say %s%s%s%s", url, s->form,
		why.code ? " (" : "", why.code ? why.text : "",
		why.code ? ")" : "");
}

static void put_seconds(json_t *node, const char *key, int64_t ms)
{
	json_object_set_new(node, key, json_integer((ms + 999) / 1000));
}

json_t *remote_node(const struct remote_wish *wish, struct err *err)
{
	const struct scheme *s = scheme_of(wish->url);
	AUTO_JSON json_t *node = NULL;
	struct parts parts = { NULL };
	int rc;

	if (!is_plain(wish->url)) {
		err_set(err, ERR_CONFIG,
			"a URL is one line of at most %d bytes of UTF-8",
			LONGEST);
		return NULL;
	}
	if (!s) {
		err_set(err, ERR_CONFIG,
			"%.60s: say nbd://, nbd+unix://, iscsi://, ssh:// or "
			"rbd:",
			wish->url);
		return NULL;
	}
	node = json_pack("{s:s}", "driver", s->driver);
	if (wish->node)
		put(node, "node-name", wish->node);
	rc = fill(node, s, wish->url, &parts, err);
	parts_fini(&parts);
	if (rc)
		return NULL;
	if (s->patience)
		put_seconds(node, s->patience, wish->reconnect_ms);
	/* a server that comes up together with the VM */
	if (str_eq(s->driver, "nbd"))
		put_seconds(node, "open-timeout",
			wish->reconnect_ms < OPEN_MS ? wish->reconnect_ms
						     : OPEN_MS);
	if (s->secret && wish->secret)
		put(node, s->secret, wish->secret);
	return TAKE(node);
}

int remote_check(const char *url, struct err *err)
{
	json_t *node = remote_node(&(struct remote_wish){ .url = url }, err);

	json_decref(node);
	return node ? 0 : -1;
}

bool remote_logs_in(const char *url)
{
	return str_starts(url, "ssh://");
}

bool remote_takes_secret(const char *url)
{
	const struct scheme *s = scheme_of(url);

	return s && s->secret &&
	       (str_eq(s->driver, "rbd") ||
		       memchr(url + strlen(s->prefix), '@',
			       strcspn(url + strlen(s->prefix), "/?")));
}
