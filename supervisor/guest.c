/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of talking to a guest; see guest.h. */
#include "supervisor/guest.h"

#include "base/str.h"

bool guest_agent_is_open(const json_t *chardevs)
{
	for (size_t i = 0; i < json_array_size(chardevs); i++) {
		const json_t *dev = json_array_get(chardevs, i);
		const char *label =
			json_string_value(json_object_get(dev, "label"));

		if (label && str_eq(label, "agent"))
			return json_is_true(
				json_object_get(dev, "frontend-open"));
	}
	return false;
}

json_t *guest_ctrl_alt_del(void)
{
	static const char *const keys[] = { "ctrl", "alt", "delete" };
	json_t *all = json_array();

	for (size_t i = 0; i < NELEMS(keys); i++)
		json_array_append_new(all, json_pack("{s:s,s:s}", "type",
						   "qcode", "data", keys[i]));
	return json_pack("{s:o}", "keys", all);
}
