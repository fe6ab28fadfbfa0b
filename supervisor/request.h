/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests of clients: what a handler asks of one, and its answer, which
 * each gets exactly once.
 */
#ifndef SUPERVISOR_REQUEST_H
#define SUPERVISOR_REQUEST_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/job.h"
#include "base/list.h"
#include "base/sock.h"
#include "base/verbs.h"
#include "supervisor/far.h"
#include "supervisor/registry.h"

struct control;
struct client;

/* One request on its way; freed by its answer. */
struct request {
	struct list link; /* client.requests, or control.orphans */
	struct control *control;
	struct client *client; /* NULL: it left; the answer goes nowhere */
	const struct verb *verb;
	json_t *id;   /* or NULL */
	json_t *args; /* never NULL */
	int opened;   /* what came along for its ARG_OPENED; or -1 */
	enum role role;
	struct sock_peer peer; /* who asked */
	int64_t began_ms;
	struct vm_watch watch; /* of a waiting request */
	struct loop_timer deadline;
	struct vm *vm;       /* whom it waits for, or NULL */
	struct job *job;     /* its job while it runs, or NULL */
	bool began_op;       /* vm->op, whichever it is by now, is its work */
	struct list *cursor; /* free for the handler */
	int stage;           /* free for the handler */
	struct far_wait far; /* before its handler runs */
	/* What begins it, until its VM is adopted; or NULL. */
	void (*held)(struct request *request);
	bool in_handler; /* not to be freed yet */
	bool answered;
	/* Frees what the handler keeps; or NULL. */
	void (*on_free)(struct request *request);
};

/* The VMs it may be about. */
struct registry *request_registry(const struct request *request);

/* Answers with a result (stolen; NULL: {}) and frees the request. */
void request_reply_steal(struct request *request, json_t *result);
/* The same with a result that is JSON text already. */
void request_reply_text(struct request *request, const char *result);
/* Answers with an error and frees the request. */
void request_fail(struct request *request, const struct err *err);
void request_failf(struct request *request, enum err_code code, const char *fmt,
	...) __attribute__((format(printf, 3, 4)));
/* An argument as the table promised it: "" / fallback when absent. */
const char *request_string(const struct request *request, const char *name);
/* Takes what came along for it; before its handler. */
void request_receive_file(struct request *request);
/* What the descriptor of its file `name` is of; it stays the request's. */
int request_look_at_file(struct request *request, const char *name,
	struct stat *st, struct err *err);
/*
 * The descriptor of its file `name`, the caller's: of a plain file only.  -1
 * with ERR_USAGE if none was sent, or ERR_CONFIG.
 */
int request_take_file(
	struct request *request, const char *name, struct err *err);
bool request_bool(const struct request *request, const char *name);
json_int_t request_int(
	const struct request *request, const char *name, json_int_t fallback);
/* Seconds (real or integer) as ms; 0 when absent. */
int64_t request_ms(const struct request *request, const char *name);
/* The greeting is answered. */
void request_negotiated(struct request *request);
/* Turns on our events for the request's client. */
void request_enable_events(struct request *request);
bool request_has_events(const struct request *request);
/* The request of the same client whose id equals, or NULL. */
struct request *request_sibling(
	const struct request *request, const json_t *id);
/* So much waits for the client to read it that more should wait as well. */
bool request_is_behind(const struct request *request);
/* Sends an event object (borrowed) to the request's client only. */
void request_send_event(struct request *request, const json_t *event);
/* True if its client has that role on the VM of that name. */
bool request_may(const struct request *request, const char *vm, enum role role);
/* True if its client may look at the VM of that name. */
bool request_may_see(const struct request *request, const char *vm);
/* Frees it without an answer; while its handler runs, only afterwards. */
void request_free(struct request *request);
/* The rest of that, once the handler has returned. */
void request_dispose(struct request *request);

#endif
