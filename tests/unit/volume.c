/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of images and formats; headers that contradict or lie. */
#include "supervisor/volume.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "storage/image.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static char images[] = "/pool";
static char config[] = "/none";
static const struct env env = { .paths = {
					.images = images, .config = config } };

static void names(void)
{
	static const struct {
		const char *name, *format, *path, *is;
	} cases[] = {
		{ "a.qcow2", "", "/pool/a.qcow2", "qcow2" },
		{ "a.qcow2", NULL, "/pool/a.qcow2", "qcow2" },
		{ "ci@7-root.qcow2", "", "/pool/ci@7-root.qcow2", "qcow2" },
		{ "a.img", "raw", "/pool/a.img", "raw" },
		{ "a.vhd", "", "/pool/a.vhd", "vpc" },
		{ "a.qcow2", "raw", "/pool/a.qcow2", "raw" },
		{ "/x/a,b:c.raw", "", "/x/a,b:c.raw", "raw" },
		{ "a.img", "", NULL, NULL },
		{ "a", "", NULL, NULL },
		{ "a.qcow2", "qcow", NULL, NULL },
		{ "", "raw", NULL, NULL },
		{ ".", "raw", NULL, NULL },
		{ "..", "raw", NULL, NULL },
		{ ".a.raw", "", NULL, NULL },
		{ "-a.raw", "", NULL, NULL },
		{ "a b.raw", "", NULL, NULL },
		{ "a:b.raw", "", NULL, NULL },
		{ "a,b.raw", "", NULL, NULL },
		{ "a\nb.raw", "", NULL, NULL },
		{ "\303\244.raw", "", NULL, NULL },
		{ "a.raw.tmp.0123abcd", "raw", NULL, NULL },
		{ "x/a.raw", "", NULL, NULL },
		{ "../a.raw", "", NULL, NULL },
		{ "/a\nb.raw", "", NULL, NULL },
		{ "/a\x7f.raw", "", NULL, NULL },
		{ "/\xff.raw", "", NULL, NULL },
	};

	for (size_t i = 0; i < NELEMS(cases); i++) {
		struct volume volume;
		struct err err = ERR_INIT;
		int result = volume_name(&env, "", cases[i].name,
			cases[i].format, &volume, &err);

		is_int(result, cases[i].path ? 0 : -1, "name %zu, format %s", i,
			str_or(cases[i].format, "-"));
		if (cases[i].path && !result) {
			is_str(volume.path, cases[i].path, "its path");
			is_str(volume.format, cases[i].is, "its format");
		}
		volume_fini(&volume);
	}
}

static void long_names(void)
{
	char name[200];
	struct volume volume;
	struct err err = ERR_INIT;

	memset(name, 'a', sizeof(name));
	name[128] = '\0';
	is_int(volume_name(&env, "", name, "raw", &volume, &err), 0,
		"128 bytes");
	volume_fini(&volume);
	name[128] = 'a';
	name[129] = '\0';
	is_int(volume_name(&env, "", name, "raw", &volume, &err), -1, "129");
	volume_fini(&volume);
}

/* ---- headers ---- */

static char *put(const char *name, const void *bytes, size_t len)
{
	char *path = xasprintf("%s/%s", temp_root, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		ok(false, "cannot write %s", path);
	close(fd);
	return path;
}

/* A qcow2 header whose backing name of len bytes stands at `at`. */
static char *put_qcow2(
	const char *file, unsigned at, unsigned len, const char *name)
{
	unsigned char head[2048] = "QFI\xfb\0\0\0\3";

	head[14] = (unsigned char)(at >> 8);
	head[15] = (unsigned char)at;
	head[18] = (unsigned char)(len >> 8);
	head[19] = (unsigned char)len;
	memcpy(head + 512, name, strlen(name));
	return put(file, head, sizeof(head));
}

static void backing_is(unsigned at, unsigned len, const char *name,
	const char *want, enum err_code code)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *path = put_qcow2("b.qcow2", at, len, name);
	AUTO_FREE char *full = want && *want == '.'
				       ? xasprintf("%s%s", temp_root, want + 1)
			       : want ? xstrdup(want)
				      : NULL;
	AUTO_FREE char *got = image_backing(path, &err);

	is_str(str_or(got, "none"), str_or(full, "none"),
		"backing '%s' at %u, %u bytes", name, at, len);
	is_int(err.code, code, "its error: %s", err.text);
}

static void backings(void)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *raw = put("r.raw", "text", 4);
	AUTO_FREE char *none = image_backing(raw, &err);
	AUTO_FREE char *missing = image_backing("/nowhere/x", &err);

	ok(!none, "raw has none");
	ok(!missing && err.code == ERR_NOT_FOUND, "a missing one: an error");
	backing_is(0, 0, "", NULL, ERR_NONE);
	backing_is(512, 5, "/base", "/base", ERR_NONE);
	backing_is(512, 4, "base", "./base", ERR_NONE);
	backing_is(512, 6, "../etc", "./../etc", ERR_NONE);
	backing_is(512, 9, "nbd://x/y", "nbd://x/y", ERR_NONE);
	backing_is(512, 7, "json:{}", "json:{}", ERR_NONE);
	backing_is(512, 1023, "/a", NULL, ERR_CONFIG);
	backing_is(512, 1024, "/a", NULL, ERR_CONFIG);
	backing_is(2040, 100, "", NULL, ERR_CONFIG);
	backing_is(65535, 4, "", NULL, ERR_CONFIG);
}

static void contradictions(void)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *qcow2 = put_qcow2("c.qcow2", 0, 0, "");
	AUTO_FREE char *raw = put("c.raw", "text", 4);
	struct volume volume = { .path = qcow2, .format = "qcow2" };

	is_int(volume_check(&volume, &err), 0, "qcow2 is qcow2");
	volume.format = "raw";
	is_int(volume_check(&volume, &err), -1, "qcow2 is not raw");
	is_int(err.code, ERR_CONFIG, "said so: %s", err.text);
	volume.path = raw;
	is_int(volume_check(&volume, &err), 0, "raw is raw");
	volume.format = "qcow2";
	is_int(volume_check(&volume, &err), -1, "raw is not qcow2");
}

int main(void)
{
	temp_make();
	names();
	long_names();
	backings();
	contradictions();
	return done();
}
