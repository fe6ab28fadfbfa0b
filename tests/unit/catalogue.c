/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalogue of images: its file, URLs and digests. */
#include "supervisor/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "tests/unit/confdir.h"
#include "tests/unit/tap.h"

#define SUM "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* What is found of "a" in a file, or the error. */
static void finds(const char *file, const char *want)
{
	struct catalogue_item item;
	struct err err = ERR_INIT;

	if (file)
		conf_put("catalogue.ini", file);
	if (catalogue_find(&conf, "a", &item, &err)) {
		ok(strstr(err.text, want) != NULL, "%s: %s", want, err.text);
		return;
	}
	is_str(item.url, want, "%s", want);
	is_str(item.sha256, SUM, "with its digest");
	catalogue_item_fini(&item);
}

static void test_file(void)
{
	finds(NULL, "no image 'a' in ");
	finds("[b]\n[c]\n", ", which has b, c: say a URL and --sha256");
	finds("[a]\nurl = https://h/x.raw\nsha256 = " SUM "\nformat = raw\n",
		"https://h/x.raw");
	finds("[a]\nurl = https://h/x\n", "[a] needs sha256");
	finds("[a]\nsha256 = " SUM "\n", "[a] needs url");
	finds("[a]\nurl = x\n", "catalogue.ini:2: [a] url: say https://");
	finds("[a]\nsha256 = 12\n", "catalogue.ini:2: [a] sha256: a sha256 is");
	finds("[a]\nsize = 12\n", "catalogue.ini:2: [a] size: say url");
	finds("[a\n", "catalogue.ini:1:");
}

static const char *member(const json_t *all, size_t i, const char *key)
{
	return str_or(
		json_string_value(json_object_get(json_array_get(all, i), key)),
		"");
}

static void test_list(void)
{
	struct err err = ERR_INIT;
	json_t *all;

	conf_put("catalogue.ini",
		"[b]\nurl = https://h/x.raw\nsha256 = " SUM
		"\ndescription = of ours\n[a]\nurl = https://h/y\n");
	all = catalogue_list(&conf, &err);
	is_int(json_array_size(all), 2, "both, in the order of the file");
	is_str(member(all, 0, "name"), "b", "the first");
	is_str(member(all, 0, "description"), "of ours", "what it is");
	is_str(member(all, 0, "error"), "", "and no mistake");
	is_str(member(all, 1, "error"), "catalogue.ini: [a] needs sha256",
		"the second has one");
	json_decref(all);
	conf_put("catalogue.ini", "[a\n");
	ok(!catalogue_list(&conf, &err), "a file that cannot be read");
}

static void test_urls(void)
{
	static const char *const bad[] = { "", "x", "/a", "ftp://h/x",
		"https://", "file://h/x", "http://u@h/x", "http://u:p@h/x",
		"https://h/a b", "https://h/\n", "https://h/\x7f",
		"https://h/\xff" };
	static const char *const good[] = { "https://h/x", "http://h:80/x@y",
		"file:///x", "https://h/x?user=a@b" };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < NELEMS(bad); i++)
		ok(catalogue_check_url(bad[i], &err) != 0, "refused: %zu", i);
	for (size_t i = 0; i < NELEMS(good); i++)
		ok(!catalogue_check_url(good[i], &err), "good: %s", good[i]);
}

static void test_digests(void)
{
	AUTO_FREE char *upper = xstrdup(SUM);
	struct err err = ERR_INIT;

	upper[0] = 'E';
	AUTO_FREE char *lower = catalogue_digest(upper, &err);
	is_str(lower, SUM, "digits in lower case");
	upper[63] = 'g';
	ok(!catalogue_digest(upper, &err), "no digit");
	upper[63] = '\0';
	ok(!catalogue_digest(upper, &err), "one too few");
	ok(!catalogue_digest(SUM "0", &err), "one too many");
}

int main(void)
{
	conf_start(PATHS_SYSTEM);
	test_file();
	test_list();
	test_urls();
	test_digests();
	conf_end();
	return done();
}
