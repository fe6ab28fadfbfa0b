/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [watchdog]: the device and what follows; see watchdog.h. */
#include "supervisor/watchdog.h"

#include <stdio.h>

#include "base/mem.h"
#include "supervisor/cause.h"
#include "supervisor/device.h"

static const struct model {
	const char *driver; /* NULL: part of the machine */
	bool pci;
	bool q35_only;
	const char *global;
} models[] = {
	[WATCHDOG_I6300ESB] = { "i6300esb", true, false, NULL },
	[WATCHDOG_IB700] = { "ib700", false, false, NULL },
	[WATCHDOG_ITCO] = { NULL, false, true, "ICH9-LPC.noreboot=off" },
};

/* Of the end that follows; reset is none. */
static const int policies[] = { [WATCHDOG_RESTART] = ACTION_BY_POLICY,
	[WATCHDOG_RESET] = ACTION_BY_POLICY,
	[WATCHDOG_PAUSE] = ACTION_PAUSE,
	[WATCHDOG_POWEROFF] = ACTION_STOP };

static const struct model *model_of(const struct vm_spec *spec)
{
	return &models[spec->watchdog.model];
}

bool watchdog_is_there(const struct vm_spec *spec)
{
	return spec->watchdog.written && spec->watchdog.enabled;
}

const char *watchdog_action(const struct vm_spec *spec)
{
	return spec->watchdog.action == WATCHDOG_RESET ? "reset" : "pause";
}

json_t *watchdog_device(const struct vm_spec *spec)
{
	const struct model *model = model_of(spec);
	json_t *device;

	if (!model->driver)
		return NULL;
	device = device_new(model->driver, "watchdog0");
	if (model->pci)
		device_put_at(device, device_machine(spec), ADDR_WATCHDOG);
	return device;
}

const char *watchdog_global(const struct vm_spec *spec)
{
	return watchdog_is_there(spec) ? model_of(spec)->global : NULL;
}

void watchdog_settle(struct vm_spec *spec, const struct remarks *to)
{
	enum machine_kind kind = device_machine(spec);
	int *policy = &spec->restart.on_cause[CAUSE_WATCHDOG];

	if (!watchdog_is_there(spec) || !remark_is_sound(to, "watchdog") ||
		!remark_is_sound(to, "vm"))
		return;
	if (kind == MACHINE_MICROVM)
		remark_error(to, "watchdog", NULL, "microvm has none");
	else if (model_of(spec)->q35_only && kind != MACHINE_Q35)
		remark_error(to, "watchdog", "model",
			"itco is part of machine = q35: say i6300esb or ib700");
	if (*policy == ACTION_BY_POLICY)
		*policy = policies[spec->watchdog.action];
	else if (spec->watchdog.action == WATCHDOG_RESET)
		remark_note(to, "restart", "watchdog",
			"has no effect: a watchdog with action = reset ends "
			"nothing");
}
