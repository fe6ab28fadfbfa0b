/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any words behind `vmward`, one a line: they are a call, or a usage error
 * that says why.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/verbs.h"
#include "ctl/args.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS_MAX = 32, BYTES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char program[] = "vmward";
	char bytes[BYTES_MAX + 1] = { 0 };
	char *argv[WORDS_MAX + 1] = { program };
	struct call call = { .verb = NULL };
	struct err err = ERR_INIT;
	int argc = 1;
	char *rest = bytes;

	memcpy(bytes, data, size < BYTES_MAX ? size : BYTES_MAX);
	while (*rest && argc < WORDS_MAX) {
		argv[argc++] = rest;
		rest += strcspn(rest, "\n");
		if (*rest)
			*rest++ = '\0';
	}
	args_init(&call.opt);
	call.opt.tty_in = data && size % 2 == 0;
	if (args_parse(&call, argc, argv, &err) < 0)
		BUG_ON(err.code == ERR_NONE || !*err.text);
	else
		BUG_ON(!call.verb && !call.opt.help);
	call_fini(&call);
	return 0;
}
