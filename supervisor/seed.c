/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The texts of a seed; see seed.h. */
#include "supervisor/seed.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/jstream.h"
#include "base/mem.h"

enum { DATA_MAX = 1024 * 1024, SMALL_MAX = 64 * 1024 };

static bool is_set(const char *text)
{
	return text && *text;
}

/* ---- JSON that is YAML too ---- */

/* The 16 bits of "\\uD83D"; 0 for any other text. */
static unsigned half(const char *at)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned value = 0;

	if (at[0] != '\\' || at[1] != 'u')
		return 0;
	for (size_t i = 2; i < 6; i++) {
		const char *digit = strchr(digits, at[i]);

		if (!at[i] || !digit)
			return 0;
		value = value << 4 | (unsigned)(digit - digits);
	}
	return value;
}

/* A pair of UTF-16 halves as YAML writes one character; else 0. */
static size_t add_wide(struct str *out, const char *at)
{
	unsigned high = half(at);
	unsigned low = (high & 0xfc00) == 0xd800 ? half(at + 6) : 0;

	if ((low & 0xfc00) != 0xdc00)
		return 0;
	str_addf(out, "\\U%08X",
		0x10000 + ((high & 0x3ff) << 10 | (low & 0x3ff)));
	return 12;
}

/* Takes json over; its text has no byte above 126. */
static void add_yaml_steal(struct str *out, json_t *json)
{
	AUTO_FREE char *text =
		jstream_text(json, JSON_ENSURE_ASCII | JSON_INDENT(1));
	const char *at = text;

	json_decref(json);
	while (*at) {
		size_t len = *at == '\\' ? add_wide(out, at) : 0;

		if (len == 0 && *at == 0x7f) {
			str_add(out, "\\u007f");
			len = 1;
		} else if (len == 0) {
			len = *at == '\\' ? 2 : 1;
			str_addn(out, at, len);
		}
		at += len;
	}
	str_addc(out, '\n');
}

/* ---- what it names ---- */

static int read_named(const char *key, const char *path, size_t max,
	struct str *out, struct err *err)
{
	if (!fd_read_file(AT_FDCWD, path, max, out, err))
		return 0;
	return err_wrap(err, "[seed] %s: ", key);
}

/* A line of authorized_keys; -1: it is no such thing. */
static int add_key_line(json_t *keys, const char *line, size_t len)
{
	json_t *key;

	while (len > 0 && strchr(" \t\r", line[len - 1]))
		len--;
	if (len == 0 || *line == '#')
		return 0;
	key = json_stringn(line, len);
	if (!key || str_starts(line, "-----BEGIN")) {
		json_decref(key);
		return -1;
	}
	return json_array_append_new(keys, key);
}

static int read_keys(const char *path, json_t *keys, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;
	const char *at;

	if (read_named("ssh-key", path, SMALL_MAX, &text, err))
		return -1;
	for (at = str_text(&text); *at;) {
		size_t len = strcspn(at, "\n");

		if (add_key_line(keys, at, len))
			return err_set(err, ERR_CONFIG,
				"[seed] ssh-key: '%s' has no public keys, one "
				"a line: say the file that ends in .pub",
				path);
		at += len + (at[len] == '\n');
	}
	if (json_array_size(keys) == 0 || strlen(str_text(&text)) != text.len)
		return err_set(err, ERR_CONFIG,
			"[seed] ssh-key: there is no key in '%s'", path);
	return 0;
}

static int add_keys(const struct spec_seed *s, json_t *config, struct err *err)
{
	json_t *keys;

	if (!is_set(s->ssh_key))
		return 0;
	keys = json_array();
	json_object_set_new(config, "ssh_authorized_keys", keys);
	if (!seed_is_key(s->ssh_key))
		return read_keys(s->ssh_key, keys, err);
	return json_array_append_new(keys, json_string(s->ssh_key));
}

static int add_password(const char *path, json_t *user, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;
	char *hash;

	if (read_named("password-file", path, SMALL_MAX, &text, err))
		return -1;
	hash = xstrndup(str_text(&text), strcspn(str_text(&text), "\r\n"));
	if (hash[0] == '$' && !hash[strcspn(hash, ": \t")] &&
		strspn(str_text(&text) + strlen(hash), "\r\n") ==
			text.len - strlen(hash)) {
		json_object_set_new(user, "passwd", json_string(hash));
		json_object_set_new(user, "lock_passwd", json_false());
		free(hash);
		return 0;
	}
	free(hash);
	return err_set(err, ERR_CONFIG,
		"[seed] password-file: '%s' is not one line with a hash, as "
		"`mkpasswd -m sha-512` prints it",
		path);
}

static int add_user(const struct spec_seed *s, json_t *config, struct err *err)
{
	AUTO_JSON json_t *user = json_object();

	if (is_set(s->user))
		json_object_set_new(user, "name", json_string(s->user));
	if (is_set(s->password_file) &&
		add_password(s->password_file, user, err))
		return -1;
	if (json_object_size(user) > 0)
		json_object_set(config, "user", user);
	return 0;
}

static void add_packages(const struct spec_seed *s, json_t *config)
{
	json_t *packages;

	if (!s->packages || !s->packages[0])
		return;
	packages = json_array();
	for (char **one = s->packages; *one; one++)
		json_array_append_new(packages, json_string(*one));
	json_object_set_new(config, "package_update", json_true());
	json_object_set_new(config, "packages", packages);
}

/* ---- the three files ---- */

static int render_user_data(
	const struct spec_seed *s, struct str *out, struct err *err)
{
	AUTO_JSON json_t *config = NULL;

	if (is_set(s->user_data))
		return read_named(
			"user-data", s->user_data, DATA_MAX, out, err);
	config = json_object();
	if (add_user(s, config, err) || add_keys(s, config, err))
		return -1;
	add_packages(s, config);
	str_add(out, "#cloud-config\n");
	add_yaml_steal(out, json_incref(config));
	return 0;
}

/* "web@7" is web-7. */
static char *host_name(const struct vm_spec *spec)
{
	char *name = xstrdup(
		is_set(spec->seed.hostname) ? spec->seed.hostname : spec->name);

	if (!is_set(spec->seed.hostname))
		for (char *at = name; *at; at++)
			if (strchr("_.@", *at))
				*at = '-';
	return name;
}

static uint64_t hash_of(uint64_t hash, const struct str *text)
{
	hash = hash_add(hash, &text->len, sizeof(text->len));
	return hash_add(hash, str_text(text), text->len);
}

static int render_meta_data(
	const struct vm_spec *spec, struct seed *seed, struct err *err)
{
	uint64_t once =
		hash_of(hash_of(HASH_START, &seed->user_data), &seed->network);
	AUTO_FREE char *host = host_name(spec);

	if (is_set(spec->seed.meta_data))
		return read_named("meta-data", spec->seed.meta_data, SMALL_MAX,
			&seed->meta_data, err);
	add_yaml_steal(&seed->meta_data,
		json_pack("{s:o,s:s}", "instance-id",
			json_sprintf("%s-%016" PRIx64, spec->uuid, once),
			"local-hostname", host));
	return 0;
}

int seed_render(const struct vm_spec *spec, struct seed *out, struct err *err)
{
	const struct spec_seed *s = &spec->seed;
	uint64_t all;

	*out = (struct seed){ STR_INIT, STR_INIT, STR_INIT, "" };
	if (render_user_data(s, &out->user_data, err))
		return -1;
	if (is_set(s->network_config) &&
		read_named("network-config", s->network_config, SMALL_MAX,
			&out->network, err))
		return -1;
	if (render_meta_data(spec, out, err))
		return -1;
	all = hash_of(HASH_START, &out->user_data);
	all = hash_of(all, &out->meta_data);
	all = hash_of(all, &out->network);
	snprintf(out->id, sizeof(out->id), "%016" PRIX64, all);
	return 0;
}

void seed_fini(struct seed *seed)
{
	str_fini(&seed->user_data);
	str_fini(&seed->meta_data);
	str_fini(&seed->network);
}
