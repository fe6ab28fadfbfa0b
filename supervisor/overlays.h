/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is on top of an image: by the headers of a directory's images. */
#ifndef SUPERVISOR_OVERLAYS_H
#define SUPERVISOR_OVERLAYS_H

/*
 * The name of the first image of a directory whose header says that it is on
 * top of the image at path; new, NULL if there is none.
 */
char *overlays_find(const char *dir, const char *path);

#endif
