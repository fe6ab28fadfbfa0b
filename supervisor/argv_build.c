/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words, options and devices of a vector that is being built. */
#include "supervisor/argv_build.h"

#include "base/jstream.h"
#include "base/mem.h"

void argv_add_steal(struct argv_build *b, char *text)
{
	struct argv_vector *v = &b->argv;

	if (v->n + 1 >= v->size) {
		v->size = v->size ? v->size * 2 : 96;
		v->at = xreallocarray(v->at, v->size, sizeof(*v->at));
	}
	v->at[v->n++] = text;
	v->at[v->n] = NULL;
}

void argv_add(struct argv_build *b, const char *text)
{
	argv_add_steal(b, xstrdup(text));
}

void argv_add_option(
	struct argv_build *b, const char *option, const char *value)
{
	argv_add(b, option);
	argv_add(b, value);
}

void argv_addf(struct argv_build *b, const char *option, const char *fmt, ...)
{
	va_list ap;

	argv_add(b, option);
	va_start(ap, fmt);
	argv_add_steal(b, xvasprintf(fmt, ap));
	va_end(ap);
}

int argv_add_json(struct argv_build *b, const char *option, json_t *json)
{
	char *text = json ? jstream_text(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (!text)
		return -1;
	argv_add(b, option);
	argv_add_steal(b, text);
	return 0;
}

int argv_add_device(struct argv_build *b, json_t *device)
{
	return argv_add_json(b, "-device", device);
}

int argv_port_of(
	struct argv_build *b, const char *class, const char *name, int *out)
{
	AUTO_FREE char *device = xasprintf("%s-%s", class, name);

	*out = -1;
	if (b->kind != MACHINE_Q35)
		return 0;
	*out = argv_find_slot(b->slots, device);
	if (*out < 0)
		return err_set(b->err, ERR_LIMIT,
			"%s '%s': no root port left: a VM takes 32 virtio and "
			"nvme disks and nics together",
			class, name);
	return 0;
}
