/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checks that take two VMs: names that DNS cannot tell apart, ports that
 * both want, an image that both would write.  What each VM claims is sorted,
 * so that hundreds of VMs do not make pairs of all with all.
 */
#include "base/mem.h"
#include "supervisor/config.h"
#include "supervisor/forward.h"
#include "supervisor/remark.h"

/* Something that one VM may have and two may not. */
struct claim {
	char *what; /* equal texts collide */
	const struct vm_spec *spec;
	char *section; /* NULL: the VM itself */
	const char *key;
	bool shared; /* two that only read get along */
	const struct spec_forward *forward;
	size_t order;
};

struct claims {
	struct claim *at;
	size_t n;
	size_t room;
};

/* Takes `what` over. */
static struct claim *add(struct claims *claims, char *what,
	const struct vm_spec *spec, const char *section, const char *key)
{
	if (claims->n == claims->room) {
		claims->room = claims->room ? claims->room * 2 : 64;
		claims->at = xreallocarray(
			claims->at, claims->room, sizeof(struct claim));
	}
	struct claim *claim = &claims->at[claims->n];
	*claim = (struct claim){ .what = what,
		.spec = spec,
		.key = key,
		.section = section ? xstrdup(section) : NULL,
		.order = claims->n };
	claims->n++;
	return claim;
}

static void claims_fini(struct claims *claims)
{
	for (size_t i = 0; i < claims->n; i++) {
		free(claims->at[i].what);
		free(claims->at[i].section);
	}
	free(claims->at);
}

/* ---- what a VM claims ---- */

static void claim_name(struct claims *claims, const struct vm_spec *spec)
{
	char *host = xasprintf("name %s", spec->name);

	for (char *at = host; *at; at++)
		if (strchr("_.@", *at))
			*at = '-';
	add(claims, host, spec, NULL, NULL);
	add(claims, xasprintf("uuid %s", spec->uuid), spec, "vm", "uuid");
}

/* A volume is told from one of the same name in another pool; new. */
static char *image_claim(const struct spec_disk *disk, const char *name)
{
	return xasprintf("image %s:%s",
		*name == '/' ? "" : str_or(disk->pool.dir, ""), name);
}

static void claim_images(struct claims *claims, const struct vm_spec *spec)
{
	list_each(&spec->disks, it, next) {
		struct spec_disk *disk = list_entry(it, struct spec_disk, link);
		AUTO_FREE char *section = spec_disk_section(disk);
		if (disk->base)
			add(claims, image_claim(disk, disk->base), spec,
				section, "base")
				->shared = true;
		if (!disk->image)
			continue;
		struct claim *claim = add(claims,
			image_claim(disk, disk->image), spec, section, "image");
		claim->shared = disk->readonly;
	}
}

static void claim_nic(struct claims *claims, const struct vm_spec *spec,
	const struct spec_nic *nic)
{
	AUTO_FREE char *section = xasprintf("net.%s", nic->name);

	if (nic->mac[0])
		add(claims, xasprintf("mac %s", nic->mac), spec, section,
			"mac");
	for (unsigned i = 0; i < nic->forward.n; i++) {
		const struct spec_forward *f = &nic->forward.at[i];
		for (unsigned port = f->host_first; port <= f->host_last;
			port++)
			add(claims, xasprintf("port %d %u", f->udp, port), spec,
				section, "forward")
				->forward = f;
	}
}

static void claim_nics(struct claims *claims, const struct vm_spec *spec)
{
	list_each(&spec->nics, it, next)
		claim_nic(claims, spec, list_entry(it, struct spec_nic, link));
}

/* ---- collisions ---- */

static int compare(const void *a, const void *b)
{
	const struct claim *one = a;
	const struct claim *other = b;
	int order = strcmp(one->what, other->what);

	return order ? order
		     : (one->order > other->order) -
			       (one->order < other->order);
}

static bool collide(const struct claim *a, const struct claim *b)
{
	if (a->spec == b->spec || (a->shared && b->shared))
		return false;
	return !a->forward || forward_overlaps(a->forward, b->forward);
}

static void report(const struct claim *first, const struct claim *second,
	struct findings *f)
{
	const struct remarks to = { &second->spec->ini, second->spec->shown,
		f };
	const char *other = first->spec->name;

	/* the one who would write has the mistake */
	if (second->key && str_eq(second->key, "base")) {
		report(second, first, f);
		return;
	}

	if (!second->section)
		remark_error(&to, NULL, NULL,
			"%s and %s are the same host name", other,
			second->spec->name);
	else if (first->key && str_eq(first->key, "base"))
		remark_error(&to, second->section, second->key,
			"%s is the base of %s and must not be written: say "
			"readonly = yes, or base = %s",
			strchr(second->what, ':') + 1, other,
			strchr(second->what, ':') + 1);
	else if (str_eq(second->key, "image"))
		remark_error(&to, second->section, second->key,
			"is also an image of %s: only readonly = yes in both "
			"can share it",
			other);
	else
		remark_error(&to, second->section, second->key,
			"%s is also taken by %s",
			strchr(second->what, ' ') + 1 +
				(second->forward ? 2 : 0),
			other);
}

/* Claims of one text stand side by side. */
static void compare_all(const struct claims *claims, struct findings *f)
{
	for (size_t i = 1; i < claims->n; i++) {
		const struct claim *second = &claims->at[i];
		for (size_t j = i; j > 0; j--) {
			const struct claim *first = &claims->at[j - 1];
			if (!str_eq(first->what, second->what))
				break;
			if (!collide(first, second))
				continue;
			report(first, second, f);
			break;
		}
	}
}

void config_check_all(
	struct vm_spec *const *specs, size_t n, struct findings *f)
{
	struct claims claims = { NULL, 0, 0 };

	for (size_t i = 0; i < n; i++) {
		if (!specs[i])
			continue;
		claim_name(&claims, specs[i]);
		claim_images(&claims, specs[i]);
		claim_nics(&claims, specs[i]);
	}
	if (claims.n > 1)
		qsort(claims.at, claims.n, sizeof(struct claim), compare);
	compare_all(&claims, f);
	claims_fini(&claims);
}
