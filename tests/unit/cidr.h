/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses for tests, from text that is right. */
#ifndef TESTS_UNIT_CIDR_H
#define TESTS_UNIT_CIDR_H

#include <stdlib.h>
#include <string.h>

#include "net/cidr.h"

__attribute__((unused)) static struct cidr cidr_of(const char *text)
{
	struct err err = ERR_INIT;
	struct cidr c;

	if (strchr(text, '/') ? cidr_parse(text, &c, &err)
			      : cidr_parse_address(text, &c, &err))
		abort();
	return c;
}

#endif
