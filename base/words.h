/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines made anew: what a program was called with, for its next
 * image or for its other half, without some options and with others.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

/*
 * `old` without the options named in `drop` and their values, and with `add`
 * behind the program's name; both lists end with NULL.  In one piece with
 * its words: free() it.
 */
char **words_anew(
	char *const *old, const char *const *drop, const char *const *add);

#endif
