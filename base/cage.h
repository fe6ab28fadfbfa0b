/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cage for a program that reads what strangers made: this process shuts
 * itself in and becomes the program, which may read one file and write
 * another, has no network, no capability but to open those two, and limits.
 */
#ifndef BASE_CAGE_H
#define BASE_CAGE_H

#include <stdbool.h>

/* The program that has cage_main() behind --cage and --cage-online, and
 * cage_part_main() behind --cage-part: our own. */
#define CAGE_SELF "/proc/self/exe"

/*
 * `--cage READ WRITE BYTES SECONDS PROGRAM ARG...`: words from READ on, NULL
 * at their end.  WRITE "-": none; BYTES: the longest file; SECONDS: of
 * processor.  Returns only what to exit with: 126, said on stderr.  online:
 * it keeps the network, and may read what a resolver and TLS need.
 */
int cage_main(char *const *words, bool online);
/*
 * `--cage-part OFFSET BYTES READ WRITE...` as above: the program has that
 * part of the file READ as its input.
 */
int cage_part_main(char *const *words);
/* Whether the kernel can do it. */
bool cage_works(void);

#endif
