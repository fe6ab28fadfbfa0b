/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The formats of images; see format.h. */
#include "storage/format.h"

#include <stddef.h>

#include "base/mem.h"
#include "base/str.h"

static const struct {
	const char *name;
	const char *suffix;
} formats[] = {
	{ "qcow2", ".qcow2" },
	{ "raw", ".raw" },
	{ "vmdk", ".vmdk" },
	{ "vdi", ".vdi" },
	{ "vhdx", ".vhdx" },
	{ "vpc", ".vhd" },
};

const char *format_by_suffix(const char *path)
{
	for (size_t i = 0; i < NELEMS(formats); i++)
		if (str_ends(path, formats[i].suffix))
			return formats[i].name;
	return NULL;
}

const char *format_by_name(const char *name)
{
	for (size_t i = 0; i < NELEMS(formats); i++)
		if (str_eq(name, formats[i].name))
			return formats[i].name;
	return NULL;
}

const char *format_suffix(const char *format)
{
	for (size_t i = 0; i < NELEMS(formats); i++)
		if (str_eq(format, formats[i].name))
			return formats[i].suffix;
	return "";
}
