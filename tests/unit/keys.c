/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base/keys on a table of its own: every type with its limits and defaults,
 * named sections, specifiers, and what the table says about itself.
 */
#include "base/keys.h"

#include "base/mem.h"
#include "tests/unit/tap.h"

struct port {
	struct list link;
	char *name;
	uint64_t number;
};

struct thing {
	char *string;
	char *path;
	char *file;
	char **list;
	bool flag;
	uint64_t count;
	uint64_t size;
	uint64_t memory;
	int64_t time;
	int64_t limit;
	int choice;
	char *custom;
};

struct all {
	struct thing thing;
	struct list ports;
	struct {
		bool enabled;
		uint64_t level;
	} extra;
	char *other;
};

static int parse_word(const char *text, void *field, struct err *err)
{
	if (strchr(text, ' '))
		return err_set(err, ERR_CONFIG, "%s: say one word", text);
	*(char **)field = xstrdup(text);
	return 0;
}

static void release_word(void *field)
{
	free(*(char **)field);
	*(char **)field = NULL;
}

static int set_other(
	void *spec, const char *key, const char *text, struct err *err)
{
	struct all *all = spec;

	if (!str_starts(key, "arg-"))
		return 0;
	if (str_eq(text, "bad"))
		return err_set(err, ERR_CONFIG, "bad: say good");
	free(all->other);
	all->other = xstrdup(text);
	return 1;
}

static const char *const colours[] = { "red", "green", "blue", NULL };
static const char *const later_keys[] = { "wings", NULL };

#define AT(member) offsetof(struct thing, member)
static const struct key thing_keys[] = {
	{ "string", KEY_STRING, AT(string), .help = "A string." },
	{ "path", KEY_PATH, AT(path), .help = "A path." },
	{ "file", KEY_FILE, AT(file), .help = "A file." },
	{ "list", KEY_LIST, AT(list), .fallback = "x, y", .help = "A list." },
	{ "flag", KEY_BOOL, AT(flag), .fallback = "yes", .help = "A flag." },
	{ "count", KEY_INT, AT(count), .fallback = "4", .min = 1, .max = 9,
		.help = "A count." },
	{ "size", KEY_SIZE, AT(size), .min = 1 << 20, .max = 1 << 30,
		.help = "A size." },
	{ "memory", KEY_MEMORY, AT(memory), .min = 1 << 20, .help = "RAM." },
	{ "time", KEY_DURATION, AT(time), .fallback = "1min", .min = 1000,
		.max = 3600 * 1000, .help = "A time." },
	{ "limit", KEY_DURATION, AT(limit), .fallback = "infinity",
		.max = UINT64_MAX, .help = "A limit." },
	{ "choice", KEY_CHOICE, AT(choice), .fallback = "green",
		.choices = colours, .when = KEY_POLICY, .help = "A colour." },
	{ "custom", KEY_CUSTOM, AT(custom), .fallback = "a",
		.parse = parse_word, .release = release_word, .expand = true,
		.form = "WORD", .help = "'A word' \\ of yours." },
	KEYS_END,
};
static const struct key port_keys[] = {
	{ "number", KEY_INT, offsetof(struct port, number), .fallback = "7",
		.help = "A number." },
	KEYS_END,
};
static const struct key extra_keys[] = {
	{ "level", KEY_INT, 8, .fallback = "1", .help = "A level." },
	KEYS_END,
};

static const struct section sections[] = {
	{ .name = "thing",
		.keys = thing_keys,
		.offset = offsetof(struct all, thing),
		.enabled_offset = KEYS_NO_ENABLED,
		.later_keys = later_keys },
	{ .name = "port",
		.named = true,
		.keys = port_keys,
		.size = sizeof(struct port),
		.offset = offsetof(struct all, ports),
		.link_offset = offsetof(struct port, link),
		.name_offset = offsetof(struct port, name),
		.enabled_offset = KEYS_NO_ENABLED },
	{ .name = "extra",
		.keys = extra_keys,
		.offset = offsetof(struct all, extra),
		.enabled_offset = 0 },
	{ .name = "raw",
		.enabled_offset = KEYS_NO_ENABLED,
		.other = set_other,
		.other_names = "arg-1 ..." },
	{ .name = "future", .later = true },
};

/* What one text fills, and what was found. */
struct run {
	struct all all;
	struct ini ini;
	struct findings f;
	int rc;
};

static void run_start(struct run *run, const char *instance, const char *home,
	const char *text)
{
	struct key_scope scope = { "web@7", "web", instance, "host", home };

	*run = (struct run){ .rc = 0 };
	findings_init(&run->f);
	ini_init(&run->ini);
	run->rc = ini_read_bytes(
		&run->ini, text, strlen(text), "f", "/dir", &run->f);
	ok(run->rc == 0, "the text can be read");
	run->rc = keys_fill(&run->all, sections, NELEMS(sections), &run->ini,
		&scope, &run->f);
}

static void run_end(struct run *run)
{
	keys_release(&run->all, sections, NELEMS(sections));
	free(run->all.other);
	ini_fini(&run->ini);
	findings_fini(&run->f);
}

static void test_defaults(void)
{
	struct run run;
	const struct thing *t = &run.all.thing;

	run_start(&run, NULL, NULL, "");
	is_int(run.rc, 0, "nothing is right");
	ok(!t->string && !t->path && !t->file, "no string, path, file");
	ok(t->list && str_eq(t->list[0], "x") && str_eq(t->list[1], "y") &&
			!t->list[2],
		"list");
	ok(t->flag, "flag");
	is_int(t->count, 4, "count");
	is_int(t->size, 0, "size");
	is_int(t->time, 60000, "time");
	ok(t->limit == STR_FOREVER, "limit");
	is_int(t->choice, 1, "choice");
	is_str(t->custom, "a", "custom");
	ok(list_is_empty(&run.all.ports), "no port");
	ok(!run.all.extra.enabled && run.all.extra.level == 1,
		"extra is off, its default there");
	run_end(&run);
}

static void test_values(void)
{
	static const char text[] = "[thing]\n"
				   "string = %n %p %i %H 100%%\n"
				   "path = ./a/%i\n"
				   "file = b.img\n"
				   "list = a,  b %i ,c\n"
				   "flag = off\n"
				   "count = 9\n"
				   "size = 512MiB\n"
				   "memory = 100%\n"
				   "time = 1min 30s\n"
				   "limit = 1w\n"
				   "choice = blue\n"
				   "custom = w%i\n"
				   "x-mine = whatever\n"
				   "[extra]\n"
				   "[raw]\n"
				   "arg-1 = -name %n\n";
	struct run run;
	const struct thing *t = &run.all.thing;

	run_start(&run, "7", NULL, text);
	is_int(run.rc, 0, "all is right");
	is_str(t->string, "web@7 web 7 host 100%", "specifiers");
	is_str(t->path, "/dir/a/7", "a path becomes absolute");
	is_str(t->file, "b.img", "a volume stays");
	ok(str_eq(t->list[1], "b 7") && !t->list[3], "list");
	ok(!t->flag, "flag");
	is_int(t->count, 9, "count");
	is_int(t->size, 512 << 20, "size");
	ok(t->memory % (1 << 20) == 0 && t->memory <= key_host_memory() &&
			t->memory > key_host_memory() / 10 * 9,
		"memory is what the host has");
	is_int(t->time, 90000, "time");
	is_int(t->limit, 7 * 24 * 3600 * 1000LL, "limit");
	is_int(t->choice, 2, "choice");
	is_str(t->custom, "w7", "custom with a specifier");
	ok(run.all.extra.enabled, "a header turns extra on");
	is_str(run.all.other, "-name web@7", "a key without a row");
	run_end(&run);
}

static void test_empty(void)
{
	static const char text[] = "[thing]\nstring =\npath =\nlist =\nflag "
				   "=\ncount =\nsize =\nchoice =\ncustom =\n";
	struct run run;

	run_start(&run, NULL, NULL, text);
	is_int(run.rc, 0, "empty values");
	ok(!run.all.thing.string && run.all.thing.count == 4 &&
			run.all.thing.flag,
		"mean the defaults");
	is_str(run.all.thing.custom, "a", "custom too");
	run_end(&run);
}

/* Later entries of the same list win, key by key. */
static void test_order(void)
{
	static const char first[] = "[thing]\ncount = 2\nstring = a\n[port.a]\n"
				    "number = 1\n[port.b]\n[port.c]\n";
	static const char second[] = "[thing]\ncount = 3\n[port.b]\nenabled = "
				     "no\nnumber = 5\n[port.a]\nnumber =\n";
	struct key_scope scope = { "n", "n", NULL, "h", NULL };
	struct all all = { .other = NULL };
	struct findings f;
	struct ini ini;

	findings_init(&f);
	ini_init(&ini);
	ok(ini_read_bytes(&ini, first, strlen(first), "1", "/", &f) == 0 &&
			ini_read_bytes(&ini, second, strlen(second), "2", "/",
				&f) == 0,
		"two files");
	ok(keys_fill(&all, sections, NELEMS(sections), &ini, &scope, &f) == 0,
		"fill");
	is_int(all.thing.count, 3, "the later one wins");
	is_str(all.thing.string, "a", "key by key");
	struct port *a = list_entry(all.ports.next, struct port, link);
	struct port *c = list_entry(all.ports.prev, struct port, link);
	is_str(a->name, "a", "elements are in order");
	is_int(a->number, 7, "empty: the default, not the lower layer's");
	is_str(c->name, "c", "enabled = no takes one out");
	ok(a->link.next == &c->link, "it is gone");
	keys_release(&all, sections, NELEMS(sections));
	ini_fini(&ini);
	findings_fini(&f);
}

static const struct {
	const char *text; /* below [thing] */
	const char *want; /* of line 2 */
} bad[] = {
	{ "strin = x", "unknown key 'strin' in [thing] (did you mean "
		       "'string'?)" },
	{ "zzzzzzzz = x", "unknown key 'zzzzzzzz' in [thing]" },
	{ "wings = 2", "[thing] wings is not supported by this version yet" },
	{ "string = %i", "[thing] string = %i: only instances (NAME@.ini) "
			 "have it" },
	{ "string = 5%x", "[thing] string = %x: there are %n %p %i %H; a "
			  "percent sign is written %%" },
	{ "string = 5%", "[thing] string = % : there are %n %p %i %H; a "
			 "percent sign is written %%" },
	{ "path = ~/x", "[thing] path = ~/x: say the whole path; ~/ works "
			"with --user and run" },
	{ "file = .x", "[thing] file = .x: a volume's name does not start "
		       "with '.'" },
	{ "file = -x", "[thing] file = -x: a volume's name does not start "
		       "with '-'" },
	{ "list = a,,b", "[thing] list = (empty): there is nothing between "
			 "two commas" },
	{ "list = a,", "[thing] list = (empty): there is nothing after the "
		       "last comma" },
	{ "flag = maybe", "[thing] flag = maybe: say yes or no" },
	{ "count = 0", "[thing] count = 0: say at least 1" },
	{ "count = 10", "[thing] count = 10: say at most 9" },
	{ "count = 3x", "[thing] count = 3x: say a whole number, as 4" },
	{ "count = -1", "[thing] count = -1: say a whole number, as 4" },
	{ "count = 99999999999999999999",
		"[thing] count = 99999999999999999999: the number is too "
		"large" },
	{ "size = 1024", "[thing] size = 1024: say 1024M" },
	{ "size = 1K", "[thing] size = 1K: say at least 1M" },
	{ "size = 2G", "[thing] size = 2G: say at most 1G" },
	{ "size = 50%", "[thing] size = 50%: say a size, as 512M or 2G" },
	{ "memory = 101%", "[thing] memory = 101%: say 1% to 100%" },
	{ "memory = 0%", "[thing] memory = 0%: say 1% to 100%" },
	{ "memory = x%", "[thing] memory = x%: say 1% to 100%" },
	{ "time = 90", "[thing] time = 90: say 90s" },
	{ "time = 1ms", "[thing] time = 1ms: say at least 1s" },
	{ "time = 2h", "[thing] time = 2h: say at most 1h" },
	{ "time = infinity", "[thing] time = infinity: a limit is needed, as "
			     "90s" },
	{ "choice = grey", "[thing] choice = grey: say one of red, green, "
			   "blue (did you mean 'red'?)" },
	{ "choice = transparent", "[thing] choice = transparent: say one of "
				  "red, green, blue" },
	{ "custom = a b", "[thing] custom = a b: say one word" },
	{ "[thin]", "unknown section [thin] (did you mean [thing]?)" },
	{ "[prt.x]", "unknown section [prt.x] (did you mean [port.x]?)" },
	{ "[completely]", "unknown section [completely]" },
	{ "[port]", "[port] needs a name: [port.NAME]" },
	{ "[thing.x]", "[thing.x] takes no name: write [thing]" },
	{ "[port.-x]", "bad name in [port.-x]: a-z, 0-9 and '-', at most 15, "
		       "no '-' first" },
	{ "[port.a_b]", "bad name in [port.a_b]: a-z, 0-9 and '-', at most "
			"15, no '-' first" },
	{ "[port.a.b]", "bad name in [port.a.b]: a-z, 0-9 and '-', at most "
			"15, no '-' first" },
	{ "[port.a234567890123456]", "bad name in [port.a234567890123456]: "
				     "a-z, 0-9 and '-', at most 15, no '-' "
				     "first" },
	{ "[future]", "[future] is not supported by this version yet" },
	{ "[future.x]", "[future.x] is not supported by this version yet" },
};

static void test_bad(void)
{
	for (size_t i = 0; i < NELEMS(bad); i++) {
		AUTO_FREE char *text = xasprintf("[thing]\n%s\n", bad[i].text);
		struct run run;
		run_start(&run, NULL, NULL, text);
		is_int(run.f.errors, 1, "'%s' is one error", bad[i].text);
		struct finding *found =
			list_entry(run.f.list.next, struct finding, link);
		is_str(run.f.errors ? found->text : "", bad[i].want, "named");
		is_int(run.f.errors ? found->line : 0, 2, "in its line");
		run_end(&run);
	}
}

static void test_raw(void)
{
	struct run run;

	run_start(&run, NULL, NULL, "[raw]\narg-1 = bad\nfoo = 1\n");
	is_int(run.f.errors, 2, "keys without a row are checked");
	is_str(list_entry(run.f.list.next, struct finding, link)->text,
		"[raw] arg-1 = bad: say good", "by their own function");
	is_str(list_entry(run.f.list.prev, struct finding, link)->text,
		"unknown key 'foo' in [raw]", "which may not know them");
	run_end(&run);
}

static void test_home(void)
{
	struct run run;

	run_start(&run, NULL, "/home/ann", "[thing]\nfile = ~/x.img\n");
	is_str(run.all.thing.file, "/home/ann/x.img", "~/ with a home");
	run_end(&run);
	run_start(&run, NULL, NULL, "[thing]\nfile = ../x.img\n");
	is_str(run.all.thing.file, "/dir/../x.img", "a slash makes a path");
	run_end(&run);
}

static void test_lookup(void)
{
	const struct section *found;
	const struct key *key = keys_lookup(
		sections, NELEMS(sections), "port.x", "number", &found);

	ok(key && str_eq(key->name, "number") && found == &sections[1],
		"port.x finds port");
	key = keys_lookup(
		sections, NELEMS(sections), "port.x", "enabled", &found);
	ok(key && key->type == KEY_BOOL, "enabled is everybody's");
	ok(!keys_lookup(sections, NELEMS(sections), "nope", "x", &found) &&
			!found,
		"an unknown section");
}

static void test_docs(void)
{
	AUTO_STR struct str names = STR_INIT;
	AUTO_STR struct str mdoc = STR_INIT;
	AUTO_STR struct str sample = STR_INIT;

	keys_add_names(&names, sections, NELEMS(sections));
	ok(str_starts(str_text(&names), "thing.string\nthing.path\n") &&
			strstr(str_text(&names), "\nport.NAME.number\n"
						 "port.NAME.enabled\n"),
		"names");
	ok(!strstr(str_text(&names), "future"), "nothing of the future");
	keys_add_mdoc(&mdoc, sections, NELEMS(sections));
	ok(strstr(str_text(&mdoc), ".Ss [port.NAME]\n") &&
			strstr(str_text(&mdoc),
				"\n\\&'A word' \\e of yours.\n"),
		"mdoc, escaped");
	keys_add_defaults(&sample, sections, NELEMS(sections));
	ok(strstr(str_text(&sample), ";[thing]\n; A string.\n;string = \n"),
		"sample");
	ok(strstr(str_text(&sample), ";list = x, y\n"), "with defaults");
}

int main(void)
{
	test_defaults();
	test_values();
	test_empty();
	test_order();
	test_bad();
	test_raw();
	test_home();
	test_lookup();
	test_docs();
	return done();
}
