/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A terminal as a whole screen: raw keys, the alternate screen, frames
 * written at once so that nothing flickers.  It is put back at the end,
 * whatever ends the program but SIGKILL.
 */
#ifndef CTL_SCREEN_H
#define CTL_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct screen {
	unsigned rows, columns;
};

/* Takes stdin and stdout over; fails if one of them is no terminal. */
MUST_CHECK int screen_open(struct screen *s, struct err *err);
/* Puts the terminal back; harmless twice. */
void screen_close(void);
/* Reads the size, which may have changed. */
void screen_measure(struct screen *s);
/*
 * Shows lines of text (separated by newlines, cut to the width) and clears
 * the rest.  Escape sequences in it take no room.
 */
void screen_show(const struct screen *s, const struct str *text);
/*
 * A key within ms, 0 if there was none, -1 when the terminal is gone.  A
 * changed size and signals end the wait early.
 */
int screen_key(int64_t ms);

#endif
