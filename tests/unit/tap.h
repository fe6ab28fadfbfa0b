/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The harness of the unit tests: checks that print TAP lines, and a plan at
 * the end.  Each test is one program with one main().
 */
#ifndef TESTS_UNIT_TAP_H
#define TESTS_UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count;
static int tap_failed;

__attribute__((format(printf, 4, 5), unused)) static bool tap_ok(
	bool good, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("%s %d - ", good ? "ok" : "not ok", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (!good) {
		tap_failed++;
		printf("#   at %s:%d\n", file, line);
	}
	fflush(stdout);
	return good;
}

__attribute__((unused)) static void tap_differ_int(
	bool good, long long got, long long want)
{
	if (!good)
		printf("#   got %lld, want %lld\n", got, want);
	fflush(stdout);
}

__attribute__((unused)) static void tap_differ_str(
	bool good, const char *got, const char *want)
{
	if (!good)
		printf("#   got  '%s'\n#   want '%s'\n", got ? got : "(null)",
			want ? want : "(null)");
	fflush(stdout);
}

__attribute__((unused)) static bool tap_str_eq(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

#define ok(cond, ...) tap_ok(!!(cond), __FILE__, __LINE__, __VA_ARGS__)

#define is_int(got, want, ...)                                               \
	do {                                                                 \
		long long got_ = (long long)(got);                           \
		long long want_ = (long long)(want);                         \
		tap_differ_int(ok(got_ == want_, __VA_ARGS__), got_, want_); \
	} while (0)

#define is_str(got, want, ...)                                               \
	do {                                                                 \
		const char *got_s_ = (got);                                  \
		const char *want_s_ = (want);                                \
		tap_differ_str(ok(tap_str_eq(got_s_, want_s_), __VA_ARGS__), \
			got_s_, want_s_);                                    \
	} while (0)

/* Prints the plan; the exit status of the test. */
__attribute__((unused)) static int done(void)
{
	printf("1..%d\n", tap_count);
	fflush(stdout);
	return tap_failed ? 1 : 0;
}

#endif
