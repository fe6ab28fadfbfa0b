/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image import: a file from outside becomes a volume. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/commands.h"
#include "supervisor/image_request.h"
#include "supervisor/op_import.h"

/* "debian.vmdk" gives "debian.qcow2"; new. */
static char *default_name(const char *file, const char *format)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash ? slash + 1 : file;
	const char *dot = strrchr(base, '.');
	size_t len = dot && dot > base ? (size_t)(dot - base) : strlen(base);

	return xasprintf("%.*s.%s", (int)len, base,
		str_eq(format, "vpc") ? "vhd" : format);
}

static const char *format_of(const struct request *rq, const struct pool *pool)
{
	const char *to = request_string(rq, "to");

	if (*to)
		return to;
	return pool->pool.format == FORMAT_NONE
		       ? "qcow2"
		       : spec_format_names[pool->pool.format];
}

/* The disk of an OVA, which is a vmdk. */
static int name_part(struct request *rq, struct op_image *op, struct err *err)
{
	const char *file = request_string(rq, "file");
	const char *format = request_string(rq, "format");

	if (*format && !str_eq(format, "vmdk"))
		return err_set(err, ERR_USAGE,
			"the disks of an archive are vmdk, not %s", format);
	if (!strchr(file, '/'))
		return err_set(
			err, ERR_USAGE, "'%s': say the whole path", file);
	if (ova_find(op->source, file, request_string(rq, "disk"), &op->part,
		    err))
		return -1;
	return volume_name(op->env, "", file, "vmdk", &op->from, err);
}

static int name_source(struct request *rq, struct op_image *op, struct err *err)
{
	const char *file = request_string(rq, "file");
	const char *disk = request_string(rq, "disk");

	op->source = request_take_file(rq, "file", err);
	if (op->source < 0)
		return -1;
	if (str_ends(file, ".ova"))
		return name_part(rq, op, err);
	if (*disk)
		return err_set(err, ERR_USAGE,
			"--disk is one of an archive (.ova), which '%s' is not",
			file);
	if (!strchr(file, '/'))
		return err_set(
			err, ERR_USAGE, "'%s': say the whole path", file);
	return volume_name(op->env, "", file, request_string(rq, "format"),
		&op->from, err);
}

struct op_image *image_request_import(
	struct request *rq, const char *source, struct err *err)
{
	const struct env *env = registry_env(request_registry(rq));
	const struct pool *pool =
		pool_find(&env->paths, request_string(rq, "pool"), err);
	const char *format = pool ? format_of(rq, pool) : NULL;
	const char *given = request_string(rq, "name");
	AUTO_FREE char *name = NULL;
	struct volume volume = { .name = NULL };
	struct op_image *op;

	if (!pool)
		return NULL;
	name = *given ? xstrdup(given) : default_name(source, format);
	if (strchr(name, '/')) {
		err_set(err, ERR_USAGE,
			"the name of a volume has no slash: '%s'", name);
		return NULL;
	}
	if (volume_name(env, pool->name, name,
		    *given ? request_string(rq, "to") : format, &volume, err) ||
		pool_admits(pool, name, err)) {
		volume_fini(&volume);
		return NULL;
	}
	op = op_image_new_steal(env, &volume);
	op->copy = true;
	op->compress = request_bool(rq, "compress");
	op->snapshots = request_bool(rq, "with-snapshots");
	return op;
}

void command_image_import(struct request *rq)
{
	struct err err = ERR_INIT;
	struct op_image *op =
		image_request_import(rq, request_string(rq, "file"), &err);

	if (!op || name_source(rq, op, &err)) {
		if (op)
			op_image_free(op);
		request_fail(rq, &err);
		return;
	}
	if (request_bool(rq, "dry-run")) {
		request_reply_steal(
			rq, json_pack("{s:[o]}", "actions",
				    json_sprintf("import '%s' as '%s'",
					    op->from.path, op->volume.path)));
		op_image_free(op);
		return;
	}
	image_request_begin(rq, op, op_image_import);
}
