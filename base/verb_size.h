/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the group Devices that say how large a VM is: a part of the
 * table in verb_table.c, which includes it there and nowhere else.
 */
/* A part of an array is no statement. */
/* clang-format off */
	{
		.name = "cpu set",
		.wire = "vm-cpu-set",
		.aliases = "setvcpus",
		.flags = VERB_ONE | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = DEVICES,
		ARGS({ "cpus", ARG_INT, 0, 0, "1-1024", "how many" },
			ARG_RUNTIME, ARG_DRY_RUN),
		.usage = "NAME N [--runtime]",
		.help = "give a VM so many vCPUs, also while it runs",
		.more = "Up to cpus-max.  Less again only under KVM, and not "
			"fewer than it was started with.",
	},
	{
		.name = "memory set",
		.wire = "vm-memory-set",
		.aliases = "setmem",
		.flags = VERB_ONE | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = DEVICES,
		ARGS({ "size", ARG_SIZE, 0, 0, NULL, "how much: 4G" },
			ARG_RUNTIME, ARG_DRY_RUN),
		.usage = "NAME SIZE [--runtime]",
		.help = "give a VM so much memory, also while it runs",
		.more = "Up to memory-max, by a virtio-mem device, for which "
			"the guest needs a driver; not less than it was "
			"started with.",
	},
	{
		.name = "balloon",
		.wire = "vm-balloon",
		.flags = VERB_ONE | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = DEVICES,
		ARGS({ "size", ARG_SIZE, 0, 0, NULL,
			     "what is left to the guest" },
			ARG_TIMEOUT("how long to wait for the guest"),
			ARG_DRY_RUN),
		.usage = "NAME SIZE [--timeout D]",
		.help = "let a guest give memory back until it stops",
		.more = "Only for this life of it: no file says it.  vmward "
			"stats shows what the guest does with its memory.",
	},
	/* clang-format on */
