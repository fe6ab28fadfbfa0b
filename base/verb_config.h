/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the group Configure: a part of the table in verb_table.c,
 * which includes it there and nowhere else.
 */
/* A part of an array is no statement. */
/* clang-format off */
	{
		.name = "show",
		.wire = "vm-show",
		.flags = VERB_ONE | VERB_MAYBE | VERB_FILE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = CONFIGURE,
		ARGS(FLAG("origin", 0, OPTION,
			     "say which file and line set each key"),
			TEXT("section", 0, OPTION, "one section only"),
			FLAG("defaults", 0, OPTION,
				"with the keys that have their default")),
		.usage = "[NAME|FILE] [--origin] [--section S] [--defaults]",
		.help = "its configuration, all layers put together; or "
			"the host's",
	},
	{
		.name = "check",
		.wire = "vm-check",
		.flags = VERB_MANY | VERB_MAYBE | VERB_FILE,
		.role = ROLE_VIEWER,
		.group = CONFIGURE,
		ARGS(FLAG("exit-code", 0, LOCAL, "exit 8 if there are notes")),
		.usage = "[NAME|FILE...] [--exit-code]",
		.help = "find all mistakes in configuration files",
	},
	{
		.name = "plan",
		.wire = "vm-plan",
		.flags = VERB_ONE | VERB_FILE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = CONFIGURE,
		ARGS(FLAG("argv", 0, LOCAL, "print QEMU's command line"),
			FLAG("qmp", 0, LOCAL, "print the QMP commands"),
			FLAG("exit-code", 0, LOCAL,
				"exit 8 if there is anything to do")),
		.usage = "NAME|FILE [--argv|--qmp] [--exit-code]",
		.help = "what start would do; of a running VM what is pending",
		.more = "A running VM is asked what it has, and each "
			"difference to its file is named, with when it is "
			"done: now (by apply), at the guest's reset, at the "
			"next cold start, or refused and why.  So is what its "
			"networks, being up, are to become (net apply).",
	},
	{
		.name = "apply",
		.wire = "vm-apply",
		.flags = VERB_MANY | VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = CONFIGURE,
		ARGS(ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME... [--dry-run]",
		.help = "do what of plan can be done while it runs",
		.more = "All or nothing: a step that fails undoes those before "
			"it, but for a disk that grew.  What QEMU cannot do "
			"while it runs stays pending, and is done at the next "
			"cold start, or when the guest reboots if "
			"on-guest-reboot says so.",
	},
	{
		.name = "drift",
		.wire = "vm-drift",
		.flags = VERB_MANY | VERB_MAYBE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = CONFIGURE,
		.usage = "[NAME...]",
		.help = "prove that VMs are as their files say; exit 8 if not",
		.more = "Asks each QEMU that runs, all of them without a "
			"NAME.  One that is down cannot differ.",
	},
	{
		.name = "create",
		.wire = "vm-create",
		.flags = VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = CONFIGURE,
		ARGS(NEW_VM,
			FLAG("print", 0, OPTION, "print the file, write none"),
			FLAG("start", 0, LOCAL, "then start it"), ARG_DRY_RUN),
		.usage = "NAME [--base IMAGE|--image IMAGE] [--size S] "
			 "[--memory M] [--cpus N] [--kernel F] [--initrd F] "
			 "[--cmdline T] [--network N] [--forward H:G] "
			 "[--hostname H] [--user U] [--ssh-key FILE] "
			 "[--packages P,...] [--ready P] [--print] [--start] "
			 "[SECTION.KEY=VALUE...]",
		.help = "write the file of a new VM, only what was given",
		.more = "Of --ssh-key the key itself is written, not the "
			"name of the file.  --hostname, --user, --ssh-key and "
			"--packages are for images with cloud-init: they are "
			"keys of [seed].",
	},
	{
		.name = "install",
		.wire = "vm-install",
		.flags = VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = CONFIGURE,
		ARGS(NEW_VM,
			{ "cdrom", ARG_FILE, ARG_OPTION | ARG_OPENED, 0, NULL,
				"the disc that it is installed from" },
			ARG_DRY_RUN),
		.usage = "NAME --cdrom ISO [--size S] [--memory M] [--cpus N] "
			 "[--network N] [--forward H:G] [SECTION.KEY=VALUE...]",
		.help = "make a VM and start it from a disc",
		.more = "Writes its file as create does (unless it is there "
			"and nothing is said of it), and starts it once with "
			"the disc, which boots first, and with a display by "
			"VNC on the socket priv/vnc in its run directory.  "
			"The guest's first reboot ends that life, and the "
			"next has neither.  start --cdrom does it with a VM "
			"that is there.",
	},
	{
		.name = "clone",
		.wire = "vm-clone",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = CONFIGURE,
		ARGS(TEXT("new", 0, 0, "the name of the new VM"),
			FLAG("full", 0, OPTION, "copy its images"),
			{ "rate", ARG_SIZE, OPTION, 0, NULL,
				"bytes a second of each disk at most, while "
				"it is running" },
			ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME NEW [--full] [--rate SIZE]",
		.help = "make a second VM of one",
		.more = "The new file says what all layers of the old one say, "
			"but for its uuid, MAC addresses and host name.  "
			"Unless --full is given each image of the pool "
			"becomes a base, NAME-N.base-X.qcow2, of which both "
			"VMs have an overlay; what cannot be a base is "
			"copied.  Read-only images are shared.  The disks of "
			"a VM that is running are taken as of one instant (as "
			"after a power cut), while it runs on: all become "
			"bases, below overlays that its QEMU gets; or, with "
			"--full, --rate or where one of them cannot, all are "
			"copied by its QEMU.",
	},
	{
		.name = "rename",
		.wire = "vm-rename",
		.aliases = "domrename",
		.flags = VERB_ONE | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = CONFIGURE,
		ARGS(TEXT("new", 0, 0, "its new name"), ARG_DRY_RUN),
		.usage = "NAME NEW",
		.help = "give a VM that is down another name",
		.more = "Its file, drop-ins, logs, incidents and the images "
			"that are named after it get the new name; its uuid "
			"stays and is written into the drop-in.",
	},
	{
		.name = "delete",
		.wire = "vm-delete",
		.aliases = "undefine",
		.flags = VERB_MANY | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = CONFIGURE,
		ARGS(FLAG("keep-disks", 0, OPTION, "leave its images"),
			ARG_DRY_RUN),
		.usage = "NAME... [--keep-disks]",
		.help = "delete a VM that is down, and its images",
		.more = "Its file, the drop-in that vmward wrote and those of "
			"its images go that are volumes of the pool and that "
			"nothing else needs; bases, read-only images and "
			"images elsewhere stay.  Asks first, naming what goes. "
			" Its logs stay.",
	},
	{
		.name = "set",
		.wire = "vm-set",
		.flags = VERB_ONE | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = CONFIGURE,
		ARGS({ "pairs", ARG_PAIRS, 0, 0, NULL,
			     "SECTION.KEY=VALUE words" },
			ARG_RUNTIME, ARG_DRY_RUN),
		.usage = "NAME SECTION.KEY=VALUE... [--runtime]",
		.help = "set keys in the VM's drop-in",
		.more = "With --runtime they hold at once, only until the VM "
			"stops, and no file of yours is touched; that is for "
			"keys of policy ([start], [stop], [restart], [hooks], "
			"...).  For the machine the verbs that change what "
			"runs have their own --runtime.",
	},
	{
		.name = "unset",
		.wire = "vm-unset",
		.flags = VERB_ONE | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = CONFIGURE,
		ARGS({ "keys", ARG_WORDS, 0, 0, NULL, "SECTION.KEY words" },
			ARG_RUNTIME, ARG_DRY_RUN),
		.usage = "NAME SECTION.KEY... [--runtime]",
		.help = "take keys out of the VM's drop-in",
		.more = "With --runtime what set --runtime said.",
	},
	{
		.name = "edit",
		.flags = VERB_ONE | VERB_LOCAL,
		.role = ROLE_ADMIN,
		.group = CONFIGURE,
		.usage = "NAME",
		.help = "edit its file with $VISUAL or $EDITOR, then check it",
	},
	{
		.name = "enable",
		.wire = "vm-enable",
		.aliases = "autostart",
		.flags = VERB_MANY | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = CONFIGURE,
		ARGS(FLAG("disable", 0, LOCAL,
			     "disable (virsh autostart --disable)"),
			ARG_DRY_RUN),
		.usage = "NAME...",
		.help = "start it when the supervisor starts",
	},
	{
		.name = "disable",
		.wire = "vm-disable",
		.flags = VERB_MANY | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = CONFIGURE,
		ARGS(ARG_DRY_RUN),
		.usage = "NAME...",
		.help = "do not start it with the supervisor",
	},
	{
		.name = "reload",
		.wire = "reload",
		.flags = VERB_MANY | VERB_MAYBE | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = CONFIGURE,
		ARGS(ARG_DRY_RUN),
		.usage = "[NAME...]",
		.help = "read the files again; a broken one changes nothing",
	},
	/* clang-format on */
