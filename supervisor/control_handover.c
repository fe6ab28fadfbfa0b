/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket that moves; see control_handover.h. */
#include "supervisor/control_handover.h"

#include "supervisor/client.h"

#define UPGRADE "upgrade"

struct moved {
	int fd;
	struct str in;
	struct str out;
	bool negotiated;
	bool wants_events;
};

static const struct handover_field fields[] = {
	HAND(HAND_FD, struct moved, fd),
	HAND(HAND_BYTES, struct moved, in),
	HAND(HAND_BYTES, struct moved, out),
	HAND(HAND_BOOL, struct moved, negotiated),
	HAND(HAND_BOOL, struct moved, wants_events),
};

static const struct handover_field listener_fields[] = {
	HAND(HAND_FD, struct control, fd),
	HAND(HAND_BOOL, struct control, inherited),
};

/* ---- away ---- */

/* To ask again changes nothing: it waits, or it waits for what was begun. */
static bool can_be_asked_again(const struct request *rq)
{
	return (rq->held && rq->opened < 0) ||
	       !(rq->verb->flags & VERB_CHANGES) ||
	       str_eq(rq->verb->wire, "vm-start");
}

char *control_busy_with(const struct control *control)
{
	list_each(&control->clients, it, next) {
		const struct client *client =
			list_entry(it, struct client, link);

		list_each(&client->requests, jt, jnext) {
			const struct request *rq =
				list_entry(jt, struct request, link);

			if (str_eq(rq->verb->wire, UPGRADE) ||
				can_be_asked_again(rq))
				continue;
			return xasprintf("%s %s", rq->verb->name,
				request_string(rq, "vm"));
		}
	}
	return NULL;
}

/* The message of a request again, with the time that is left. */
static json_t *put_request(const struct request *rq)
{
	json_t *args = json_deep_copy(rq->args);
	json_t *timeout = json_object_get(args, "timeout");
	json_t *message;

	if (json_is_number(timeout)) {
		double left = json_number_value(timeout) -
			      (double)(loop_now_ms() - rq->began_ms) / 1000;

		json_object_set_new(args, "timeout",
			json_real(left > 0.001 ? left : 0.001));
	}
	message = json_pack(
		"{s:s,s:o}", "execute", rq->verb->wire, "arguments", args);
	if (rq->id)
		json_object_set(message, "id", rq->id);
	return message;
}

static json_t *put_client(struct handover *h, const struct client *client)
{
	struct moved moved = { .fd = client->stream.fd,
		.negotiated = client->negotiated,
		.wants_events = client->wants_events };
	json_t *to = json_object();
	json_t *requests = json_array();

	jstream_save(&client->stream, &moved.in, &moved.out);
	handover_put(h, to, fields, NELEMS(fields), &moved);
	list_each(&client->requests, it, next)
		json_array_append_new(requests,
			put_request(list_entry(it, struct request, link)));
	json_object_set_new(to, "requests", requests);
	str_fini(&moved.in);
	str_fini(&moved.out);
	return to;
}

json_t *control_put(struct handover *h, const struct control *control)
{
	json_t *to = json_object();
	json_t *clients = json_array();

	handover_put(h, to, listener_fields, NELEMS(listener_fields), control);
	list_each(&control->clients, it, next) {
		const struct client *client =
			list_entry(it, struct client, link);

		if (jstream_can_move(&client->stream))
			json_array_append_new(clients, put_client(h, client));
	}
	json_object_set_new(to, "clients", clients);
	return to;
}

/* ---- and back ---- */

int control_check(const json_t *from, struct err *err)
{
	json_t *clients = handover_need(from, "clients", true, err);
	json_t *client;
	size_t i;

	if (!clients || handover_get(from, listener_fields,
				NELEMS(listener_fields), NULL, err))
		return -1;
	json_array_foreach(clients, i, client)
	{
		if (handover_get(client, fields, NELEMS(fields), NULL, err) ||
			!handover_need(client, "requests", true, err))
			return -1;
	}
	return 0;
}

static void ask_again(
	struct client *client, const json_t *requests, json_t *result)
{
	json_t *message;
	size_t i;

	json_array_foreach(requests, i, message)
	{
		const char *execute =
			json_string_value(json_object_get(message, "execute"));

		if (execute && str_eq(execute, UPGRADE))
			client_reply_steal(client, json_incref(result),
				json_object_get(message, "id"));
		else
			control_dispatch(client, message);
	}
}

static void get_client(
	struct control *control, const json_t *from, json_t *result)
{
	struct moved moved = { .fd = -1 };
	struct err err = ERR_INIT;
	struct client *client;

	BUG_ON(handover_get(from, fields, NELEMS(fields), &moved, &err));
	client = client_new(control, moved.fd);
	client->negotiated = moved.negotiated;
	if (!moved.negotiated)
		client_await_greeting(client);
	if (moved.wants_events)
		client_enable_events(client);
	jstream_restore(&client->stream, &moved.in, &moved.out);
	str_fini(&moved.in);
	str_fini(&moved.out);
	ask_again(client, json_object_get(from, "requests"), result);
}

void control_get_steal(const json_t *from, struct control *control,
	const char *path, json_t *result)
{
	struct control listener = { .fd = -1 };
	struct err err = ERR_INIT;
	json_t *client;
	size_t i;

	BUG_ON(handover_get(from, listener_fields, NELEMS(listener_fields),
		&listener, &err));
	if (listener.fd >= 0)
		control_accept(control, listener.fd, path, listener.inherited);
	json_array_foreach(json_object_get(from, "clients"), i, client)
		get_client(control, client, result);
	json_decref(result);
}
