/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A monitor connection that moves; see handover.h. */
#include "qmp/handover.h"

struct moved {
	int fd;
	struct str in;
	struct str out;
};

static const struct handover_field stream_fields[] = {
	HAND(HAND_FD, struct moved, fd),
	HAND(HAND_BYTES, struct moved, in),
	HAND(HAND_BYTES, struct moved, out),
};

static const struct handover_field fields[] = {
	HAND(HAND_I64, struct qmp_client, next_id),
	HAND(HAND_BOOL, struct qmp_client, oob),
	HAND(HAND_INT, struct qmp_client, version),
	HAND(HAND_I64, struct qmp_client, commands),
	HAND(HAND_I64, struct qmp_client, dropped),
	HAND(HAND_I64, struct qmp_client, events),
	HAND(HAND_I64, struct qmp_client, coalesced),
};

bool qmp_can_move(const struct qmp_client *client)
{
	return client->ready && list_is_empty(&client->pending) &&
	       jstream_can_move(&client->stream);
}

void qmp_put(struct handover *h, json_t *to, const struct qmp_client *client)
{
	struct moved moved = { client->stream.fd, STR_INIT, STR_INIT };

	jstream_save(&client->stream, &moved.in, &moved.out);
	handover_put(h, to, stream_fields, NELEMS(stream_fields), &moved);
	handover_put(h, to, fields, NELEMS(fields), client);
	str_fini(&moved.in);
	str_fini(&moved.out);
}

int qmp_get(const json_t *from, struct qmp_client *client,
	const struct qmp_hooks *hooks, void *owner, struct err *err)
{
	struct moved moved = { -1, STR_INIT, STR_INIT };

	if (handover_get(from, fields, NELEMS(fields), NULL, err) ||
		handover_get(from, stream_fields, NELEMS(stream_fields),
			client ? &moved : NULL, err))
		return -1;
	if (!client)
		return 0;
	qmp_client_resume(client, moved.fd, hooks, owner);
	if (handover_get(from, fields, NELEMS(fields), client, err))
		return -1;
	jstream_restore(&client->stream, &moved.in, &moved.out);
	str_fini(&moved.in);
	str_fini(&moved.out);
	return 0;
}
