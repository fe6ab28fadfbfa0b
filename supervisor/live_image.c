/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A new image on its way into a running QEMU; see live_image.h. */
#include "supervisor/live_image.h"

#include <fcntl.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/argv.h"

void live_image_init(struct live_image *image, const char *disk,
	const char *path, const char *format)
{
	*image = (struct live_image){ .disk = disk ? xstrdup(disk) : NULL,
		.path = xstrdup(path),
		.format = format,
		.fds = { -1, -1 },
		.set = -1 };
}

void live_image_fini(struct live_image *image)
{
	fd_close(&image->fds[0]);
	fd_close(&image->fds[1]);
	free(TAKE(image->disk));
	free(TAKE(image->path));
	free(TAKE(image->now));
}

uint64_t live_image_node_size(json_t *nodes, const char *node)
{
	json_t *each;
	size_t i;

	json_array_foreach(nodes, i, each)
	{
		const char *name =
			json_string_value(json_object_get(each, "node-name"));

		if (name && str_eq(name, node))
			return (uint64_t)json_integer_value(
				json_object_get(json_object_get(each, "image"),
					"virtual-size"));
	}
	return 0;
}

int live_image_open(struct live_image *image, struct err *err)
{
	static const int how[2] = { O_RDWR, O_RDONLY };
	const char *path = image->now ? image->now : image->path;

	for (int i = 0; i < 2; i++) {
		image->fds[i] = sys_openat(
			AT_FDCWD, path, how[i] | O_NOFOLLOW | O_CLOEXEC, 0);
		if (image->fds[i] < 0)
			return err_os(err, "cannot open image '%s'", path);
	}
	return 0;
}

bool live_image_send(struct live_image *image, struct qmp_call *call,
	struct job *job, struct qmp_client *qmp, const char *name)
{
	int *fd = image->fds[0] >= 0 ? &image->fds[0] : &image->fds[1];
	json_t *args;

	if (*fd < 0)
		return false;
	args = json_pack("{s:s}", "opaque", name);
	if (image->set >= 0)
		json_object_set_new(args, "fdset-id", json_integer(image->set));
	qmp_call_start(call, job, qmp,
		&(struct qmp_command){ "add-fd", args, 0, *fd }, false);
	fd_close(fd);
	return true;
}

void live_image_sent(struct live_image *image, const struct qmp_call *call)
{
	image->set = (int)json_integer_value(
		json_object_get(call->result, "fdset-id"));
}

/* ---- one for each disk ---- */

static struct live_image *image_of(struct list *link)
{
	return list_entry(link, struct live_image, link);
}

char *live_image_top(const struct vm *vm, const char *disk)
{
	return argv_disk_top(
		vm->running ? spec_disk_of(vm->running, disk) : NULL, disk);
}

bool live_images_size(
	struct list *images, const struct qmp_call *call, const struct vm *vm)
{
	list_each(images, it, next) {
		struct live_image *image = image_of(it);
		AUTO_FREE char *top = live_image_top(vm, image->disk);

		image->size = live_image_node_size(call->result, top);
		if (image->size)
			continue;
		job_fail(call->job, ERR_NOT_FOUND, "QEMU has no disk '%s'",
			image->disk);
		return false;
	}
	return true;
}

bool live_images_open(struct list *images, struct job *job)
{
	struct err err = ERR_INIT;

	list_each(images, it, next) {
		if (live_image_open(image_of(it), &err)) {
			job_fail_err(job, &err);
			return false;
		}
	}
	return true;
}

bool live_images_are_wanted(
	struct list *images, struct job *job, const struct vm *vm)
{
	bool all = vm->machine.ready && vm->running;

	list_each(images, it, next)
		all = all && spec_disk_of(vm->running, image_of(it)->disk);
	if (!all)
		job_fail(job, ERR_GONE, "QEMU is gone");
	return all;
}
