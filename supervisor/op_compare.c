/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in images: whether two have the same, and where it is. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/op_image.h"

enum { COMPARE_DIFFERS = 1, EXTENTS_MAX = 256 };

/* ---- compare ---- */

static json_int_t offset_in(const char *digits)
{
	json_int_t value = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		value = value * 10 + (*digits - '0');
	return value;
}

/* "Content mismatch at offset 65536!" */
static void on_words(void *arg, const char *line)
{
	struct op_image *op = arg;
	const char *at = strstr(line, "offset ");

	if (at && !op->differs_at)
		op->differs_at = json_integer(offset_in(at + 7));
	if (strstr(line, "size mismatch"))
		op->sizes_differ = true;
}

static void start_compare(struct op_image *op)
{
	const char *words[12] = { "compare", "-p", "-U", "-f",
		op->volume.format, "-F", op->from.format };
	size_t n = 7;

	op->job.progress.phase = "comparing";
	if (op->strict)
		words[n++] = "-s";
	words[n++] = op->volume.path;
	words[n] = op->from.path;
	op->on_words = on_words;
	op_image_run(op, words, "compare", UINT64_C(1) << COMPARE_DIFFERS);
}

static enum job_state compare_run(struct job *job)
{
	struct op_image *op = container_of(job, struct op_image, job);

	JOB_BEGIN(job);
	if (!op_image_is_sound(op, &op->volume) ||
		!op_image_is_sound(op, &op->from))
		return JOB_ENDS;
	op_image_ask(op);
	IMAGE_AWAIT_RUN(op);
	op->bytes = (uint64_t)json_integer_value(
		json_object_get(op->printed, "virtual-size"));
	start_compare(op);
	IMAGE_AWAIT_RUN(op);
	op->result = json_pack("{s:b,s:b,s:O?}", "same",
		op->code != COMPARE_DIFFERS, "sizes-differ", op->sizes_differ,
		"differs-at", op->differs_at);
	JOB_END(job);
}

/* ---- map ---- */

static json_int_t number(const json_t *of, const char *name)
{
	return json_integer_value(json_object_get(of, name));
}

/* One extent per line: "[{ ... }," */
static void on_extent(void *arg, const char *line)
{
	struct op_image *op = arg;
	const char *from = strchr(line, '{');
	const char *to = strrchr(line, '}');
	json_t *extent;

	if (!from || !to || to < from)
		return;
	extent = json_loadb(from, (size_t)(to - from) + 1, 0, NULL);
	if (!extent)
		return;
	if (json_is_true(json_object_get(extent, "data")))
		op->map.data += number(extent, "length");
	else
		op->map.zero += number(extent, "length");
	if (number(extent, "depth") > 0)
		op->map.below += number(extent, "length");
	if (!op->map.extents)
		op->map.extents = json_array();
	if (op->map.n++ < EXTENTS_MAX)
		json_array_append(op->map.extents, extent);
	json_decref(extent);
}

static void start_map(struct op_image *op)
{
	const char *words[] = { "map", "-U", "--output=json", "-f",
		op->volume.format, op->volume.path, NULL };

	op->job.progress.phase = "mapping";
	op->on_words = on_extent;
	op_image_run(op, words, "map", 0);
}

static enum job_state map_run(struct job *job)
{
	struct op_image *op = container_of(job, struct op_image, job);

	JOB_BEGIN(job);
	if (!op_image_is_sound(op, &op->volume))
		return JOB_ENDS;
	start_map(op);
	IMAGE_AWAIT_RUN(op);
	op->result = json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:O?}", "name",
		op->volume.name, "path", op->volume.path, "data", op->map.data,
		"zero", op->map.zero, "below", op->map.below, "count",
		(json_int_t)op->map.n, "extents", op->map.extents);
	JOB_END(job);
}

IMAGE_VERB(compare)
IMAGE_VERB(map)
