/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the group Networks: a part of the table in verb_table.c,
 * which includes it there and nowhere else.
 */
/* A part of an array is no statement. */
/* clang-format off */
	{
		.name = "net list",
		.wire = "net-list",
		.aliases = "net-list",
		.role = ROLE_VIEWER,
		.group = NETWORKS,
		ARGS(TEXT("columns", 'o', LOCAL,
			"the columns to print, comma-separated")),
		.usage = "[-o COLS]",
		.help = "the networks, and the VMs on them",
	},
	{
		.name = "net show",
		.wire = "net-show",
		.aliases = "net-info",
		.role = ROLE_VIEWER,
		.group = NETWORKS,
		ARGS(TEXT("network", 0, 0, "its name")),
		.usage = "NETWORK",
		.help = "one network: what it is, who is on it, what is "
			"pending",
	},
	{
		.name = "net apply",
		.wire = "net-apply",
		.flags = VERB_CHANGES,
		.role = ROLE_OPERATOR,
		.group = NETWORKS,
		ARGS(TEXT("network", 0, ARG_OPTIONAL, "only this one"),
			ARG_DRY_RUN),
		.usage = "[NETWORK]",
		.help = "networks that are up follow their files",
		.more = "dhcp, dns, domain, [host.N] and firewall are so at "
			"once, and no guest loses its address or a packet; "
			"what else was changed waits until the network comes "
			"up the next time, and is named.  reload does the "
			"same for all networks.  --dry-run says it and does "
			"nothing.",
	},
	{
		.name = "net up",
		.wire = "net-up",
		.aliases = "net-start",
		.flags = VERB_CHANGES,
		.role = ROLE_OPERATOR,
		.group = NETWORKS,
		ARGS(TEXT("network", 0, 0, "its name"), ARG_DRY_RUN,
			{ "confirm", ARG_DURATION, OPTION, 0, NULL,
				"undo it after that time unless net confirm "
				"comes" }),
		.usage = "NETWORK [--confirm D]",
		.help = "bring a network up, and keep it so without a VM",
		.more = "A network comes up with the first VM that needs it "
			"and goes with the last; one that was brought up by "
			"this stays until net down.  With --confirm 60s it "
			"goes down again, and gives its uplink back to the "
			"host, unless net confirm is said within that time; "
			"until then no VM joins it.  Without it, a network "
			"that takes the host's own addresses along asks "
			"first.",
	},
	{
		.name = "net confirm",
		.wire = "net-confirm",
		.flags = VERB_CHANGES,
		.role = ROLE_OPERATOR,
		.group = NETWORKS,
		ARGS(TEXT("network", 0, 0, "its name"), ARG_DRY_RUN),
		.usage = "NETWORK",
		.help = "keep a network that was brought up with --confirm",
	},
	{
		.name = "net down",
		.wire = "net-down",
		.aliases = "net-stop",
		.flags = VERB_CHANGES,
		.role = ROLE_OPERATOR,
		.group = NETWORKS,
		ARGS(TEXT("network", 0, 0, "its name"), ARG_DRY_RUN),
		.usage = "NETWORK",
		.help = "take a network down that no VM is on",
	},
	{
		.name = "net leases",
		.wire = "net-leases",
		.aliases = "net-dhcp-leases",
		.role = ROLE_VIEWER,
		.group = NETWORKS,
		ARGS(TEXT("network", 0, ARG_OPTIONAL, "only of this one"),
			TEXT("columns", 'o', LOCAL,
				"the columns to print, comma-separated")),
		.usage = "[NETWORK] [-o COLS]",
		.help = "the addresses that guests were given",
	},
	{
		.name = "net doctor",
		.wire = "net-doctor",
		.role = ROLE_VIEWER,
		.group = NETWORKS,
		.usage = "",
		.help = "what on this host is in the way of networks, with the "
			"remedy",
		.more = "Looks at the programs and rights that networks take, "
			"at forwarding, at the rules of others that drop what "
			"guests send, and at addresses that are used twice.  "
			"Exits with 1 if anything is in the way; it changes "
			"nothing.",
	},
	{
		.name = "ip",
		.wire = "vm-ip",
		.aliases = "domifaddr",
		.flags = VERB_ONE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = NETWORKS,
		.usage = "NAME",
		.help = "the addresses of a VM, and who says so",
		.more = "From the leases of its network, else from the "
			"host's neighbour table, else from the guest agent.",
	},
	{
		.name = "ssh",
		.flags = VERB_ONE | VERB_LOCAL | VERB_OWNER,
		.role = ROLE_NONE,
		.group = NETWORKS,
		ARGS(TEXT("login", 'l', LOCAL,
			     "the user; default: [seed] user"),
			{ "command", ARG_WORDS, ARG_LOCAL | ARG_OPTIONAL, 0,
				NULL, "what to run there; -- before options" }),
		.usage = "NAME [-l USER] [CMD...]",
		.help = "ssh to a VM by the address that ip finds",
		.more = "A forward of user mode to port 22 is used where there "
			"is one.  The exit status is ssh's.",
	},
	/* clang-format on */
