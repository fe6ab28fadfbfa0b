/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The description (.ovf) of an OVA; see ovf.h. */
#include "storage/ovf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "storage/remote.h"
#include "storage/xml_scan.h"

/* CIM's numbers of kinds of resources. */
enum { PROCESSORS = 3, MEMORY = 4, MOST = 64, NAME_MOST = 32 };

struct item {
	uint64_t kind, quantity;
	uint64_t unit;
	bool known; /* all that it says of these was understood */
};

struct reading {
	json_t *files; /* id: file */
	json_t *disks; /* in their order */
	unsigned envelopes, systems;
	bool in_item, in_hardware;
	struct item item;
	json_t *vm;
};

/* ---- values ---- */

/* "./a%20b.vmdk" is "a b.vmdk"; NULL: no name. */
static char *plain_name(const char *href)
{
	if (str_starts(href, "./"))
		href += 2;
	return remote_decode(href, strlen(href));
}

/* Digits only, with blanks around. */
static bool number(const char *text, uint64_t *out)
{
	uint64_t value = 0;

	text += strspn(text, " \t\r\n");
	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (value > (UINT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
	}
	*out = value;
	return !text[strspn(text, " \t\r\n")];
}

/* "byte", "byte * 2^30", "MegaBytes": how many bytes it is; false: none. */
static bool unit(const char *text, uint64_t *out)
{
	static const struct {
		const char *word;
		unsigned shift;
	} words[] = { { "byte", 0 }, { "bytes", 0 }, { "kilobytes", 10 },
		{ "megabytes", 20 }, { "gigabytes", 30 }, { "kb", 10 },
		{ "mb", 20 }, { "gb", 30 } };
	AUTO_STR struct str plain = STR_INIT;
	uint64_t power = 0;

	for (; *text; text++)
		if (!strchr(" \t\r\n", *text))
			str_addc(&plain, *text >= 'A' && *text <= 'Z'
						 ? (char)(*text + 32)
						 : *text);
	for (size_t i = 0; i < NELEMS(words); i++) {
		if (!str_eq(str_text(&plain), words[i].word))
			continue;
		*out = (uint64_t)1 << words[i].shift;
		return true;
	}
	if (!str_starts(str_text(&plain), "byte*2^") ||
		!number(str_text(&plain) + strlen("byte*2^"), &power) ||
		power > 50)
		return false;
	*out = (uint64_t)1 << power;
	return true;
}

static bool times(uint64_t a, uint64_t b, uint64_t *out)
{
	if (a && b > (uint64_t)INT64_MAX / a)
		return false;
	*out = a * b;
	return true;
}

/* ---- elements ---- */

static void add_file(
	struct reading *r, const struct xml_attribute *attributes, size_t n)
{
	const char *id = xml_attribute(attributes, n, "id");
	const char *href = xml_attribute(attributes, n, "href");
	AUTO_FREE char *name = href ? plain_name(href) : NULL;

	if (id && name && json_object_size(r->files) < MOST)
		json_object_set_new(r->files, id, json_string(name));
}

/* One that is to be made empty has no file. */
static void add_disk(
	struct reading *r, const struct xml_attribute *attributes, size_t n)
{
	const char *file = xml_attribute(attributes, n, "fileRef");
	const char *capacity = xml_attribute(attributes, n, "capacity");
	const char *units =
		xml_attribute(attributes, n, "capacityAllocationUnits");
	uint64_t count = 0, each = 1, bytes = 0;
	json_t *disk;

	if (!file || json_array_size(r->disks) == MOST)
		return;
	disk = json_pack("{s:s,s:s?}", "id", file, "format",
		xml_attribute(attributes, n, "format"));
	/* "${...}" is a question to who deploys it */
	if (capacity && number(capacity, &count) &&
		(!units || unit(units, &each)) && times(count, each, &bytes))
		json_object_set_new(
			disk, "capacity", json_integer((json_int_t)bytes));
	json_array_append_new(r->disks, disk);
}

static void on_start(void *arg, const char *name,
	const struct xml_attribute *attributes, size_t n)
{
	struct reading *r = arg;

	if (str_eq(name, "Envelope"))
		r->envelopes++;
	else if (str_eq(name, "File"))
		add_file(r, attributes, n);
	else if (str_eq(name, "Disk"))
		add_disk(r, attributes, n);
	else if (str_eq(name, "VirtualSystem"))
		r->systems++;
	else if (str_eq(name, "VirtualHardwareSection"))
		r->in_hardware = true;
	else if (str_eq(name, "Item"))
		r->item = (struct item){ .unit = 1, .known = true };
	r->in_item |= str_eq(name, "Item");
}

static void take_item(struct reading *r)
{
	const struct item *item = &r->item;
	uint64_t bytes = 0;

	if (!r->in_hardware || !item->known || !item->quantity)
		return;
	if (item->kind == PROCESSORS && item->quantity <= UINT16_MAX)
		json_object_set_new(r->vm, "cpus",
			json_integer((json_int_t)item->quantity));
	else if (item->kind == MEMORY &&
		 times(item->quantity, item->unit, &bytes))
		json_object_set_new(
			r->vm, "memory", json_integer((json_int_t)bytes));
}

static void on_end(void *arg, const char *name, const char *text)
{
	struct reading *r = arg;
	struct item *item = &r->item;

	if (str_eq(name, "Item")) {
		take_item(r);
		r->in_item = false;
	} else if (r->in_item && str_eq(name, "ResourceType")) {
		item->known &= number(text, &item->kind);
	} else if (r->in_item && str_eq(name, "VirtualQuantity")) {
		item->known &= number(text, &item->quantity);
	} else if (r->in_item && str_eq(name, "AllocationUnits")) {
		/* of processors it is "hertz * 10^6", and no matter */
		if (!unit(text, &item->unit))
			item->unit = 0;
	} else if (str_eq(name, "VirtualHardwareSection")) {
		r->in_hardware = false;
	} else if (str_eq(name, "Name") && r->systems && *text) {
		json_object_set_new(r->vm, "name", json_string(text));
	}
}

/* ---- all of it ---- */

/* The file in place of its id; a disk of none that is there is dropped. */
static void join_disks(struct reading *r)
{
	for (size_t i = json_array_size(r->disks); i-- > 0;) {
		json_t *disk = json_array_get(r->disks, i);
		json_t *file =
			json_object_get(r->files, member_text(disk, "id"));

		json_object_set(disk, "file", file);
		json_object_del(disk, "id");
		if (!file)
			json_array_remove(r->disks, i);
	}
}

json_t *ovf_read(const char *text, size_t len, struct err *err)
{
	static const struct xml_hooks hooks = { on_start, on_end };
	struct reading r = { .files = json_object(),
		.disks = json_array(),
		.vm = json_object() };
	json_t *result = NULL;

	if (!xml_scan(text, len, &hooks, &r, err)) {
		join_disks(&r);
		if (r.envelopes != 1)
			err_set(err, ERR_CONFIG, "it has no Envelope");
		else
			result = json_pack("{s:O}", "disks", r.disks);
	}
	if (result && r.systems == 1)
		json_object_set(result, "vm", r.vm);
	json_decref(r.files);
	json_decref(r.disks);
	json_decref(r.vm);
	return result;
}

int ovf_main(void)
{
	AUTO_FREE char *text = xcalloc(1, OVF_MOST_BYTES + 1);
	size_t len = fread(text, 1, OVF_MOST_BYTES, stdin);
	struct err err = ERR_INIT;
	AUTO_JSON json_t *ovf = ovf_read(text, len, &err);

	if (ovf && !json_dumpf(ovf, stdout, JSON_COMPACT) && !fflush(stdout))
		return 0;
	fprintf(stderr, "%s\n", err.text);
	return 1;
}

/* ---- what it says of a disk ---- */

static bool is_vmdk(const char *format)
{
	return !*format || strstr(format, "vmdk");
}

int ovf_check_disk(const json_t *ovf, const char *path, const char *file,
	uint64_t *capacity, struct err *err)
{
	const char *plain = str_starts(file, "./") ? file + 2 : file;
	size_t i;
	json_t *disk;

	json_array_foreach(json_object_get(ovf, "disks"), i, disk)
	{
		json_int_t bytes =
			json_integer_value(json_object_get(disk, "capacity"));

		if (!str_eq(member_text(disk, "file"), plain))
			continue;
		*capacity = bytes > 0 ? (uint64_t)bytes : 0;
		if (is_vmdk(member_text(disk, "format")))
			return 0;
		return err_set(err, ERR_CONFIG,
			"'%s' is refused: its .ovf says that '%.60s' is no "
			"vmdk",
			path, plain);
	}
	return err_set(err, ERR_CONFIG,
		"'%s' is refused: its .ovf tells of no disk '%.60s'", path,
		plain);
}

char *ovf_vm_name(const char *said)
{
	AUTO_STR struct str out = STR_INIT;

	for (; *said && out.len < NAME_MOST; said++) {
		char c = *said >= 'A' && *said <= 'Z' ? (char)(*said + 32)
						      : *said;

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			str_addc(&out, c);
		else if (out.len && out.data[out.len - 1] != '-')
			str_addc(&out, '-');
	}
	while (out.len && out.data[out.len - 1] == '-')
		str_cut(&out, out.len - 1);
	return out.len ? str_take(&out) : NULL;
}
