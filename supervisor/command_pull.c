/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image pull: what is fetched, from a catalogue or a URL; image catalogue. */
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/catalogue.h"
#include "supervisor/commands.h"
#include "supervisor/image_request.h"
#include "supervisor/op_pull.h"

/* By the words of the request, or by the catalogue. */
static int find_item(
	struct request *rq, struct catalogue_item *item, struct err *err)
{
	const struct env *env = registry_env(request_registry(rq));
	const char *source = request_string(rq, "source");
	const char *sha256 = request_string(rq, "sha256");

	if (!strstr(source, "://"))
		return *sha256 ? err_set(err, ERR_USAGE,
					 "the sha256 of '%s' is in the "
					 "catalogue",
					 source)
			       : catalogue_find(&env->paths, source, item, err);
	*item = (struct catalogue_item){ .url = xstrdup(source) };
	if (catalogue_check_url(source, err))
		return -1;
	if (!*sha256)
		return err_set(err, ERR_USAGE,
			"say --sha256 HEX: what is fetched is taken only if it "
			"is what was meant");
	item->sha256 = catalogue_digest(sha256, err);
	return item->sha256 ? 0 : -1;
}

/* The last name in a URL, or that of the catalogue, as if of a file; new. */
static char *path_of(const char *source)
{
	AUTO_FREE char *plain = xstrndup(source, strcspn(source, "?#"));
	const char *slash = strrchr(plain, '/');

	return slash ? xstrdup(slash) : xasprintf("/%s.name", plain);
}

/* What is in the cache, and in which format. */
static int name_source(struct request *rq, struct op_image *op,
	const struct catalogue_item *item, struct err *err)
{
	AUTO_FREE char *cache = op_pull_cache(&op->env->paths, item->sha256);
	AUTO_FREE char *path = path_of(item->url);
	const char *asked = request_string(rq, "format");
	const char *format = *asked ? asked : str_or(item->format, "");
	struct volume named = { NULL };

	/* its own name is a number: its suffix tells the format */
	if (volume_name(op->env, "", path, format, &named, err))
		return -1;
	op->from.format = named.format;
	op->from.name = xstrdup(cache);
	op->from.path = TAKE(cache);
	volume_fini(&named);
	return 0;
}

static int fill(struct request *rq, struct op_image **out,
	struct catalogue_item *item, struct err *err)
{
	const char *source = request_string(rq, "source");
	AUTO_FREE char *path = NULL;

	if (find_item(rq, item, err))
		return -1;
	path = path_of(source);
	*out = image_request_import(rq, path, err);
	if (!*out || name_source(rq, *out, item, err))
		return -1;
	(*out)->pull.url = TAKE(item->url);
	(*out)->pull.sha256 = TAKE(item->sha256);
	return 0;
}

void command_image_pull(struct request *rq)
{
	struct catalogue_item item = { NULL };
	struct op_image *op = NULL;
	struct err err = ERR_INIT;

	if (fill(rq, &op, &item, &err)) {
		if (op)
			op_image_free(op);
		request_fail(rq, &err);
	} else if (request_bool(rq, "dry-run")) {
		request_reply_steal(
			rq, json_pack("{s:[o]}", "actions",
				    json_sprintf("pull '%s' as '%s'",
					    op->pull.url, op->volume.path)));
		op_image_free(op);
	} else {
		image_request_start(rq, op, op_image_pull);
	}
	catalogue_item_fini(&item);
}

/* Whether it was fetched before. */
static bool is_cached(const struct env *env, const json_t *item)
{
	const char *sha256 = json_string_value(json_object_get(item, "sha256"));
	AUTO_FREE char *path =
		sha256 ? op_pull_cache(&env->paths, sha256) : NULL;
	struct stat st;

	return path && !sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
}

void command_image_catalogue(struct request *rq)
{
	const struct env *env = registry_env(request_registry(rq));
	struct err err = ERR_INIT;
	json_t *all = catalogue_list(&env->paths, &err);
	json_t *item;
	size_t i;

	if (!all) {
		request_fail(rq, &err);
		return;
	}
	json_array_foreach(all, i, item) json_object_set_new(
		item, "cached", json_boolean(is_cached(env, item)));
	request_reply_steal(rq, json_pack("{s:o}", "images", all));
}
