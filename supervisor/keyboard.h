/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From text to keys: which ones a person would press on a US keyboard, by
 * QEMU's names of them; pure.
 */
#ifndef SUPERVISOR_KEYBOARD_H
#define SUPERVISOR_KEYBOARD_H

#include <jansson.h>

#include "base/err.h"

/*
 * An array of send-key's `keys`, one for each character; new.  NULL with
 * ERR_USAGE if one of them has no key.
 */
json_t *keyboard_of_text(const char *text, struct err *err);
/* "ctrl-alt-delete" as send-key's `keys`, new; NULL with ERR_USAGE. */
json_t *keyboard_of_chord(const char *chord, struct err *err);

#endif
