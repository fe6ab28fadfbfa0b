/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that were read and may be refused; see reading.h. */
#include "supervisor/reading.h"

#include "base/mem.h"
#include "supervisor/config.h"
#include "supervisor/order_check.h"

void reading_take(struct reading *r, const struct env *env, struct vm *vm)
{
	*r = (struct reading){ .vm = vm };
	findings_init(&r->findings);
	r->spec = config_load(
		&env->paths, vm->name, env->file, &r->findings, &r->missing);
}

/* The same order as before, for all that the graph knows. */
static bool is_same_list(char **a, char **b)
{
	while (*a && *b && str_eq(*a, *b)) {
		a++;
		b++;
	}
	return !*a && !*b;
}

static bool is_same_order(const struct vm_spec *a, const struct vm_spec *b)
{
	return a && b && is_same_list(a->start.after, b->start.after) &&
	       is_same_list(a->start.before, b->start.before) &&
	       is_same_list(a->start.requires, b->start.requires) &&
	       is_same_list(a->start.wants, b->start.wants) &&
	       is_same_list(a->start.part_of, b->start.part_of);
}

/* The specs that there will be; borrowed, in order of names. */
struct outlook {
	struct vm_spec **specs;
	const char **names;
	struct reading **readings; /* NULL: the order stays as it is */
	size_t n;
};

static void outlook_init(
	struct outlook *o, struct list *vms, struct reading *readings, size_t n)
{
	size_t at = 0;

	*o = (struct outlook){ .n = list_count(vms) };
	o->specs = xcalloc(o->n + 1, sizeof(o->specs[0]));
	o->names = xcalloc(o->n + 1, sizeof(o->names[0]));
	o->readings = xcalloc(o->n + 1, sizeof(o->readings[0]));
	o->n = 0;
	list_each(vms, it2, next2) {
		struct vm *vm = list_entry(it2, struct vm, link);
		struct reading *r = at < n && readings[at].vm == vm
					    ? &readings[at++]
					    : NULL;

		o->names[o->n] = vm->name;
		o->readings[o->n] =
			r && r->spec && !is_same_order(vm->spec, r->spec)
				? r
				: NULL;
		o->specs[o->n++] = r && r->spec ? r->spec : vm->spec;
	}
}

static void outlook_fini(struct outlook *o)
{
	free(o->specs);
	free(o->names);
	free(o->readings);
}

/* Refuses the new files that say a cycle; false: there is none to refuse. */
static bool refuse_cycle(struct outlook *o)
{
	struct graph *g = order_graph(o->specs, o->names, o->n);
	size_t n;
	size_t *nodes = graph_cycle(g, &n);
	bool refused = false;

	for (size_t i = 0; nodes && i < n; i++) {
		struct reading *r = o->readings[nodes[i]];

		if (r && order_says_cycle(g, nodes, n, nodes[i]))
			order_remark_cycle(g, nodes, n, nodes[i], &r->findings);
	}
	for (size_t i = 0; nodes && i < n; i++) {
		struct reading *r = o->readings[nodes[i]];

		if (!r || !r->findings.errors)
			continue;
		spec_free(TAKE(r->spec));
		o->readings[nodes[i]] = NULL;
		o->specs[nodes[i]] = r->vm->spec;
		refused = true;
	}
	free(nodes);
	graph_free(g);
	return refused;
}

bool reading_changes_order(const struct reading *r)
{
	return !is_same_order(r->vm->spec, r->spec);
}

void readings_refuse_cycles(
	struct list *vms, struct reading *readings, size_t n)
{
	struct outlook o;

	outlook_init(&o, vms, readings, n);
	while (refuse_cycle(&o))
		;
	outlook_fini(&o);
}
