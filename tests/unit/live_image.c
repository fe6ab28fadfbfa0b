/* SPDX-License-Identifier: GPL-2.0-or-later */
/* New images on their way into a QEMU: sizes, descriptors, whose they are. */
#include "supervisor/live_image.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "tests/unit/livekit.h"

#define NODES                                                            \
	"[{\"node-name\":\"disk-root\",\"image\":{\"virtual-size\":7}}," \
	"{\"node-name\":\"disk-data\",\"image\":{\"virtual-size\":8}}]"

static struct live_image *add(
	struct list *images, const char *disk, const char *path)
{
	struct live_image *image = NEW(struct live_image);

	live_image_init(image, disk, path, "qcow2");
	list_add(images, &image->link);
	return image;
}

static void drop(struct list *images)
{
	list_each(images, it, next) {
		struct live_image *image =
			list_entry(it, struct live_image, link);

		list_del(it);
		live_image_fini(image);
		free(image);
	}
}

static void test_sizes(void)
{
	static const char *const none[] = { NULL };
	static const struct job_kind kind = { "test", NULL, NULL, NULL };
	struct list images = LIST_INIT(images);
	struct job job = { .kind = &kind };
	struct qmp_call call = { .job = &job };
	struct live_image *data;

	live_up("[disk.data]\nsize = 1G\n", none);
	call.result = json_loads(NODES, 0, NULL);
	add(&images, "root", "/a");
	data = add(&images, "data", "/b");
	ok(live_images_size(&images, &call, live_vm), "QEMU has them");
	is_int((int)data->size, 8, "each has its own");
	ok(live_images_are_wanted(&images, &job, live_vm), "and wants them");
	is_int((int)live_image_node_size(call.result, "x"), 0, "no such node");
	add(&images, "more", "/c");
	ok(!live_images_size(&images, &call, live_vm), "not this one");
	is_str(job.err.text, "QEMU has no disk 'more'", "it says which");
	err_clear(&job.err);
	ok(!live_images_are_wanted(&images, &job, live_vm), "nor wants it");
	is_int(job.err.code, ERR_GONE, "as if QEMU had gone");
	err_clear(&job.err);
	drop(&images);
	add(&images, "root", "/a");
	live_vm->machine.ready = false;
	ok(!live_images_are_wanted(&images, &job, live_vm), "QEMU is gone");
	is_str(job.err.text, "QEMU is gone", "it says so");
	json_decref(call.result);
	drop(&images);
	live_down();
}

static void test_open(void)
{
	static const struct job_kind kind = { "test", NULL, NULL, NULL };
	struct list images = LIST_INIT(images);
	struct job job = { .kind = &kind };
	struct live_image *image = add(&images, "a", temp_path("there"));

	ok(!live_images_open(&images, &job), "it is not there yet");
	ok(strstr(job.err.text, "cannot open image '/"), "%s", job.err.text);
	err_clear(&job.err);
	image->now = xstrdup(temp_path("here"));
	close(open(image->now, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
	ok(live_images_open(&images, &job), "it is where it is said to be");
	ok(image->fds[0] >= 0 && image->fds[1] >= 0, "open for both");
	drop(&images);
	image = add(&images, "a", temp_path("link"));
	if (symlink("here", image->path))
		abort();
	ok(!live_images_open(&images, &job), "what is no file of ours");
	drop(&images);
}

struct sender {
	struct job job;
	struct qmp_call call;
	struct live_image image;
	bool ended;
};

static enum job_state send_run(struct job *job)
{
	struct sender *op = container_of(job, struct sender, job);

	JOB_BEGIN(job);
	while (live_image_send(&op->image, &op->call, job,
		machine_qmp(&live_vm->machine), "name")) {
		JOB_AWAIT(job, op->call.replied, JOB_FOREVER);
		live_image_sent(&op->image, &op->call);
	}
	JOB_END(job);
}

static void send_cleanup(struct job *job)
{
	struct sender *op = container_of(job, struct sender, job);

	qmp_call_fini(&op->call);
	op->ended = true;
}

static void test_send(void)
{
	static const char *const lines[] = { "{\"return\":{}}",
		"{\"return\":{\"fdset-id\":5,\"fd\":1}}",
		"{\"return\":{\"fdset-id\":5,\"fd\":2}}", NULL };
	static const struct job_kind kind = { "send", send_run, NULL,
		send_cleanup };
	struct sender op = { .ended = false };
	struct err err = ERR_INIT;

	live_up("", lines);
	live_image_init(&op.image, NULL, temp_path("here"), "raw");
	ok(!live_image_open(&op.image, &err), "opened");
	job_start(&op.job, &kind, "web", NULL, NULL);
	while (!op.ended)
		loop_turn(true);
	is_int(op.image.set, 5, "the set that QEMU made");
	ok(strstr(str_text(&peer_heard),
		   "add-fd{\"opaque\":\"name\"} "
		   "add-fd{\"fdset-id\":5,\"opaque\":\"name\"} "),
		"both in one set: %s", str_text(&peer_heard));
	ok(op.image.fds[0] < 0 && op.image.fds[1] < 0, "ours are closed");
	live_image_fini(&op.image);
	live_down();
}

int main(void)
{
	live_start();
	test_sizes();
	test_open();
	test_send();
	live_end();
	return done();
}
