/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics as text: families, labels, pages, both sets of names. */
#include "supervisor/metrics.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/vmkit.h"

static struct list vms;
static const struct machine_hooks hooks = { NULL, NULL, NULL, NULL };

static struct vm *add(const char *name, const char *spec)
{
	struct vm *vm = vm_new(&kit, name, &hooks, kit_post);

	vm->spec = spec ? kit_spec(spec) : NULL;
	list_add(&vms, &vm->link);
	return vm;
}

static void drop_all(void)
{
	list_each(&vms, it, next)
		vm_free(list_entry(it, struct vm, link));
}

/* All pages; their number. */
static unsigned all_pages(bool libvirt, struct str *out)
{
	AUTO_FREE char *after = xstrdup("");
	unsigned n = 0;

	str_cut(out, 0);
	do {
		AUTO_STR struct str page = STR_INIT;
		char *next = metrics_page(&vms, libvirt, after, &page);

		str_addn(out, str_text(&page), page.len);
		free(after);
		after = next;
		n++;
	} while (after);
	return n;
}

static bool has_line(const struct str *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = str_text(text); *at;) {
		size_t n = strcspn(at, "\n");

		if (n == len && !strncmp(at, line, len))
			return true;
		at += n + (at[n] != '\0');
	}
	return false;
}

static unsigned count(const struct str *text, const char *part)
{
	unsigned n = 0;

	for (const char *at = str_text(text); (at = strstr(at, part)); at++)
		n++;
	return n;
}

static void has(const struct str *text, const char *line)
{
	ok(has_line(text, line), "%s", line);
}

/* What every reader of the format relies on, line by line. */
static unsigned bad_lines(const struct str *text, const char *prefix)
{
	char family[100] = "";
	unsigned bad = 0;

	for (const char *at = str_text(text); *at;) {
		size_t n = strcspn(at, "\n");
		AUTO_FREE char *line = xstrndup(at, n);

		at += n + (at[n] != '\0');
		if (sscanf(line, "# TYPE %99s", family) == 1)
			bad += strncmp(family, prefix, strlen(prefix)) != 0;
		else if (line[0] != '#')
			bad += strncmp(line, family, strlen(family)) != 0;
	}
	return bad;
}

static void test_empty(void)
{
	AUTO_STR struct str text = STR_INIT;

	is_int(all_pages(false, &text), 1, "no VM: one page");
	has(&text, "vmward_vms_running 0");
	has(&text, "vmward_build{version=\"" VMWARD_VERSION "\"} 1");
	is_int(count(&text, "vmward_vm_state{"), 0, "and no sample of one");
	has(&text, "# EOF");
	ok(str_ends(str_text(&text), "\n# EOF\n"), "at the end");
}

static void test_names(void)
{
	AUTO_STR struct str text = STR_INIT;
	struct vm *vm = add("web", "[vm]\nmemory = 64M\ncpus = 2\n"
				   "[net.lan]\nuser = yes\n");

	vm->record.tally.restarts = 3;
	vm->record.history.restarts = 1;
	all_pages(false, &text);
	has(&text, "vmward_vm_state{vm=\"web\",state=\"stopped\"} 1");
	has(&text, "# TYPE vmward_vm_restarts counter");
	has(&text, "vmward_vm_restarts_total{vm=\"web\"} 3");
	has(&text, "vmward_vm_memory_bytes{vm=\"web\"} 67108864");
	has(&text, "# UNIT vmward_vm_memory_bytes bytes");
	is_int(count(&text, "vmward_vm_cpu_seconds_total{"), 0,
		"what is not known is left out");
	vm->running = vm->spec;
	vm->state = VM_RUNNING;
	vm->machine.pid = getpid();
	all_pages(false, &text);
	has(&text, "vmward_vms_running 1");
	has(&text, "vmward_vm_stale{vm=\"web\"} 1");
	is_int(count(&text, "vmward_vm_cpu_seconds_total{vm=\"web\",mode="), 2,
		"fixed labels beside its name");
	is_int(count(&text, "# TYPE vmward_vm_cpu_seconds "), 1,
		"of one family");
	is_int(bad_lines(&text, "vmward_"), 0, "samples follow their family");
	all_pages(true, &text);
	has(&text, "libvirt_up 1");
	has(&text, "libvirt_domain_info_vstate{domain=\"web\"} 1");
	has(&text, "libvirt_domain_info_maximum_memory_bytes{domain=\"web\"} "
		   "67108864");
	has(&text, "libvirt_domain_info_memory_usage_bytes{domain=\"web\"} "
		   "67108864");
	is_int(count(&text, "vmward_"), 0, "no name of ours among libvirt's");
	is_int(bad_lines(&text, "libvirt_"), 0, "and the same shape");
	vm->running = NULL;
	vm->machine.pid = -1;
	drop_all();
}

static void test_states(void)
{
	static const struct {
		enum vm_state state;
		int libvirt;
	} states[] = { { VM_STARTING, 1 }, { VM_PAUSED, 3 }, { VM_STOPPING, 4 },
		{ VM_STOPPED, 5 }, { VM_WAITING, 5 }, { VM_FAILED, 6 },
		{ VM_UNREACHABLE, 0 } };
	AUTO_STR struct str text = STR_INIT;
	struct vm *vm = add("web", NULL);

	for (size_t i = 0; i < NELEMS(states); i++) {
		AUTO_FREE char *line = xasprintf(
			"libvirt_domain_info_vstate{domain=\"web\"} %d",
			states[i].libvirt);

		vm->state = states[i].state;
		all_pages(true, &text);
		has(&text, line);
	}
	vm->state = VM_STOPPED;
	drop_all();
}

/* A text that no line of the protocol could hold: each sample is there once. */
static void test_pages(void)
{
	AUTO_STR struct str text = STR_INIT;
	unsigned missing = 0, doubled = 0;
	char name[32];

	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "vm%03d", i);
		add(name, NULL);
	}
	is_int(all_pages(false, &text) > 1, 1, "400 VMs are several pages");
	for (int i = 0; i < 400; i++) {
		AUTO_FREE char *sample = xasprintf(
			"vmward_vm_restarts_total{vm=\"vm%03d\"} 0\n", i);

		missing += count(&text, sample) == 0;
		doubled += count(&text, sample) > 1;
	}
	is_int(missing, 0, "no sample is missing");
	is_int(doubled, 0, "none is there twice");
	is_int(count(&text, "# TYPE vmward_vm_restarts "), 1,
		"a family that is cut begins once");
	is_int(count(&text, "# EOF"), 1, "one end");
	is_int(bad_lines(&text, "vmward_"), 0, "one shape");
	drop_all();
}

int main(void)
{
	kit_start();
	list_init(&vms);
	test_empty();
	test_names();
	test_states();
	test_pages();
	kit_end();
	return done();
}
