/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches the configuration's directories by inotify and tells of changes,
 * many at once as one.
 */
#ifndef SUPERVISOR_WATCH_H
#define SUPERVISOR_WATCH_H

struct watch;

/* Never fails: where inotify is refused, `reload` still works (logged). */
struct watch *watch_new(
	const char *config_dir, void (*on_change)(void *arg), void *arg);
/* Tells at once of what has not settled yet.  Accepts NULL. */
void watch_catch_up(struct watch *watch);
void watch_free(struct watch *watch);

#endif
