/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints every command of base/verbs, for the lint: one per line. */
#include <stdio.h>

#include "base/verbs.h"

int main(void)
{
	for (size_t i = 0; i < nverbs; i++)
		printf("%s\n", verbs[i].name ? verbs[i].name : verbs[i].wire);
	return 0;
}
