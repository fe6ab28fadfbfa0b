/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pool list, pool info. */
#include "base/str.h"
#include "supervisor/commands.h"
#include "supervisor/pool_space.h"
#include "supervisor/volume.h"

void command_pool_list(struct request *rq)
{
	const struct env *env = registry_env(request_registry(rq));
	json_t *all = json_array();

	registry_catch_up(request_registry(rq));
	list_each(pools_of(&env->paths), it, next)
		json_array_append_new(
			all, pool_report(list_entry(it, struct pool, link)));
	request_reply_steal(rq, json_pack("{s:o}", "pools", all));
}

/* One that cannot be used is looked at like any other. */
static const struct pool *find(
	const struct env *env, const char *name, struct err *err)
{
	list_each(pools_of(&env->paths), it, next) {
		const struct pool *pool = list_entry(it, struct pool, link);

		if (str_eq(pool->name, *name ? name : POOL_DEFAULT))
			return pool;
	}
	return pool_find(&env->paths, name, err);
}

void command_pool_info(struct request *rq)
{
	struct registry *registry = request_registry(rq);
	struct err err = ERR_INIT;
	const struct pool *pool;
	json_t *result;

	registry_catch_up(registry);
	pool = find(registry_env(registry), request_string(rq, "pool"), &err);
	if (!pool) {
		request_fail(rq, &err);
		return;
	}
	result = pool_report(pool);
	json_object_set_new(result, "images", volume_list(registry, pool));
	request_reply_steal(rq, result);
}
