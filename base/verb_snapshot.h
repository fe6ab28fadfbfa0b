/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the group Snapshots: a part of the table in verb_table.c,
 * which includes it there and nowhere else.
 */
/* A part of an array is no statement. */
/* clang-format off */
	{
		.name = "snapshot create",
		.wire = "vm-snapshot-create",
		.aliases = "snapshot-create snapshot-create-as",
		.flags = VERB_MANY | VERB_TOGETHER | VERB_CHANGES | VERB_LONG |
			VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = SNAPSHOTS,
		ARGS({ "with", ARG_WORDS, ARG_OPTIONAL | ARG_WIRE, 0, NULL,
			     "more VMs, as of the same instant" },
			TEXT("name", 0, OPTION, "its name; default: the time"),
			TEXT("description", 0, OPTION, "what it is for"),
			FLAG("memory", 0, OPTION,
				"of the guest's memory as well"),
			FLAG("disk-only", 0, OPTION,
				"of the disks only, as without it"),
			FLAG("freeze", 0, OPTION,
				"the guest's agent brings its file systems to "
				"rest for it"),
			ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME... [--name S] [--description D] "
			 "[--memory|--disk-only] [--freeze]",
		.help = "keep what all disks of VMs hold now",
		.more = "Its disks are qcow2: the snapshot is inside the "
			"images, in all of them or in none.  Disks with "
			"readonly = yes or snapshot = no are left out.  The "
			"variables of its UEFI, what its TPM holds and its "
			"file of that moment are in it as well.  A VM "
			"that runs goes on at once, its disks are kept as "
			"after a power cut; with --memory it stands still "
			"until its memory is written, and can go on from "
			"there later.  Several VMs make one group, as of one "
			"point in time: all that run are stopped in one burst, "
			"none goes on before the last one stands still, and "
			"the snapshot is there in all of them or in none.  How "
			"far apart they stopped (by the clock of their QEMUs) "
			"is told and remembered.  With --freeze each guest is "
			"frozen first, and thawed whatever happens.",
	},
	{
		.name = "snapshot list",
		.wire = "vm-snapshot-list",
		.aliases = "snapshot-list",
		.flags = VERB_ONE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = SNAPSHOTS,
		ARGS(TEXT("columns", 'o', LOCAL,
			"the columns to print, comma-separated")),
		.usage = "NAME [-o COLS]",
		.help = "the snapshots of a VM, each below its parent",
		.more = "A star marks the one that the disks came from last.  "
			"SIZE is what its memory takes; what it has of the "
			"disks is inside their images.",
	},
	{
		.name = "snapshot show",
		.wire = "vm-snapshot-show",
		.aliases = "snapshot-info",
		.flags = VERB_ONE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = SNAPSHOTS,
		ARGS(TEXT("snapshot", 0, 0, "its name")),
		.usage = "NAME SNAPSHOT",
		.help = "one snapshot, its disks and the VM's file of then",
	},
	{
		.name = "snapshot revert",
		.wire = "vm-snapshot-revert",
		.aliases = "snapshot-revert",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = SNAPSHOTS,
		ARGS(TEXT("snapshot", 0, ARG_OPTIONAL, "its name"),
			FLAG("latest", 0, OPTION, "the newest one"),
			FLAG("current", 0, OPTION,
				"the one that the disks came from last"),
			FLAG("group", 0, OPTION,
				"all VMs that it was made of together"),
			ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME SNAPSHOT|--latest|--current [--group]",
		.help = "all disks hold again what they held then",
		.more = "What was written since is lost, unless it is in "
			"another snapshot; so it asks first.  The VM has the "
			"disks that it had then.  One that is down gets its "
			"disks back, the variables of its UEFI and what its "
			"TPM held; one that runs goes on in place, from a "
			"snapshot with memory of the same devices.  With "
			"--group it is checked for every VM of the group "
			"before one is reverted, and none runs on before all "
			"are.",
	},
	{
		.name = "snapshot delete",
		.wire = "vm-snapshot-delete",
		.aliases = "snapshot-delete",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = SNAPSHOTS,
		ARGS({ "snapshots", ARG_WORDS, 0, 0, NULL, "their names" },
			FLAG("group", 0, OPTION,
				"in all VMs that it was made of together"),
			ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME SNAPSHOT... [--group]",
		.help = "delete snapshots; those on top of them stay",
	},
	{
		.name = "snapshot rename",
		.wire = "vm-snapshot-rename",
		.flags = VERB_ONE | VERB_CHANGES | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = SNAPSHOTS,
		ARGS(TEXT("snapshot", 0, 0, "its name"),
			TEXT("new", 0, 0, "the new one"), ARG_DRY_RUN),
		.usage = "NAME SNAPSHOT NEW",
		.help = "give a snapshot another name",
	},
	{
		.name = "snapshot mount",
		.wire = "vm-snapshot-mount",
		.flags = VERB_ONE | VERB_CHANGES | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = SNAPSHOTS,
		ARGS(TEXT("snapshot", 0, 0, "its name"),
			TEXT("disk", 0, OPTION, "of its disks only this one"),
			ARG_DRY_RUN),
		.usage = "NAME SNAPSHOT [--disk D]",
		.help = "the disks of a snapshot over NBD, to be read",
		.more = "A qemu-nbd serves each disk at a socket that only "
			"root can connect to, and the URI of each is printed: "
			"\"qemu-img convert\", \"nbdcopy\", \"guestfish -a\" and "
			"\"nbd-client -unix\" take it.  The VM may run or not "
			"meanwhile; the snapshot cannot be deleted before "
			"\"snapshot unmount\", which cuts off who still reads.  "
			"The end of vmwardd, an upgrade too, is an unmount.",
	},
	{
		.name = "snapshot unmount",
		.wire = "vm-snapshot-unmount",
		.flags = VERB_ONE | VERB_CHANGES | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = SNAPSHOTS,
		ARGS(TEXT("snapshot", 0, 0, "its name"), ARG_DRY_RUN),
		.usage = "NAME SNAPSHOT",
		.help = "its disks are served no more",
	},
	{
		.name = "snapshot export",
		.wire = "vm-snapshot-export",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_ADMIN,
		.group = SNAPSHOTS,
		ARGS(TEXT("snapshot", 0, 0, "its name"),
			{ "directory", ARG_FILE, 0, 0, NULL, "where to" },
			ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME SNAPSHOT DIRECTORY",
		.help = "what its disks held then, as images of their own",
		.more = "DIRECTORY gets NAME-DISK.qcow2 of each disk, which "
			"needs no other image, and NAME.ini, the VM's file of "
			"then; it is made if it is not there, and nothing in "
			"it is replaced.  The VM may run meanwhile; its memory "
			"is not exported.",
	},
