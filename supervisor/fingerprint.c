/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of a VM say; see fingerprint.h. */
#include "supervisor/fingerprint.h"

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/config.h"
#include "supervisor/events.h"
#include "supervisor/lifecycle.h"

char *fingerprint_of(const struct vm *vm)
{
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	if (vm->spec)
		config_show(vm->spec, false, NULL, &text);
	if (vm_check_files(vm, &err))
		str_add(&text, err.text);
	return xstrdup(str_text(&text));
}

static void emit_config(struct vm *vm)
{
	struct err err = ERR_INIT;
	bool bad = vm_check_files(vm, &err) != 0;

	if (bad && !vm->held)
		vmlog_line(&vm->log, LOG_WARN, "%s", err.text);
	events_emit("VM_CONFIG",
		json_pack("{s:s,s:i,s:s?}", "vm", vm->name, "pending",
			(int)vm_pending(vm), "error", bad ? err.text : NULL));
}

bool fingerprint_tell(struct vm *vm, const char *before)
{
	AUTO_FREE char *after = fingerprint_of(vm);

	if (str_eq(before, after))
		return false;
	emit_config(vm);
	vm_changed(vm);
	return true;
}
