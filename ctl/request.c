/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request per VM.  All of them go out in one write; while they run,
 * JOB_STATUS events feed the progress line, Ctrl-C cancels the jobs, and a
 * supervisor that has been silent is asked whether it lives: nothing here
 * waits for ever on a dead peer.
 */
#include "ctl/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/ask.h"
#include "ctl/backup.h"
#include "ctl/image.h"
#include "ctl/interrupt.h"
#include "ctl/net.h"
#include "ctl/print.h"
#include "ctl/progress.h"
#include "ctl/reach.h"
#include "ctl/snapshot.h"
#include "ctl/wire.h"

#define SILENCE_MS 10000 /* then it is asked whether it lives */
#define GRACE_MS   60000 /* beyond a --timeout the supervisor keeps */
#define TICK_MS    200

struct request {
	const char *vm; /* NULL: none */
	char id[24];
	char job[24];  /* once a JOB_STATUS named it */
	json_t *reply; /* the whole message */
};

struct batch {
	const struct call *call;
	const struct request_view *view;
	struct wire *wire;
	struct request *list;
	json_t *with; /* the other VMs of the one request; or NULL */
	size_t n;
	size_t left;  /* without a reply */
	size_t shown; /* those before it are printed */
	struct progress progress;
	int64_t until_ms; /* INT64_MAX: the supervisor decides */
	bool pinged;
	bool cancelled;
	json_t *results;  /* with --json */
	const char *made; /* a file of ours that is to be filled, or NULL */
	int status;
};

static bool is_long(const struct call *call)
{
	const char *name = call->verb->name;

	return call->verb->flags & VERB_LONG || str_eq(name, "wait") ||
	       str_eq(name, "jobs wait") || str_eq(name, "host-shutdown");
}

static int64_t deadline_of(const struct call *call)
{
	const json_t *timeout = json_object_get(call->wire, "timeout");
	int64_t now = wire_now_ms();

	if (timeout)
		return now + GRACE_MS +
		       (int64_t)(json_number_value(timeout) * 1000);
	if (call->opt.timeout_ms >= 0)
		return now + call->opt.timeout_ms;
	if (is_long(call))
		return INT64_MAX;
	return now +
	       (call->verb->flags & VERB_CHANGES ? GRACE_MS : WIRE_PATIENCE_MS);
}

static int raise_status(int status, int other)
{
	return other > status ? other : status;
}

/* ---- showing ---- */

/* {"disks": [...]}: the array; else the value itself. */
static json_t *only_array(json_t *value)
{
	json_t *item = json_object_iter_value(json_object_iter(value));

	return json_object_size(value) == 1 && json_is_array(item) ? item
								   : value;
}

static void add_result(struct batch *b, const struct request *r, json_t *value)
{
	json_t *object;
	size_t i;
	json_t *item;

	if (b->view->raw)
		value = only_array(value);
	if (b->view->raw && json_is_array(value)) {
		json_array_foreach(value, i, item)
			json_array_append(b->results, item);
		return;
	}
	if (b->view->raw || !json_is_object(value)) {
		json_array_append(b->results, value);
		return;
	}
	object = json_object();
	if (r->vm)
		json_object_set_new(object, "vm", json_string(r->vm));
	json_object_update(object, value);
	json_array_append_new(b->results, object);
}

static int show_one(struct batch *b, const struct request *r)
{
	const struct call *call = b->call;
	json_t *value = json_object_get(r->reply, "return");

	if (!value) {
		int status = print_reply_error(
			&call->opt, r->vm, json_object_get(r->reply, "error"));

		return b->view->failure ? b->view->failure : status;
	}
	if (!call->opt.json || b->view->single)
		return b->view->show(call, r->vm, value, b->n > 1);
	add_result(b, r, value);
	return b->view->status ? b->view->status(call, value) : 0;
}

/* Prints what can be printed in the order typed. */
static void show_ready(struct batch *b)
{
	while (b->shown < b->n && b->list[b->shown].reply) {
		progress_clear(&b->progress);
		b->status = raise_status(
			b->status, show_one(b, &b->list[b->shown]));
		b->shown++;
	}
}

/* ---- messages ---- */

static struct request *find_request(struct batch *b, const char *id)
{
	for (size_t i = 0; id && i < b->n; i++)
		if (str_eq(b->list[i].id, id))
			return &b->list[i];
	return NULL;
}

/* The request for a VM that has no reply yet. */
static struct request *find_open(struct batch *b, const char *vm)
{
	for (size_t i = 0; vm && b->list && i < b->n; i++)
		if (!b->list[i].reply && b->list[i].vm &&
			str_eq(b->list[i].vm, vm))
			return &b->list[i];
	return NULL;
}

static void on_event(struct batch *b, const json_t *message)
{
	const json_t *data = json_object_get(message, "data");
	const char *name = print_member(message, "event");
	const char *job = print_member(data, "job");
	struct request *r = find_request(b, print_member(data, "request"));

	if (r && name && b->view->event) {
		progress_clear(&b->progress);
		b->view->event(b->call, name, data);
	}
	if (!name || !str_eq(name, "JOB_STATUS") || !job)
		return;
	if (!r)
		r = find_open(b, print_member(data, "vm"));
	if (!r)
		return;
	snprintf(r->job, sizeof(r->job), "%s", job);
	progress_event(&b->progress, data);
}

static void on_message(struct batch *b, json_t *message)
{
	struct request *r;

	if (json_object_get(message, "event")) {
		on_event(b, message);
		return;
	}
	r = find_request(b, print_member(message, "id"));
	if (!r || r->reply)
		return; /* of a ping or a cancel */
	r->reply = json_incref(message);
	b->left--;
	show_ready(b);
}

/* ---- sending ---- */

/* The file of the caller that goes along; -1: it cannot be opened. */
static int attach_file(struct batch *b, struct err *err)
{
	const struct arg *arg = verb_opened(b->call->verb);
	const char *path = arg ? print_member(b->call->wire, arg->name) : NULL;

	if (path && b->n > 1)
		return err_set(err, ERR_USAGE, "--%s is for one VM at a time",
			arg->name);
	if (!path || !(arg->flags & ARG_MADE))
		return path ? wire_attach(b->wire, path, err) : 0;
	if (b->call->opt.dry_run)
		return 0;
	if (wire_attach_new(b->wire, path, err))
		return -1;
	b->made = path;
	return 0;
}

/* A file that we made stays if all went well, with the mode that was said. */
static void keep_file(struct batch *b, bool well)
{
	const char *mode = print_member(
		json_object_get(b->list[0].reply, "return"), "mode");
	mode_t bits = 0;

	if (!b->made)
		return;
	if (!well) {
		unlink(b->made);
		return;
	}
	for (; mode && *mode >= '0' && *mode <= '7'; mode++)
		bits = (bits << 3 | (mode_t)(*mode - '0')) & 0777;
	if (bits && chmod(b->made, bits))
		print_note(&b->call->opt, NULL, "its mode stays 0600: %s",
			strerror(errno));
}

static int queue_all(struct batch *b, struct err *err)
{
	if (attach_file(b, err))
		return -1;
	for (size_t i = 0; i < b->n; i++) {
		struct request *r = &b->list[i];
		json_t *arguments = json_copy(b->call->wire);
		int result;

		if (r->vm)
			json_object_set_new(
				arguments, "vm", json_string(r->vm));
		if (b->with)
			json_object_set(arguments, "with", b->with);
		if (b->n > 1 && str_eq(b->call->verb->name, "stop"))
			json_object_set_new(arguments, "together", json_true());
		result = wire_queue(b->wire, r->id,
			b->view->wire ? b->view->wire : b->call->verb->wire,
			json_object_size(arguments) ? arguments : NULL, err);
		json_decref(arguments);
		if (result < 0)
			return -1;
	}
	return wire_flush(b->wire, err);
}

/* The first Ctrl-C. */
static int cancel_all(struct batch *b, struct err *err)
{
	b->cancelled = true;
	/* the undo has its time too */
	if (b->until_ms > wire_now_ms() + GRACE_MS)
		b->until_ms = wire_now_ms() + GRACE_MS;
	progress_clear(&b->progress);
	print_note(&b->call->opt, NULL,
		"cancelling; Ctrl-C again returns at once");
	for (size_t i = 0; i < b->n; i++) {
		json_t *arguments;
		int result;

		if (b->list[i].reply)
			continue;
		arguments = json_pack("{s:s}", "request", b->list[i].id);
		result = wire_queue(
			b->wire, "cancel", "job-cancel", arguments, err);
		json_decref(arguments);
		if (result < 0)
			return -1;
	}
	return wire_flush(b->wire, err);
}

/* The second. */
static int leave(struct batch *b, struct err *err)
{
	AUTO_STR struct str jobs = STR_INIT;

	for (size_t i = 0; i < b->n; i++) {
		const struct request *r = &b->list[i];

		if (r->reply)
			continue;
		str_addf(&jobs, "%s%s", jobs.len ? ", " : "",
			r->job[0] ? r->job
			: r->vm   ? r->vm
				  : "the request");
	}
	return err_set(err, ERR_CANCELLED,
		"left while it is being cancelled: %s; see \"vmward jobs\"",
		str_text(&jobs));
}

static int check_interrupts(struct batch *b, struct err *err)
{
	if (interrupt_count() > 1)
		return leave(b, err);
	if (interrupt_count() == 1 && !b->cancelled)
		return cancel_all(b, err);
	return 0;
}

/* Asks a silent supervisor whether it lives; -1 if it does not. */
static int check_silence(struct batch *b, int64_t now, struct err *err)
{
	int64_t silent = now - b->wire->heard_ms;

	if (silent < SILENCE_MS)
		b->pinged = false;
	if (silent < SILENCE_MS || (b->pinged && silent < 2 * SILENCE_MS))
		return 0;
	if (b->pinged)
		return err_set(err, ERR_UNREACHABLE,
			"the supervisor at %s has been silent for %d s; is it "
			"stopped?",
			b->wire->path, (int)(silent / 1000));
	b->pinged = true;
	if (wire_queue(b->wire, "ping", "query-version", NULL, err) < 0)
		return -1;
	return wire_flush(b->wire, err);
}

static int turn(struct batch *b, struct err *err)
{
	int64_t now = wire_now_ms();
	int64_t until = now + (is_long(b->call) ? TICK_MS : SILENCE_MS);
	json_t *message = NULL;
	int got;

	if (until > b->until_ms)
		until = b->until_ms;
	if (check_interrupts(b, err) < 0 || check_silence(b, now, err) < 0)
		return -1;
	got = wire_next(b->wire, until, &message, err);
	if (got < 0)
		return -1;
	if (got > 0)
		on_message(b, message);
	json_decref(message);
	now = wire_now_ms();
	if (b->left && now >= b->until_ms)
		return err_set(err, ERR_TIMEOUT,
			"no answer in time from the supervisor at %s",
			b->wire->path);
	if (b->left)
		progress_tick(&b->progress, now);
	return 0;
}

static int run_batch(struct batch *b, struct err *err)
{
	int result;

	b->until_ms = deadline_of(b->call);
	if (b->call->verb->flags & VERB_LONG)
		interrupt_catch();
	result = queue_all(b, err);
	while (result == 0 && b->left)
		result = turn(b, err);
	progress_end(&b->progress, result == 0 && b->status == 0);
	keep_file(b, result == 0 && b->status == 0);
	return result;
}

/* ---- the whole verb ---- */

/* What would go with the VMs, as the supervisor says. */
static int add_losses(struct batch *b, const json_t *names,
	struct str *question, struct err *err)
{
	json_t *arguments = json_deep_copy(b->call->wire);
	size_t i, k;
	json_t *name, *action;

	json_object_set_new(arguments, "dry-run", json_true());
	json_array_foreach(names, i, name)
	{
		json_t *reply;

		json_object_set(arguments, "vm", name);
		reply = wire_call(
			b->wire, "vm-delete", arguments, WIRE_PATIENCE_MS, err);
		json_array_foreach(json_object_get(reply, "actions"), k, action)
			str_addf(question, "%s%s", question->len ? ", " : "",
				json_string_value(action));
		json_decref(reply);
		if (!reply)
			break;
	}
	json_decref(arguments);
	if (question->len)
		str_addc(question, '?');
	return err->code ? -1 : 0;
}

/* kill, reset of what a pattern resolved to, and what loses data: asks. */
static int confirm(struct batch *b, const json_t *names, struct err *err)
{
	const struct call *call = b->call;
	AUTO_STR struct str question = STR_INIT;
	size_t n = json_array_size(names);

	if (call->opt.dry_run)
		return 0;
	if (call->verb->flags & VERB_ASKS_MANY && n > 1 &&
		reach_has_patterns(call)) {
		str_addf(&question, "%s %zu VMs (", call->verb->name, n);
		for (size_t i = 0; i < n && i < 4; i++)
			str_addf(&question, "%s%s", i ? ", " : "",
				json_string_value(json_array_get(names, i)));
		str_addf(&question, "%s)?", n > 4 ? ", ..." : "");
		return ask(&call->opt, str_text(&question), err);
	}
	if (str_eq(call->verb->name, "delete")) {
		if (add_losses(b, names, &question, err))
			return -1;
	} else if (str_eq(call->verb->name, "net up")) {
		if (net_add_question(call, b->wire, &question, err))
			return -1;
	} else {
		image_add_question(call, &question);
		snapshot_add_question(call,
			str_or(json_string_value(json_array_get(names, 0)), ""),
			&question);
		backup_add_question(call, names, &question);
	}
	if (question.len)
		return ask(&call->opt, str_text(&question), err);
	return 0;
}

static void set_up(struct batch *b, const json_t *names)
{
	size_t n = json_array_size(names);

	if (n > 1 && b->call->verb->flags & VERB_TOGETHER) {
		b->with = json_deep_copy(names);
		json_array_remove(b->with, 0);
		n = 1;
	}
	b->n = n ? n : 1;
	b->left = b->n;
	b->list = xcalloc(b->n, sizeof(*b->list));
	for (size_t i = 0; i < b->n; i++) {
		if (n)
			b->list[i].vm =
				json_string_value(json_array_get(names, i));
		snprintf(b->list[i].id, sizeof(b->list[i].id), "r%zu", i);
	}
	b->results = b->call->opt.json ? json_array() : NULL;
	progress_init(&b->progress, &b->call->opt);
}

static void tear_down(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		json_decref(b->list[i].reply);
	free(b->list);
	json_decref(b->with);
	json_decref(b->results);
}

static int run_names(struct batch *b, struct err *err)
{
	json_t *names = reach_names(b->call, b->wire, err);
	int result = -1;

	if (!names)
		return -1;
	/* a pattern that stands for nothing must not mean "all" */
	if (json_array_size(names) == 0 && reach_has_patterns(b->call))
		err_set(err, ERR_NOT_FOUND, "no VM matches");
	else if (confirm(b, names, err) == 0) {
		set_up(b, names);
		result = run_batch(b, err);
	}
	if (b->results && !b->view->single &&
		(json_array_size(b->results) || (!result && !b->status)))
		print_array(b->results);
	tear_down(b);
	json_decref(names);
	return result;
}

int request_run(const struct call *call, const struct request_view *view)
{
	AUTO_WIRE struct wire wire = WIRE_INIT;
	struct batch b = { .call = call, .view = view, .wire = &wire };
	struct err err = ERR_INIT;
	bool events = call->verb->flags & VERB_LONG && !call->opt.no_block;
	const char *vm = call->nnames == 1 ? call->names[0] : NULL;

	if (reach_open(call, events, &wire, &err) < 0)
		return print_error(&call->opt, NULL, &err);
	if (run_names(&b, &err) < 0)
		b.status = raise_status(b.status,
			print_error(&call->opt,
				err.code == ERR_UNREACHABLE ? NULL : vm, &err));
	return b.status;
}
