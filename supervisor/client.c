/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clients of the control socket; see client.h. */
#include "supervisor/client.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "supervisor/registry.h"
#include "supervisor/report.h"
#include "supervisor/roles.h"

#define GREETING_MS 10000

void client_free(struct client *client)
{
	client->control->on_leave(client);
	events_unsubscribe(&client->events);
	loop_timer_stop(&client->greeting);
	loop_timer_stop(&client->giving_up);
	jstream_close(&client->stream);
	list_del(&client->link);
	client->control->nclients--;
	free(client);
}

static void on_giving_up(struct loop_timer *timer)
{
	client_free(container_of(timer, struct client, giving_up));
}

/* A client that does not read would miss answers: it is closed, later. */
static void check_sent(struct client *client, int rc, const struct err *err)
{
	if (!rc || loop_timer_is_active(&client->giving_up))
		return;
	log_debug(client->name, "%s", err->text);
	if (err->code != ERR_GONE)
		loop_timer_start(&client->giving_up, 0, on_giving_up);
}

void client_send(struct client *client, const json_t *message)
{
	struct err err = ERR_INIT;
	int rc = jstream_send(&client->stream, message, -1, &err);

	check_sent(client, rc, &err);
}

/* Only of VMs that the client may look at. */
static void on_event(struct events_sub *sub, const struct event *event)
{
	struct client *client = container_of(sub, struct client, events);
	const char *vm = json_string_value(json_object_get(event->data, "vm"));
	json_t *id = client->control->request_of_job(
		client, json_string_value(json_object_get(event->data, "job")));
	AUTO_FREE char *text =
		id ? events_text_with(event, "request", id) : NULL;
	AUTO_FREE char *line = NULL;
	struct err err = ERR_INIT;

	if (client_role_for(client, str_or(vm, "")) < ROLE_VIEWER)
		return;
	line = xasprintf(
		"%s%s", text ? text : event->text, client->stream.line_end);
	check_sent(client,
		jstream_send_text(
			&client->stream, line, strlen(line), -1, &err),
		&err);
}

static void on_stream_end(struct jstream *js, const struct err *err)
{
	struct client *client = js->owner;

	if (err->code)
		log_debug(client->name, "%s", err->text);
	client_free(client);
}

static void on_greeting_timeout(struct loop_timer *timer)
{
	client_free(container_of(timer, struct client, greeting));
}

/* ---- replies ---- */

static void send_reply(struct client *client, json_t *reply, json_t *id)
{
	if (reply && id)
		json_object_set(reply, "id", id);
	if (reply)
		client_send(client, reply);
	json_decref(reply);
}

void client_send_error(struct client *client, const struct err *err, json_t *id)
{
	send_reply(client, report_error(err), id);
}

void client_reply_steal(struct client *client, json_t *result, json_t *id)
{
	send_reply(client,
		json_pack("{s:o}", "return", result ? result : json_object()),
		id);
}

/* The same line that send_reply() would make. */
void client_reply_text(struct client *client, const char *result, json_t *id)
{
	AUTO_FREE char *id_text =
		id ? jstream_text(id, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	AUTO_STR struct str line = STR_INIT;
	struct err err = ERR_INIT;
	int rc;

	str_add(&line, "{\"return\":");
	str_add(&line, result);
	if (id_text)
		str_addf(&line, ",\"id\":%s", id_text);
	str_addc(&line, '}');
	str_add(&line, client->stream.line_end);
	rc = jstream_send_text(&client->stream, line.data, line.len, -1, &err);
	check_sent(client, rc, &err);
}

/* ---- peers ---- */

enum role client_role_for(const struct client *client, const char *vm_name)
{
	struct vm *vm = registry_find(client->control->registry, vm_name);

	if (client->peer.uid == 0)
		return ROLE_ADMIN;
	return roles_of_peer(client->stream.fd,
		vm && vm->spec ? vm->spec->vm.owner : "",
		registry_env(client->control->registry));
}

static void on_message(struct jstream *js, json_t *message, const char *why)
{
	struct client *client = js->owner;

	client->control->on_message(client, message, why);
}

static const struct jstream_hooks hooks = { .on_message = on_message,
	.on_end = on_stream_end };

struct client *client_new(struct control *control, int fd)
{
	struct client *client = NEW(struct client);

	client->control = control;
	list_init(&client->requests);
	if (sock_peer(fd, &client->peer))
		client->peer = (struct sock_peer){ -1, (uid_t)-1, (gid_t)-1 };
	client->role = roles_of_peer(fd, "", registry_env(control->registry));
	snprintf(client->name, sizeof(client->name), "client pid %d uid %u",
		(int)client->peer.pid, (unsigned)client->peer.uid);
	list_add(&control->clients, &client->link);
	control->nclients++;
	jstream_open(&client->stream, fd, &prescan_client, &hooks, client);
	client->stream.line_end = "\r\n";
	client->stream.gathers = true;
	client->stream.want_fds = client->role >= ROLE_ADMIN;
	return client;
}

void client_await_greeting(struct client *client)
{
	loop_timer_start(&client->greeting, GREETING_MS, on_greeting_timeout);
}

void client_enable_events(struct client *client)
{
	client->wants_events = true;
	events_subscribe(&client->events, on_event);
}
