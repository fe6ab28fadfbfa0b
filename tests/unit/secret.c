/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secrets in files: which are taken as they are, and which are refused. */
#include "storage/secret.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

#define OPENSSH "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define END     "-----END OPENSSH PRIVATE KEY-----\n"
#define PLAIN   "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ==\n"
#define LOCKED  "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAA=\n"

static char *put(const char *text, size_t len, mode_t mode)
{
	char *path = xasprintf("%s/secret", temp_root);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len || fchmod(fd, mode))
		ok(false, "cannot write %s", path);
	close(fd);
	return path;
}

typedef int read_fn(const char *path, struct secret *secret, struct err *err);

static void is_read(read_fn *read, const char *text, mode_t mode,
	enum err_code code, const char *what)
{
	AUTO_FREE char *path = put(text, strlen(text), mode);
	struct secret secret = { NULL };
	struct err err = ERR_INIT;
	int rc = read(path, &secret, &err);
	size_t len = strlen(text);

	is_int(err.code, code, "%s: %s", what, err.text);
	is_int(rc, code ? -1 : 0, "%s: the result", what);
	len -= len && text[len - 1] == '\n';
	ok(code ? !secret.bytes
		: secret.len == len && memcmp(secret.bytes, text, len) == 0,
		"%s: the bytes", what);
	secret_fini(&secret);
}

static void passwords(void)
{
	AUTO_FREE char *long_one = xcalloc(1, 1026);

	memset(long_one, 'x', 1024);
	is_read(secret_read, "word\n", 0600, ERR_NONE, "a line");
	is_read(secret_read, "word", 0400, ERR_NONE, "without its end");
	is_read(secret_read, long_one, 0600, ERR_NONE, "1024 bytes");
	long_one[1024] = 'x';
	is_read(secret_read, long_one, 0600, ERR_CONFIG, "one more");
	is_read(secret_read, "", 0600, ERR_CONFIG, "nothing");
	is_read(secret_read, "\n", 0600, ERR_CONFIG, "an empty line");
	is_read(secret_read, "\xff\xfe", 0600, ERR_CONFIG, "no UTF-8");
	is_read(secret_read, "word", 0640, ERR_DENIED, "a group reads it");
	is_read(secret_read, "word", 0604, ERR_DENIED, "others read it");
}

static void keys(void)
{
	static const struct {
		const char *text;
		mode_t mode;
		enum err_code code;
	} cases[] = {
		{ OPENSSH PLAIN END, 0600, ERR_NONE },
		{ OPENSSH LOCKED END, 0600, ERR_CONFIG },
		{ OPENSSH PLAIN END, 0644, ERR_DENIED },
		{ "-----BEGIN EC PRIVATE KEY-----\nMHc=\n", 0600, ERR_NONE },
		{ "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n",
			0600, ERR_CONFIG },
		{ "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMHc=\n", 0600,
			ERR_CONFIG },
		{ "ssh-ed25519 AAAA me@here\n", 0600, ERR_CONFIG },
		{ "-----BEGIN CERTIFICATE-----\nMHc=\n", 0600, ERR_CONFIG },
		{ "", 0600, ERR_CONFIG },
	};

	for (size_t i = 0; i < NELEMS(cases); i++) {
		AUTO_FREE char *what = xasprintf("key %zu", i);

		is_read(secret_read_key, cases[i].text, cases[i].mode,
			cases[i].code, what);
	}
}

static void copies(void)
{
	AUTO_FREE char *long_key = xcalloc(1, 9000);
	struct secret key = { NULL }, copy;
	struct err err = ERR_INIT;

	memset(long_key, 'x', 8000);
	memcpy(long_key, OPENSSH PLAIN, strlen(OPENSSH PLAIN));
	AUTO_FREE char *path = put(long_key, 8000, 0600);
	is_int(secret_read_key(path, &key, &err), 0, "a long key");
	copy = secret_copy(&key);
	ok(copy.len == 8000 && memcmp(copy.bytes, long_key, 8000) == 0,
		"its copy is whole");
	secret_fini(&copy);
	secret_fini(&key);
	copy = secret_copy(NULL);
	ok(!copy.bytes, "none of none");
}

int main(void)
{
	temp_make();
	passwords();
	keys();
	copies();
	return done();
}
