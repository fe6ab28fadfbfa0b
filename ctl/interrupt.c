/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A counter; poll() and recv() return EINTR because SA_RESTART is not set. */
#include "ctl/interrupt.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t count;

static void on_signal(int number)
{
	(void)number;
	count = count + 1;
}

void interrupt_catch(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int interrupt_count(void)
{
	return count;
}
