/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error values.  A text that does not fit keeps its beginning and its end,
 * because the object stands in front and the reason stands last.
 */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { TAIL = 96 };

static const struct {
	const char *name;
	int status;
	const char *text;
} codes[] = {
#define X(name, status, text) { #name, status, text },
	ERR_CODES(X)
#undef X
};

static int is_inner_byte(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Copies text into err->text; cuts the middle out if it is too long. */
static void fit(struct err *err, const char *text)
{
	size_t len = strlen(text);

	if (len < sizeof err->text) {
		memcpy(err->text, text, len + 1);
		return;
	}
	size_t head = sizeof err->text - TAIL - sizeof "...";
	while (head > 0 && is_inner_byte(text[head]))
		head--;
	const char *tail = text + len - TAIL;
	while (is_inner_byte(*tail))
		tail++;
	memcpy(err->text, text, head);
	memcpy(err->text + head, "...", 3);
	memcpy(err->text + head + 3, tail, strlen(tail) + 1);
}

int err_vset(struct err *err, enum err_code code, const char *fmt, va_list ap)
{
	char text[1024];

	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	err->code = code;
	err->os = 0;
	fit(err, text);
	return -1;
}

int err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(err, code, fmt, ap);
	va_end(ap);
	return -1;
}

int err_os(struct err *err, const char *fmt, ...)
{
	int os = errno;
	char text[1024];
	char full[1280];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	snprintf(full, sizeof full, "%s: %.200s", text, strerror(os));
	err->code = ERR_OS;
	err->os = os;
	fit(err, full);
	errno = os;
	return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char text[1024];
	char full[1280];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	snprintf(full, sizeof full, "%s%s", text, err->text);
	fit(err, full);
	return -1;
}

void err_clear(struct err *err)
{
	err->code = ERR_NONE;
	err->os = 0;
	err->text[0] = '\0';
}

const char *err_code_name(enum err_code code)
{
	return (unsigned)code < ERR_NCODES ? codes[code].name : "BUG";
}

enum err_code err_code_of(const char *name)
{
	for (unsigned i = 0; i < ERR_NCODES; i++)
		if (strcmp(codes[i].name, name) == 0)
			return (enum err_code)i;
	return ERR_OS;
}

int err_code_status(enum err_code code)
{
	return (unsigned)code < ERR_NCODES ? codes[code].status : 1;
}

const char *err_code_text(enum err_code code)
{
	return codes[(unsigned)code < ERR_NCODES ? code : ERR_BUG].text;
}
