/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests for work on images: from arguments to an op, and its answer. */
#ifndef SUPERVISOR_IMAGE_REQUEST_H
#define SUPERVISOR_IMAGE_REQUEST_H

#include "supervisor/control.h"
#include "supervisor/op_image.h"

/*
 * The volume that an argument names; format: the argument with its format.
 * A path may be anything of the host: not for those who may only look.
 */
MUST_CHECK int image_request_volume(struct request *rq, const char *arg,
	const char *format, struct volume *volume, struct err *err);
/* The op of an argument; NULL: the request was answered. */
struct op_image *image_request_op(
	struct request *rq, const char *arg, const char *format);
/* Frees the op, answers with the error. */
void image_request_refuse(
	struct request *rq, struct op_image *op, const struct err *err);

/*
 * The op of a volume that is made of something from outside, named after its
 * source unless the request names it; NULL with err.
 */
struct op_image *image_request_import(
	struct request *rq, const char *source, struct err *err);

typedef void image_start_fn(
	struct op_image *op, op_image_end *on_end, void *arg);
/* Starts the job, which answers at its end; with "job" its id is the answer. */
void image_request_start(
	struct request *rq, struct op_image *op, image_start_fn *start);
/* The same for an image that no other job works on; a dry run only says so. */
void image_request_begin(
	struct request *rq, struct op_image *op, image_start_fn *start);

#endif
