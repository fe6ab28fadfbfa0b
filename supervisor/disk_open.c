/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The images of a disk into a running QEMU; see disk_open.h. */
#include "supervisor/disk_open.h"

#include "base/fd.h"
#include "base/mem.h"
#include "qmp/call.h"
#include "supervisor/argv.h"

#define UNLOCK_MS 180000

struct disk_open {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	const struct spec_disk *disk;
	struct chain *chain;
	size_t depth; /* of the image at work */
	struct err secret_err;
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

/* QEMU knows it by that name; closed here. */
static void pass_fd(struct disk_open *op, const char *name, int set, int *fd)
{
	json_t *args = json_pack("{s:s}", "opaque", name);

	if (set >= 0)
		json_object_set_new(args, "fdset-id", json_integer(set));
	qmp_call_start(&op->call, &op->job, QMP_OF(op),
		&(struct qmp_command){ "add-fd", args, 0, *fd }, false);
	fd_close(fd);
}

/* Gives QEMU the next descriptor of the image at work; false: it has all. */
static bool send_fd(struct disk_open *op)
{
	struct chain_image *image = &op->chain->at[op->depth];
	int *fd = image->write_fd >= 0 ? &image->write_fd : &image->fd;
	AUTO_FREE char *name =
		argv_disk_fd_name(op->disk, op->chain, op->depth);

	if (*fd < 0)
		return false;
	pass_fd(op, name, image->set, fd);
	return true;
}

/*
 * The password comes by a descriptor as well; false: there is none.  QEMU
 * reads it once, from the number that it says.
 */
static bool send_secret(struct disk_open *op)
{
	AUTO_FREE char *name = argv_disk_secret_id(op->disk->name);

	if (op->chain->secret_fd <= 0)
		return false;
	pass_fd(op, name, -1, &op->chain->secret_fd);
	op->chain->secret_fd = 0;
	return true;
}

static int note_secret(struct disk_open *op)
{
	op->chain->secret_as = (int)json_integer_value(
		json_object_get(op->call.result, "fdset-id"));
	return (int)json_integer_value(json_object_get(op->call.result, "fd"));
}

static void note_set(struct disk_open *op)
{
	op->chain->at[op->depth].set = (int)json_integer_value(
		json_object_get(op->call.result, "fdset-id"));
}

static json_t *node_of(const struct disk_open *op)
{
	struct argv_host host = { .images = op->vm->env->paths.images,
		.io_uring = op->vm->env->io_uring };

	return argv_disk_node(op->disk, &host, op->chain, op->depth);
}

/* A key of LUKS is seconds of a processor, which others may want. */
static void send_node(struct disk_open *op)
{
	qmp_call_start(&op->call, &op->job, QMP_OF(op),
		QMP_COMMAND_IN(op->chain->encrypted ? UNLOCK_MS : 0,
			"blockdev-add", node_of(op)),
		false);
}

static enum job_state open_run(struct job *job)
{
	struct disk_open *op = container_of(job, struct disk_open, job);

	JOB_BEGIN(job);
	if (send_secret(op)) {
		JOB_AWAIT(job, op->call.replied, JOB_FOREVER);
		QMP_TRY(job, &op->call, QMP_OF(op), "object-add",
			argv_disk_secret(op->disk, note_secret(op)));
		op->secret_err = op->call.err;
		QMP_CALL(job, &op->call, QMP_OF(op), "remove-fd",
			json_pack("{s:i}", "fdset-id", op->chain->secret_as));
		if (op->secret_err.code)
			return job_fail_err(job, &op->secret_err);
	}
	while (op->depth-- > 0) {
		while (send_fd(op)) {
			JOB_AWAIT(job, op->call.replied, JOB_FOREVER);
			note_set(op);
		}
		send_node(op);
		JOB_AWAIT(job, op->call.replied, JOB_FOREVER);
	}
	JOB_END(job);
}

static void open_cleanup(struct job *job)
{
	struct disk_open *op = container_of(job, struct disk_open, job);

	qmp_call_fini(&op->call);
	free(op);
}

static const struct job_kind open_kind = { "disk-open", open_run, NULL,
	open_cleanup };

struct job *disk_open_start(struct vm *vm, const struct spec_disk *disk,
	struct chain *chain, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	struct disk_open *op = NEW(struct disk_open);

	op->vm = vm;
	op->disk = disk;
	op->chain = chain;
	op->depth = chain->n;
	job_start(&op->job, &open_kind, vm->name, on_end, arg);
	op->job.parent = parent;
	return &op->job;
}
