/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of screen and keyboard: a part of the table in verb_table.c, which
 * includes it there and nowhere else.
 */
/* A part of an array is no statement. */
/* clang-format off */
	{
		.name = "screenshot",
		.wire = "vm-screenshot",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = TALK,
		ARGS({ "file", ARG_FILE, ARG_OPENED | ARG_MADE, 0, NULL,
			     "the new file, a PNG" },
			ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME FILE",
		.help = "write what its screen shows to a PNG file",
		.more = "FILE must not be there; what fails leaves none.  The "
			"VM needs a screen: [display], or an install.",
	},
	{
		.name = "send-key",
		.wire = "vm-send-key",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = TALK,
		ARGS({ "keys", ARG_WORDS, 0, 0, NULL,
			     "ctrl-alt-delete f2 ret: QEMU's names" },
			{ "hold", ARG_DURATION, OPTION, 0, NULL,
				"how long each is pressed; default 100ms" },
			ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME KEY[-KEY...]... [--hold D]",
		.help = "press keys of its keyboard, one word after the other",
	},
	{
		.name = "type",
		.wire = "vm-type",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = TALK,
		ARGS(TEXT("text", 0, 0, "what to type"),
			FLAG("enter", 0, OPTION, "and press Enter"),
			ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME TEXT [--enter]",
		.help = "type a text on its keyboard",
		.more = "As on a US keyboard, whatever the guest takes it "
			"for; a character without a key is refused before "
			"anything is typed.  Not for secrets: what is typed "
			"is logged.",
	},
	/* clang-format on */
