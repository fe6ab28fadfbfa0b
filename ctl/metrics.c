/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `vmward metrics`: the pages of vm-metrics, one after the other. */
#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/str.h"
#include "ctl/print.h"
#include "ctl/reach.h"
#include "ctl/verbs.h"
#include "ctl/wire.h"

static int fetch(const struct call *call, struct wire *w, struct str *out,
	struct err *err)
{
	bool more = true;

	while (more) {
		json_t *page = wire_call(
			w, "vm-metrics", call->wire, WIRE_PATIENCE_MS, err);
		const char *text = print_member(page, "text");
		const char *next = print_member(page, "next");

		if (!page)
			return -1;
		str_add(out, str_or(text, ""));
		if (next)
			json_object_set_new(
				call->wire, "after", json_string(next));
		more = next;
		json_decref(page);
	}
	return 0;
}

int verb_metrics(const struct call *call)
{
	AUTO_WIRE struct wire wire = WIRE_INIT;
	AUTO_STR struct str text = STR_INIT;
	const char *file = call_value(call, "output");
	struct err err = ERR_INIT;
	json_t *array;

	if (reach_open(call, false, &wire, &err) < 0 ||
		fetch(call, &wire, &text, &err) < 0)
		return print_error(&call->opt, NULL, &err);
	if (file) {
		if (fd_write_file(AT_FDCWD, file, str_text(&text), text.len,
			    0644, false, &err))
			return print_error(&call->opt, NULL, &err);
		return 0;
	}
	if (!call->opt.json) {
		fputs(str_text(&text), stdout);
		return 0;
	}
	array = json_pack("[{s:s}]", "text", str_text(&text));
	print_array(array);
	json_decref(array);
	return 0;
}
