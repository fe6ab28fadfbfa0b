/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalogue of images; see catalogue.h. */
#include "supervisor/catalogue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/ini.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

enum { DIGITS = 64, LONGEST = 1000 };

int catalogue_check_url(const char *url, struct err *err)
{
	static const char *const schemes[] = { "https://", "http://",
		"file:///" };
	size_t len = strlen(url);
	const char *host = NULL;

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)url[i] <= ' ' || url[i] == 0x7f)
			return err_set(err, ERR_CONFIG,
				"a URL has no blanks and no control bytes: "
				"write %%20 and so on");
	for (size_t i = 0; i < NELEMS(schemes); i++)
		if (str_starts(url, schemes[i]))
			host = url + strlen(schemes[i]);
	if (!host || !*host || len > LONGEST || !str_is_utf8(url, len))
		return err_set(err, ERR_CONFIG,
			"say https://HOST/FILE, http://HOST/FILE or "
			"file:///FILE");
	if (!str_starts(url, "file:") &&
		memchr(host, '@', strcspn(host, "/?#")))
		return err_set(err, ERR_CONFIG,
			"a URL of an image has no user and no password");
	return 0;
}

char *catalogue_digest(const char *text, struct err *err)
{
	char *digest;

	if (strlen(text) != DIGITS ||
		text[strspn(text, "0123456789abcdefABCDEF")]) {
		err_set(err, ERR_CONFIG,
			"a sha256 is 64 hexadecimal digits, as sha256sum "
			"prints them");
		return NULL;
	}
	digest = xstrdup(text);
	for (char *at = digest; *at; at++)
		if (*at >= 'A' && *at <= 'F')
			*at = (char)(*at - 'A' + 'a');
	return digest;
}

void catalogue_item_fini(struct catalogue_item *item)
{
	free(item->url);
	free(item->sha256);
	free(item->format);
	*item = (struct catalogue_item){ NULL };
}

/* ---- the file ---- */

static int fail_at(const struct ini_entry *e, struct err *err, const char *why)
{
	return err_set(err, ERR_CONFIG, "%s:%u: [%s] %s: %s", e->file, e->line,
		e->section, e->key, why);
}

/* One key of the section. */
static int take(
	const struct ini_entry *e, struct catalogue_item *item, struct err *err)
{
	struct err why = ERR_INIT;

	if (str_eq(e->key, "url")) {
		free(item->url);
		item->url = xstrdup(e->value);
		return catalogue_check_url(e->value, &why)
			       ? fail_at(e, err, why.text)
			       : 0;
	}
	if (str_eq(e->key, "sha256")) {
		free(item->sha256);
		item->sha256 = catalogue_digest(e->value, &why);
		return item->sha256 ? 0 : fail_at(e, err, why.text);
	}
	if (str_eq(e->key, "format")) {
		free(item->format);
		item->format = xstrdup(e->value);
		return 0;
	}
	if (str_eq(e->key, "description") || str_starts(e->key, "x-"))
		return 0;
	return fail_at(e, err, "say url, sha256, format or description");
}

static int take_section(const struct ini *ini, const char *name,
	struct catalogue_item *item, struct err *err)
{
	list_each(&ini->entries, it, next) {
		const struct ini_entry *e =
			list_entry(it, struct ini_entry, link);

		if (e->key && str_eq(e->section, name) && take(e, item, err))
			return -1;
	}
	if (item->url && item->sha256)
		return 0;
	return err_set(err, ERR_CONFIG, "catalogue.ini: [%s] needs %s", name,
		item->url ? "sha256" : "url");
}

/* "debian-12, alpine": the names that are there. */
static int fail_unknown(const struct ini *ini, const char *name,
	const char *path, struct err *err)
{
	AUTO_STR struct str names = STR_INIT;

	list_each(&ini->entries, it, next) {
		const struct ini_entry *e =
			list_entry(it, struct ini_entry, link);

		if (!e->key && names.len < 100)
			str_addf(&names, "%s%s", names.len ? ", " : "",
				e->section);
	}
	return err_set(err, ERR_NOT_FOUND,
		"no image '%s' in '%s'%s%s: say a URL and --sha256", name, path,
		names.len ? ", which has " : "", str_text(&names));
}

/* No file: nothing is in it. */
static int read_file(struct ini *ini, const char *path, struct err *err)
{
	struct findings f;
	struct stat st;
	int rc = 0;

	if (sys_fstatat(AT_FDCWD, path, &st, 0) && errno == ENOENT)
		return 0;
	findings_init(&f);
	if (ini_read(ini, AT_FDCWD, path, "catalogue.ini", &f))
		rc = findings_to_err(&f, err);
	findings_fini(&f);
	return rc;
}

int catalogue_find(const struct paths *paths, const char *name,
	struct catalogue_item *out, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s/catalogue.ini", paths->config);
	struct ini ini;
	int rc;

	*out = (struct catalogue_item){ NULL };
	ini_init(&ini);
	rc = read_file(&ini, path, err);
	if (!rc && !ini_find(&ini, name, NULL))
		rc = fail_unknown(&ini, name, path, err);
	else if (!rc)
		rc = take_section(&ini, name, out, err);
	ini_fini(&ini);
	if (rc)
		catalogue_item_fini(out);
	return rc ? -1 : 0;
}

static json_t *section_json(const struct ini *ini, const char *name)
{
	const struct ini_entry *about = ini_find(ini, name, "description");
	struct catalogue_item item = { NULL };
	struct err err = ERR_INIT;
	json_t *of;

	(void)take_section(ini, name, &item, &err);
	of = json_pack("{s:s,s:s?,s:s?,s:s?,s:s?,s:s?}", "name", name, "url",
		item.url, "sha256", item.sha256, "format", item.format,
		"description", about ? about->value : NULL, "error",
		err.code ? err.text : NULL);
	catalogue_item_fini(&item);
	return of;
}

json_t *catalogue_list(const struct paths *paths, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s/catalogue.ini", paths->config);
	json_t *all = json_array();
	struct ini ini;

	ini_init(&ini);
	if (read_file(&ini, path, err)) {
		json_decref(all);
		all = NULL;
	}
	list_each(&ini.entries, it, next) {
		const struct ini_entry *e =
			list_entry(it, struct ini_entry, link);

		if (all && !e->key)
			json_array_append_new(
				all, section_json(&ini, e->section));
	}
	ini_fini(&ini);
	return all;
}
