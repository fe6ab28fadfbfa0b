/* SPDX-License-Identifier: GPL-2.0-or-later */
/* analyze, host-shutdown: what is about all VMs and their order. */
#include "base/mem.h"
#include "supervisor/analyze.h"
#include "supervisor/commands.h"
#include "supervisor/settings.h"
#include "supervisor/shutdown.h"

void command_analyze(struct request *rq)
{
	struct vm *vm = NULL;

	if (*request_string(rq, "vm")) {
		vm = command_vm(rq);
		if (!vm)
			return;
		if (!vm_is_up(vm) || vm->ready != VM_READY_YES) {
			request_failf(rq, ERR_STATE, "it is %s%s",
				vm_state_word(vm),
				vm_is_up(vm) ? " and not ready" : "");
			return;
		}
	}
	request_reply_steal(rq, analyze_report(request_registry(rq), vm));
}

/* ---- host-shutdown ---- */

struct host_shutdown {
	struct list cursor; /* request.cursor */
	struct request *rq;
	struct shutdown *shutdown;
};

static void free_shutdown(struct request *rq)
{
	struct host_shutdown *h =
		container_of(rq->cursor, struct host_shutdown, cursor);

	shutdown_free(h->shutdown);
	free(h);
}

static void add_names(struct str *out, const char *what, const json_t *names)
{
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name)
		str_addf(out, "%s: %s\n", json_string_value(name), what);
}

static void on_down(void *arg)
{
	struct host_shutdown *h = arg;
	json_t *report = shutdown_report(h->shutdown);
	const json_t *up = json_object_get(report, "up");
	AUTO_STR struct str text = STR_INIT;

	if (json_array_size(up)) {
		request_failf(h->rq, ERR_TIMEOUT, "%s does not go down%s",
			json_string_value(json_array_get(up, 0)),
			json_array_size(up) > 1 ? ", nor do others" : "");
		json_decref(report);
		return;
	}
	add_names(&text, "stopped", json_object_get(report, "stopped"));
	add_names(&text, "left running", json_object_get(report, "left"));
	json_object_set_new(report, "text", json_string(str_text(&text)));
	request_reply_steal(h->rq, report);
}

void command_host_shutdown(struct request *rq)
{
	struct registry *registry = request_registry(rq);
	const struct settings *settings = settings_of(registry_env(registry));
	int64_t ms = request_ms(rq, "timeout");
	struct host_shutdown *h;

	if (command_dry_run(rq, NULL))
		return;
	h = NEW(struct host_shutdown);
	h->rq = rq;
	rq->cursor = &h->cursor;
	rq->on_free = free_shutdown;
	h->shutdown = shutdown_begin(registry, SHUTDOWN_HOST,
		ms > 0 ? ms : settings->vmward.shutdown_timeout, on_down, h);
}
