/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors as values: one code, one errno, one line of text that a user can
 * act on.  Owns nothing, never allocates, cannot itself fail.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

/* On every function that can fail. */
#define MUST_CHECK __attribute__((warn_unused_result))

/*
 * Name, exit status of the client, meaning.  The name is also "code" on the
 * control socket, and this list is a table of vmward(1).
 */
#define ERR_CODES(X)                                                    \
	X(NONE, 0, "success")                                           \
	X(USAGE, 2, "the command or its arguments are wrong")           \
	X(CONFIG, 1, "a file or value of the configuration is wrong")   \
	X(NOT_FOUND, 4, "no such VM, network, image, device or job")    \
	X(EXISTS, 1, "the name is taken")                               \
	X(BUSY, 1, "another job works on the same object")              \
	X(STATE, 3, "the VM is in the wrong state for this")            \
	X(OS, 1, "the kernel refused")                                  \
	X(QMP, 1, "QEMU refused")                                       \
	X(GUEST, 1, "the guest refused or did not answer")              \
	X(TIMEOUT, 5, "the time limit passed")                          \
	X(GONE, 1, "the peer went away")                                \
	X(LIMIT, 1, "a limit was reached")                              \
	X(CANCELLED, 130, "the job was cancelled")                      \
	X(DENIED, 7, "not permitted")                                   \
	X(UNSUPPORTED, 1, "not supported on this host or by this QEMU") \
	X(UNREACHABLE, 6, "the supervisor does not answer")             \
	X(BUG, 1, "a defect of vmward")

enum err_code {
#define X(name, status, text) ERR_##name,
	ERR_CODES(X)
#undef X
		ERR_NCODES
};

struct err {
	enum err_code code;
	int os; /* errno, or 0 */
	char text[240];
};

#define ERR_INIT                \
	{                       \
		ERR_NONE, 0, "" \
	}

/* Sets code and text; a code already set is replaced.  Always returns -1. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int err_vset(struct err *err, enum err_code code, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/* Sets ERR_OS from errno and appends ": " and its text.  Returns -1. */
int err_os(struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Puts text in front of what is there: "vm 'web': " + text.  Returns -1. */
int err_wrap(struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Forgets the error. */
void err_clear(struct err *err);

/* "NOT_FOUND" for ERR_NOT_FOUND; static text. */
const char *err_code_name(enum err_code code);
/* The code of a name; ERR_OS for a name that is none. */
enum err_code err_code_of(const char *name);
/* The exit status of the client for a code. */
int err_code_status(enum err_code code);
/* One sentence on what the code means; static text. */
const char *err_code_text(enum err_code code);

#endif
