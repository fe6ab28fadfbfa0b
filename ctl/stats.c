/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `vmward stats`: all about what a VM uses, once; or with --interval the
 * rates, one table per look.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/interrupt.h"
#include "ctl/print.h"
#include "ctl/reach.h"
#include "ctl/sample.h"
#include "ctl/verbs.h"

#define LABEL 9

/* ---- the memory that is QEMU's alone ---- */

/*
 * The share of the pages that it has in common with others is the kernel's
 * work, page by page, and may wait for QEMU: not the supervisor's to wait.
 */
static json_t *pss_of(json_int_t pid)
{
	AUTO_FREE char *path =
		xasprintf("/proc/%lld/smaps_rollup", (long long)pid);
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *at;

	if (fd >= 0)
		close(fd);
	if (got <= 0)
		return json_null();
	text[got] = '\0';
	at = strstr(text, "\nPss:");
	if (!at)
		return json_null();
	at += strlen("\nPss:");
	return json_integer(
		(json_int_t)str_digits(at + strspn(at, " \t")) * 1024);
}

static void add_pss(const json_t *vms)
{
	size_t i;
	json_t *vm;

	json_array_foreach(vms, i, vm)
	{
		json_t *pid = json_object_get(vm, "pid");

		if (json_is_integer(pid))
			json_object_set_new(json_object_get(vm, "memory"),
				"pss", pss_of(json_integer_value(pid)));
	}
}

/* ---- for people ---- */

static void add_seconds(struct str *out, const json_t *value)
{
	double s = json_number_value(value);

	if (s < 60)
		str_addf(out, "%.2f s", s);
	else
		str_add_duration(out, (int64_t)(s * 1000));
}

/* "1.5G" behind a word; nothing if it is not known. */
static void add_bytes(struct str *out, const char *word, const json_t *object,
	const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value))
		return;
	str_addf(out, "%s%s ", out->len ? ", " : "", word);
	str_add_bytes(out, (uint64_t)json_integer_value(value));
}

static void put_cpu(const json_t *vm)
{
	const json_t *cpu = json_object_get(vm, "cpu");
	const json_t *exits = json_object_get(vm, "exits");
	AUTO_STR struct str text = STR_INIT;
	size_t i;
	json_t *vcpu;

	if (!json_is_object(cpu))
		return;
	add_seconds(&text, json_object_get(cpu, "seconds"));
	str_add(&text, " (");
	add_seconds(&text, json_object_get(cpu, "user"));
	str_add(&text, " user, ");
	add_seconds(&text, json_object_get(cpu, "system"));
	str_add(&text, " system)");
	print_labelled(LABEL, "CPU", str_text(&text));
	json_array_foreach(json_object_get(vm, "vcpus"), i, vcpu)
	{
		AUTO_STR struct str line = STR_INIT;

		str_addf(&line, "%lld: ",
			(long long)json_integer_value(
				json_object_get(vcpu, "index")));
		add_seconds(&line, json_object_get(vcpu, "seconds"));
		str_add(&line, ", waited ");
		add_seconds(&line, json_object_get(vcpu, "wait"));
		print_labelled(LABEL, "vCPU", str_text(&line));
	}
	str_cut(&text, 0);
	if (json_is_integer(exits))
		str_addf(&text, "%lld", (long long)json_integer_value(exits));
	print_labelled(LABEL, "Exits", str_text(&text));
}

static void put_memory(const json_t *vm)
{
	const json_t *memory = json_object_get(vm, "memory");
	const json_t *guest = json_object_get(memory, "guest");
	AUTO_STR struct str text = STR_INIT;
	AUTO_STR struct str inside = STR_INIT;

	add_bytes(&text, "configured", memory, "configured");
	add_bytes(&text, "balloon leaves", memory, "balloon");
	add_bytes(&text, "RSS", memory, "rss");
	add_bytes(&text, "PSS", memory, "pss");
	if (json_integer_value(json_object_get(memory, "swap")) > 0)
		add_bytes(&text, "swapped", memory, "swap");
	print_labelled(LABEL, "Memory", str_text(&text));
	add_bytes(&inside, "total", guest, "total");
	add_bytes(&inside, "free", guest, "free");
	add_bytes(&inside, "available", guest, "available");
	add_bytes(&inside, "caches", guest, "caches");
	print_labelled(LABEL, "Guest", str_text(&inside));
}

/* "read 12M in 40 (0.2 ms each)" */
static void add_work(struct str *out, const json_t *disk, const char *word,
	const char *const keys[3])
{
	const json_t *bytes = json_object_get(disk, keys[0]);
	json_int_t ops = json_integer_value(json_object_get(disk, keys[1]));
	double seconds = json_number_value(json_object_get(disk, keys[2]));

	str_addf(out, "%s%s ", out->len ? ", " : "", word);
	if (json_is_integer(bytes)) {
		str_add_bytes(out, (uint64_t)json_integer_value(bytes));
		str_add(out, " in ");
	}
	str_addf(out, "%lld", (long long)ops);
	if (ops > 0)
		str_addf(out, " (%.2f ms each)", seconds * 1000 / (double)ops);
}

static void put_disks(const json_t *vm)
{
	static const char *const reads[] = { "read_bytes", "read_ops",
		"read_seconds" };
	static const char *const writes[] = { "write_bytes", "write_ops",
		"write_seconds" };
	static const char *const flushes[] = { "", "flush_ops",
		"flush_seconds" };
	size_t i;
	json_t *disk;

	json_array_foreach(json_object_get(vm, "disks"), i, disk)
	{
		AUTO_STR struct str text = STR_INIT;
		AUTO_STR struct str line = STR_INIT;
		json_int_t errors =
			json_integer_value(json_object_get(disk, "errors"));

		add_work(&text, disk, "read", reads);
		add_work(&text, disk, "written", writes);
		add_work(&text, disk, "flushes", flushes);
		if (errors > 0)
			str_addf(&text, ", %lld ERRORS", (long long)errors);
		str_addf(&line, "%s: %s", print_member(disk, "name"),
			str_text(&text));
		print_labelled(LABEL, "Disk", str_text(&line));
	}
}

static void put_nics(const json_t *vm)
{
	size_t i;
	json_t *nic;

	json_array_foreach(json_object_get(vm, "nics"), i, nic)
	{
		AUTO_STR struct str text = STR_INIT;
		AUTO_STR struct str line = STR_INIT;

		add_bytes(&text, "received", nic, "rx_bytes");
		add_bytes(&text, "sent", nic, "tx_bytes");
		if (!text.len)
			str_addf(&text, "not counted in mode %s",
				print_member(nic, "mode"));
		str_addf(&line, "%s: %s", print_member(nic, "name"),
			str_text(&text));
		print_labelled(LABEL, "Nic", str_text(&line));
	}
}

static void put_age(const json_t *vm)
{
	const json_t *age = json_object_get(vm, "age");
	AUTO_STR struct str text = STR_INIT;

	if (!json_is_true(json_object_get(vm, "stale")))
		return;
	str_add(&text, "QEMU does not answer");
	if (json_is_number(age)) {
		str_add(&text, "; disks and balloon as of ");
		str_add_duration(
			&text, (int64_t)(json_number_value(age) * 1000));
		str_add(&text, " ago");
	}
	print_labelled(LABEL, "Stale", str_text(&text));
}

static void put_vm(const json_t *vm)
{
	const json_t *uptime = json_object_get(vm, "uptime");
	AUTO_STR struct str text = STR_INIT;

	str_addf(&text, "%s: %s", print_member(vm, "name"),
		print_member(vm, "state"));
	if (json_is_number(uptime)) {
		str_add(&text, ", up ");
		str_add_duration(
			&text, (int64_t)(json_number_value(uptime) * 1000));
	}
	str_addf(&text, ", restarts: %lld",
		(long long)json_integer_value(json_object_get(vm, "restarts")));
	print_text(str_text(&text));
	putchar('\n');
	put_cpu(vm);
	put_memory(vm);
	put_disks(vm);
	put_nics(vm);
	put_age(vm);
}

/* ---- the verb ---- */

static int once(const struct call *call, struct wire *w, const json_t *names,
	struct err *err)
{
	struct sample s = SAMPLE_INIT;
	int status = sample_take(call, w, names, &s, err);
	size_t i;
	json_t *vm;

	if (status == 0) {
		status = s.status;
		add_pss(s.vms);
		if (call->opt.json)
			print_array(s.vms);
		json_array_foreach(s.vms, i, vm)
		{
			if (!call->opt.json)
				put_vm(vm);
			if (!status &&
				!json_is_integer(json_object_get(vm, "pid")))
				status = 3; /* as of status: it is off */
		}
	}
	sample_fini(&s);
	return status;
}

static int print_rates(const struct call *call, json_t *rows, struct err *err)
{
	size_t i;
	json_t *row;

	if (!call->opt.json)
		return table_print(&call->opt,
			&(struct table){
				.columns = sample_columns, .rows = rows },
			err);
	json_array_foreach(rows, i, row)
	{
		json_dumpf(row, stdout, JSON_COMPACT);
		putchar('\n');
	}
	return 0;
}

static int again(const struct call *call, struct wire *w, const json_t *names,
	struct err *err)
{
	int64_t ms = call_ms(call, "interval", 0);
	uint64_t left = call_has(call, "count")
				? str_digits(call_value(call, "count"))
				: UINT64_MAX;
	struct sample before = SAMPLE_INIT;
	int status = sample_take(call, w, names, &before, err);

	while (status == 0 && left-- > 0 && !interrupt_count()) {
		struct sample now = SAMPLE_INIT;
		json_t *rows;

		poll(NULL, 0, (int)ms);
		if (interrupt_count())
			break;
		status = sample_take(call, w, names, &now, err);
		rows = sample_rates(&before, &now);
		if (status == 0)
			status = print_rates(call, rows, err);
		if (fflush(stdout))
			left = 0;
		json_decref(rows);
		sample_fini(&before);
		before = now;
	}
	sample_fini(&before);
	return interrupt_count() ? 0 : status;
}

int verb_stats(const struct call *call)
{
	AUTO_WIRE struct wire wire = WIRE_INIT;
	struct err err = ERR_INIT;
	int64_t ms = call_ms(call, "interval", 0);
	json_t *names;
	int status = -1;

	if (ms < 0 || ms > INT32_MAX ||
		(call_has(call, "interval") && ms < 100))
		err_set(&err, ERR_USAGE, "--interval is at least 100ms");
	else if (call_has(call, "count") && !ms)
		err_set(&err, ERR_USAGE, "--count needs --interval");
	if (err.code || reach_open(call, false, &wire, &err) < 0)
		return print_error(&call->opt, NULL, &err);
	names = reach_names(call, &wire, &err);
	if (names && !json_array_size(names))
		err_set(&err, ERR_NOT_FOUND, "no VM matches");
	else if (names && ms) {
		interrupt_catch();
		status = again(call, &wire, names, &err);
	} else if (names)
		status = once(call, &wire, names, &err);
	json_decref(names);
	return status < 0 ? print_error(&call->opt, NULL, &err) : status;
}
