/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in pools; see pool_space.h. */
#include "supervisor/pool_space.h"

#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/image.h"

/* Claims of jobs under way: pool_claim.link. */
static struct list claims;

static struct list *claims_list(void)
{
	if (!claims.next)
		list_init(&claims);
	return &claims;
}

/* ---- measuring ---- */

struct sum {
	const char *dir;
	struct pool_space *space;
};

/* What only qemu-img can tell counts by the length of its file. */
static void add_image(void *arg, const char *name)
{
	const struct sum *sum = arg;
	AUTO_FREE char *path = xasprintf("%s/%s", sum->dir, name);
	struct err ignored = ERR_INIT;
	const char *format;
	uint64_t size = 0;
	struct stat st;
	bool backed;

	if (*name == '.' ||
		sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) ||
		!S_ISREG(st.st_mode))
		return;
	sum->space->allocated += (uint64_t)st.st_blocks * 512;
	if (image_is_temporary(name))
		return;
	if (image_header(path, &format, &size, &backed, &ignored) || size == 0)
		size = (uint64_t)st.st_size;
	sum->space->promised += size;
	sum->space->volumes++;
}

static uint64_t claimed(const char *dir)
{
	uint64_t bytes = 0;

	list_each(claims_list(), it, next) {
		const struct pool_claim *claim =
			list_entry(it, struct pool_claim, link);

		if (str_eq(claim->dir, dir))
			bytes += claim->bytes;
	}
	return bytes;
}

static uint64_t left_of(uint64_t whole, uint64_t used)
{
	return whole > used ? whole - used : 0;
}

int pool_space_measure(
	const struct pool *pool, struct pool_space *out, struct err *err)
{
	struct sum sum = { pool->dir, out };
	uint64_t quota = pool->pool.quota;
	uint64_t left;

	*out = (struct pool_space){ 0 };
	if (sys_listdir(AT_FDCWD, pool->dir, add_image, &sum) ||
		sys_whole_space(pool->dir, &out->capacity) ||
		sys_free_space(pool->dir, &out->available))
		return err_os(err, "pool '%s': cannot read '%s'", pool->name,
			pool->dir);
	if (quota == 0)
		return 0;
	left = left_of(quota, out->promised + claimed(pool->dir));
	if (quota < out->capacity)
		out->capacity = quota;
	if (left < out->available)
		out->available = left;
	return 0;
}

/* ---- quotas ---- */

static int refuse(const struct pool *pool, const char *path, uint64_t needed,
	uint64_t left, struct err *err)
{
	AUTO_STR struct str need = STR_INIT;
	AUTO_STR struct str quota = STR_INIT;
	AUTO_STR struct str rest = STR_INIT;

	str_add_bytes(&need, needed);
	str_add_bytes(&quota, pool->pool.quota);
	str_add_bytes(&rest, left);
	return err_set(err, ERR_LIMIT,
		"image '%s' needs %s more of pool '%s', whose quota of %s has "
		"%s left",
		path, str_text(&need), pool->name, str_text(&quota),
		str_text(&rest));
}

int pool_claim(const struct paths *paths, const char *path, uint64_t bytes,
	struct pool_claim *claim, struct err *err)
{
	const struct pool *pool = pool_of_file(paths, path);
	struct pool_space space;
	uint64_t left;

	if (claim)
		pool_claim_release(claim);
	if (!pool || pool->pool.quota == 0 || bytes == 0)
		return 0;
	if (pool_space_measure(pool, &space, err))
		return -1;
	left = left_of(pool->pool.quota, space.promised + claimed(pool->dir));
	if (bytes > left)
		return refuse(pool, path, bytes, left, err);
	if (!claim)
		return 0;
	claim->dir = xstrdup(pool->dir);
	claim->bytes = bytes;
	list_init(&claim->link);
	list_add(claims_list(), &claim->link);
	return 0;
}

void pool_claim_release(struct pool_claim *claim)
{
	if (!claim->dir)
		return;
	list_del(&claim->link);
	free(TAKE(claim->dir));
}

/* ---- for people and programs ---- */

static json_t *bytes_or_null(uint64_t bytes)
{
	return bytes ? json_integer((json_int_t)bytes) : json_null();
}

json_t *pool_report(const struct pool *pool)
{
	bool tells = pool->pool.format != FORMAT_NONE;
	json_t *row = json_pack("{s:s,s:s?,s:s?,s:o,s:s,s:s?}", "name",
		pool->name, "path", pool->dir, "format",
		tells ? spec_format_names[pool->pool.format] : NULL, "quota",
		bytes_or_null(pool->pool.quota), "prealloc",
		pool_prealloc_names[pool->pool.prealloc], "file", pool->file);
	struct err err = ERR_INIT;
	struct pool_space space = { 0 };
	bool known = pool->dir && !pool_space_measure(pool, &space, &err);

	json_object_set_new(row, "capacity",
		known ? json_integer((json_int_t)space.capacity) : json_null());
	json_object_set_new(row, "available",
		known ? json_integer((json_int_t)space.available)
		      : json_null());
	json_object_set_new(row, "allocated",
		known ? json_integer((json_int_t)space.allocated)
		      : json_null());
	json_object_set_new(row, "virtual",
		known ? json_integer((json_int_t)space.promised) : json_null());
	json_object_set_new(row, "overcommit",
		known && space.capacity ? json_real((double)space.promised /
						    (double)space.capacity)
					: json_null());
	json_object_set_new(row, "volumes",
		known ? json_integer(space.volumes) : json_null());
	if (pool->error || err.code)
		json_object_set_new(row, "error",
			json_string(pool->error ? pool->error : err.text));
	else
		json_object_set_new(row, "error", json_null());
	return row;
}
