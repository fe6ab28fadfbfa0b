/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [display]; see display.h. */
#include "supervisor/display.h"

#include "base/mem.h"

static const char *const models[] = {
	[VIDEO_VIRTIO] = "virtio-vga",
	[VIDEO_STD] = "VGA",
};

static bool is_there(const struct vm_spec *spec)
{
	return spec->display.written && spec->display.video != VIDEO_NONE;
}

json_t *display_device(const struct vm_spec *spec, enum machine_kind kind)
{
	return is_there(spec) ? device_video(kind, models[spec->display.video])
			      : NULL;
}

bool display_has_vnc(const struct vm_spec *spec)
{
	return is_there(spec) && spec->display.vnc == VNC_UNIX;
}

void display_check(const struct vm_spec *spec, const struct remarks *to)
{
	if (is_there(spec) && remark_is_sound(to, "display") &&
		remark_is_sound(to, "vm") &&
		device_machine(spec) == MACHINE_MICROVM)
		remark_error(to, "display", NULL,
			"microvm has no screen: say machine = q35");
}
