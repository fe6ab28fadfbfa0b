/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a VM's file.  What is taken must show as a text that is taken
 * too and shows the same; what is refused must say why.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/log.h"
#include "supervisor/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct paths paths;

static void init(void)
{
	struct err err = ERR_INIT;

	if (!paths.config)
		BUG_ON(paths_init(&paths, PATHS_SYSTEM, "/fuzz", &err) < 0);
}

/* Loads; the text of `show`, new, or NULL. */
static char *show(const char *bytes, size_t len)
{
	struct str out = STR_INIT;
	struct findings f;

	findings_init(&f);
	struct vm_spec *spec =
		config_load_text(&paths, "web@7", bytes, len, "fuzz", &f);
	BUG_ON(!spec != (f.errors > 0));
	if (spec)
		config_show(spec, false, NULL, &out);
	findings_fini(&f);
	if (!spec)
		return NULL;
	spec_free(spec);
	return str_take(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	init();
	char *text = show((const char *)data, size);
	char *again = text ? show(text, strlen(text)) : NULL;

	BUG_ON(text && (!again || !str_eq(text, again)));
	free(text);
	free(again);
	return 0;
}
