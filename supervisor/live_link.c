/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of a running VM become bases; see live_link.h. */
#include "supervisor/live_link.h"

#include <fcntl.h>
#include <string.h>

#include "base/durable.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/image.h"
#include "supervisor/argv.h"
#include "supervisor/chain_record.h"
#include "supervisor/live_image.h"

enum { END_MS = 60000, MORE_LAYERS = 99 };

struct one {
	struct live_image above; /* the overlay; the image's path, at the end */
	char *base;              /* where it is until then */
	char *copy;
	char *node; /* of the overlay, in QEMU */
};

struct live_link {
	struct job job;
	struct vm *vm;
	char *new_vm;
	struct qmp_call call;
	struct list list; /* one.above.link */
	struct list *at;
	bool second; /* of the two overlays of that one */
	struct image_step make;
	struct err taken_err; /* what QEMU said of the transaction */
	enum live_end end;
	bool ended;   /* the child that asks, or closes */
	bool swapped; /* by name, at least one of them */
	struct durable durable;
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

static struct one *one_of(struct list *link)
{
	return list_entry(link, struct one, above.link);
}

/* ---- what it will do ---- */

struct live_link *live_link_new(struct vm *vm, const char *new_vm)
{
	struct live_link *op = NEW(struct live_link);

	op->vm = vm;
	op->new_vm = xstrdup(new_vm);
	list_init(&op->list);
	return op;
}

void live_link_free(struct live_link *op)
{
	if (!op)
		return;
	list_each(&op->list, it, next) {
		struct one *one = one_of(it);

		list_del(it);
		live_image_fini(&one->above);
		free(one->base);
		free(one->copy);
		free(one->node);
		free(one);
	}
	free(op->new_vm);
	free(op);
}

bool live_link_may(const struct vm *vm, const char *name)
{
	const struct spec_disk *disk =
		vm->running ? spec_disk_of(vm->running, name) : NULL;

	return disk && disk->layers < MORE_LAYERS;
}

json_t *live_link_add(struct live_link *op, const struct live_link_wish *wish)
{
	struct one *one = NEW(struct one);

	one->base = xstrdup(wish->base);
	one->copy = xstrdup(wish->copy);
	one->node = live_settle_node(op->vm, wish->disk);
	live_image_init(&one->above, wish->disk, wish->image, "qcow2");
	one->above.now = xstrdup(wish->base);
	list_add(&op->list, &one->above.link);
	return json_pack("{s:s,s:s,s:s,s:s,s:s}", "live", op->vm->name, "disk",
		wish->disk, "base", wish->base, "image", wish->image, "node",
		one->node);
}

/* ---- the overlays ---- */

/* Starts to make the next overlay: the VM's, then the clone's; false: none. */
static bool make_next(struct live_link *op)
{
	const struct one *one = one_of(op->at);

	if (op->at == &op->list)
		return false;
	const struct image_wish wish = {
		/* of what is to be exchanged with it */
		.path = op->second ? one->copy : one->base,
		.format = "qcow2",
		.base = one->base,
		.base_format = "qcow2",
		.unread = true,
		.size = one->above.size,
	};
	if (op->second)
		op->at = op->at->next;
	op->second = !op->second;
	image_step_start(&op->make, op->vm->env->qemu_img, &wish, op->vm->name,
		&op->job);
	return true;
}

static bool set_mark(struct live_link *op)
{
	struct err err = ERR_INIT;

	op->at = op->list.next;
	if (!live_settle_mark(op->vm, op->new_vm, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

static bool send_fd(struct live_link *op)
{
	struct one *one = one_of(op->at);
	AUTO_FREE char *name = xasprintf("%s:%s", one->node, one->above.path);

	return live_image_send(
		&one->above, &op->call, &op->job, QMP_OF(op), name);
}

/* As the disk's own are opened, on top of nothing so far. */
static json_t *node_of(struct live_link *op)
{
	struct one *one = one_of(op->at);
	struct argv_host host = { .images = op->vm->env->paths.images,
		.io_uring = op->vm->env->io_uring };
	struct spec_disk disk = *spec_disk_of(op->vm->running, one->above.disk);
	struct chain chain = { NULL };
	struct chain_image *image =
		chain_add(&chain, one->above.path, one->above.format);
	json_t *node;

	image->writes = true;
	image->set = one->above.set;
	disk.layers++;
	node = argv_disk_node(&disk, &host, &chain, 0);
	chain_fini(&chain);
	op->at = op->at->next;
	return node;
}

/* ---- the swap ---- */

/* From now on a start would find what is recorded to be wrong. */
static bool forget_records(struct live_link *op)
{
	bool known = chain_record(op->vm) != NULL;

	list_each(&op->list, it, next)
		chain_record_forget(op->vm, one_of(it)->above.path);
	return known;
}

static bool swap_all(struct live_link *op)
{
	struct err err = ERR_INIT;

	list_each(&op->list, it, next) {
		const struct one *one = one_of(it);

		if (sys_renameat2(AT_FDCWD, one->base, AT_FDCWD,
			    one->above.path, RENAME_EXCHANGE)) {
			err_os(&err, "cannot make '%s' a base (--full copies)",
				one->above.path);
			job_fail_err(&op->job, &err);
			return false;
		}
	}
	op->swapped = true;
	op->at = op->list.next;
	return true;
}

static void sync_next(struct live_link *op)
{
	durable_above(&op->durable, &op->job, one_of(op->at)->above.path);
	op->at = op->at->next;
}

static json_t *transaction(struct live_link *op)
{
	json_t *actions = json_array();

	list_each(&op->list, it, next) {
		const struct one *one = one_of(it);
		AUTO_FREE char *top = live_image_top(op->vm, one->above.disk);

		json_array_append_new(
			actions, json_pack("{s:s,s:{s:s,s:s}}", "type",
					 "blockdev-snapshot", "data", "node",
					 top, "overlay", one->node));
	}
	return json_pack("{s:o}", "actions", actions);
}

/* ---- the job ---- */

static void on_child(struct job *job UNUSED, void *arg)
{
	struct live_link *op = arg;

	op->ended = true;
}

/* Whatever QEMU answered, or not: what is so? */
static void ask(struct live_link *op)
{
	op->ended = false;
	live_settle_ask_start(
		op->vm, op->new_vm, &op->end, &op->job, on_child, op);
}

static void start_close(struct live_link *op)
{
	op->ended = false;
	live_settle_close_start(op->vm, &op->job, on_child, op);
}

static enum job_state refused(struct live_link *op)
{
	if (!op->taken_err.code)
		return job_fail(&op->job, ERR_TIMEOUT,
			"QEMU does not say whether it is done");
	return job_fail_err(&op->job, &op->taken_err);
}

static enum job_state link_run(struct job *job)
{
	struct live_link *op = container_of(job, struct live_link, job);

	JOB_BEGIN(job);
	QMP_CALL(job, &op->call, QMP_OF(op), "query-named-block-nodes",
		json_pack("{s:b}", "flat", 1));
	if (!live_images_size(&op->list, &op->call, op->vm))
		return JOB_ENDS;
	op->at = op->list.next;
	while (make_next(op))
		IMAGE_STEP_AWAIT(job, &op->make);
	if (!live_images_open(&op->list, job) || !set_mark(op))
		return JOB_ENDS;
	while (op->at != &op->list) {
		while (send_fd(op)) {
			JOB_AWAIT(job, op->call.replied, JOB_FOREVER);
			live_image_sent(&one_of(op->at)->above, &op->call);
		}
		if (!live_images_are_wanted(&op->list, job, op->vm))
			return JOB_ENDS;
		QMP_CALL(job, &op->call, QMP_OF(op), "blockdev-add",
			node_of(op));
	}
	if (forget_records(op))
		JOB_DURABLE(job, &op->durable,
			chain_record_sync(op->vm, &op->durable, job));
	if (!live_images_are_wanted(&op->list, job, op->vm) || !swap_all(op))
		return JOB_ENDS;
	while (op->at != &op->list)
		JOB_DURABLE(job, &op->durable, sync_next(op));
	QMP_TRY(job, &op->call, QMP_OF(op), "transaction", transaction(op));
	op->taken_err = op->call.err;
	ask(op);
	JOB_AWAIT(job, op->ended, JOB_FOREVER); /* a job of its own */
	op->swapped = false;                    /* all is known that can be */
	if (op->end != LIVE_DONE)
		return refused(op);
	JOB_END(job);
}

static enum job_state link_undo(struct job *job)
{
	struct live_link *op = container_of(job, struct live_link, job);

	JOB_BEGIN(job);
	if (op->swapped) {
		ask(op);
		JOB_AWAIT(job, op->ended, END_MS);
	}
	if (op->end == LIVE_UNDONE) {
		start_close(op);
		JOB_AWAIT(job, op->ended, END_MS);
	}
	JOB_END(job);
}

static void link_cleanup(struct job *job)
{
	struct live_link *op = container_of(job, struct live_link, job);

	durable_stop(&op->durable);
	qmp_call_fini(&op->call);
	live_link_free(op);
}

enum live_end live_link_end(const struct job *job)
{
	return container_of((struct job *)(uintptr_t)job, struct live_link, job)
		->end;
}

struct job *live_link_start(struct live_link *op, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	static const struct job_kind kind = { "live-link", link_run, link_undo,
		link_cleanup };

	job_start(&op->job, &kind, op->vm->name, on_end, arg);
	op->job.parent = parent;
	return &op->job;
}
