/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image list, info, create, resize, check, convert, clone, delete. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/commands.h"
#include "supervisor/committing.h"
#include "supervisor/image_request.h"
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

/* Half a base may go, and is good for nothing else. */
static int check_committed(
	const struct request *rq, const struct volume *volume, struct err *err)
{
	const struct paths *paths = &registry_env(request_registry(rq))->paths;
	const struct op_image probe = { .volume = *volume };
	struct err half = ERR_INIT;

	if (str_eq(rq->verb->wire, "image-delete") ||
		!committing_check(paths, volume->path, &half))
		return 0;
	if (!check_busy(&probe, err))
		*err = half;
	return -1;
}

int image_request_volume(struct request *rq, const char *arg,
	const char *format, struct volume *volume, struct err *err)
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
	if (!check_committed(rq, volume, err) &&
		(strchr(name, '/') || !check_beneath(env, volume, err)))
		return 0;
	volume_fini(volume);
	return -1;
}

struct op_image *image_request_op(
	struct request *rq, const char *arg, const char *format)
{
	struct registry *registry = request_registry(rq);
	struct volume volume;
	struct err err = ERR_INIT;
	struct op_image *op;

	if (image_request_volume(rq, arg, format, &volume, &err)) {
		request_fail(rq, &err);
		return NULL;
	}
	op = op_image_new_steal(registry_env(registry), &volume);
	op->rules = volume_rules(registry);
	return op;
}

void image_request_refuse(
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

void image_request_start(
	struct request *rq, struct op_image *op, image_start_fn *start)
{
	bool later = request_bool(rq, "job");

	start(op, on_end, later ? NULL : rq);
	if (!later)
		rq->job = &op->job; /* its events name the request */
	tasks_add(&op->job, rq->id);
	if (later)
		request_reply_steal(
			rq, json_pack("{s:o}", "job",
				    json_sprintf("j%u", op->job.id)));
}

void image_request_begin(
	struct request *rq, struct op_image *op, image_start_fn *start)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *action =
		xasprintf("%s %s", rq->verb->name, op->volume.path);

	if (check_busy(op, &err)) {
		image_request_refuse(rq, op, &err);
		return;
	}
	if (request_bool(rq, "dry-run")) {
		op_image_free(op);
		request_reply_steal(
			rq, json_pack("{s:[s]}", "actions", action));
		return;
	}
	image_request_start(rq, op, start);
}

/* Any file of the host: not for those who may only repair. */
static int read_secret(struct request *rq, const char *arg,
	struct secret *secret, struct err *err)
{
	const char *path = request_string(rq, arg);

	if (!*path)
		return 0;
	if (rq->role < ROLE_ADMIN || *path != '/')
		return err_set(err, ERR_DENIED,
			"only the role admin may name the file of a secret");
	return secret_read(path, secret, err);
}

/* That of what is made: only qcow2 can be encrypted. */
static int read_new_secret(struct request *rq, struct op_image *op,
	const char *arg, struct err *err)
{
	if (read_secret(rq, arg, &op->new_secret, err))
		return -1;
	if (!op->new_secret.bytes || str_eq(op->volume.format, "qcow2"))
		return 0;
	return err_set(err, ERR_USAGE,
		"only a qcow2 image can be encrypted, not %s",
		op->volume.format);
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
	struct op_image *op = image_request_op(rq, "image", "format");

	if (op)
		image_request_begin(rq, op, op_image_info);
}

/* ---- change one ---- */

void command_image_check(struct request *rq)
{
	struct op_image *op = image_request_op(rq, "image", "format");
	const char *repair = request_string(rq, "repair");
	struct err err = ERR_INIT;

	if (!op)
		return;
	op->repair = *repair;
	op->repair_all = str_eq(repair, "all");
	if (read_secret(rq, "secret-file", &op->secret, &err))
		; /* it says why */
	else if (op->repair && rq->role < ROLE_ADMIN)
		err_set(&err, ERR_DENIED, "only the role admin may repair");
	else if (op->repair)
		(void)!volume_must_be_free(request_registry(rq), &op->volume,
			NEED_RUNNING | NEED_ABOVE, &err);
	if (err.code)
		image_request_refuse(rq, op, &err);
	else
		image_request_begin(rq, op, op_image_check);
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
	struct op_image *op = image_request_op(rq, "image", "format");
	json_int_t size = request_int(rq, "size", 0);
	struct err err = ERR_INIT;

	if (!op)
		return;
	op->size = (uint64_t)size;
	op->shrink = request_bool(rq, "shrink");
	if (check_size(size, &err) ||
		read_secret(rq, "secret-file", &op->secret, &err) ||
		volume_must_be_free(request_registry(rq), &op->volume,
			NEED_RUNNING | NEED_ABOVE, &err))
		image_request_refuse(rq, op, &err);
	else
		image_request_begin(rq, op, op_image_resize);
}

void command_image_delete(struct request *rq)
{
	struct op_image *op = image_request_op(rq, "image", "format");
	struct err err = ERR_INIT;

	if (!op)
		return;
	if (volume_check(&op->volume, &err) ||
		volume_must_be_free(
			request_registry(rq), &op->volume, NEED_ANY, &err) ||
		committing_check_moves(&op->env->paths, op->volume.path, &err))
		image_request_refuse(rq, op, &err);
	else
		image_request_begin(rq, op, op_image_delete);
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
	if (op->new_secret.bytes) {
		add_option(&options, "encrypt.format", "luks");
		add_option(&options, "encrypt.key-secret", "newkey");
	}
	return options.len ? str_take(&options) : NULL;
}

static bool is_filled(const struct request *rq)
{
	const char *how = request_string(rq, "preallocation");

	return str_eq(how, "full") || str_eq(how, "falloc");
}

/* A disk that is to be filled at once must have the room. */
static int check_space(
	const struct request *rq, const struct op_image *op, struct err *err)
{
	return is_filled(rq) ? volume_has_space(&op->volume, op->size, err) : 0;
}

static int fill_create(struct request *rq, struct op_image *op, struct err *err)
{
	json_int_t size = request_int(rq, "size", 0);
	bool overlay = *request_string(rq, "base");

	op->size = (uint64_t)size;
	if (overlay &&
		image_request_volume(rq, "base", "base-format", &op->from, err))
		return -1;
	if (overlay && !str_eq(op->volume.format, "qcow2"))
		return err_set(err, ERR_USAGE,
			"only a qcow2 image can be on top of a base, not %s",
			op->volume.format);
	if (!overlay && !json_object_get(rq->args, "size"))
		return err_set(err, ERR_USAGE, "say its size, or a --base");
	if (json_object_get(rq->args, "size") && check_size(size, err))
		return -1;
	if (read_new_secret(rq, op, "secret-file", err))
		return -1;
	op->options = options_of(rq, op);
	return check_space(rq, op, err);
}

void command_image_create(struct request *rq)
{
	struct op_image *op = image_request_op(rq, "image", "format");
	struct err err = ERR_INIT;

	if (!op)
		return;
	if (fill_create(rq, op, &err))
		image_request_refuse(rq, op, &err);
	else
		image_request_begin(rq, op, op_image_make);
}

/* A copy of an image that a guest writes to would be torn. */
static int fill_copy(struct request *rq, struct op_image *op,
	const char *format, struct err *err)
{
	if (image_request_volume(rq, "image", format, &op->from, err))
		return -1;
	if (str_eq(op->from.path, op->volume.path))
		return err_set(err, ERR_USAGE, "both are '%s'", op->from.path);
	op->copy = true;
	return volume_must_be_free(
		request_registry(rq), &op->from, NEED_WRITES, err);
}

static void begin_copy(struct request *rq, struct op_image *op)
{
	op->options = options_of(rq, op);
	image_request_begin(rq, op, op_image_make);
}

void command_image_convert(struct request *rq)
{
	struct op_image *op = image_request_op(rq, "new", "to");
	struct err err = ERR_INIT;

	if (!op)
		return;
	op->compress = request_bool(rq, "compress");
	op->filled = is_filled(rq);
	if (fill_copy(rq, op, "format", &err) ||
		read_secret(rq, "secret-file", &op->secret, &err) ||
		read_new_secret(rq, op, "new-secret-file", &err))
		image_request_refuse(rq, op, &err);
	else
		begin_copy(rq, op);
}

/* The bytes are the same: so is the format, and what it is on top of. */
static int check_reflink(const struct op_image *op, struct err *err)
{
	struct backing below;
	int rc = 0;

	if (!op->reflink)
		return 0;
	if (!str_eq(op->from.format, op->volume.format))
		return err_set(err, ERR_USAGE,
			"'%s' is %s, and so is a clone of its blocks, not %s",
			op->from.path, op->from.format, op->volume.format);
	rc = backing_read(op->from.path, op->from.format, &below, err);
	if (!rc && below.path)
		rc = err_set(err, ERR_STATE,
			"image '%s' is on top of another: --full copies both",
			op->from.path);
	backing_fini(&below);
	return rc;
}

void command_image_clone(struct request *rq)
{
	struct op_image *op = image_request_op(rq, "new", "to");
	struct err err = ERR_INIT;

	if (!op)
		return;
	op->reflink = request_bool(rq, "reflink");
	if (op->reflink && request_bool(rq, "full"))
		err_set(&err, ERR_USAGE,
			"a clone is --full or --reflink, not both");
	else if (op->reflink || request_bool(rq, "full"))
		(void)(fill_copy(rq, op, "format", &err) ||
			check_reflink(op, &err));
	else if (!image_request_volume(
			 rq, "image", "format", &op->from, &err) &&
		 !str_eq(op->volume.format, "qcow2"))
		err_set(&err, ERR_USAGE,
			"a linked clone is a qcow2 image, not %s; --full copies",
			op->volume.format);
	if (err.code)
		image_request_refuse(rq, op, &err);
	else
		image_request_begin(rq, op, op_image_make);
}
