/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strings, strict parsers, escaping, tables' numbers. */
#include "base/str.h"

#include "tests/unit/tap.h"

static void test_buffer(void)
{
	AUTO_STR struct str s = STR_INIT;

	is_str(str_text(&s), "", "empty");
	str_add(&s, "a");
	str_addc(&s, 'b');
	str_addn(&s, "cdef", 2);
	str_addu(&s, 0);
	str_addu(&s, 10);
	str_addu(&s, UINT64_MAX);
	is_str(str_text(&s) + s.len - 23, "01018446744073709551615", "numbers");
	str_cut(&s, s.len - 23);
	str_addf(&s, "-%d-%s", 7, "x");
	is_str(str_text(&s), "abcd-7-x", "added");
	is_int(s.len, 8, "length");
	str_cut(&s, 100);
	is_int(s.len, 8, "cut beyond the end has no effect");
	str_cut(&s, 2);
	is_str(str_text(&s), "ab", "cut");
	for (int i = 0; i < 1000; i++)
		str_addf(&s, "%d", i % 10);
	is_int(strlen(str_text(&s)), 1002, "grows");
	AUTO_FREE char *text = str_take(&s);
	is_int(strlen(text), 1002, "taken");
	is_str(str_text(&s), "", "empty after that");
	AUTO_FREE char *none = str_take(&s);
	is_str(none, "", "taking nothing gives an empty text");
}

static void test_compare(void)
{
	static const char *const names[] = { "memory", "memory-max", "cpus",
		"cpu", "ab", NULL };

	ok(str_eq("a", "a") && !str_eq("a", "b"), "str_eq");
	ok(str_starts("abc", "ab") && !str_starts("a", "ab"), "str_starts");
	ok(str_ends("web.ini", ".ini") && !str_ends("ini", ".ini"), "str_ends");
	ok(str_glob("web@*", "web@7") && !str_glob("web@*", "db"), "str_glob");
	is_str(str_nearest("memroy", names), "memory", "transposed");
	static const char *const verbs[] = { "stats", "start", NULL };
	is_str(str_nearest("strat", verbs), "start", "the nearer of two");
	is_str(str_nearest("memory_max", names), "memory-max", "replaced");
	is_str(str_nearest("cpuss", names), "cpus", "one too many");
	is_str(str_nearest("cp", names), "cpu", "one missing");
	is_str(str_nearest("cpu", names), "cpu", "itself");
	is_str(str_nearest("zz", names), NULL, "nothing in common");
	is_str(str_nearest("firmware", names), NULL, "nothing near");
	is_str(str_nearest("cxx", names), NULL, "half of it wrong is not near");
	is_str(str_nearest("", names), NULL, "nothing near an empty name");
}

static void is_utf8(const char *bytes, bool want)
{
	AUTO_STR struct str shown = STR_INIT;

	for (const char *p = bytes; *p; p++)
		str_addf(&shown, "%02x", (unsigned char)*p);
	is_int(str_is_utf8(bytes, strlen(bytes)), want, "utf8 %s",
		str_text(&shown));
}

static void is_visible(const char *bytes, const char *want)
{
	AUTO_STR struct str s = STR_INIT;

	str_add_visible(&s, bytes, strlen(bytes));
	is_str(str_text(&s), want, "visible '%s'", want);
}

static void test_utf8(void)
{
	is_utf8("plain", true);
	is_utf8("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", true);
	is_utf8("\xf4\x8f\xbf\xbf", true);
	is_utf8("\xc0\x80", false);
	is_utf8("\xe0\x80\x80", false);
	is_utf8("\xf0\x80\x80\x80", false);
	is_utf8("\xed\xa0\x80", false);
	is_utf8("\xf4\x90\x80\x80", false);
	is_utf8("\xff", false);
	is_utf8("\x80", false);
	is_utf8("\xe2\x82", false);
	ok(!str_is_utf8("\xe2\x82\xac", 2), "the length counts, not the NUL");
	is_visible("plain \xc3\xa4\\", "plain \xc3\xa4\\");
	is_visible("a\nb\tc\rd", "a\\nb\\tc\\x0dd");
	is_visible("\x1b[31mred\x7f", "\\x1b[31mred\\x7f");
	is_visible("\xc2\x9b", "\\xc2\\x9b");
	is_visible("\xe2\x80\xae", "\\xe2\\x80\\xae");
	is_visible("\xff\xe2\x82", "\\xff\\xe2\\x82");
}

static void u64(const char *text, uint64_t want)
{
	uint64_t out = 77;
	struct err err = ERR_INIT;

	ok(str_to_u64(text, &out, &err) == 0 && out == want, "number %s", text);
}

static void no_u64(const char *text, const char *want)
{
	uint64_t out = 77;
	struct err err = ERR_INIT;

	is_int(str_to_u64(text, &out, &err), -1, "no number '%s'", text);
	is_str(err.text, want, "the remedy");
	ok(out == 77 && err.code == ERR_CONFIG, "untouched, a config error");
}

static void bytes(const char *text, uint64_t want)
{
	uint64_t out = 77;
	struct err err = ERR_INIT;

	ok(str_to_bytes(text, &out, &err) == 0 && out == want, "size %s", text);
}

static void no_bytes(const char *text, const char *want)
{
	uint64_t out = 77;
	struct err err = ERR_INIT;

	is_int(str_to_bytes(text, &out, &err), -1, "no size '%s'", text);
	is_str(err.text, want, "the remedy");
	ok(out == 77 && err.code == ERR_CONFIG, "untouched, a config error");
}

static void ms(const char *text, int64_t want)
{
	int64_t out = 77;
	struct err err = ERR_INIT;

	ok(str_to_ms(text, true, &out, &err) == 0, "time %s", text);
	is_int(out, want, "its value");
}

static void no_ms(const char *text, bool forever_ok, const char *want)
{
	int64_t out = 77;
	struct err err = ERR_INIT;

	is_int(str_to_ms(text, forever_ok, &out, &err), -1, "no time '%s'",
		text);
	is_str(err.text, want, "the remedy");
	ok(out == 77 && err.code == ERR_CONFIG, "untouched, a config error");
}

static void test_numbers(void)
{
	u64("0", 0);
	u64("007", 7);
	u64("18446744073709551615", UINT64_MAX);
	no_u64("18446744073709551616",
		"18446744073709551616: the number is too large");
	no_u64("", "(empty): say a whole number, as 4");
	no_u64("-1", "-1: say a whole number, as 4");
	no_u64("+1", "+1: say a whole number, as 4");
	no_u64(" 1", " 1: say a whole number, as 4");
	no_u64("1 ", "1 : say a whole number, as 4");
	no_u64("0x10", "0x10: say a whole number, as 4");
	no_u64("1\n", "1\\n: say a whole number, as 4");
}

static void test_bool(void)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };
	struct err err = ERR_INIT;
	bool out = false;

	for (size_t i = 0; i < NELEMS(yes); i++)
		ok(str_to_bool(yes[i], &out, &err) == 0 && out, "%s", yes[i]);
	for (size_t i = 0; i < NELEMS(no); i++)
		ok(str_to_bool(no[i], &out, &err) == 0 && !out, "%s", no[i]);
	is_int(str_to_bool("Yes", &out, &err), -1, "case counts");
	is_str(err.text, "Yes: say yes or no", "the remedy");
	is_int(str_to_bool("", &out, &err), -1, "empty");
}

static void test_sizes(void)
{
	bytes("1K", 1024);
	bytes("512M", 512ULL << 20);
	bytes("2GiB", 2ULL << 30);
	bytes("3T", 3ULL << 40);
	bytes("8388607T", 8388607ULL << 40);
	no_bytes("8388608T", "8388608T: the size is too large");
	no_bytes("1024", "1024: say 1024M");
	no_bytes("2GB", "2GB: say 2G (1024-based)");
	no_bytes("512MB", "512MB: say 512M (1024-based)");
	no_bytes("2g", "2g: say 2G (1024-based)");
	no_bytes("2 G", "2 G: say 2G (1024-based)");
	no_bytes("1.5G", "1.5G: say a whole number, as 1536M for 1.5G");
	no_bytes("", "(empty): say a size, as 512M or 2G");
	no_bytes("G", "G: say a size, as 512M or 2G");
	no_bytes("-1G", "-1G: say a size, as 512M or 2G");
	no_bytes("99999999999999999999G",
		"99999999999999999999G: say a size, as 512M or 2G");
	no_bytes("2Gibi", "2Gibi: say a size, as 512M or 2G");
}

static void test_times(void)
{
	static const char *const hint =
		"say a time, as 90s or 1h 30min (ms s min h d w)";
	char want[120];

	ms("90s", 90000);
	ms("500ms", 500);
	ms("1h 30min", 5400000);
	ms("1h30m", 5400000);
	ms("1w 1d", 8 * 86400000LL);
	ms("0s", 0);
	ms("infinity", STR_FOREVER);
	no_ms("infinity", false, "infinity: a limit is needed, as 90s");
	no_ms("90", false, "90: say 90s");
	no_ms("90 s", false,
		"90 s: say a time, as 90s or 1h 30min "
		"(ms s min h d w)");
	snprintf(want, sizeof want, "1h 5: %s", hint);
	no_ms("1h 5", false, want);
	snprintf(want, sizeof want, "1h : %s", hint);
	no_ms("1h ", false, want);
	snprintf(want, sizeof want, "1.5h: %s", hint);
	no_ms("1.5h", false, want);
	no_ms("", true,
		"(empty): say a time, as 90s or 1h 30min, or "
		"infinity (ms s min h d w)");
	no_ms("9223372036854775807w", false,
		"9223372036854775807w: the time is too long, say at most "
		"3650d");
	ms("3650d", STR_LONGEST_MS);
	no_ms("3650d 1ms", false,
		"3650d 1ms: the time is too long, say at most 3650d");
	no_ms("-1s", false,
		"-1s: say a time, as 90s or 1h 30min (ms s min h d w)");
	no_ms("106751991167d 1d 1d", false,
		"106751991167d 1d 1d: the time is too long, say at most 3650d");
}

static void shows_bytes(uint64_t n, const char *want)
{
	AUTO_STR struct str s = STR_INIT;

	str_add_bytes(&s, n);
	is_str(str_text(&s), want, "%llu bytes", (unsigned long long)n);
}

static void shows_ms(int64_t n, const char *want)
{
	AUTO_STR struct str s = STR_INIT;

	str_add_duration(&s, n);
	is_str(str_text(&s), want, "%lld ms", (long long)n);
}

static void test_tables(void)
{
	shows_bytes(0, "0B");
	shows_bytes(1023, "1023B");
	shows_bytes(1024, "1K");
	shows_bytes(1536, "1.5K");
	shows_bytes(512 << 20, "512M");
	shows_bytes(2ULL << 30, "2G");
	shows_bytes(3ULL << 29, "1.5G");
	shows_bytes((1ULL << 30) - 1, "1G");
	shows_bytes(197120, "193K");
	shows_bytes(10ULL * (1 << 30) + (512 << 20), "10.5G");
	shows_bytes(UINT64_MAX, "16777216T");
	shows_ms(-5, "0s");
	shows_ms(0, "0s");
	shows_ms(20, "0.1 s");
	shows_ms(400, "0.4 s");
	shows_ms(999, "0.9 s");
	shows_ms(4000, "4s");
	shows_ms(65000, "1m 5s");
	shows_ms(7860000, "2h 11m");
	shows_ms(7200000, "2h");
	shows_ms(7230000, "2h");
	shows_ms((3 * 24 + 4) * 3600000LL, "3d 4h");
}

int main(void)
{
	test_buffer();
	test_compare();
	test_utf8();
	test_numbers();
	test_bool();
	test_sizes();
	test_times();
	test_tables();
	return done();
}
