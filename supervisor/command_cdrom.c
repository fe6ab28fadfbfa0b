/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cdrom insert and eject: the disc of a drive in QEMU, then in the file. */
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/cdrom.h"
#include "supervisor/change.h"
#include "supervisor/commands.h"
#include "supervisor/device.h"
#include "supervisor/op_cdrom.h"

static const struct spec_disk *drive_of(const struct request *rq)
{
	const struct vm *vm = rq->vm;
	const struct vm_spec *spec = vm_spec_now(vm);

	return spec ? spec_cdrom_of(spec, request_string(rq, "drive")) : NULL;
}

/* "": to be empty. */
static const char *image_of(const struct request *rq)
{
	return request_string(rq, "image");
}

/* The file says nothing where a drive is empty, whatever is below ours. */
static void write_disc(struct request *rq)
{
	AUTO_FREE char *section =
		xasprintf("cdrom.%s", request_string(rq, "drive"));
	const struct config_edit edit = { section, "image", image_of(rq) };

	change_write(
		rq, &edit, 1, *image_of(rq) ? "inserted" : "ejected", NULL);
}

static void on_live_end(struct job *job, void *arg)
{
	struct request *rq = arg;

	vm_job_over(job, rq->vm);
	rq->job = NULL;
	if (!job->err.code) {
		write_disc(rq);
		return;
	}
	err_wrap(&job->err, "cdrom '%s': ", request_string(rq, "drive"));
	request_fail(rq, &job->err);
}

/* The disc that is wanted, or NULL for none; -1: answered. */
static int make_disc(struct request *rq, struct spec_disk **out)
{
	const struct vm *vm = rq->vm;
	const struct spec_disk *drive = drive_of(rq);
	const char *image = image_of(rq);
	struct err err = ERR_INIT;

	*out = NULL;
	if (!drive) {
		request_failf(rq, ERR_NOT_FOUND, "it has no CD-ROM drive '%s'",
			request_string(rq, "drive"));
		return -1;
	}
	if (!*image)
		return 0;
	*out = cdrom_disc(vm_spec_now(vm), drive, image, &vm->env->paths, &err);
	if (*out)
		return 0;
	request_fail(rq, &err);
	return -1;
}

static void change_live(struct request *rq, struct spec_disk *disc)
{
	const struct cdrom_wish wish = { .drive = request_string(rq, "drive"),
		.disc = disc,
		.image = disc ? image_of(rq) : NULL,
		.force = request_bool(rq, "force"),
		.timeout_ms = request_ms(rq, "timeout") };

	rq->job = op_cdrom_begin(rq->vm, &wish, on_live_end, rq);
	vm_job_add(rq->vm, rq->job);
}

static void change(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	struct spec_disk *disc;

	rq->vm = vm;
	if (!vm || make_disc(rq, &disc))
		return;
	if (!change_may_begin(rq, vm) || command_dry_run(rq, vm)) {
		spec_disk_free(disc);
		return;
	}
	if (vm_is_up(vm)) {
		change_live(rq, disc);
		return;
	}
	spec_disk_free(disc);
	write_disc(rq);
}

void command_cdrom_insert(struct request *rq)
{
	if (*image_of(rq))
		change(rq);
	else
		request_failf(rq, ERR_USAGE, "say the image of a disc");
}

void command_cdrom_eject(struct request *rq)
{
	change(rq);
}
