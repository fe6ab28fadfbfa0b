/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal (or plain stdout) of `run FILE`: output never blocks the
 * loop, input goes to the guest, ^] is ours.
 */
#ifndef SUPERVISOR_TTY_H
#define SUPERVISOR_TTY_H

#include <stdbool.h>
#include <stddef.h>

struct tty;

/*
 * Raw mode if stdin and stdout are a terminal; else output only.  Callbacks:
 * bytes for the guest, and each escape typed.
 */
struct tty *tty_open(void (*on_input)(void *arg, const char *bytes, size_t len),
	void (*on_escape)(void *arg), void *arg);
/* Only output, to this descriptor; it stays the caller's. */
struct tty *tty_open_output(int fd);
/* Bytes that are not written yet. */
size_t tty_waiting(const struct tty *tty);
bool tty_is_terminal(const struct tty *tty);
/* Output; what a stuck terminal does not take is dropped past 1 MiB. */
void tty_write(struct tty *tty, const char *bytes, size_t len);
/* Writes what is left, in 2 s at most, and restores the terminal. */
void tty_close(struct tty *tty);

#endif
