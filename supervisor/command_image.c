/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image list, info, create, resize, check, convert, clone, delete. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/commands.h"
#include "supervisor/op_image.h"
#include "supervisor/tasks.h"

/* ---- what they share ---- */

/* What is new may be in another pool than what it is made of. */
static const char *pool_name(const struct request *rq, const char *arg)
{
	const char *to = request_string(rq, "to-pool");

	return str_eq(arg, "new") && *to ? to : request_string(rq, "pool");
}

static int check_beneath(
	const struct env *env, const struct volume *volume, struct err *err)
{
	const struct pool *pool = pool_find(&env->paths, volume->pool, err);

	return pool ? pool_admits(pool, volume->name, err) : -1;
}

/* A path may be anything of the host: not for those who may only look. */
static int name_volume(struct request *rq, const char *arg, const char *format,
	struct volume *volume, struct err *err)
{
	const char *name = request_string(rq, arg);
	const struct env *env = registry_env(request_registry(rq));

	if (strchr(name, '/') && rq->role < ROLE_ADMIN)
		return err_set(err, ERR_DENIED,
			"only the role admin may name a path; the name of a "
			"volume has no slash");
	if (volume_name(env, pool_name(rq, arg), name,
		    request_string(rq, format), volume, err))
		return -1;
	return strchr(name, '/') ? 0 : check_beneath(env, volume, err);
}

/* Another job that works on one of the two, or reads it. */
static int check_busy(const struct op_image *op, struct err *err)
{
	list_each(tasks_list(), it, next) {
		const struct job *job = list_entry(it, struct job, link);
		const struct op_image *other = container_of(
			(struct job *)(uintptr_t)job, struct op_image, job);
		const char *theirs = other->volume.path;

		if (str_eq(theirs, op->volume.path) ||
			(op->from.path && str_eq(theirs, op->from.path)) ||
			(other->from.path &&
				str_eq(other->from.path, op->volume.path)))
			return err_set(err, ERR_BUSY,
				"job j%u (%s) works on image '%s'", job->id,
				job->kind->name, theirs);
	}
	return 0;
}

/* The op of "image"; NULL: the request was answered. */
static struct op_image *new_op(
	struct request *rq, const char *arg, const char *format)
{
	struct volume volume;
	struct err err = ERR_INIT;

	if (!name_volume(rq, arg, format, &volume, &err))
		return op_image_new_steal(
			registry_env(request_registry(rq)), &volume);
	request_fail(rq, &err);
	return NULL;
}

static void refuse(
	struct request *rq, struct op_image *op, const struct err *err)
{
	op_image_free(op);
	request_fail(rq, err);
}

static void on_end(struct job *job, void *arg)
{
	struct op_image *op = op_image_of(job);
	struct request *rq = arg;

	tasks_end(job);
	if (!rq)
		return;
	rq->job = NULL;
	if (job->err.code)
		request_fail(rq, &job->err);
	else
		request_reply_steal(rq, TAKE(op->result));
}

typedef void start_fn(struct op_image *op, op_image_end *on_end, void *arg);

/* Starts the job, or only says so. */
static void begin(struct request *rq, struct op_image *op, start_fn *start)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *action =
		xasprintf("%s %s", rq->verb->name, op->volume.path);

	if (check_busy(op, &err)) {
		refuse(rq, op, &err);
		return;
	}
	if (request_bool(rq, "dry-run")) {
		op_image_free(op);
		request_reply_steal(
			rq, json_pack("{s:[s]}", "actions", action));
		return;
	}
	if (!request_bool(rq, "job")) {
		start(op, on_end, rq);
		rq->job = &op->job;
		tasks_add(&op->job, rq->id);
		return;
	}
	start(op, on_end, NULL);
	tasks_add(&op->job, rq->id);
	request_reply_steal(
		rq, json_pack("{s:o}", "job", json_sprintf("j%u", op->job.id)));
}

/* ---- look ---- */

void command_image_list(struct request *rq)
{
	struct registry *registry = request_registry(rq);
	const char *name = request_string(rq, "pool");
	struct err err = ERR_INIT;
	const struct pool *pool =
		*name ? pool_find(&registry_env(registry)->paths, name, &err)
		      : NULL;

	if (*name && !pool)
		request_fail(rq, &err);
	else
		request_reply_steal(rq, json_pack("{s:o}", "images",
						volume_list(registry, pool)));
}

void command_image_info(struct request *rq)
{
	struct op_image *op = new_op(rq, "image", "format");

	if (op)
		begin(rq, op, op_image_info);
}

/* ---- change one ---- */

void command_image_check(struct request *rq)
{
	struct op_image *op = new_op(rq, "image", "format");
	const char *repair = request_string(rq, "repair");
	struct err err = ERR_INIT;

	if (!op)
		return;
	op->repair = *repair;
	op->repair_all = str_eq(repair, "all");
	if (op->repair && rq->role < ROLE_ADMIN)
		err_set(&err, ERR_DENIED, "only the role admin may repair");
	else if (op->repair)
		(void)!volume_must_be_free(request_registry(rq), &op->volume,
			NEED_RUNNING | NEED_ABOVE, &err);
	if (err.code)
		refuse(rq, op, &err);
	else
		begin(rq, op, op_image_check);
}

static int check_size(json_int_t size, struct err *err)
{
	if (size <= 0)
		return err_set(err, ERR_USAGE, "a size is more than 0");
	if (size % 512)
		return err_set(
			err, ERR_USAGE, "a size is a multiple of 512 bytes");
	return 0;
}

void command_image_resize(struct request *rq)
{
	struct op_image *op = new_op(rq, "image", "format");
	json_int_t size = request_int(rq, "size", 0);
	struct err err = ERR_INIT;

	if (!op)
		return;
	op->size = (uint64_t)size;
	op->shrink = request_bool(rq, "shrink");
	if (check_size(size, &err) ||
		volume_must_be_free(request_registry(rq), &op->volume,
			NEED_RUNNING | NEED_ABOVE, &err))
		refuse(rq, op, &err);
	else
		begin(rq, op, op_image_resize);
}

void command_image_delete(struct request *rq)
{
	struct op_image *op = new_op(rq, "image", "format");
	struct err err = ERR_INIT;

	if (!op)
		return;
	if (volume_check(&op->volume, &err) ||
		volume_must_be_free(
			request_registry(rq), &op->volume, NEED_ANY, &err))
		refuse(rq, op, &err);
	else
		begin(rq, op, op_image_delete);
}

/* ---- make one ---- */

static void add_option(struct str *options, const char *key, const char *value)
{
	if (value && *value)
		str_addf(options, "%s%s=%s", options->len ? "," : "", key,
			value);
}

/* As asked for, else as the pool says; what is on top of a base has none. */
static const char *preallocation_of(
	const struct request *rq, const struct op_image *op)
{
	const char *asked = request_string(rq, "preallocation");
	struct err ignored = ERR_INIT;
	const struct pool *pool;

	if (*asked || !op->volume.pool || op->compress ||
		(op->from.path && !op->copy))
		return asked;
	pool = pool_find(&op->env->paths, op->volume.pool, &ignored);
	return pool ? pool_preallocation(pool, op->volume.format) : NULL;
}

/* The arguments that are options of the format, as qemu-img wants them. */
static char *options_of(const struct request *rq, const struct op_image *op)
{
	struct str options = STR_INIT;
	json_int_t cluster = request_int(rq, "cluster-size", 0);

	if (cluster > 0)
		str_addf(&options, "cluster_size=%" JSON_INTEGER_FORMAT,
			cluster);
	add_option(&options, "preallocation", preallocation_of(rq, op));
	add_option(&options, "compression_type",
		request_string(rq, "compression"));
	if (request_bool(rq, "extended-l2"))
		add_option(&options, "extended_l2", "on");
	return options.len ? str_take(&options) : NULL;
}

/* A disk that is to be filled at once must have the room. */
static int check_space(
	const struct request *rq, const struct op_image *op, struct err *err)
{
	const char *how = request_string(rq, "preallocation");

	if (!str_eq(how, "full") && !str_eq(how, "falloc"))
		return 0;
	return volume_has_space(&op->volume, op->size, err);
}

static int fill_create(struct request *rq, struct op_image *op, struct err *err)
{
	json_int_t size = request_int(rq, "size", 0);
	bool overlay = *request_string(rq, "base");

	op->size = (uint64_t)size;
	if (overlay && name_volume(rq, "base", "base-format", &op->from, err))
		return -1;
	if (overlay && !str_eq(op->volume.format, "qcow2"))
		return err_set(err, ERR_USAGE,
			"only a qcow2 image can be on top of a base, not %s",
			op->volume.format);
	if (!overlay && !json_object_get(rq->args, "size"))
		return err_set(err, ERR_USAGE, "say its size, or a --base");
	if (json_object_get(rq->args, "size") && check_size(size, err))
		return -1;
	op->options = options_of(rq, op);
	return check_space(rq, op, err);
}

void command_image_create(struct request *rq)
{
	struct op_image *op = new_op(rq, "image", "format");
	struct err err = ERR_INIT;

	if (!op)
		return;
	if (fill_create(rq, op, &err))
		refuse(rq, op, &err);
	else
		begin(rq, op, op_image_make);
}

/* A copy of an image that a guest writes to would be torn. */
static int fill_copy(struct request *rq, struct op_image *op,
	const char *format, struct err *err)
{
	if (name_volume(rq, "image", format, &op->from, err))
		return -1;
	if (str_eq(op->from.path, op->volume.path))
		return err_set(err, ERR_USAGE, "both are '%s'", op->from.path);
	op->copy = true;
	return volume_must_be_free(
		request_registry(rq), &op->from, NEED_RUNNING, err);
}

void command_image_convert(struct request *rq)
{
	struct op_image *op = new_op(rq, "new", "to");
	struct err err = ERR_INIT;

	if (!op)
		return;
	op->compress = request_bool(rq, "compress");
	op->copy = true;
	op->options = options_of(rq, op);
	if (fill_copy(rq, op, "format", &err))
		refuse(rq, op, &err);
	else
		begin(rq, op, op_image_make);
}

void command_image_clone(struct request *rq)
{
	struct op_image *op = new_op(rq, "new", "to");
	struct err err = ERR_INIT;

	if (!op)
		return;
	if (request_bool(rq, "full"))
		(void)!fill_copy(rq, op, "format", &err);
	else if (!name_volume(rq, "image", "format", &op->from, &err) &&
		 !str_eq(op->volume.format, "qcow2"))
		err_set(&err, ERR_USAGE,
			"a linked clone is a qcow2 image, not %s; --full copies",
			op->volume.format);
	if (err.code)
		refuse(rq, op, &err);
	else
		begin(rq, op, op_image_make);
}
