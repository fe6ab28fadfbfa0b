/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base/ini: what a file says, what is refused and in which line; and that no
 * cut and no single wrong byte is taken for another value silently.
 */
#include "base/ini.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

/* "[a] k=<v> ..." of what was read. */
static char *shown(const struct ini *ini)
{
	struct str out = STR_INIT;

	list_each(&ini->entries, it, next) {
		struct ini_entry *e = list_entry(it, struct ini_entry, link);
		str_add(&out, out.len ? " " : "");
		if (e->key)
			str_addf(&out, "%s=<%s>", e->key, e->value);
		else
			str_addf(&out, "[%s]", e->section);
	}
	return str_take(&out);
}

/* The entries, or "! line: text, ..." */
static char *read_text(const char *bytes, size_t len)
{
	struct findings f;
	struct ini ini;
	AUTO_STR struct str out = STR_INIT;

	findings_init(&f);
	ini_init(&ini);
	int rc = ini_read_bytes(&ini, bytes, len, "f", "/d", &f);
	AUTO_FREE char *text = shown(&ini);
	list_each(&f.list, it, next) {
		struct finding *found = list_entry(it, struct finding, link);
		str_addf(&out, "%s%u: %s", out.len ? "; " : "! ", found->line,
			found->text);
	}
	if (rc < 0 && !list_is_empty(&ini.entries))
		str_add(&out, "; AND ENTRIES");
	findings_fini(&f);
	ini_fini(&ini);
	return rc < 0 ? str_take(&out) : TAKE(text);
}

static const struct {
	const char *text;
	const char *want;
} cases[] = {
	{ "", "" },
	{ "\n\n", "" },
	{ "; c\n# c\n  ; c \\\n", "" },
	{ "[a]\n", "[a]" },
	{ "  [a.b]\t; c\n", "[a.b]" },
	{ "[a]\nk = v\n", "[a] k=<v>" },
	{ "[a]\nk=v=w:x\n", "[a] k=<v=w:x>" },
	{ "[a]\n\tk\t=\tv w\t\n", "[a] k=<v w>" },
	{ "[a]\nk = v ; c\nl = w # c\n", "[a] k=<v> l=<w>" },
	{ "[a]\nk =\nl = ; c\nm = \"\"\nn = ''\n", "[a] k=<> l=<> m=<> n=<>" },
	{ "[a]\nk = \" a;b#c \"\nl = 'it\"s'  ; c\n",
		"[a] k=< a;b#c > l=<it\"s>" },
	{ "[a]\nk = \"it's\"\nl = a\"b'c\n", "[a] k=<it's> l=<a\"b'c>" },
	{ "[a]\r\nk = v\r\n", "[a] k=<v>" },
	{ "[a]\nk = \xe7\xbd\x91\xe9\xa1\xb5\n", "[a] k=<\xe7\xbd\x91\xe9"
						 "\xa1\xb5>" },
	{ "[a]\nk = serial:[a-z]\\d+$\n", "[a] k=<serial:[a-z]\\d+$>" },
	{ "[a]\nk = 80%i:80\n", "[a] k=<80%i:80>" },
	{ "[a]\nx-foo = 1\n", "[a] x-foo=<1>" },

	{ "[a]", "! 1: the last line has no end: was the file cut?" },
	{ "[a]\nk = v", "! 2: the last line has no end: was the file cut?" },
	{ "[a", "! 1: section header without ']'; 1: the last line has no "
		"end: was the file cut?" },
	{ "[a\n", "! 1: section header without ']'" },
	{ "[]\n", "! 1: bad section name []" },
	{ "[ a ]\n", "! 1: bad section name [ a ]" },
	{ "[a:b]\n", "! 1: bad section name [a:b]" },
	{ "[a] x\n", "! 1: text after the section header: 'x'" },
	{ "[a];c\n", "! 1: text after the section header: ';c'" },
	{ "[A]\n", "! 1: section names are lower case: write [a], not [A]" },
	{ "[a]\n[b]\n[a]\n", "! 3: section [a] is here twice, first in line "
			     "1" },
	{ "[a]\n[A]\n", "! 2: section names are lower case: write [a], not "
			"[A]; 2: section [a] is here twice, first in line 1" },
	{ "k = v\n", "! 1: key 'k' before any [section]" },
	{ "[a]\nk v\n", "! 2: neither [section] nor key = value: 'k v'" },
	{ "[a]\nk: v\n", "! 2: neither [section] nor key = value: 'k: v'" },
	{ "[a]\n= v\n", "! 2: no key before '='" },
	{ "[a]\nk += v\n", "! 2: bad key name 'k +'" },
	{ "[a]\nb:c = v\n", "! 2: bad key name 'b:c'" },
	{ "[a]\nK = v\n", "! 2: key names are lower case: write k, not K" },
	{ "[a]\nk = 1\nk = 2\n", "! 3: key 'k' is twice in [a], first in "
				 "line 2" },
	{ "[a]\nk = a#b\n", "! 2: '#' inside a value: quote the value, or "
			    "put a blank before a comment" },
	{ "[a]\nk = a;b\n", "! 2: ';' inside a value: quote the value, or "
			    "put a blank before a comment" },
	{ "[a]\nk =;b\n", "! 2: ';' inside a value: quote the value, or put "
			  "a blank before a comment" },
	{ "[a]\nk = v \\\n", "! 2: a line cannot end in '\\': there are no "
			     "continuation lines" },
	{ "[a]\nk = \"v\n", "! 2: the quote \" does not end" },
	{ "[a]\nk = 'v\"\n", "! 2: the quote ' does not end" },
	{ "[a]\nk = \"v\" w\n", "! 2: text after the closing quote: 'w'" },
	{ "[a]\nk = \"v\";w\n", "! 2: text after the closing quote: ';w'" },
	{ "[a]\nk = \"v\\\"w\"\n", "! 2: text after the closing quote: "
				   "'w\"'" },
	{ "[a]\nk = \"v\\w\"\n", "! 2: no backslash inside quotes: leave the "
				 "quotes away" },
	{ "\xef\xbb\xbf[a]\n", "! 1: the file starts with a byte order mark: "
			       "save it as plain UTF-8" },
	{ "[a]\nk = \xff\n", "! 2: the line is not UTF-8" },
	{ "[a]\nk = a\x01\n", "! 2: control byte 0x01 in the line" },
	{ "[a]\nk = a\rb\n", "! 2: control byte 0x0d in the line" },
	{ "x\n[a]\ny\nk = a;b\n",
		"! 1: neither [section] nor key = value: 'x'; 3: neither "
		"[section] nor key = value: 'y'; 4: ';' inside a value: quote "
		"the value, or put a blank before a comment" },
};

static void test_cases(void)
{
	for (size_t i = 0; i < NELEMS(cases); i++) {
		AUTO_STR struct str name = STR_INIT;
		AUTO_FREE char *got =
			read_text(cases[i].text, strlen(cases[i].text));
		str_add_visible(&name, cases[i].text, strlen(cases[i].text));
		is_str(got, cases[i].want, "'%s'", str_text(&name));
	}
	AUTO_FREE char *nul = read_text("[a]\nk = a\0b\n", 12);
	is_str(nul, "! 2: control byte 0x00 in the line", "a NUL");
}

/* ---- limits ---- */

static void test_limits(void)
{
	AUTO_STR struct str text = STR_INIT;

	str_add(&text, "[a]\nk = ");
	for (int i = 0; i < 1000; i++)
		str_addc(&text, 'v');
	str_addc(&text, '\n');
	AUTO_FREE char *fits = read_text(text.data, text.len);
	ok(strlen(fits) == 1000 + strlen("[a] k=<>"), "1000 bytes of value");
	str_cut(&text, text.len - 1);
	str_add(&text, "v\n");
	AUTO_FREE char *longer = read_text(text.data, text.len);
	is_str(longer, "! 2: k: the value has more than 1000 bytes", "1001");
	str_cut(&text, text.len - 1);
	for (int i = 0; i < 20; i++)
		str_addc(&text, 'v');
	str_addc(&text, '\n');
	AUTO_FREE char *line = read_text(text.data, text.len);
	is_str(line, "! 2: the line has more than 1020 bytes", "a long line");

	str_cut(&text, 0);
	str_add(&text, "[a]\n");
	for (int i = 0; i < 3000; i++)
		str_addf(&text, "k%d = 1\n", i);
	AUTO_FREE char *many = read_text(text.data, text.len);
	is_str(many, "! 2001: the file has more than 2000 sections and keys",
		"too many keys");
	str_cut(&text, 0);
	while (text.len <= 256 * 1024)
		str_add(&text, "; a comment\n");
	AUTO_FREE char *big = read_text(text.data, text.len);
	is_str(big, "! 0: the file has more than 262144 bytes", "too large");
}

static void test_cap(void)
{
	AUTO_STR struct str text = STR_INIT;
	struct findings f;
	struct ini ini;

	for (int i = 0; i < 1000; i++)
		str_add(&text, "bad\n");
	findings_init(&f);
	ini_init(&ini);
	ok(ini_read_bytes(&ini, text.data, text.len, "f", "/", &f) < 0,
		"a thousand errors");
	is_int(f.errors, 1000, "are counted");
	unsigned kept = 0;
	list_each(&f.list, it, next)
		kept++;
	is_int(kept, 101, "and capped");
	is_str(list_entry(f.list.prev, struct finding, link)->text,
		"and 900 more errors", "the last one says so");
	findings_sort(&f);
	is_str(list_entry(f.list.prev, struct finding, link)->text,
		"and 900 more errors", "also when sorted");
	struct err err = ERR_INIT;
	findings_to_err(&f, &err);
	is_str(err.text, "f:1: neither [section] nor key = value: 'bad'",
		"the first one as an error");
	findings_fini(&f);
	ini_fini(&ini);
}

/* ---- cuts and wrong bytes ---- */

static const char sample[] = "[vm]\n"
			     "memory=2G\n"
			     "cpus=12\n"
			     "description=\"a;b\"\n"
			     "[disk.root]\n"
			     "base=debian-12.qcow2\n"
			     "size=20G\n"
			     "[net.lan]\n"
			     "user=yes\n"
			     "forward=8080:80,tcp:127.0.0.1:2222:22\n"
			     "[start]\n"
			     "autostart=yes\n"
			     "ready=tcp:22\n"
			     "ready-timeout=5min\n";

static bool is_refused(const char *text)
{
	return text[0] == '!';
}

/* A cut file is refused, or cut between two lines and then a prefix. */
static void test_cuts(void)
{
	size_t len = sizeof sample - 1;
	AUTO_FREE char *whole = read_text(sample, len);
	unsigned wrong = 0;
	unsigned taken = 0;

	for (size_t cut = 0; cut < len; cut++) {
		AUTO_FREE char *got = read_text(sample, cut);
		bool at_line = cut == 0 || sample[cut - 1] == '\n';
		bool good = at_line ? str_starts(whole, got) : is_refused(got);
		taken += at_line;
		wrong += !good;
		if (!good)
			printf("# cut at %zu: %s\n", cut, got);
	}
	is_int(wrong, 0, "no cut is taken for another value");
	is_int(taken, 14, "cuts between lines are prefixes");
}

/* Any byte for any other: refused, or seen to be different. */
static void test_changes(void)
{
	size_t len = sizeof sample - 1;
	AUTO_FREE char *whole = read_text(sample, len);
	AUTO_FREE char *text = xstrdup(sample);
	unsigned silent = 0;
	unsigned refused = 0;

	for (size_t at = 0; at < len; at++) {
		for (int byte = 0; byte < 256; byte++) {
			if ((char)byte == sample[at])
				continue;
			text[at] = (char)byte;
			AUTO_FREE char *got = read_text(text, len);
			refused += is_refused(got);
			silent += str_eq(got, whole);
			if (str_eq(got, whole))
				printf("# byte %zu = 0x%02x\n", at,
					(unsigned)byte);
		}
		text[at] = sample[at];
	}
	is_int(silent, 0, "no single byte changes silently");
	ok(refused > 10000, "%u of %zu changes are refused", refused,
		len * 255);
}

/* ---- files and quoting ---- */

static void write_file(const char *path, const char *text)
{
	struct err err = ERR_INIT;

	ok(fd_write_file(
		   AT_FDCWD, path, text, strlen(text), 0644, false, &err) == 0,
		"write %s", path);
}

static void test_file(void)
{
	struct findings f;
	struct ini ini;

	findings_init(&f);
	ini_init(&ini);
	write_file(temp_path("a.ini"), "[a]\nk = v\n");
	ok(ini_read(&ini, AT_FDCWD, temp_path("a.ini"), "a.ini", &f) == 0,
		"read a file");
	const struct ini_entry *e = ini_find(&ini, "a", "k");
	ok(e && e->line == 2, "its key has a line");
	is_str(e ? e->dir : "", temp_root, "and a directory");
	is_str(e ? e->file : "", "a.ini", "and the file's name as shown");
	int dir = open(temp_root, O_RDONLY | O_DIRECTORY);
	ok(ini_read(&ini, dir, "a.ini", "again", &f) == 0, "by a dirfd");
	e = ini_find(&ini, "a", "k");
	is_str(e ? e->file : "", "again", "the last entry wins");
	is_str(e ? e->dir : "", temp_root, "its directory is known");
	close(dir);
	ok(ini_read(&ini, AT_FDCWD, temp_root, "dir", &f) < 0,
		"a directory is no file");
	ok(mkfifo(temp_path("fifo"), 0600) == 0 &&
			ini_read(&ini, AT_FDCWD, temp_path("fifo"), "fifo",
				&f) < 0,
		"a FIFO does not hang");
	ini_fini(&ini);
	findings_fini(&f);
}

static void test_keep_bad(void)
{
	static const char text[] = "[a]\nk = 1\nbad\nl = 2\n";
	struct findings f;
	struct ini ini;

	findings_init(&f);
	ini_init(&ini);
	ini.keep_bad = true;
	ok(ini_read_bytes(&ini, text, sizeof text - 1, "f", "/", &f) < 0,
		"a bad file fails");
	AUTO_FREE char *got = shown(&ini);
	is_str(got, "[a] k=<1> l=<2>", "with keep_bad the rest is there");
	findings_fini(&f);
	ini_fini(&ini);
}

/* What is quoted is read again as it was. */
static void test_quoted(void)
{
	static const char *const values[] = { "v", "a b", "a;b", "a # b", " v",
		"v ", "\"v\"", "'v'", "it's", "a\"b;", "a'b;", "c\\d", "\t",
		"x = y", "[a]" };
	static const char *const refused[] = { "a\nb", "v\\", "a'b\"c;",
		"a;b\\c", "\xff", "\x7f" };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < NELEMS(values); i++) {
		AUTO_STR struct str line = STR_INIT;
		str_add(&line, "[a]\nk = ");
		ok(ini_add_quoted(&line, values[i], &err) == 0, "quote <%s>",
			values[i]);
		str_addc(&line, '\n');
		AUTO_FREE char *got = read_text(line.data, line.len);
		AUTO_FREE char *want = xasprintf("[a] k=<%s>", values[i]);
		is_str(got, want, "and read it again");
	}
	for (size_t i = 0; i < NELEMS(refused); i++) {
		AUTO_STR struct str line = STR_INIT;
		ok(ini_add_quoted(&line, refused[i], &err) < 0,
			"no file can hold value %zu: %s", i, err.text);
	}
}

int main(void)
{
	temp_make();
	test_cases();
	test_limits();
	test_cap();
	test_cuts();
	test_changes();
	test_file();
	test_keep_bad();
	test_quoted();
	return done();
}
