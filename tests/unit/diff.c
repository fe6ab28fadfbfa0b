/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between what is written and what runs. */
#include "supervisor/diff.h"

#include "tests/unit/vmkit.h"

static void each(
	void *arg, const struct ini_entry *old, const struct ini_entry *new)
{
	const struct ini_entry *e = new ? new : old;

	str_addf(arg, "%s.%s:%s>%s ", e->section, e->key, old ? old->value : "",
		new ? new->value : "");
}

static void differs(const char *written, const char *running, const char *want)
{
	struct vm_spec *a = kit_spec(written);
	struct vm_spec *b = kit_spec(running);
	AUTO_STR struct str got = STR_INIT;
	unsigned n = 0;

	diff_specs(a, b, each, &got);
	is_str(str_text(&got), want, "\"%.*s\" written",
		(int)strcspn(written, "\n"), written);
	for (const char *at = want; *at; at++)
		n += *at == ' ';
	is_int(diff_count(a, b), n, "%u of them", n);
	spec_free(a);
	spec_free(b);
}

static void test_keys(void)
{
	differs("", "", "");
	differs("[vm]\ncpus = 2\n", "[vm]\ncpus = 2\n", "");
	differs("[vm]\ncpus = 2\n", "[vm]\ncpus = 3\n", "vm.cpus:3>2 ");
	differs("[vm]\ncpus = 2\n", "", "vm.cpus:>2 ");
	differs("", "[vm]\ncpus = 2\n", "vm.cpus:2> ");
	differs("[vm]\nmemory = 1G\ncpus = 2\n[net.a]\nuser = yes\n",
		"[vm]\nmemory = 2G\n[net.b]\nuser = yes\n",
		"vm.memory:2G>1G vm.cpus:>2 net.a.user:>yes net.b.user:yes> ");
	differs("[vm]\ncpus = 2 ; why\n", "[vm]\n\n\ncpus  =  2\n", "");
}

/* The saved copy of a running spec names its uuid. */
static void test_uuid(void)
{
	struct vm_spec *a = kit_spec("");
	AUTO_FREE char *own = xasprintf("[vm]\nuuid = %s\n", a->uuid);

	differs("", own, "");
	differs(own, "", "");
	differs("", "[vm]\nuuid = 6e0a3f7e-0000-4000-8000-000000000001\n",
		"vm.uuid:6e0a3f7e-0000-4000-8000-000000000001> ");
	is_int(diff_count(a, a), 0, "a spec and itself");
	is_int(diff_count(a, NULL), 0, "nothing runs");
	is_int(diff_count(NULL, a), 0, "nothing is written");
	spec_free(a);
}

int main(void)
{
	kit_start();
	test_keys();
	test_uuid();
	kit_end();
	return done();
}
