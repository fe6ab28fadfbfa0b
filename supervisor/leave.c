/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How vmwardd leaves; see leave.h. */
#include "supervisor/leave.h"

#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "supervisor/notify.h"
#include "supervisor/settings.h"
#include "supervisor/shutdown.h"

static void on_down(void *arg UNUSED)
{
	log_info(NULL, "the VMs are down: leaving");
	loop_stop();
}

static void leave(int signal)
{
	log_info(NULL, "signal %d: leaving; the VMs run on", signal);
	notify_stopping();
	loop_stop();
}

static void shut_down(
	struct service *service, enum shutdown_kind kind, int signal)
{
	const struct settings *settings = settings_of(&service->env);

	log_info(NULL, "signal %d: stopping the VMs%s", signal,
		kind == SHUTDOWN_ALL ? " (again: killing them)" : "");
	notify_stopping();
	service->shutdown = shutdown_begin(service->registry, kind,
		settings->vmward.shutdown_timeout, on_down, service);
}

/* A second one does not wait for the VMs. */
static void on_term(struct loop_signal *watcher, int signal)
{
	struct service *s = container_of(watcher, struct service, term);

	if (!s->shutdown &&
		settings_of(&s->env)->vmward.on_exit == ON_EXIT_SHUTDOWN)
		shut_down(s, SHUTDOWN_HOST, signal);
	else
		leave(signal);
}

static void on_intr(struct loop_signal *watcher, int signal)
{
	struct service *s = container_of(watcher, struct service, intr);

	if (isatty(STDIN_FILENO)) {
		leave(signal);
	} else if (!s->shutdown) {
		shut_down(s, SHUTDOWN_ALL, signal);
	} else {
		log_info(NULL, "signal %d: killing the VMs", signal);
		shutdown_kill(s->shutdown);
	}
}

static void on_power(struct loop_signal *watcher, int signal)
{
	struct service *s = container_of(watcher, struct service, power);

	if (!s->shutdown)
		shut_down(s, SHUTDOWN_HOST, signal);
}

void leave_listen(struct service *service)
{
	loop_signal_start(&service->term, SIGTERM, on_term);
	loop_signal_start(&service->intr, SIGINT, on_intr);
	loop_signal_start(&service->power, SIGPWR, on_power);
}
