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
#define ARG_DISK    TEXT("disk", 0, 0, "the N of its section [disk.N]")
#define ARG_RUNTIME FLAG("runtime", 0, OPTION, "only until the VM stops")
#define ARG_NO_DEPS FLAG("no-deps", 0, OPTION, "leave the other VMs alone")
#define ARG_TIMEOUT(help)                                      \
	{                                                      \
		"timeout", ARG_DURATION, OPTION, 0, NULL, help \
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
#define NETWORKS  "Networks"
#define TALK      "Talk to a VM"
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
		.flags = VERB_MANY | VERB_CHANGES | VERB_LONG | VERB_OWNER,
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
			{ "cdrom", ARG_FILE, OPTION, 0, NULL,
				"boot from this disc until it reboots" },
			ARG_NO_DEPS, ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME... [--paused] [--wait[=ready|running|agent|ip]]"
			 " [--timeout D] [--console] [--ephemeral] "
			 "[--cdrom ISO] [--no-deps]",
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
		.flags = VERB_MANY | VERB_CHANGES | VERB_OWNER | VERB_ASKS_MANY,
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
	},
	{
		.name = "reset-failed",
		.wire = "vm-reset-failed",
		.flags = VERB_MANY | VERB_CHANGES | VERB_OWNER,
		.role = ROLE_OPERATOR,
		.group = RUN,
		ARGS(ARG_DRY_RUN),
		.usage = "NAME...",
		.help = "forget failures: failed becomes stopped",
	},

	/* ---- configure ---- */
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
			{ "cdrom", ARG_FILE, ARG_OPTION, 0, NULL,
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
			"a VM that is running are copied by its QEMU, all as "
			"of one instant (as after a power cut), while it runs "
			"on.",
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
			ARG_DRY_RUN),
		.usage = "NAME SECTION.KEY=VALUE...",
		.help = "set keys in the VM's drop-in",
	},
	{
		.name = "unset",
		.wire = "vm-unset",
		.flags = VERB_ONE | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = CONFIGURE,
		ARGS({ "keys", ARG_WORDS, 0, 0, NULL, "SECTION.KEY words" },
			ARG_DRY_RUN),
		.usage = "NAME SECTION.KEY...",
		.help = "take keys out of the VM's drop-in",
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

	/* ---- devices ---- */
	{
		.name = "disk list",
		.wire = "vm-disk-list",
		.flags = VERB_ONE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = DEVICES,
		.usage = "NAME",
		.help = "its disks",
	},
	{
		.name = "disk attach",
		.wire = "vm-disk-attach",
		.aliases = "attach-disk",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = DEVICES,
		ARGS(ARG_DISK,
			{ "pairs", ARG_PAIRS, ARG_OPTIONAL, 0, NULL,
				"KEY=VALUE words, the keys of [disk.N]" },
			ARG_RUNTIME, ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME DISK [KEY=VALUE...] [--runtime]",
		.help = "plug a disk in: disk attach web data size=10G",
	},
	{
		.name = "disk detach",
		.wire = "vm-disk-detach",
		.aliases = "detach-disk",
		.flags = VERB_ONE | VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = DEVICES,
		ARGS(ARG_DISK, ARG_TIMEOUT("how long to wait for the guest"),
			ARG_RUNTIME, ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME DISK [--timeout D] [--runtime]",
		.help = "unplug a disk and close its image",
	},
	{
		.name = "disk resize",
		.wire = "vm-disk-resize",
		.aliases = "blockresize",
		.flags = VERB_ONE | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = DEVICES,
		ARGS(ARG_DISK, { "size", ARG_SIZE, 0, 0, NULL, "the new size" },
			ARG_DRY_RUN),
		.usage = "NAME DISK SIZE",
		.help = "make a disk larger, also of a running VM",
	},
	{
		.name = "disk accept",
		.wire = "vm-disk-accept",
		.flags = VERB_ONE | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = DEVICES,
		ARGS(ARG_DISK, ARG_DRY_RUN),
		.usage = "NAME DISK",
		.help = "take what a disk is on top of by its headers",
	},
	{
		.name = "nic list",
		.wire = "vm-nic-list",
		.aliases = "domiflist",
		.flags = VERB_ONE | VERB_OWNER,
		.role = ROLE_VIEWER,
		.group = DEVICES,
		.usage = "NAME",
		.help = "its nics, their taps and forwards",
	},
	{
		.name = "nic link",
		.wire = "vm-nic-link",
		.aliases = "domif-setlink",
		.flags = VERB_ONE | VERB_CHANGES,
		.role = ROLE_ADMIN,
		.group = DEVICES,
		ARGS(TEXT("nic", 0, 0, "the N of its section [net.N]"),
			{ "link", ARG_STRING, 0, 0, "up|down",
				"the cable: up is plugged in" },
			ARG_RUNTIME, ARG_DRY_RUN),
		.usage = "NAME NIC up|down [--runtime]",
		.help = "plug the cable of a nic in or out, also of a running "
			"VM",
	},

	/* ---- images ---- */
	{
		.name = "image list",
		.wire = "image-list",
		.role = ROLE_VIEWER,
		.group = IMAGES,
		ARGS(FLAG("tree", 0, LOCAL, "overlays below their bases"),
			TEXT("pool", 0, OPTION, "only those of this pool"),
			TEXT("columns", 'o', LOCAL,
				"the columns to print, comma-separated")),
		.usage = "[--tree] [--pool P] [-o COLS]",
		.help = "the images of the pools, and who needs them",
	},
	{
		.name = "image info",
		.wire = "image-info",
		.role = ROLE_VIEWER,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			ARG_FORMAT("format", "its format"), ARG_POOL),
		.usage = "IMAGE [--format F] [--pool P]",
		.help = "size, base, snapshots and state of an image",
		.more = "IMAGE with a slash is a path, which takes the role "
			"admin; without one it is a volume of a pool.  Its "
			"suffix tells its format, else --format does: the "
			"first bytes of an image are never believed, they may "
			"be a guest's.",
	},
	{
		.name = "image create",
		.wire = "image-create",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "its name"),
			{ "size", ARG_SIZE, ARG_OPTIONAL, 0, NULL,
				"default: that of the base" },
			ARG_IMAGE("base", OPTION, "the image below it"),
			ARG_FORMAT("base-format", "the base's format"),
			ARG_FORMAT("format", "its format"), ARG_LAYOUT,
			ARG_SECRET("secret-file",
				"encrypt it (LUKS); a file with the secret"),
			ARG_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "IMAGE [SIZE] [--base IMAGE] [--format F] "
			 "[--preallocation P] [--cluster-size N] "
			 "[--extended-l2] [--compression C] "
			 "[--secret-file FILE] "
			 "[--pool P]",
		.help = "make an image: image create data.qcow2 10G",
		.more = "A secret is UTF-8, at most 1024 bytes; the line end "
			"at its end does not count.  Its file may be read by "
			"its owner only.",
	},
	{
		.name = "image resize",
		.wire = "image-resize",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			{ "size", ARG_SIZE, 0, 0, NULL, "the new size" },
			FLAG("shrink", 0, OPTION,
				"cut its end off, with what is in it"),
			ARG_FORMAT("format", "its format"),
			ARG_SECRET("secret-file", "a file with its secret"),
			ARG_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "IMAGE SIZE [--shrink] [--format F] "
			 "[--secret-file FILE] "
			 "[--pool P]",
		.help = "change the size of an image that nobody uses",
	},
	{
		.name = "image check",
		.wire = "image-check",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_OPERATOR,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			TEXT_OF("repair", "leaks|all", "correct what is wrong"),
			ARG_FORMAT("format", "its format"),
			ARG_SECRET("secret-file", "a file with its secret"),
			ARG_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "IMAGE [--repair leaks|all] [--format F] "
			 "[--secret-file FILE] "
			 "[--pool P]",
		.help = "look for errors in an image; exit 1 if there are any",
		.more = "--repair leaks frees what nothing refers to.  "
			"--repair all may guess: copy the image first.",
	},
	{
		.name = "image convert",
		.wire = "image-convert",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "what is copied"),
			ARG_IMAGE("new", 0, "the copy's name"),
			ARG_FORMAT("format", "its format"),
			ARG_FORMAT("to", "the copy's format"),
			FLAG("compress", 0, OPTION, "compress the copy"),
			ARG_LAYOUT,
			ARG_SECRET("secret-file", "a file with its secret"),
			ARG_SECRET(
				"new-secret-file", "encrypt the copy (LUKS)"),
			ARG_POOL, ARG_TO_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "IMAGE NEW [--format F] [--to F] [--compress] "
			 "[--preallocation P] [--cluster-size N] "
			 "[--extended-l2] [--compression C] "
			 "[--secret-file FILE] [--new-secret-file FILE] "
			 "[--pool P] [--to-pool P]",
		.help = "copy an image into another format",
	},
	{
		.name = "image clone",
		.wire = "image-clone",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "what is cloned"),
			ARG_IMAGE("new", 0, "the clone's name"),
			FLAG("full", 0, OPTION,
				"copy it; else the clone needs it"),
			FLAG("reflink", 0, OPTION,
				"copy it by sharing its blocks"),
			ARG_FORMAT("format", "its format"),
			ARG_FORMAT("to", "the clone's format"), ARG_POOL,
			ARG_TO_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "IMAGE NEW [--full|--reflink] [--format F] [--to F] "
			 "[--pool P] [--to-pool P]",
		.help = "an image on top of another, or a copy of it",
	},
	{
		.name = "image rebase",
		.wire = "image-rebase",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			ARG_IMAGE("base", 0, "what it is to be on top of"),
			FLAG("unsafe", 0, OPTION,
				"write only the new base's name"),
			ARG_FORMAT("base-format", "the base's format"),
			ARG_FORMAT("format", "its format"), ARG_POOL, ARG_JOB,
			ARG_DRY_RUN),
		.usage = "IMAGE BASE [--unsafe] [--base-format F] [--format F] "
			 "[--pool P]",
		.help = "put an image on top of another base",
		.more = "What a guest reads stays the same: where the two "
			"bases differ, the image gets what the old one had.  "
			"--unsafe only writes the name, for a base that was "
			"moved: if its content differs, the image is spoilt.",
	},
	{
		.name = "image flatten",
		.wire = "image-flatten",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			ARG_FORMAT("format", "its format"), ARG_POOL, ARG_JOB,
			ARG_DRY_RUN),
		.usage = "IMAGE [--format F] "
			 "[--pool P]",
		.help = "copy into an image what it has from its base",
	},
	{
		.name = "image commit",
		.wire = "image-commit",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			FLAG("keep", 0, OPTION,
				"do not empty the image afterwards"),
			ARG_FORMAT("format", "its format"), ARG_POOL, ARG_JOB,
			ARG_DRY_RUN),
		.usage = "IMAGE [--keep] [--format F] "
			 "[--pool P]",
		.help = "write an image into its base",
		.more = "Nothing else may need the base.  The image stays on "
			"top of it, empty.  Asks "
			"first: the base is not what it was.",
	},
	{
		.name = "image compare",
		.wire = "image-compare",
		.flags = VERB_LONG,
		.role = ROLE_OPERATOR,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			ARG_IMAGE("other", 0, "what it is compared with"),
			FLAG("strict", 0, OPTION,
				"sizes and holes must be the same too"),
			ARG_FORMAT("format", "its format"),
			ARG_FORMAT("other-format", "the other's format"),
			ARG_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "IMAGE OTHER [--strict] [--format F] "
			 "[--other-format F] "
			 "[--pool P]",
		.help = "whether two images read the same; exit 8 if not",
	},
	{
		.name = "image map",
		.wire = "image-map",
		.flags = VERB_LONG,
		.role = ROLE_OPERATOR,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			ARG_FORMAT("format", "its format"), ARG_POOL, ARG_JOB,
			ARG_DRY_RUN),
		.usage = "IMAGE [--format F] "
			 "[--pool P]",
		.help = "which parts of an image have data, and where it is",
		.more = "The totals count all parts; of the parts themselves "
			"the first 256 are told.",
	},
	{
		.name = "image delete",
		.wire = "image-delete",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(ARG_IMAGE("image", 0, "a volume of the pool, or a path"),
			ARG_FORMAT("format", "its format"), ARG_POOL, ARG_JOB,
			ARG_DRY_RUN),
		.usage = "IMAGE [--format F] [--pool P]",
		.help = "delete an image that nothing needs",
	},

	{
		.name = "image import",
		.wire = "image-import",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS({ "file", ARG_FILE, ARG_OPENED, 0, NULL, "the file" },
			TEXT("name", 0, OPTION,
				"the volume's; default: the file's, in its "
				"new format"),
			ARG_FORMAT("format", "the file's format"),
			ARG_FORMAT("to", "the volume's format"),
			FLAG("compress", 0, OPTION, "compress the copy"),
			FLAG("with-snapshots", 0, OPTION,
				"take the present state of one that has "
				"snapshots inside"),
			TEXT("disk", 0, OPTION,
				"which of the .vmdk files in an .ova"),
			ARG_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "FILE|OVA [--name N] [--format F] [--to F] "
			 "[--compress] [--with-snapshots] [--disk N] "
			 "[--pool P]",
		.help = "copy an image from outside into a pool",
		.more = "For images that somebody else made.  vmward opens the "
			"file and sends its descriptor: what you may not read "
			"is not read for you.  What could read other files of "
			"this host is refused: backing and data files, "
			"extents, and what is no plain file; so "
			"are encrypted images and sizes that make no sense.  "
			"qemu-img works on the rest in a cage: it can open "
			"the file and its copy, has no network, and limits of "
			"memory and time.  Another format is told by --format "
			"or the suffix, never by what is inside.  Of an "
			"archive (.ova) a disk is read in its place.",
	},
	{
		.name = "image pull",
		.wire = "image-pull",
		.flags = VERB_CHANGES | VERB_LONG,
		.role = ROLE_ADMIN,
		.group = IMAGES,
		ARGS(TEXT("source", 0, 0, "a name of the catalogue or a URL"),
			TEXT("sha256", 0, OPTION,
				"64 digits, as sha256sum prints them; for a "
				"URL"),
			TEXT("name", 0, OPTION,
				"the volume's; default: the source's, in its "
				"new format"),
			ARG_FORMAT("format", "what is fetched"),
			ARG_FORMAT("to", "the volume's format"),
			FLAG("compress", 0, OPTION, "compress the copy"),
			FLAG("with-snapshots", 0, OPTION,
				"take the present state of one that has "
				"snapshots inside"),
			ARG_POOL, ARG_JOB, ARG_DRY_RUN),
		.usage = "NAME|URL [--sha256 HEX] [--name N] [--format F] "
			 "[--to F] [--compress] [--pool P]",
		.help = "fetch an image and take it into a pool",
		.more = "NAME is a section of catalogue.ini, beside the "
			"directories of the host's configuration, with the "
			"keys url, sha256 and perhaps format; a URL is "
			"https://, http:// or file:///, with --sha256.  curl "
			"fetches it in a cage; what has another sha256 is "
			"thrown away.  The rest is kept in the cache (cache/ "
			"in the state's directory, whose files may be "
			"deleted), looked at again at each use, and imported "
			"as image import does it.",
	},
	{
		.name = "pool list",
		.wire = "pool-list",
		.aliases = "pool-list",
		.role = ROLE_VIEWER,
		.group = IMAGES,
		ARGS(TEXT("columns", 'o', LOCAL,
			"the columns to print, comma-separated")),
		.usage = "[-o COLS]",
		.help = "the pools that images are in, and their space",
		.more = "CAPACITY is that of the file system, or the quota if "
			"that is less; VIRTUAL what the guests of all its "
			"images may fill, OVERCOMMIT the share of the "
			"capacity that this is.",
	},
	{
		.name = "pool info",
		.wire = "pool-info",
		.aliases = "pool-info",
		.role = ROLE_VIEWER,
		.group = IMAGES,
		ARGS(TEXT("pool", 0, ARG_OPTIONAL,
			"its name; default: "
			"default")),
		.usage = "[NAME]",
		.help = "one pool, its space and its images",
	},

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
		.flags = VERB_WIRE,
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
