/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts that are "" nearly all the time: a member of that kind takes memory
 * only while it says something, and is read like any other string.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

/* ""; shared by all, never written to. */
char *text_none(void);
/* Replaces a text by another; "" gives its memory back. */
void text_set(char **at, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* It is "" again.  Also for NULL, of what was never made. */
void text_clear(char **at);

#endif
