/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The formats of images: qemu-img's name of each and the suffix of its
 * files.  A format is told by what the user wrote, never by content.
 */
#ifndef STORAGE_FORMAT_H
#define STORAGE_FORMAT_H

/* Static name by a file's suffix; NULL: it does not tell. */
const char *format_by_suffix(const char *path);
/* The same name, static; NULL if there is no such format. */
const char *format_by_name(const char *name);
/* ".qcow2": what files of a format end with. */
const char *format_suffix(const char *format);

#endif
