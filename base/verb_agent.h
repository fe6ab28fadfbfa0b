/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs that ask the guest agent: a part of the table in verb_table.c,
 * which includes it there and nowhere else.
 */
/* A part of an array is no statement. */
/* clang-format off */
#define ARG_AGENT                                                   \
	FLAG("wait", 0, OPTION, "wait for an agent that answers"), \
		ARG_TIMEOUT("with --wait: so long; default 2min"), ARG_JOB, \
		ARG_DRY_RUN

	{
		.name = "agent ping",
		.wire = "vm-agent-ping",
		.flags = VERB_MANY | VERB_LONG | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = AGENT,
		ARGS(ARG_AGENT),
		.usage = "NAME... [--wait] [--timeout D]",
		.help = "ask the guest agent whether it answers",
		.more = "Silence and 0: it does.  Without --wait it must at "
			"once.",
	},
	{
		.name = "agent info",
		.wire = "vm-agent-info",
		.aliases = "guestinfo",
		.flags = VERB_ONE | VERB_LONG | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = AGENT,
		ARGS(ARG_AGENT),
		.usage = "NAME [--wait] [--timeout D]",
		.help = "what the guest says of itself",
		.more = "Its system, host name, users, file systems and "
			"addresses, as far as its agent tells; all of it with "
			"--json.  It is the guest's word, no more.",
	},
	{
		.name = "agent exec",
		.wire = "vm-agent-exec",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = AGENT,
		ARGS({ "command", ARG_WORDS, ARG_REST, 0, NULL,
			     "what to run, and all words behind it" },
			ARG_AGENT),
		.usage = "NAME [--wait] [--timeout D] CMD [ARGS...]",
		.help = "run a command in the guest",
		.more = "Its output is ours while it runs, its exit status as "
			"well, 128 + N after signal N; 125: it never ran, or was "
			"lost sight of.  It "
			"has no input.  No shell reads the words: say sh -c "
			"'...'.  Ctrl-C sends it SIGTERM.  With --json its "
			"output is in the members stdout and stderr.",
	},
	{
		.name = "agent push",
		.wire = "vm-agent-push",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = AGENT,
		ARGS({ "file", ARG_FILE, ARG_OPENED, 0, NULL,
			     "a file here" },
			TEXT("path", 0, 0, "its whole name in the guest"),
			TEXT("mode", 0, OPTION,
				"its mode there: 0755; default 0644"),
			ARG_AGENT),
		.usage = "NAME FILE PATH [--mode M] [--wait] [--timeout D]",
		.help = "copy a file into the guest",
		.more = "It appears under its name once it is whole; what was "
			"there before is replaced.  Ctrl-C leaves what was "
			"there.  A guest with os = windows gets it written in "
			"place, without a mode.",
	},
	{
		.name = "agent pull",
		.wire = "vm-agent-pull",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = AGENT,
		ARGS(TEXT("path", 0, 0, "its whole name in the guest"),
			{ "file", ARG_FILE, ARG_OPENED | ARG_MADE, 0, NULL,
				"the new file here" },
			ARG_AGENT),
		.usage = "NAME PATH FILE [--wait] [--timeout D]",
		.help = "copy a file out of the guest",
		.more = "FILE must not be there; it gets the permissions that "
			"the guest says, without set-user-ID.  What fails or "
			"is cancelled leaves no file.",
	},
	{
		.name = "agent freeze",
		.wire = "vm-agent-freeze",
		.aliases = "domfsfreeze",
		.flags = VERB_MANY | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = AGENT,
		ARGS({ "for", ARG_DURATION, OPTION, 0, NULL,
			     "then they go on by themselves; default 60s" },
			ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME... [--for D]",
		.help = "bring the guest's file systems to rest",
		.more = "They go on by agent thaw, at the latest after that "
			"time, and when vmwardd is started anew.",
	},
	{
		.name = "agent thaw",
		.wire = "vm-agent-thaw",
		.aliases = "domfsthaw",
		.flags = VERB_MANY | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = AGENT,
		ARGS(ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME...",
		.help = "let the guest's file systems go on",
	},
	{
		.name = "agent fstrim",
		.wire = "vm-agent-fstrim",
		.aliases = "domfstrim",
		.flags = VERB_MANY | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = AGENT,
		ARGS({ "minimum", ARG_SIZE, OPTION, 0, NULL,
			     "leave smaller free ranges alone" },
			ARG_AGENT),
		.usage = "NAME... [--minimum SIZE] [--wait] [--timeout D]",
		.help = "give what the guest's file systems do not use back",
	},
	{
		.name = "agent set-time",
		.wire = "vm-agent-set-time",
		.aliases = "domtime",
		.flags = VERB_MANY | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = AGENT,
		ARGS(ARG_AGENT),
		.usage = "NAME... [--wait] [--timeout D]",
		.help = "set the guest's clock to the host's",
		.more = "resume and restore do it by themselves.",
	},
	{
		.name = "agent set-password",
		.wire = "vm-agent-set-password",
		.aliases = "set-user-password",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = AGENT,
		ARGS(TEXT("user", 0, 0, "a user of the guest"),
			{ "password", ARG_FILE, ARG_READ, 0, NULL,
				"a file: its first line is the password" },
			FLAG("crypted", 0, OPTION,
				"it is what crypt(3) made of it"),
			ARG_AGENT),
		.usage = "NAME USER FILE [--crypted] [--wait] [--timeout D]",
		.help = "give a user of the guest another password",
	},
	{
		.name = "agent ssh-keys",
		.wire = "vm-agent-ssh-keys",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = AGENT,
		ARGS(TEXT("user", 0, 0, "a user of the guest"),
			{ "add", ARG_FILE, OPTION | ARG_READ, 0, NULL,
				"add the public keys of this file" },
			{ "remove", ARG_FILE, OPTION | ARG_READ, 0, NULL,
				"remove the public keys of this file" },
			ARG_AGENT),
		.usage = "NAME USER [--add FILE | --remove FILE] [--wait] "
			 "[--timeout D]",
		.help = "show or change the authorized_keys of a user",
	},
	{
		.name = "agent shutdown",
		.wire = "vm-agent-shutdown",
		.flags = VERB_MANY | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = AGENT,
		ARGS({ "mode", ARG_STRING, OPTION, 0,
			     "powerdown|reboot|halt",
			     "what it does then; default powerdown" },
			ARG_AGENT),
		.usage = "NAME... [--mode powerdown|reboot|halt] [--wait] "
			 "[--timeout D]",
		.help = "ask the guest to shut down, and no more",
		.more = "Returns when it was asked.  What follows is as if "
			"the guest had done it by itself: see stop, which "
			"waits and has other means.",
	},
#undef ARG_AGENT
	/* clang-format on */
