/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers with units, as people write them in a file and read them in a
 * table: strict parsers whose errors say what to write instead, and short
 * printers.  Declared in base/str.h.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/str.h"

static const struct {
	const char *name;
	int64_t ms;
} time_units[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "min", 60 * 1000 },
	{ "m", 60 * 1000 },
	{ "h", 3600 * 1000 },
	{ "d", 24 * 3600 * 1000 },
	{ "w", 7 * 24 * 3600 * 1000 },
};

/* "VALUE: what to write"; the caller puts "key = " in front. */
__attribute__((format(printf, 3, 4))) static int complain(
	struct err *err, const char *value, const char *fmt, ...)
{
	AUTO_STR struct str shown = STR_INIT;
	char remedy[160];
	va_list ap;

	if (value[0])
		str_add_visible(&shown, value, strlen(value));
	else
		str_add(&shown, "(empty)");
	va_start(ap, fmt);
	vsnprintf(remedy, sizeof remedy, fmt, ap);
	va_end(ap);
	return err_set(err, ERR_CONFIG, "%s: %s", str_text(&shown), remedy);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits at *at; false if there is none or the number is too large. */
static bool read_digits(const char **at, uint64_t *out)
{
	const char *p = *at;
	uint64_t n = 0;

	if (!is_digit(*p))
		return false;
	for (; is_digit(*p); p++) {
		unsigned digit = (unsigned)(*p - '0');
		if (n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*at = p;
	*out = n;
	return true;
}

static bool is_all_digits(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && text[n] == '\0';
}

uint64_t str_digits(const char *text)
{
	uint64_t number = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		number = number * 10 + (uint64_t)(*text - '0');
	return number;
}

int str_to_u64(const char *text, uint64_t *out, struct err *err)
{
	const char *at = text;
	uint64_t n;

	if (!is_all_digits(text))
		return complain(err, text, "say a whole number, as 4");
	if (!read_digits(&at, &n))
		return complain(err, text, "the number is too large");
	*out = n;
	return 0;
}

int str_to_bool(const char *text, bool *out, struct err *err)
{
	static const char *const words[][2] = {
		{ "no", "yes" },
		{ "false", "true" },
		{ "off", "on" },
		{ "0", "1" },
	};

	for (size_t i = 0; i < NELEMS(words); i++) {
		for (size_t value = 0; value < 2; value++) {
			if (!str_eq(text, words[i][value]))
				continue;
			*out = value == 1;
			return 0;
		}
	}
	return complain(err, text, "say yes or no");
}

/* The shift of "G" or "GiB"; -1 for anything else. */
static int size_shift(const char *unit)
{
	static const char letters[] = "KMGT";
	const char *at = unit[0] ? strchr(letters, unit[0]) : NULL;

	if (!at || (unit[1] != '\0' && !str_eq(unit + 1, "iB")))
		return -1;
	return (int)(at - letters + 1) * 10;
}

/* Something is wrong with a size: guess what was meant. */
static int complain_size(struct err *err, const char *text)
{
	int digits = (int)strspn(text, "0123456789");
	const char *unit = text + digits + strspn(text + digits, " \t");
	char letter = (char)toupper((unsigned char)unit[0]);

	if (digits == 0 || digits > 19)
		return complain(err, text, "say a size, as 512M or 2G");
	if (unit[0] == '\0')
		return complain(err, text, "say %.*sM", digits, text);
	if (strchr("KMGT", letter) && strlen(unit) <= 3)
		return complain(err, text, "say %.*s%c (1024-based)", digits,
			text, letter);
	if (unit[0] == '.')
		return complain(
			err, text, "say a whole number, as 1536M for 1.5G");
	return complain(err, text, "say a size, as 512M or 2G");
}

int str_to_bytes(const char *text, uint64_t *out, struct err *err)
{
	const char *at = text;
	uint64_t n;

	if (!read_digits(&at, &n))
		return complain_size(err, text);
	int shift = size_shift(at);
	if (shift < 0)
		return complain_size(err, text);
	if (n > (uint64_t)INT64_MAX >> shift)
		return complain(err, text, "the size is too large");
	*out = n << shift;
	return 0;
}

/* Milliseconds of the unit named by the first len bytes, or 0. */
static int64_t unit_ms(const char *name, size_t len)
{
	for (size_t i = 0; i < NELEMS(time_units); i++)
		if (strlen(time_units[i].name) == len &&
			memcmp(time_units[i].name, name, len) == 0)
			return time_units[i].ms;
	return 0;
}

static int complain_ms(struct err *err, const char *text, bool forever_ok)
{
	if (is_all_digits(text))
		return complain(err, text, "say %ss", text);
	if (str_eq(text, "infinity"))
		return complain(err, text, "a limit is needed, as 90s");
	return complain(err, text,
		"say a time, as 90s or 1h 30min%s (ms s min h d w)",
		forever_ok ? ", or infinity" : "");
}

int str_to_ms(const char *text, bool forever_ok, int64_t *out, struct err *err)
{
	const char *at = text;
	int64_t sum = 0;

	if (forever_ok && str_eq(text, "infinity")) {
		*out = STR_FOREVER;
		return 0;
	}
	do {
		uint64_t n;
		if (!read_digits(&at, &n))
			return complain_ms(err, text, forever_ok);
		size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz");
		int64_t unit = unit_ms(at, len);
		if (unit == 0)
			return complain_ms(err, text, forever_ok);
		if (n > (uint64_t)((STR_LONGEST_MS - sum) / unit))
			return complain(err, text,
				"the time is too long, say at most 3650d");
		sum += (int64_t)n * unit;
		at += len;
		size_t blanks = strspn(at, " ");
		if (blanks > 0 && at[blanks] == '\0')
			return complain_ms(err, text, forever_ok);
		at += blanks;
	} while (*at);
	*out = sum;
	return 0;
}

void str_add_bytes(struct str *s, uint64_t bytes)
{
	static const char letters[] = "BKMGT";
	unsigned unit = 0;
	uint64_t tenths = 0;

	for (;; unit++) {
		uint64_t size = (uint64_t)1 << unit * 10;
		uint64_t rest = bytes & (size - 1);
		tenths = bytes / size * 10 + (rest * 10 + size / 2) / size;
		if (tenths < 10240 || unit == 4)
			break;
	}
	if (tenths % 10 == 0 || tenths >= 1000) {
		str_addu(s, (tenths + 5) / 10);
	} else {
		str_addu(s, tenths / 10);
		str_addc(s, '.');
		str_addu(s, tenths % 10);
	}
	str_addc(s, letters[unit]);
}

void str_add_duration(struct str *s, int64_t ms)
{
	static const struct {
		char letter;
		uint64_t seconds;
	} units[] = {
		{ 'd', 24 * 3600 },
		{ 'h', 3600 },
		{ 'm', 60 },
		{ 's', 1 },
	};

	if (ms > 0 && ms < 1000) {
		str_addf(s, "0.%d s", ms < 100 ? 1 : (int)(ms / 100));
		return;
	}
	uint64_t left = ms > 0 ? (uint64_t)ms / 1000 : 0;
	size_t i = 0;
	while (i < 3 && left < units[i].seconds)
		i++;
	str_addu(s, left / units[i].seconds);
	str_addc(s, units[i].letter);
	left %= units[i].seconds;
	if (i == 3 || left < units[i + 1].seconds)
		return;
	str_addc(s, ' ');
	str_addu(s, left / units[i + 1].seconds);
	str_addc(s, units[i + 1].letter);
}

void str_time(int64_t real_us, char out[32])
{
	time_t seconds = (time_t)(real_us / 1000000);
	struct tm tm;
	size_t len;

	gmtime_r(&seconds, &tm);
	len = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + len, 32 - len, ".%03dZ", (int)(real_us / 1000 % 1000));
}
