/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with the order that files give their VMs: cycles, and names
 * of nobody.  Says it at the lines that say so.
 */
#ifndef SUPERVISOR_ORDER_CHECK_H
#define SUPERVISOR_ORDER_CHECK_H

#include "base/finding.h"
#include "supervisor/graph.h"

/* The graph of specs (owner: the spec; NULL: a node without links); new. */
struct graph *order_graph(
	struct vm_spec *const *specs, const char *const *names, size_t n);
/* "web after db (web.ini:7), db after web (db.ini:3)" of a cycle. */
void order_add_cycle(
	const struct graph *g, const size_t *nodes, size_t n, struct str *out);
/* True if a line of this node's file is part of the cycle. */
bool order_says_cycle(
	const struct graph *g, const size_t *nodes, size_t n, size_t node);
/* An error in f at the line of a node's file that is part of the cycle. */
void order_remark_cycle(const struct graph *g, const size_t *nodes, size_t n,
	size_t node, struct findings *f);
/* `check`: one error for each cycle; only: with this VM in it, or NULL. */
void order_check_cycles(struct graph *g, const char *only, struct findings *f);
/*
 * `check`: names of nobody; for `requires` an error, else a note.  known()
 * says whether there is such a VM, or can be.
 */
void order_check_names(const struct vm_spec *spec,
	bool (*known)(const void *arg, const char *name), const void *arg,
	struct findings *f);

#endif
