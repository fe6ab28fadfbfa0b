/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the group Look: the first lines of the table in verb_table.c,
 * which includes them there and nowhere else.
 */
/* A part of an array is no statement. */
/* clang-format off */
	{
		.name = "list",
		.wire = "vm-list",
		.aliases = "ls",
		.flags = VERB_SEEN,
		.role = ROLE_VIEWER,
		.group = LOOK,
		ARGS(ARG_PATTERNS(ARG_OPTIONAL),
			FLAG("running", 0, OPTION, "only VMs that run"),
			FLAG("failed", 0, OPTION, "only VMs that failed"),
			TEXT("columns", 'o', LOCAL,
				"the columns to print, comma-separated"),
			TEXT("sort", 0, LOCAL,
				"the column to sort by; numbers as numbers"),
			FLAG("names", 0, LOCAL, "print names only, one a line"),
			FLAG("wide", 'w', LOCAL, "more columns"),
			FLAG("host", 0, OPTION,
				"what the host promised to VMs, instead"),
			FLAG("all", 0, LOCAL,
				"accepted for virsh's sake: list shows all"),
			TEXT("after", 0, WIRE,
				"go on after this name (\"next\" of the page)"),
			{ "limit", ARG_INT, WIRE, 0, "1-90", "VMs per page" },
			ARG_FIELDS,
			FLAG("rows", 0, WIRE,
				"each VM as an array of its fields' values")),
		.usage = "[PATTERN...] [--running|--failed] [-o COLS] "
			 "[--sort COL] [--names] [--host] [-w]",
		.help = "list VMs, one line each",
		.more = "On a terminal a last line tells how much memory and "
			"how many processors the host promised to VMs that "
			"are up, of what it has.",
	},
	{
		.name = "status",
		.wire = "vm-status",
		.aliases = "dominfo domstate",
		.flags = VERB_MANY | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = LOOK,
		.usage = "NAME...",
		ARGS(ARG_FIELDS),
		.help = "show all about a VM; exit 3 if one is not active",
	},
	{
		.name = "explain",
		.wire = "vm-explain",
		.flags = VERB_ONE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = LOOK,
		.usage = "NAME",
		.help = "say in sentences why a VM is as it is",
		.more = "State, cause of the last end, what the restart "
			"policy would do next, and what waits. Answers "
			"{\"text\": ...}.",
	},
	{
		.name = "incident list",
		.wire = "vm-incident-list",
		.aliases = "incident",
		.flags = VERB_ONE | VERB_MAYBE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = LOOK,
		.usage = "[NAME]",
		.help = "the incidents kept of a VM, or of all, newest first",
		.more = "An end that nobody ordered and no guest asked for "
			"makes one: a panic, a watchdog, a signal, a start "
			"that failed. The newest ten of a VM are kept, below "
			"incidents/ in the state directory.",
	},
	{
		.name = "incident show",
		.wire = "vm-incident-show",
		.flags = VERB_ONE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = LOOK,
		ARGS(ARG_INCIDENT),
		.usage = "NAME [ID]",
		.help = "what is known of an incident, the newest by default",
	},
	{
		.name = "incident export",
		.wire = "vm-incident-read",
		.flags = VERB_ONE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = LOOK,
		ARGS(ARG_INCIDENT,
			TEXT("output", 'o', LOCAL, "the file to make"),
			TEXT("file", 0, WIRE, "the file of it to read"),
			{ "offset", ARG_INT, WIRE, 0, "0-",
				"from this byte on" }),
		.usage = "NAME [ID] [-o FILE]",
		.help = "write an incident as a tar archive, to stdout or FILE",
		.more = "What led to it (flight recorder, log, console), "
			"what ran (config.ini, argv.txt), what it said "
			"(stderr.txt) and the host, with secrets masked.",
	},
	{
		.name = "analyze",
		.wire = "vm-analyze",
		.flags = VERB_ONE | VERB_MAYBE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = LOOK,
		.usage = "[NAME]",
		.help = "say how long VMs took to be ready, and for whom",
		.more = "The slowest first, then the critical chain: who was "
			"ready last (or NAME), and for whom it waited.",
	},
	{
		.name = "is-active",
		.flags = VERB_MANY | VERB_LOCAL,
		.role = ROLE_VIEWER,
		.group = LOOK,
		.usage = "NAME...",
		.help = "exit 0 if active, 3 if not, 4 if unknown; silent",
	},
	{
		.name = "is-failed",
		.flags = VERB_MANY | VERB_LOCAL,
		.role = ROLE_VIEWER,
		.group = LOOK,
		.usage = "NAME...",
		.help = "exit 0 if failed, 3 if not, 4 if unknown; silent",
	},
	{
		.name = "stats",
		.wire = "vm-stats",
		.aliases = "dommemstat vcpuinfo domstats",
		.flags = VERB_MANY | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = LOOK,
		ARGS({ "interval", ARG_DURATION, LOCAL, 0, NULL,
			     "print rates, again and again" },
			{ "count", ARG_INT, LOCAL, 0, "1-",
				"so many times; default: for ever" }),
		.usage = "NAME... [--interval D [--count N]]",
		.help = "what a VM uses: processors, memory, disks",
		.more = "QEMU is asked and waited for a tenth of a second; "
			"what it said before stands with its age where it "
			"does not answer.",
	},
	{
		.name = "top",
		.flags = VERB_LOCAL,
		.role = ROLE_VIEWER,
		.group = LOOK,
		ARGS({ "interval", ARG_DURATION, LOCAL, 0, NULL,
			     "look again after this time, default 2s" },
			{ "count", ARG_INT, LOCAL, 0, NULL,
				"end after so many looks" },
			{ "sort", ARG_STRING, LOCAL, 0,
				"cpu|rss|read|write|ops|uptime|name",
				"what to sort by at first" },
			FLAG("batch", 'b', LOCAL, "print tables, no screen"),
			FLAG("once", 0, LOCAL, "print one table and end")),
		.usage = "[--interval D] [--count N] [--sort BY] [--batch] "
			 "[--once]",
		.help = "the VMs that are up, busiest first, again and again",
		.more = "On a terminal q ends it, and c, m, r, w, o, u and n "
			"sort by processor, memory, bytes read and written, "
			"requests, uptime and name. "
			"CPU% is of one processor of the host. "
			"With --json each look is one line, an object with "
			"host and vms.",
	},
	{
		.name = "metrics",
		.wire = "vm-metrics",
		.role = ROLE_VIEWER,
		.group = LOOK,
		ARGS(FLAG("libvirt-names", 0, OPTION,
			     "the names of the libvirt exporter"),
			{ "output", ARG_FILE, LOCAL, 'o', NULL,
				"replace this file by it, whole or not at all" },
			TEXT("after", 0, WIRE,
				"go on there (\"next\" of the page)")),
		.usage = "[--libvirt-names] [--output FILE]",
		.help = "what all VMs use, as OpenMetrics text",
		.more = "For Prometheus and its like: counters and gauges of "
			"the host's promises, VMs, vCPUs, disks and nics. "
			"A VM that does not answer is waited for a tenth of "
			"a second, by one reader; its numbers are then old, "
			"and vmward_vm_stale is 1.  With --output from a "
			"timer, a file for node_exporter's textfile "
			"collector.",
	},
	{
		.name = "log",
		.wire = "vm-log",
		.flags = VERB_ONE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = LOOK,
		ARGS(FLAG("follow", 'f', LOCAL, "go on as lines arrive"),
			{ "lines", ARG_INT, OPTION, 'n', "1-100000",
				"the last N lines" },
			{ "since", ARG_AGO, OPTION, 0, NULL,
				"lines of the last 10min, or since a time" },
			{ "after", ARG_INT, WIRE, 0, "0-",
				"go on at \"next\" of an earlier reply" },
			FLAG("console", 0, WIRE,
				"the guest's console, not the log")),
		.usage = "NAME [-f] [-n N] [--since T]",
		.help = "the supervisor's lines about a VM and QEMU's stderr",
		.more = "The guest's own text is console --log.",
	},
	{
		.name = "events",
		.wire = "event-replay",
		.role = ROLE_VIEWER,
		.group = LOOK,
		ARGS(ARG_PATTERNS(ARG_OPTIONAL | ARG_LOCAL),
			{ "since", ARG_INT, OPTION, 0, "0-",
				"first those kept with a higher sequence "
				"number" },
			FLAG("no-follow", 0, LOCAL,
				"print what is kept and end")),
		.usage = "[NAME...] [--since SEQ] [--no-follow]",
		.help = "print what happens as it happens",
		.more = "On the wire, event-replay sends the kept events as "
			"events and then answers with the number of the "
			"last; it needs the capability vmward.",
	},
