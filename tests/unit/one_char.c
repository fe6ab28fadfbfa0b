/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The examples with any one character changed: such a file is refused, or
 * `show` says something else, or the line means the same (the change is in
 * a comment or in blank space).  Nothing changes what a file means unseen.
 */
#include <ctype.h>
#include <string.h>

#include "tests/unit/confdir.h"
#include "tests/unit/tap.h"

static const char *const examples[] = { "minimal.ini", "kernel.ini",
	"hooks.ini", "cloud.ini", "web@.ini", "ci@.ini",
	"run-under-runit/web.ini", "ordered/db.ini" };

/* Put in the place of each character; and the same in the other case. */
static const char others[] = { 'x', '1', ' ', '\n', ';', '=', '[', '\\', '"',
	'\0', '\x01', '\xc3' };

struct tally {
	unsigned refused;
	unsigned shown;
	unsigned same;
};

/* What a file says without comments and blank space; new. */
static char *bare(const char *text, size_t len)
{
	struct str out = STR_INIT;
	bool comment = false;

	for (size_t i = 0; i < len; i++) {
		bool blank = i == 0 || isspace((unsigned char)text[i - 1]);

		if (text[i] == '\n')
			comment = false;
		else if ((text[i] == ';' || text[i] == '#') && blank)
			comment = true;
		if (comment || text[i] == ' ' || text[i] == '\t')
			continue;
		if (text[i] != '\n' ||
			(out.len && str_text(&out)[out.len - 1] != '\n'))
			str_addc(&out, text[i]);
	}
	return str_take(&out);
}

/* What `show` says of these bytes as vms/NAME.ini; NULL: they are refused. */
static char *shown(const char *name, const char *text, size_t len)
{
	AUTO_FREE char *path = xasprintf("%s/vms/%s", conf.config, name);
	AUTO_FREE char *vm = paths_vm_name(path);
	struct err err = ERR_INIT;
	struct str out = STR_INIT;
	struct findings f;
	bool missing;

	if (fd_write_file(AT_FDCWD, path, text, len, 0644, false, &err) < 0)
		abort();
	findings_init(&f);
	struct vm_spec *spec = config_load(&conf, vm, path, &f, &missing);
	if (spec)
		config_show(spec, false, NULL, &out);
	spec_free(spec);
	findings_fini(&f);
	return out.len ? str_take(&out) : NULL;
}

/* One character changed: which of the three it is; false if none. */
static bool is_seen(const char *name, const struct str *text,
	const char *before, size_t at, char other, struct tally *tally)
{
	AUTO_FREE char *bytes = xstrndup(text->data, text->len);

	bytes[at] = other;
	AUTO_FREE char *after = shown(name, bytes, text->len);
	if (!after) {
		tally->refused++;
		return true;
	}
	if (!str_eq(after, before)) {
		tally->shown++;
		return true;
	}
	AUTO_FREE char *was = bare(text->data, text->len);
	AUTO_FREE char *is = bare(bytes, text->len);
	tally->same++;
	return str_eq(was, is);
}

/* Every character of one example, every other one in its place. */
static void test_example(const char *example)
{
	AUTO_FREE char *path = xasprintf("examples/%s", example);
	const char *slash = strrchr(path, '/');
	struct tally tally = { 0, 0, 0 };
	AUTO_STR struct str text = STR_INIT;
	AUTO_STR struct str unseen = STR_INIT;
	struct err err = ERR_INIT;

	if (fd_read_file(AT_FDCWD, path, 1 << 20, &text, &err) < 0)
		abort();
	AUTO_FREE char *before = shown(slash + 1, text.data, text.len);
	ok(before != NULL, "%s is right", path);
	for (size_t at = 0; before && at < text.len; at++) {
		char flipped = (char)(text.data[at] ^ 0x20);

		for (size_t i = 0; i <= NELEMS(others); i++) {
			char c = i < NELEMS(others) ? others[i] : flipped;

			if (c != text.data[at] &&
				!is_seen(slash + 1, &text, before, at, c,
					&tally))
				str_addf(&unseen, "byte %zu as 0x%02x; ", at,
					(unsigned char)c);
		}
	}
	is_str(str_text(&unseen), "", "%s: no change goes unseen", example);
	ok(tally.refused > 0 && tally.shown > 0,
		"refused %u, shown %u, the same meaning %u", tally.refused,
		tally.shown, tally.same);
}

int main(void)
{
	conf_start(PATHS_SYSTEM);
	for (size_t i = 0; i < NELEMS(examples); i++)
		test_example(examples[i]);
	conf_end();
	return done();
}
