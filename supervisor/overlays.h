/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is on top of an image: by the headers of all images of the pools. */
#ifndef SUPERVISOR_OVERLAYS_H
#define SUPERVISOR_OVERLAYS_H

#include "base/paths.h"

/*
 * The name of the first image of a pool whose header says that it is on top
 * of the image at path; new, NULL if there is none.
 */
char *overlays_find(const struct paths *paths, const char *path);

#endif
