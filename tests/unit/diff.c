/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between what is written and what runs. */
#include "supervisor/diff.h"

#include "tests/unit/vmkit.h"

static void each(void *arg, const struct difference *d)
{
	if (d->key)
		str_addf(arg, "%s.%s:%s>%s ", d->section, d->key,
			d->old ? d->old->value : "",
			d->new ? d->new->value : "");
	else
		str_addf(arg, "%s%s ", d->new ? "+" : "-", d->section);
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
		"vm.memory:2G>1G vm.cpus:>2 +net.a -net.b ");
	differs("[vm]\ncpus = 2 ; why\n", "[vm]\n\n\ncpus  =  2\n", "");
}

/* What is written another way, or as it is without being written, is none. */
static void test_values(void)
{
	const char *nic = "[net.a]\nbridge = br0\nrate = 8Mbit\n";

	differs("[net.a]\nbridge = br0\nrate = 8000kbit\n", nic, "");
	differs("[net.a]\nbridge = br0\nrate = 9Mbit\n", nic,
		"net.a.rate:8Mbit>9Mbit ");
	differs("[net.a]\nbridge = br0\n", nic, "net.a.rate:8Mbit> ");
	differs("[net.a]\nbridge = br0\nrate = no\n", "[net.a]\nbridge = br0\n",
		"");
	differs("[vm]\ncpus = 1\nnested = yes\n", "", "");
}

/* A device that one of them has alone is one difference. */
static void test_sections(void)
{
	differs("[disk.a]\nsize = 1G\nserial = x\n", "", "+disk.a ");
	/* a size is a size, however it is written */
	differs("[vm]\nmemory = 2G\n[disk.a]\nsize = 1G\n",
		"[vm]\nmemory = 2048M\n[disk.a]\nsize = 1024M\n", "");
	differs("[vm]\nmemory = 2G\nnested = yes\n",
		"[vm]\nmemory = 2049M\nnested = true\n", "vm.memory:2049M>2G ");
	differs("", "[disk.a]\nsize = 1G\nserial = x\n", "-disk.a ");
	differs("[watchdog]\n", "", "+watchdog ");
	differs("", "[watchdog]\naction = pause\n", "-watchdog ");
	differs("[watchdog]\nenabled = no\n", "", "");
	differs("[watchdog]\n", "[watchdog]\naction = pause\n",
		"watchdog.action:pause> ");
	differs("[disk.a]\nsize = 1G\nenabled = no\n", "[disk.a]\nsize = 1G\n",
		"-disk.a ");
	/* what was unplugged and is switched off in a drop-in */
	differs("[disk.a]\nsize = 1G\nenabled = no\n", "", "");
	/* there in any case */
	differs("[serial.console]\nlog = 2M\n", "", "serial.console.log:>2M ");
	differs("[rng]\nenabled = no\n", "", "rng.enabled:>no ");
	differs("[start]\nautostart = yes\n", "", "");
	differs("[vm]\ncpus =\n", "", "");
	differs("[vm]\ncpus =\n", "[vm]\ncpus = 2\n", "vm.cpus:2> ");
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
	test_values();
	test_sections();
	test_uuid();
	kit_end();
	return done();
}
