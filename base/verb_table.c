/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command table.  A verb is added here and nowhere else: the client's
 * grammar, help, man page, completion, the supervisor's argument checks,
 * roles, query-commands and query-schema follow from it.
 * Verbs of one group stand together, in the order of `vmward help`.
 */
#include "base/verbs.h"

#include "base/mem.h"

#define ARGS(...)                                              \
	.args = (const struct arg[]){ __VA_ARGS__ },           \
	.nargs = sizeof((const struct arg[]){ __VA_ARGS__ }) / \
		 sizeof(struct arg)

#define OPTION (ARG_OPTION | ARG_OPTIONAL)
#define WIRE   (ARG_WIRE | ARG_OPTIONAL)
#define LOCAL  (ARG_LOCAL | ARG_OPTION | ARG_OPTIONAL)

#define FLAG(name, letter, how, help)                   \
	{                                               \
		name, ARG_BOOL, how, letter, NULL, help \
	}
#define TEXT(name, letter, how, help)                     \
	{                                                 \
		name, ARG_STRING, how, letter, NULL, help \
	}
#define ARG_DRY_RUN FLAG("dry-run", 0, WIRE, "only say what it would do")
#define ARG_FIELDS                                      \
	{                                               \
		"fields", ARG_WORDS, WIRE, 0, NULL,     \
			"only these members of each VM" \
	}
#define ARG_INCIDENT TEXT("id", 0, ARG_OPTIONAL, "its id, of incident list")
#define ARG_JOB      FLAG("job", 0, WIRE, "answer at once, with a job's id")
#define TEXT_OF(name, choices, help)                       \
	{                                                  \
		name, ARG_STRING, OPTION, 0, choices, help \
	}
#define ARG_IMAGE(name, how, help)                   \
	{                                            \
		name, ARG_VOLUME, how, 0, NULL, help \
	}
/* What a new VM is made of. */
#define NEW_VM                                                             \
	TEXT("name", 0, 0, "its name"),                                    \
		{ "pairs", ARG_PAIRS, ARG_OPTIONAL, 0, NULL,               \
			"SECTION.KEY=VALUE words" },                       \
		TEXT("memory", 0, OPTION, "its memory: 2G"),               \
		TEXT("cpus", 0, OPTION, "its processors"),                 \
		ARG_IMAGE("base", OPTION,                                  \
			"the first start makes its disk on top of it"),    \
		ARG_IMAGE("image", OPTION, "its disk"),                    \
		TEXT("size", 0, OPTION, "of its disk: 10G"),               \
		ARG_IMAGE("kernel", OPTION, "boots this kernel"),          \
		ARG_IMAGE("initrd", OPTION, "and this initrd"),            \
		TEXT("cmdline", 0, OPTION, "and this command line"),       \
		TEXT("network", 0, OPTION, "what it is plugged into"),     \
		TEXT("forward", 0, OPTION,                                 \
			"HOSTPORT:GUESTPORT, comma-separated"),            \
		TEXT("hostname", 0, OPTION, "the guest's, by cloud-init"), \
		TEXT("user", 0, OPTION, "who may log in there"),           \
		{ "ssh-key", ARG_FILE, OPTION | ARG_READ, 0, NULL,         \
			"with the public key in this file" },              \
		TEXT("packages", 0, OPTION,                                \
			"what its first boot installs, "                   \
			"comma-separated"),                                \
		TEXT("ready", 0, OPTION, "what ready means: tcp:22")

#define ARG_POOL                                                       \
	TEXT("pool", 0, OPTION,                                        \
		"the pool of what is named without a slash; default: " \
		"default")
#define ARG_TO_POOL TEXT("to-pool", 0, OPTION, "the pool of what is new")
#define ARG_FORMAT(name, help) \
	TEXT_OF(name, "qcow2|raw|vmdk|vdi|vhdx|vpc", help)
/* How a new image is laid out. */
#define ARG_LAYOUT                                                    \
	TEXT_OF("preallocation", "off|metadata|falloc|full",          \
		"what is allocated at once"),                         \
		{ "cluster-size", ARG_SIZE, OPTION, 0, NULL,          \
			"qcow2: 512 to 2M" },                         \
		FLAG("extended-l2", 0, OPTION, "qcow2: subclusters"), \
		TEXT_OF("compression", "zlib|zstd",                   \
			"qcow2: what --compress uses")
#define ARG_SECRET(name, help)                        \
	{                                             \
		name, ARG_FILE, OPTION, 0, NULL, help \
	}
#define ARG_DISK  TEXT("disk", 0, 0, "the N of its section [disk.N]")
#define ARG_DRIVE TEXT("drive", 0, 0, "the N of its section [cdrom.N]")
#define ARG_TRAY                                                           \
	FLAG("force", 0, OPTION, "open the tray whatever the guest says"), \
		ARG_TIMEOUT("how long to wait for the guest")
#define ARG_NIC     TEXT("nic", 0, 0, "the N of its section [net.N]")
#define ARG_RUNTIME FLAG("runtime", 0, OPTION, "only until the VM stops")
#define ARG_NO_DEPS FLAG("no-deps", 0, OPTION, "leave the other VMs alone")
#define ARG_TIMEOUT(help)                                      \
	{                                                      \
		"timeout", ARG_DURATION, OPTION, 0, NULL, help \
	}
#define ARG_TARGET                                            \
	{                                                     \
		"target", ARG_FILE, OPTION, 0, NULL,          \
			"the directory, not that of [backup]" \
	}
#define ARG_PATTERNS(how)                                                  \
	{                                                                  \
		"patterns", ARG_WORDS, how, 0, NULL, "names, globs, @tags" \
	}

#define LOOK      "Look"
#define RUN       "Run"
#define CONFIGURE "Configure"
#define DEVICES   "Devices"
#define IMAGES    "Images"
#define SNAPSHOTS "Snapshots"
#define BACKUPS   "Backups"
#define NETWORKS  "Networks"
#define TALK      "Talk to a VM"
#define AGENT     "Guest agent"
#define JOBS      "Jobs"
#define TOOLS     "Tools"

const struct verb verbs[] = {
#include "base/verb_look.h"

	/* ---- run ---- */
	{
		.name = "run",
		.flags = VERB_LOCAL,
		.role = ROLE_NONE,
		.group = RUN,
		ARGS({ "file", ARG_FILE, ARG_LOCAL, 0, NULL,
			     "the INI file of the VM" },
			TEXT("name", 0, LOCAL,
				"the VM's name; default: the file's"),
			FLAG("rm", 0, LOCAL,
				"a throw-away copy under a name of its own"),
			{ "timeout", ARG_DURATION, LOCAL, 0, NULL,
				"stop after this time, exit 5" },
			{ "state", ARG_FILE, LOCAL, 0, NULL,
				"directory for what lasts" },
			{ "exec", ARG_WORDS, LOCAL, 0, NULL,
				"run CMD with all words behind it in the "
				"guest, then stop" }),
		.usage = "FILE [--name N] [--rm] [--timeout D] [--state DIR] "
			 "[-q] [--exec CMD ARGS]",
		.help = "run a VM from a file, without a daemon, until it ends",
		.more = "On a terminal its console is attached: Ctrl-C goes "
			"to the guest, ^] stops it, ^] again kills it.  "
			"Without one SIGTERM and SIGINT stop it, a second "
			"one kills it.  --exec takes no console: the agent "
			"of the ready guest runs CMD, whose output and exit "
			"status become ours.",
	},
	{
		.name = "start",
		.wire = "vm-start",
		.flags = VERB_MANY | VERB_CHANGES | VERB_LONG | VERB_OWNER |
			 VERB_AT_ONCE,
		.role = ROLE_OPERATOR,
		.group = RUN,
		ARGS(FLAG("paused", 0, OPTION,
			     "leave it paused at its first instruction"),
			{ "wait", ARG_STRING, OPTION | ARG_BARE, 0,
				"ready|running|agent|ip",
				"return when it got there; alone: ready" },
			ARG_TIMEOUT("give up waiting after this time"),
			FLAG("console", 0, LOCAL, "attach its console"),
			FLAG("ephemeral", 0, OPTION,
				"this once, keep nothing it writes"),
			FLAG("fresh", 0, OPTION, "forget its saved memory"),
			{ "cdrom", ARG_FILE, OPTION | ARG_OPENED, 0, NULL,
				"boot from this disc until it reboots" },
			ARG_NO_DEPS, ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME... [--paused] [--wait[=ready|running|agent|ip]]"
			 " [--timeout D] [--console] [--ephemeral] "
			 "[--cdrom ISO] [--fresh] [--no-deps]",
		.help = "start a VM and return when it runs",
		.more = "Those that it requires or wants are started as "
			"well, and it waits for those it is after.",
	},
	{
		.name = "stop",
		.wire = "vm-stop",
		.aliases = "shutdown",
		.flags = VERB_MANY | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = RUN,
		ARGS(ARG_TIMEOUT("cut the steps to this time"),
			FLAG("now", 0, OPTION,
				"skip what needs the guest's help"),
			FLAG("together", 0, WIRE,
				"one of several that stop at once"),
			ARG_NO_DEPS, ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME... [--timeout D] [--now] [--no-deps]",
		.help = "stop it by the steps of [stop] until one works",
		.more = "Those that require it or are part of it are stopped "
			"as well; who is after another goes down first.  The "
			"time limit is for all of them: several that are "
			"stopped at once have shutdown-timeout of [vmward] "
			"together, each no longer than its [stop] timeout.",
	},
	{
		.name = "kill",
		.wire = "vm-kill",
		.flags = VERB_MANY | VERB_CHANGES | VERB_OWNER |
			 VERB_ASKS_MANY | VERB_AT_ONCE,
		.role = ROLE_OPERATOR,
		.group = RUN,
		ARGS(ARG_DRY_RUN),
		.usage = "NAME...",
		.help = "end its QEMU at once: the power cord is pulled",
	},
	{
		.name = "restart",
		.wire = "vm-restart",
		.flags = VERB_MANY | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = RUN,
		ARGS(ARG_TIMEOUT("cut the steps of the stop to this time"),
			ARG_NO_DEPS, ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME... [--timeout D] [--no-deps]",
		.help = "cold: stop, then start with a new QEMU",
		.more = "Those that require it or are part of it are "
			"restarted as well.",
	},
	{
		.name = "reboot",
		.wire = "vm-reboot",
		.flags = VERB_MANY | VERB_CHANGES | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = RUN,
		ARGS(ARG_DRY_RUN),
		.usage = "NAME...",
		.help = "polite: ask the guest to reboot itself",
	},
	{
		.name = "reset",
		.wire = "vm-reset",
		.flags = VERB_MANY | VERB_CHANGES | VERB_OWNER | VERB_ASKS_MANY,
		.role = ROLE_OPERATOR,
		.group = RUN,
		ARGS(ARG_DRY_RUN),
		.usage = "NAME...",
		.help = "hard: press the reset button",
	},
	{
		.name = "pause",
		.wire = "vm-pause",
		.aliases = "suspend",
		.flags = VERB_MANY | VERB_CHANGES | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = RUN,
		ARGS(ARG_DRY_RUN),
		.usage = "NAME...",
		.help = "freeze it in memory",
	},
	{
		.name = "resume",
		.wire = "vm-resume",
		.flags = VERB_MANY | VERB_CHANGES | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = RUN,
		ARGS(ARG_DRY_RUN),
		.usage = "NAME...",
		.help = "let a paused VM go on",
	},
	{
		.name = "save",
		.wire = "vm-save",
		.aliases = "managedsave",
		.flags = VERB_MANY | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = RUN,
		ARGS(ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME...",
		.help = "put its memory on disk and end its QEMU",
		.more = "The guest stands still meanwhile; a save that fails "
			"or is cancelled lets it go on.  The next start "
			"goes on from there, once, unless a disk was written "
			"to; start --fresh forgets it.",
	},
	{
		.name = "restore",
		.wire = "vm-restore",
		.flags = VERB_MANY | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = RUN,
		ARGS(FLAG("paused", 0, OPTION, "leave it paused"),
			ARG_TIMEOUT("give up waiting after this time"),
			ARG_NO_DEPS, ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME... [--paused] [--timeout D] [--no-deps]",
		.help = "start a saved VM where it was",
		.more = "It has the configuration that it had.  What cannot "
			"be restored stays saved.  The agent of the guest "
			"sets its clock.",
	},
	{
		.name = "refresh",
		.wire = "vm-refresh",
		.flags = VERB_MANY | VERB_CHANGES | VERB_LONG | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = RUN,
		ARGS(ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME...",
		.help = "move a running VM into a new QEMU process",
		.more = "For a QEMU that was upgraded: the guest keeps running "
			"and stands still for some milliseconds at the end.  "
			"The new QEMU shares the locks, images and taps of the "
			"old one, which goes on if anything fails.",
	},
	{
		.name = "wait",
		.wire = "vm-wait",
		.flags = VERB_ONE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = RUN,
		ARGS({ "state", ARG_STRING, 0, 0,
			     "ready|agent|ip|running|stopped|starting|"
			     "paused|stopping|saving|saved|waiting|failed|"
			     "migrating|unreachable|invalid",
			     "a state of list, or ready, agent, ip" },
			ARG_TIMEOUT("give up after this time, exit 5")),
		.usage = "NAME STATE [--timeout D]",
		.help = "return when a VM has reached a state",
		.more = "Of a VM that is down and whose file is deleted it "
			"fails: exit status 4.",
	},
	{
		.name = "upgrade-machine",
		.wire = "vm-upgrade-machine",
		.flags = VERB_MANY | VERB_CHANGES | VERB_OWNER,
		.role = ROLE_ADMIN,
		.group = RUN,
		ARGS(ARG_DRY_RUN),
		.usage = "NAME...",
		.help = "let the next start take QEMU's newest machine type",
	},
	{
		.name = "reset-failed",
		.wire = "vm-reset-failed",
		.flags = VERB_MANY | VERB_CHANGES | VERB_OWNER | VERB_AT_ONCE,
		.role = ROLE_OPERATOR,
		.group = RUN,
		ARGS(ARG_DRY_RUN),
		.usage = "NAME...",
		.help = "forget failures: failed becomes stopped",
	},

#include "base/verb_config.h"

#include "base/verb_device.h"

#include "base/verb_snapshot.h"

#include "base/verb_size.h"

#include "base/verb_image.h"

#include "base/verb_backup.h"

#include "base/verb_net.h"

	/* ---- talk ---- */
	{
		.name = "console",
		.wire = "vm-console",
		.flags = VERB_MANY | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = TALK,
		ARGS(TEXT("serial", 0, OPTION,
			     "the N of [serial.N]; default: console"),
			FLAG("read-only", 'r', LOCAL, "only look"),
			FLAG("log", 0, LOCAL,
				"print what it has written so far"),
			TEXT("escape", 'e', LOCAL,
				"the key that detaches, default ^]"),
			TEXT("expect", 0, LOCAL,
				"wait for a regular expression; repeatable"),
			TEXT("send", 0, LOCAL, "then type a line; repeatable"),
			{ "timeout", ARG_DURATION, LOCAL, 0, NULL,
				"per --expect (which it needs), default 60s; "
				"exit 5" }),
		.usage = "NAME... [--serial N] [--read-only] [--log] "
			 "[--escape K] [--expect RE --send TEXT] "
			 "[--timeout D]",
		.help = "its serial console; ^] detaches",
		.more = "Several names show their lines side by side, "
			"read-only, each with its VM in front.",
	},
	{
		.name = "qmp",
		.wire = "vm-qmp",
		.flags = VERB_ONE | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = TALK,
		ARGS(TEXT("execute", 0, 0, "the command"),
			{ "arguments", ARG_OBJECT, ARG_OPTIONAL, 0, NULL,
				"KEY=VALUE words; a value that is JSON is "
				"sent as such" },
			ARG_TIMEOUT("give up after this time")),
		.usage = "NAME COMMAND [KEY=VALUE...]",
		.help = "pass one QMP command to its QEMU",
	},

#include "base/verb_screen.h"

#include "base/verb_agent.h"

	/* ---- jobs ---- */
	{
		.name = "jobs list",
		.wire = "job-list",
		.aliases = "jobs",
		.role = ROLE_VIEWER,
		.group = JOBS,
		.usage = "",
		.help = "the jobs that run",
	},
	{
		.name = "jobs wait",
		.wire = "job-wait",
		.role = ROLE_VIEWER,
		.group = JOBS,
		ARGS(TEXT("job", 0, 0, "its id: j12"),
			ARG_TIMEOUT("give up after this time, exit 5")),
		.usage = "JOB [--timeout D]",
		.help = "return when a job has ended, with its result",
	},
	{
		.name = "jobs cancel",
		.wire = "job-cancel",
		.flags = VERB_CHANGES | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = JOBS,
		ARGS(TEXT("job", 0, ARG_OPTIONAL, "its id: j12"),
			TEXT("request", 0, WIRE,
				"or the id (a string) of this connection's "
				"request that started it")),
		.usage = "JOB",
		.help = "cancel a job and undo what it did",
	},

	/* ---- tools ---- */
	{
		.name = "doctor",
		.flags = VERB_LOCAL,
		.role = ROLE_NONE,
		.group = TOOLS,
		.usage = "",
		.help = "look at the host and say what to do about it",
	},
	{
		.name = "host-shutdown",
		.wire = "host-shutdown",
		.flags = VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = TOOLS,
		ARGS(ARG_TIMEOUT("for all together; default: [vmward] "
				 "shutdown-timeout"),
			ARG_DRY_RUN),
		.usage = "[--timeout D]",
		.help = "all VMs go as their on-host-shutdown says",
		.more = "For the service manager, when the host goes down; "
			"returns when all are down.",
	},
	{
		.name = "completion",
		.flags = VERB_LOCAL,
		.role = ROLE_NONE,
		.group = TOOLS,
		ARGS({ "shell", ARG_STRING, ARG_LOCAL, 0, "bash|zsh|fish",
			"the shell" }),
		.usage = "bash|zsh|fish",
		.help = "print a completion script",
	},
	{
		.name = "version",
		.flags = VERB_LOCAL,
		.role = ROLE_NONE,
		.group = TOOLS,
		.usage = "",
		.help = "versions of the client and the supervisor",
	},
	{
		.name = "upgrade",
		.wire = "upgrade",
		.flags = VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = TOOLS,
		ARGS(ARG_TIMEOUT("wait so long for what is under way; 30s")),
		.usage = "[--timeout D]",
		.help = "replace the running vmwardd by the one on disk",
		.more = "Nothing is lost: VMs, their monitors, open consoles "
			"and clients stay connected.  Jobs under way end "
			"first.  A program that does not take over leaves "
			"all as it was.",
	},
	{
		.name = "help",
		.flags = VERB_LOCAL,
		.role = ROLE_NONE,
		.group = TOOLS,
		ARGS({ "verb", ARG_WORDS, ARG_LOCAL | ARG_OPTIONAL, 0, NULL,
			"the verb" }),
		.usage = "[VERB]",
		.help = "this list, or all about one verb",
	},

	/* ---- no word to type ---- */
	{
		.name = "qmp_capabilities",
		.wire = "qmp_capabilities",
		.flags = VERB_WIRE,
		.role = ROLE_NONE,
		ARGS({ "enable", ARG_WORDS, WIRE, 0, NULL,
			"capabilities of the greeting" }),
		.help = "end the negotiation; first command of a connection",
	},
	{
		.name = "vm-resolve",
		.wire = "vm-resolve",
		.flags = VERB_WIRE | VERB_SEEN,
		.role = ROLE_VIEWER,
		ARGS(ARG_PATTERNS(ARG_WIRE)),
		.help = "the names that names, globs and @tags stand for",
		.more = "Answers {\"names\": [NAME, ...]}; an error if one "
			"of the patterns stands for nothing.",
	},
	{
		.name = "query-version",
		.wire = "query-version",
		.flags = VERB_WIRE,
		.role = ROLE_NONE,
		.help = "the supervisor's version",
	},
	{
		.name = "query-commands",
		.wire = "query-commands",
		.flags = VERB_WIRE,
		.role = ROLE_NONE,
		.help = "the names of all commands",
	},
	{
		.name = "query-schema",
		.wire = "query-schema",
		.flags = VERB_WIRE,
		.role = ROLE_NONE,
		.help = "commands with their arguments, events with members",
	},
};
const size_t nverbs = NELEMS(verbs);
