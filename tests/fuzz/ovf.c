/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as the description of an OVA: they are one, or refused and why. */
#include <stdint.h>

#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/member.h"
#include "storage/ovf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	AUTO_JSON json_t *ovf = ovf_read((const char *)data, size, &err);
	AUTO_FREE char *name = NULL;

	BUG_ON(!ovf && (err.code == ERR_NONE || !*err.text));
	if (ovf)
		name = ovf_vm_name(
			member_text(json_object_get(ovf, "vm"), "name"));
	return 0;
}
