/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket: clients and their requests; see control.h. */
#include "supervisor/control.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/arguments.h"
#include "supervisor/audit.h"
#include "supervisor/client.h"
#include "supervisor/held.h"
#include "supervisor/roles.h"

#define CLIENTS_MAX        64
#define CLIENTS_FOR_ADMINS 4 /* kept free of others */
#define PER_UID            8
#define PER_ROOT           32
#define ACCEPT_AGAIN_MS    100 /* after EMFILE */
#define REQUESTS_MAX       128 /* under way per client */

/* ---- requests ---- */

static const struct handler *find_handler(
	const struct control *control, const char *wire)
{
	for (const struct handler *h = control->handlers; h->wire; h++) {
		if (str_eq(h->wire, wire))
			return h;
	}
	return NULL;
}

static bool may(const struct client *client, const struct verb *verb,
	const char *vm_name)
{
	if (str_eq(verb->wire, "qmp_capabilities") || verb->flags & VERB_SEEN)
		return true;
	return client_role_for(client, vm_name) >= verb->role;
}

/* The VM that a request is about, by its name, its job or its request; "". */
static const char *subject_of(
	const struct client *client, const struct verb *verb, json_t *args)
{
	bool of_vm = verb->flags & (VERB_ONE | VERB_MANY);
	const char *vm =
		json_string_value(of_vm ? json_object_get(args, "vm") : NULL);
	const char *id = json_string_value(json_object_get(args, "job"));
	json_t *began = json_object_get(args, "request");
	struct job *job =
		id ? registry_find_job(client->control->registry, id) : NULL;

	if (vm || job)
		return vm ? vm : str_or(job->target, "");
	list_each(&client->requests, it, next) {
		const struct request *rq = list_entry(it, struct request, link);

		if (began && rq->id && rq->vm && json_equal(rq->id, began))
			return rq->vm->name;
	}
	return "";
}

/* Checks what a message must have before anything is done for it. */
static const struct verb *check_message(
	struct client *client, json_t *message, json_t **args, struct err *err)
{
	const char *execute = arguments_check_envelope(message, err);
	const struct verb *verb;

	if (!execute)
		return NULL;
	if (!client->negotiated && !str_eq(execute, "qmp_capabilities")) {
		err_set(err, ERR_UNSUPPORTED,
			"Expecting capabilities negotiation with "
			"'qmp_capabilities'");
		return NULL;
	}
	if (client->negotiated && str_eq(execute, "qmp_capabilities")) {
		err_set(err, ERR_UNSUPPORTED,
			"Capabilities negotiation is already complete, "
			"command ignored");
		return NULL;
	}
	verb = verb_by_wire(execute);
	if (!verb || !find_handler(client->control, execute)) {
		err_set(err, ERR_UNSUPPORTED,
			"The command %s has not been found", execute);
		return NULL;
	}
	*args = json_object_get(message, "arguments");
	if (!may(client, verb, subject_of(client, verb, *args)))
		err_set(err, ERR_DENIED,
			"%s takes role %s: ask root, who may name you in "
			"[roles] of vmward.ini",
			execute, role_name(verb->role));
	else if (!arguments_check(verb, *args, err))
		return verb;
	audit_error(&client->peer, verb, *args, err);
	return NULL;
}

static void run_handler(struct request *rq)
{
	const struct handler *handler =
		find_handler(rq->control, rq->verb->wire);

	BUG_ON(!handler);
	rq->in_handler = true;
	handler->run(rq);
	rq->in_handler = false;
	if (rq->answered)
		request_dispose(rq);
}

static void on_asked(struct far_wait *wait)
{
	run_handler(container_of(wait, struct request, far));
}

static void begin(struct request *rq)
{
	if (!far_concerns(rq->verb->wire) ||
		!far_ask(request_registry(rq), &rq->far, on_asked))
		run_handler(rq);
}

void control_dispatch(struct client *client, json_t *message)
{
	struct err err = ERR_INIT;
	json_t *args = NULL;
	json_t *id = json_object_get(message, "id");
	const struct verb *verb = check_message(client, message, &args, &err);
	struct request *rq;

	if (verb && client->nrequests >= REQUESTS_MAX) {
		err_set(&err, ERR_LIMIT, "too many requests under way");
		verb = NULL;
	}
	if (!verb) {
		client_send_error(client, &err, id);
		return;
	}
	rq = NEW(struct request);
	rq->control = client->control;
	rq->client = client;
	rq->verb = verb;
	rq->id = json_incref(id);
	rq->args = args ? json_incref(args) : json_object();
	request_receive_file(rq);
	rq->role = client_role_for(client, "");
	rq->peer = client->peer;
	rq->began_ms = loop_now_ms();
	list_add(&client->requests, &rq->link);
	client->nrequests++;
	if (!held_begin(rq, begin))
		begin(rq);
}

static void on_message(struct client *client, json_t *message, const char *why)
{
	struct err err = ERR_INIT;

	if (message) {
		control_dispatch(client, message);
		return;
	}
	err_set(&err, ERR_USAGE, "%s%s", str_starts(why, "input") ? "QMP " : "",
		why);
	client_send_error(client, &err, NULL);
}

/* What it began goes on, for its audit line; what only waits ends. */
static void on_leave(struct client *client)
{
	list_each(&client->requests, it, next) {
		struct request *rq = list_entry(it, struct request, link);

		if (rq->held || (vm_is_watched_by(&rq->watch) &&
					!(rq->verb->flags & VERB_CHANGES))) {
			request_free(rq);
			continue;
		}
		rq->client = NULL;
		list_del(&rq->link);
		list_add(&client->control->orphans, &rq->link);
	}
}

/* The id of the client's own request that began the job: for him alone. */
static json_t *request_of_job(const struct client *client, const char *id)
{
	uint64_t number = id && *id == 'j' ? str_digits(id + 1) : 0;

	list_each(&client->requests, it, next) {
		const struct request *rq = list_entry(it, struct request, link);
		const struct job *job = rq->began_op ? rq->vm->op : rq->job;

		if (job && job->id == number)
			return rq->id;
	}
	return NULL;
}

/* ---- accepting ---- */

static unsigned count_uid(const struct control *control, uid_t uid)
{
	unsigned n = 0;

	list_each(&control->clients, it, next)
		n += list_entry(it, struct client, link)->peer.uid == uid;
	return n;
}

static const char *refusal(
	const struct control *control, const struct client *client)
{
	unsigned per_uid = client->peer.uid == 0 ? PER_ROOT : PER_UID;
	unsigned room = client->role >= ROLE_ADMIN
				? CLIENTS_MAX
				: CLIENTS_MAX - CLIENTS_FOR_ADMINS;

	if (roles_are_of_vm(client->role, client->peer.uid,
		    registry_env(control->registry)))
		return "a QEMU is served nothing";
	if (control->nclients > room)
		return "too many clients";
	if (count_uid(control, client->peer.uid) > per_uid)
		return "too many clients of your user";
	return NULL;
}

static void send_greeting(struct client *client)
{
	json_t *greeting = json_pack("{s:{s:{s:{s:i,s:i,s:i},s:s},s:[s]}}",
		"QMP", "version", "qemu", "major", VMWARD_MAJOR, "minor",
		VMWARD_MINOR, "micro", VMWARD_MICRO, "package",
		"vmward " VMWARD_VERSION, "capabilities", "vmward");

	client_send(client, greeting);
	json_decref(greeting);
}

static void refuse(struct client *client, const char *why)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_LIMIT, "%s", why);
	client_send_error(client, &err, NULL);
	client_free(client);
}

static void add_client(struct control *control, int fd)
{
	struct client *client = client_new(control, fd);
	const char *why = refusal(control, client);

	if (why) {
		refuse(client, why);
		return;
	}
	client_await_greeting(client);
	/* a cold command has sent all by now: it wakes up once, for all */
	jstream_hold(&client->stream);
	send_greeting(client);
	jstream_turn(&client->stream);
}

static void on_accept(struct loop_io *io, int events);

static void on_accept_again(struct loop_timer *timer)
{
	struct control *c = container_of(timer, struct control, accept_again);

	c->accept_failed = true;
	loop_io_start(&c->io, c->fd, LOOP_READ, on_accept);
}

static void on_accept(struct loop_io *io, int events UNUSED)
{
	struct control *control = container_of(io, struct control, io);
	int fd = sys_accept(control->fd);

	if (fd >= 0) {
		control->accept_failed = false;
		add_client(control, fd);
		return;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		errno == ENOBUFS) {
		if (!control->accept_failed)
			log_warn(NULL, "cannot accept clients: %s",
				strerror(errno));
		loop_io_stop(&control->io); /* else this would spin */
		loop_timer_start(&control->accept_again, ACCEPT_AGAIN_MS,
			on_accept_again);
	}
}

struct control *control_new(
	struct registry *registry, const struct handler *handlers)
{
	struct control *control = NEW(struct control);

	control->registry = registry;
	control->handlers = handlers;
	control->fd = -1;
	list_init(&control->clients);
	list_init(&control->orphans);
	control->on_message = on_message;
	control->request_of_job = request_of_job;
	control->on_leave = on_leave;
	return control;
}

int control_listen(struct control *control, const char *path, struct err *err)
{
	int fd = sock_listen(path, 0666, 64, err);

	if (fd < 0)
		return -1;
	control_accept(control, fd, path, false);
	return 0;
}

void control_accept(
	struct control *control, int fd, const char *path, bool inherited)
{
	control->inherited = inherited;
	control->fd = fd;
	control->path = xstrdup(path);
	loop_io_start(&control->io, fd, LOOP_READ, on_accept);
}

void control_free(struct control *control)
{
	if (!control)
		return;
	list_each(&control->clients, it, next)
		client_free(list_entry(it, struct client, link));
	list_each(&control->orphans, it2, next2)
		request_free(list_entry(it2, struct request, link));
	loop_io_stop(&control->io);
	loop_timer_stop(&control->accept_again);
	if (control->path && !control->inherited)
		sys_unlinkat(-100, control->path, 0);
	fd_close(&control->fd);
	free(control->path);
	free(control);
}
