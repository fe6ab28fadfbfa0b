/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image rebase, flatten, commit, compare, map. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/chain_record.h"
#include "supervisor/commands.h"
#include "supervisor/image_request.h"

static int check_overlay(const struct op_image *op, struct err *err)
{
	if (str_eq(op->volume.format, "qcow2"))
		return 0;
	return err_set(err, ERR_USAGE,
		"only a qcow2 image can be on top of a base, not %s",
		op->volume.format);
}

static void begin_unless(struct request *rq, struct op_image *op,
	image_start_fn *start, const struct err *err)
{
	if (err->code)
		image_request_refuse(rq, op, err);
	else
		image_request_begin(rq, op, start);
}

/*
 * What is below the image changes: VMs on it take it anew at their next
 * start.  Before the work begins, so that no crash leaves an old record.
 */
static void begin_rebase(
	struct request *rq, struct op_image *op, const struct err *err)
{
	if (!err->code && !request_bool(rq, "dry-run")) {
		list_each(registry_vms(request_registry(rq)), it, next)
			chain_record_forget(list_entry(it, struct vm, link),
				op->volume.path);
	}
	begin_unless(rq, op, op_image_rebase, err);
}

void command_image_rebase(struct request *rq)
{
	struct op_image *op = image_request_op(rq, "image", "format");
	struct err err = ERR_INIT;

	if (!op)
		return;
	op->unsafe = request_bool(rq, "unsafe");
	if (!check_overlay(op, &err) &&
		!image_request_volume(
			rq, "base", "base-format", &op->from, &err) &&
		str_eq(op->from.path, op->volume.path))
		err_set(&err, ERR_USAGE, "both are '%s'", op->from.path);
	if (!err.code)
		(void)!volume_must_be_free(
			request_registry(rq), &op->volume, NEED_RUNNING, &err);
	begin_rebase(rq, op, &err);
}

void command_image_flatten(struct request *rq)
{
	struct op_image *op = image_request_op(rq, "image", "format");
	struct err err = ERR_INIT;

	if (!op)
		return;
	if (!check_overlay(op, &err))
		(void)!volume_must_be_free(
			request_registry(rq), &op->volume, NEED_RUNNING, &err);
	begin_rebase(rq, op, &err);
}

/* ---- commit ---- */

void command_image_commit(struct request *rq)
{
	struct op_image *op = image_request_op(rq, "image", "format");
	struct err err = ERR_INIT;

	if (!op)
		return;
	op->keep = request_bool(rq, "keep");
	if (!check_overlay(op, &err))
		(void)!op_image_commit_check(request_registry(rq), op, &err);
	begin_unless(rq, op, op_image_commit, &err);
}

/* ---- compare, map ---- */

void command_image_compare(struct request *rq)
{
	struct op_image *op = image_request_op(rq, "image", "format");
	struct err err = ERR_INIT;

	if (!op)
		return;
	op->strict = request_bool(rq, "strict");
	if (!image_request_volume(
		    rq, "other", "other-format", &op->from, &err) &&
		!volume_must_be_free(
			request_registry(rq), &op->volume, NEED_WRITES, &err))
		(void)!volume_must_be_free(
			request_registry(rq), &op->from, NEED_WRITES, &err);
	begin_unless(rq, op, op_image_compare, &err);
}

void command_image_map(struct request *rq)
{
	struct op_image *op = image_request_op(rq, "image", "format");

	if (op)
		image_request_begin(rq, op, op_image_map);
}
