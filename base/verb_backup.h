/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the group Backups: a part of the table in verb_table.c,
 * which includes it there and nowhere else.
 */
/* A part of an array is no statement. */
/* clang-format off */
	{
		.name = "backup create",
		.wire = "vm-backup-create",
		.flags = VERB_MANY | VERB_CHANGES | VERB_LONG,
		.role = ROLE_OPERATOR,
		.group = BACKUPS,
		ARGS(ARG_TARGET,
			TEXT("name", 0, OPTION, "its name; default: the time"),
			FLAG("full", 0, OPTION, "all, not what is new"),
			{ "rate", ARG_SIZE, OPTION, 0, NULL,
				"bytes a second of each disk" },
			TEXT_OF("freeze", "no|if-agent|yes",
				"hold the guest's file systems at the instant"),
			ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME... [--target DIR] [--name S] [--full] "
			 "[--rate SIZE] [--freeze no|if-agent|yes]",
		.help = "copy its disks as they are at one instant",
		.more = "Of a VM that runs on, or that is down.  What QEMU "
			"knows to be written since the last one is enough, on "
			"top of that; where it does not know, all is copied "
			"and the reason said.  Raw disks and a QEMU that was "
			"killed lose that knowledge.  The variables of its "
			"UEFI, what its TPM holds and its file are in each.",
	},
	{
		.name = "backup list",
		.wire = "vm-backup-list",
		.flags = VERB_ONE,
		.role = ROLE_VIEWER,
		.group = BACKUPS,
		ARGS(ARG_TARGET),
		.usage = "NAME [--target DIR]",
		.help = "its backups",
	},
	{
		.name = "backup verify",
		.wire = "vm-backup-verify",
		.flags = VERB_ONE | VERB_LONG,
		.role = ROLE_OPERATOR,
		.group = BACKUPS,
		ARGS(TEXT("id", 0, ARG_OPTIONAL, "of backup list; alone: all"),
			ARG_TARGET, ARG_JOB),
		.usage = "NAME [ID] [--target DIR]",
		.help = "read its backups again and compare their checksums",
	},
	{
		.name = "backup restore",
		.wire = "vm-backup-restore",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = BACKUPS,
		ARGS(TEXT("id", 0, ARG_OPTIONAL, "of backup list; alone: the newest"),
			ARG_TARGET, ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME [ID] [--target DIR]",
		.help = "put its disks back as they were in a backup",
		.more = "The VM must be down.  Checksums first, then a copy "
			"beside each image, compared bit by bit; they take the "
			"places of the images all at once.",
	},
