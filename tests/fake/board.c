/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine of the fake QEMU: run state, devices, block nodes, and the
 * commands that a supervisor uses, with QEMU's own words for its errors.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/fake/fake.h"

static struct {
	const char *status;
	const char *name;
	const char *uuid;
	bool kvm;
	json_t *actions;  /* set-action */
	json_t *devices;  /* id -> arguments */
	json_t *nodes;    /* node-name -> arguments */
	json_t *backends; /* netdev, object: id -> arguments */
	json_t *after;    /* events that follow the reply */
	bool quitting;
} board;

static const char *text_of(json_t *args, const char *member)
{
	const char *text = json_string_value(json_object_get(args, member));

	return text ? text : "";
}

static json_t *refuse(char **desc, const char *fmt, const char *what)
{
	*desc = xasprintf("%s%s%s", fmt, what, *what ? "'" : "");
	return NULL;
}

/* An event after the reply; data is stolen. */
static void later(const char *name, json_t *data)
{
	json_array_append_new(
		board.after, json_pack("{s:s, s:o}", "name", name, "data",
				     data ? data : json_object()));
}

void board_settle(void)
{
	json_t *events = board.after;
	json_t *event;
	size_t i;

	board.after = json_array();
	json_array_foreach(events, i, event) emit(text_of(event, "name"),
		json_incref(json_object_get(event, "data")));
	json_decref(events);
	if (board.quitting)
		exit(0);
}

void board_init(void)
{
	board.status = "running";
	board.name = "fake";
	board.uuid = "00000000-0000-0000-0000-000000000000";
	board.actions = json_object();
	board.devices = json_object();
	board.nodes = json_object();
	board.backends = json_object();
	board.after = json_array();
}

/* "a=b,c=d" into an object. */
static void take_pairs(json_t *into, const char *text)
{
	AUTO_FREE char *copy = xstrdup(text);
	char *rest = copy;

	for (char *pair; (pair = strsep(&rest, ","));) {
		char *value = strchr(pair, '=');

		if (!value)
			continue;
		*value++ = '\0';
		json_object_set_new(into, pair, json_string(value));
	}
}

/* Remembers the argument of -device, -blockdev, -netdev, -object. */
static void take_thing(json_t *into, const char *key, const char *text)
{
	json_t *thing = json_loads(text, 0, NULL);

	if (!thing) {
		thing = json_object();
		take_pairs(thing, text);
	}
	if (*text_of(thing, key))
		json_object_set(into, text_of(thing, key), thing);
	json_decref(thing);
}

void board_option(const char *option, const char *value)
{
	AUTO_JSON json_t *pairs = json_object();

	if (str_eq(option, "-S")) {
		board.status = "prelaunch";
	} else if (str_eq(option, "-incoming")) {
		board.status = "inmigrate";
	} else if (str_eq(option, "-enable-kvm")) {
		board.kvm = true;
	} else if (str_eq(option, "-accel")) {
		board.kvm = str_starts(value, "kvm");
	} else if (str_eq(option, "-uuid")) {
		board.uuid = value;
	} else if (str_eq(option, "-name")) {
		take_pairs(pairs, value);
		board.name = xstrdup(*text_of(pairs, "guest")
					     ? text_of(pairs, "guest")
					     : value);
	} else if (str_eq(option, "-action")) {
		take_pairs(board.actions, value);
	} else if (str_eq(option, "-device")) {
		take_thing(board.devices, "id", value);
	} else if (str_eq(option, "-blockdev")) {
		take_thing(board.nodes, "node-name", value);
	} else if (str_eq(option, "-add-fd")) {
		take_pairs(pairs, value);
		fdsets_put((json_int_t)str_digits(text_of(pairs, "set")),
			(int)str_digits(text_of(pairs, "fd")),
			text_of(pairs, "opaque"));
	} else if (str_eq(option, "-netdev")) {
		take_thing(board.backends, "id", value);
	} else if (str_eq(option, "-object")) {
		take_thing(board.backends, "id", value);
	}
}

/* ---- commands: a new result, or NULL with desc set ---- */

struct request {
	const char *command;
	json_t *args;
	struct port *port;
	const char **class;
	char **desc;
};

static json_t *do_nothing(struct request *rq)
{
	int fd = jstream_take_fd(&rq->port->stream);

	fd_close(&fd);
	return json_object();
}

/* Whatever has to do with migration. */
static json_t *do_migration(struct request *rq)
{
	return migrate_execute(
		rq->command, rq->port, board.name, &board.status, rq->desc);
}

static json_t *do_capabilities(struct request *rq)
{
	*rq->class = "CommandNotFound";
	if (rq->port->negotiated)
		return refuse(rq->desc,
			"Capabilities negotiation is already complete, "
			"command ignored",
			"");
	rq->port->negotiated = true;
	return json_object();
}

static json_t *do_query_status(struct request *rq UNUSED)
{
	return json_pack("{s:s, s:b, s:b}", "status", board.status,
		"singlestep", 0, "running", str_eq(board.status, "running"));
}

static json_t *do_query_kvm(struct request *rq UNUSED)
{
	return json_pack("{s:b, s:b}", "enabled", board.kvm, "present", 1);
}

static json_t *do_query_uuid(struct request *rq UNUSED)
{
	return json_pack("{s:s}", "UUID", board.uuid);
}

static json_t *do_query_name(struct request *rq UNUSED)
{
	return json_pack("{s:s}", "name", board.name);
}

static json_t *do_query_version(struct request *rq UNUSED)
{
	return json_pack("{s:{s:i, s:i, s:i}, s:s}", "qemu", "micro", 22,
		"minor", 2, "major", 7, "package", "Debian 1:7.2+dfsg");
}

static json_t *do_cont(struct request *rq UNUSED)
{
	if (!str_eq(board.status, "running"))
		emit("RESUME", NULL);
	board.status = "running";
	return json_object();
}

static json_t *do_stop(struct request *rq UNUSED)
{
	if (str_eq(board.status, "running")) {
		board.status = "paused";
		emit("STOP", NULL);
	}
	return json_object();
}

static json_t *do_powerdown(struct request *rq UNUSED)
{
	emit("POWERDOWN", NULL);
	if (!str_eq(board.status, "running"))
		return json_object();
	later("SHUTDOWN", json_pack("{s:b, s:s}", "guest", 1, "reason",
				  "guest-shutdown"));
	if (str_eq(text_of(board.actions, "shutdown"), "pause")) {
		later("STOP", NULL);
		board.status = "shutdown";
	} else {
		board.quitting = true;
	}
	return json_object();
}

static json_t *do_reset(struct request *rq UNUSED)
{
	const char *reason = "host-qmp-system-reset";

	if (str_eq(text_of(board.actions, "reboot"), "shutdown")) {
		later("SHUTDOWN",
			json_pack("{s:b, s:s}", "guest", 0, "reason", reason));
		later("STOP", NULL);
		board.status = "shutdown";
		return json_object();
	}
	later("RESET", json_pack("{s:b, s:s}", "guest", 0, "reason", reason));
	if (str_eq(board.status, "shutdown"))
		board.status = "paused";
	return json_object();
}

static json_t *do_quit(struct request *rq UNUSED)
{
	later("SHUTDOWN",
		json_pack("{s:b, s:s}", "guest", 0, "reason", "host-qmp-quit"));
	board.quitting = true;
	return json_object();
}

static json_t *do_set_action(struct request *rq)
{
	json_object_update(board.actions, rq->args);
	return json_object();
}

static json_t *do_blockdev_add(struct request *rq)
{
	const char *name = text_of(rq->args, "node-name");

	if (json_object_get(board.nodes, name))
		return refuse(
			rq->desc, "Duplicate nodes with node-name='", name);
	json_object_set(board.nodes, name, rq->args);
	return json_object();
}

static json_t *do_blockdev_del(struct request *rq)
{
	const char *name = text_of(rq->args, "node-name");
	const char *id;
	json_t *device;

	json_object_foreach(board.devices, id, device)
	{
		if (!str_eq(text_of(device, "drive"), name))
			continue;
		*rq->desc = xasprintf("Node %s is in use", name);
		return NULL;
	}
	if (json_object_del(board.nodes, name) == 0)
		return json_object();
	return refuse(rq->desc, "Failed to find node with node-name='", name);
}

static json_t *do_device_add(struct request *rq)
{
	const char *id = text_of(rq->args, "id");

	if (json_object_get(board.devices, id))
		return refuse(rq->desc, "Duplicate device ID '", id);
	if (*id)
		json_object_set(board.devices, id, rq->args);
	return json_object();
}

static json_t *do_device_del(struct request *rq)
{
	const char *id = text_of(rq->args, "id");
	AUTO_FREE char *path = xasprintf("/machine/peripheral/%s", id);

	*rq->class = "DeviceNotFound";
	if (!json_object_get(board.devices, id))
		*rq->desc = xasprintf("Device '%s' not found", id);
	if (*rq->desc)
		return NULL;
	later("DEVICE_DELETED",
		json_pack("{s:s, s:s}", "device", id, "path", path));
	json_object_del(board.devices, id);
	return json_object();
}

static json_t *do_backend_add(struct request *rq)
{
	const char *id = text_of(rq->args, "id");

	if (json_object_get(board.backends, id))
		return refuse(rq->desc, "Duplicate ID '", id);
	json_object_set(board.backends, id, rq->args);
	return json_object();
}

static json_t *do_backend_del(struct request *rq)
{
	const char *id = text_of(rq->args, "id");

	*rq->class = "DeviceNotFound";
	if (json_object_del(board.backends, id) == 0)
		return json_object();
	*rq->desc = xasprintf("Device '%s' not found", id);
	return NULL;
}

static json_t *do_add_fd(struct request *rq)
{
	static int next = 100;
	int fd = jstream_take_fd(&rq->port->stream);
	json_t *set = json_object_get(rq->args, "fdset-id");
	json_int_t id = set ? json_integer_value(set) : next++;

	if (fd < 0)
		return refuse(rq->desc,
			"No file descriptor supplied via SCM_RIGHTS", "");
	fdsets_put(id, fd, text_of(rq->args, "opaque"));
	return json_pack("{s:I, s:i}", "fdset-id", id, "fd", fd);
}

static json_t *do_remove_fd(struct request *rq)
{
	json_t *set = json_object_get(rq->args, "fdset-id");

	if (fdsets_remove(json_integer_value(set)))
		return json_object();
	return refuse(rq->desc, "File descriptor named 'fdset-id:", "?");
}

static json_t *do_query_fdsets(struct request *rq UNUSED)
{
	return fdsets_list();
}

static json_t *do_query_block(struct request *rq UNUSED)
{
	json_t *list = json_array();
	const char *id;
	json_t *device;

	json_object_foreach(board.devices, id, device)
	{
		AUTO_FREE char *path = xasprintf("/machine/peripheral/%s", id);

		if (!*text_of(device, "drive"))
			continue;
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:b, s:b, s:s, s:{s:s, s:s}}",
				"device", "", "qdev", path, "locked", 0,
				"removable", 0, "type", "unknown", "inserted",
				"node-name", text_of(device, "drive"), "drv",
				"qcow2"));
	}
	return list;
}

static json_t *do_query_nodes(struct request *rq UNUSED)
{
	json_t *list = json_array();
	const char *name;
	json_t *node;

	json_object_foreach(board.nodes, name, node) json_array_append_new(
		list, json_pack("{s:s, s:s, s:b}", "node-name", name, "drv",
			      text_of(node, "driver"), "ro", 0));
	return list;
}

/* One vCPU; QEMU's own thread stands for it. */
static json_t *do_query_cpus(struct request *rq UNUSED)
{
	return json_pack("[{s:i, s:i, s:s}]", "cpu-index", 0, "thread-id",
		(int)getpid(), "qom-path", "/machine/unattached/device[0]");
}

/* Each disk has read 512 bytes for each time that somebody asked. */
static json_t *do_query_blockstats(struct request *rq UNUSED)
{
	static int asked;
	json_t *list = json_array();
	const char *id;
	json_t *device;

	asked++;
	json_object_foreach(board.devices, id, device)
	{
		AUTO_FREE char *path =
			xasprintf("/machine/peripheral/%s/virtio-backend", id);

		if (!*text_of(device, "drive"))
			continue;
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:{s:i, s:i, s:i}}",
				"device", "", "qdev", path, "node-name",
				text_of(device, "drive"), "stats", "rd_bytes",
				512 * asked, "rd_operations", asked,
				"rd_total_time_ns", 1000000 * asked));
	}
	return list;
}

static json_t *do_query_balloon(struct request *rq)
{
	if (json_object_get(board.devices, "balloon0"))
		return json_pack("{s:i}", "actual", 64 << 20);
	*rq->class = "DeviceNotActive";
	return refuse(rq->desc, "No balloon device has been activated", "");
}

/* The guest reports its total; the rest is 2^64-1, which no integer holds. */
static json_t *do_qom_get(struct request *rq)
{
	*rq->class = "DeviceNotFound";
	if (!json_object_get(board.devices, "balloon0") ||
		!str_eq(text_of(rq->args, "property"), "guest-stats"))
		return refuse(rq->desc, "Device '", text_of(rq->args, "path"));
	return json_pack("{s:{s:i, s:f}, s:i}", "stats", "stat-total-memory",
		60 << 20, "stat-free-memory", 18446744073709551615.0,
		"last-update", 1);
}

static json_t *do_qom_list(struct request *rq)
{
	json_t *list = json_array();
	const char *id;
	json_t *device;

	if (!str_eq(text_of(rq->args, "path"), "/machine/peripheral"))
		return list;
	json_object_foreach(board.devices, id, device)
	{
		AUTO_FREE char *type =
			xasprintf("child<%s>", text_of(device, "driver"));

		json_array_append_new(list,
			json_pack("{s:s, s:s}", "name", id, "type", type));
	}
	return list;
}

static json_t *do_yank(struct request *rq)
{
	json_t *list = json_object_get(rq->args, "instances");
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		struct port *port = port_by_id(text_of(item, "id"));

		if (port && port != rq->port)
			port_drop(port);
	}
	return json_object();
}

static json_t *do_fake(struct request *rq)
{
	script_line(text_of(rq->args, "line"));
	return json_object();
}

/* The serial ports, monitors and the agent, which no guest has open. */
static json_t *do_query_chardev(struct request *rq UNUSED)
{
	json_t *list = json_array();

	for (size_t i = 0; port_at(i); i++)
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:b}", "label", port_at(i)->id,
				"filename", "unix:,server=on", "frontend-open",
				!str_eq(port_at(i)->id, "agent")));
	return list;
}

static json_t *give_empty_list(struct request *rq UNUSED)
{
	return json_array();
}

static json_t *give_empty_text(struct request *rq UNUSED)
{
	return json_string("");
}

static const struct {
	const char *name;
	json_t *(*run)(struct request *rq);
} commands[] = {
	{ "qmp_capabilities", do_capabilities },
	{ "query-status", do_query_status },
	{ "query-kvm", do_query_kvm },
	{ "query-uuid", do_query_uuid },
	{ "query-name", do_query_name },
	{ "query-version", do_query_version },
	{ "cont", do_cont },
	{ "stop", do_stop },
	{ "system_powerdown", do_powerdown },
	{ "system_reset", do_reset },
	{ "quit", do_quit },
	{ "set-action", do_set_action },
	{ "blockdev-add", do_blockdev_add },
	{ "blockdev-del", do_blockdev_del },
	{ "device_add", do_device_add },
	{ "device_del", do_device_del },
	{ "netdev_add", do_backend_add },
	{ "netdev_del", do_backend_del },
	{ "object-add", do_backend_add },
	{ "object-del", do_backend_del },
	{ "add-fd", do_add_fd },
	{ "remove-fd", do_remove_fd },
	{ "getfd", do_migration },
	{ "migrate", do_migration },
	{ "migrate-incoming", do_migration },
	{ "migrate_cancel", do_migration },
	{ "query-migrate", do_migration },
	{ "migrate-set-parameters", do_nothing },
	{ "migrate-set-capabilities", do_nothing },
	{ "closefd", do_nothing },
	{ "set_link", do_nothing },
	{ "balloon", do_nothing },
	{ "send-key", do_nothing },
	{ "query-block", do_query_block },
	{ "query-named-block-nodes", do_query_nodes },
	{ "query-chardev", do_query_chardev },
	{ "query-cpus-fast", do_query_cpus },
	{ "query-blockstats", do_query_blockstats },
	{ "query-balloon", do_query_balloon },
	{ "query-stats", give_empty_list },
	{ "block-set-write-threshold", do_nothing },
	{ "qom-get", do_qom_get },
	{ "qom-set", do_nothing },
	{ "qom-list", do_qom_list },
	{ "yank", do_yank },
	{ "query-fdsets", do_query_fdsets },
	{ "query-jobs", give_empty_list },
	{ "query-block-jobs", give_empty_list },
	{ "human-monitor-command", give_empty_text },
	{ "x-fake", do_fake },
};

json_t *board_execute(const char *command, json_t *args, struct port *port,
	const char **class, char **desc)
{
	struct request rq = { command, args, port, class, desc };

	*class = "GenericError";
	for (size_t i = 0; i < NELEMS(commands); i++)
		if (str_eq(commands[i].name, command) &&
			(port->negotiated || i == 0))
			return commands[i].run(&rq);
	*class = "CommandNotFound";
	if (!port->negotiated)
		return refuse(desc,
			"Expecting capabilities negotiation with "
			"'qmp_capabilities'",
			"");
	*desc = xasprintf("The command %s has not been found", command);
	return NULL;
}
