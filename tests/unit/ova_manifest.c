/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manifests of OVAs: what is noted at which file, and what is refused. */
#include "storage/ova_manifest.h"

#include <string.h>

#include "base/mem.h"
#include "tests/unit/tap.h"

#define D8    "0123abcd"
#define SHA1  D8 D8 D8 D8 D8
#define SHA2  SHA1 D8 D8 D8
#define SHA5  SHA2 SHA2
#define SHORT D8 D8 D8 D8 "0123abc"

static struct ova_member files[3];

static int note(const char *text, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(text);

	files[0] = (struct ova_member){ .name = "x.ovf" };
	files[1] = (struct ova_member){ .name = "./a (b).vmdk" };
	files[2] = (struct ova_member){ .name = "../up" };
	return ova_manifest_note(copy, "x.ova", files, NELEMS(files), err);
}

static void test_good(void)
{
	static const struct {
		const char *text;
		const char *program;
		const char *digest;
	} good[] = {
		{ "SHA1(x.ovf)= " SHA1, "sha1sum", SHA1 },
		{ "SHA256(x.ovf)= " SHA2 "\n", "sha256sum", SHA2 },
		{ "SHA512 (x.ovf) =" SHA5 " \r\n\r\n", "sha512sum", SHA5 },
		{ "\n\nSHA256(./x.ovf)=\t" SHA2, "sha256sum", SHA2 },
		{ "SHA1(x.ovf)= 0123ABCD" D8 D8 D8 D8, "sha1sum", SHA1 },
	};

	for (size_t i = 0; i < NELEMS(good); i++) {
		struct err err = ERR_INIT;

		ok(!note(good[i].text, &err), "manifest %zu", i);
		is_str(files[0].program, good[i].program, "its program");
		is_str(files[0].digest, good[i].digest, "its digest");
		ok(!files[1].program && !files[2].program, "no other's");
	}
}

static void test_names(void)
{
	struct err err = ERR_INIT;

	ok(!note("SHA1(a (b).vmdk)= " SHA1 "\nSHA1(../up)= " SHA1, &err),
		"names are only names");
	ok(!files[0].program && files[1].program && files[2].program,
		"each has its own");
	ok(!note("", &err), "an empty one");
	ok(!files[0].program, "says nothing");
}

static void test_bad(void)
{
	static const struct {
		const char *text;
		const char *why;
	} bad[] = {
		{ "x", "no digest: 'x'" },
		{ "=", "no digest" },
		{ "()=", "no digest" },
		{ ")=(", "no digest" },
		{ "(=)", "no digest" },
		{ "SHA1()= " SHA1, "no digest: 'SHA1()= 0" },
		{ "SHA1(x.ovf) " SHA1, "no digest" },
		{ "SHA1 x.ovf = " SHA1, "no digest" },
		{ "SHA1(x.ovf= " SHA1, "no digest" },
		{ "SHA1(x.ovf)=", "no digest" },
		{ "SHA1(x.ovf)= " SHORT, "no digest" },
		{ "SHA1(x.ovf)= " SHA1 "0", "no digest" },
		{ "SHA1(x.ovf)= " SHA1 " x", "no digest" },
		{ "SHA1(x.ovf)= " SHA2, "no digest" },
		{ "SHA256(x.ovf)= " SHA1, "no digest" },
		{ "SHA1(x.ovf)= g123abcd" D8 D8 D8 D8, "no digest" },
		{ "MD5(x.ovf)= " SHORT "0", "no digest" },
		{ "(x.ovf)= " SHA1, "no digest" },
		{ "SHA1(b)= " SHA1, "not there: 'b'" },
		{ "SHA1(../x.ovf)= " SHA1, "not there: '../x.ovf'" },
		{ "SHA1(/etc/shadow)= " SHA1, "not there" },
		{ "SHA1(\033[2J)= " SHA1, "not there" },
		{ "SHA1(x.ovf)= " SHA1 "\nSHA1(x.ovf)= " SHA1, "twice" },
		{ "SHA1(x.ovf)= " SHA1 "\nSHA256(./x.ovf)= " SHA2, "twice" },
	};

	for (size_t i = 0; i < NELEMS(bad); i++) {
		struct err err = ERR_INIT;

		is_int(note(bad[i].text, &err), -1, "bad manifest %zu", i);
		ok(strstr(err.text, bad[i].why) && !strchr(err.text, '\033') &&
				!strchr(err.text, '\n'),
			"%s: %s", bad[i].why, err.text);
	}
}

int main(void)
{
	test_good();
	test_names();
	test_bad();
	return done();
}
