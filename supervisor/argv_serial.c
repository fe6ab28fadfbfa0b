/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's channel and the serial ports on the command line. */
#include "supervisor/argv_build.h"

#include "base/mem.h"

enum { ISA_SERIALS = 4 };

static int add_agent(struct argv_build *b)
{
	json_t *port;

	if (!b->spec->agent.enabled)
		return 0;
	argv_addf(b, "-chardev", "socket,id=agent,fd=%d,server=on,wait=off",
		ARGV_FD_AGENT);
	port = device_new("virtserialport", "agent0");
	device_put(port, "bus", "vserial.0");
	device_put(port, "chardev", "agent");
	device_put(port, "name", "org.qemu.guest_agent.0");
	return argv_add_device(b, port);
}

static int add_serial(
	struct argv_build *b, const struct spec_serial_port *serial, unsigned i)
{
	bool isa = serial->target == SERIAL_ISA;
	AUTO_FREE char *id = xasprintf("serial-%s", serial->name);
	AUTO_FREE char *chardev = xasprintf("serial%u", i);
	json_t *device;

	argv_addf(b, "-chardev", "socket,id=%s,fd=%u,server=on,wait=off",
		chardev, ARGV_FD_SERIAL + i);
	device = device_new(isa ? "isa-serial" : "virtconsole", id);
	if (!isa)
		device_put(device, "bus", "vserial.0");
	device_put(device, "chardev", chardev);
	return argv_add_device(b, device);
}

int argv_add_serials(struct argv_build *b)
{
	unsigned i = 0;
	unsigned isa = 0;

	if (add_agent(b) != 0)
		return -1;
	list_each(&b->spec->serials, it, next) {
		const struct spec_serial_port *serial =
			list_entry(it, struct spec_serial_port, link);

		isa += serial->target == SERIAL_ISA;
		if (isa > ISA_SERIALS)
			return err_set(b->err, ERR_LIMIT,
				"serial '%s': a machine takes %d ISA ports: "
				"write target = virtio",
				serial->name, ISA_SERIALS);
		if (add_serial(b, serial, i++) != 0)
			return -1;
	}
	return 0;
}
