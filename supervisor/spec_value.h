/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of a VM's file that are more than a number or a word: parse()
 * and release() functions for the tables of supervisor/spec.
 */
#ifndef SUPERVISOR_SPEC_VALUE_H
#define SUPERVISOR_SPEC_VALUE_H

#include <stdint.h>

#include "base/err.h"

/* char *: a string with a rule of its own; "" is a default only */
MUST_CHECK int value_uuid(const char *text, void *field, struct err *err);
MUST_CHECK int value_machine(const char *text, void *field, struct err *err);
MUST_CHECK int value_instances(const char *text, void *field, struct err *err);
MUST_CHECK int value_url(const char *text, void *field, struct err *err);
MUST_CHECK int value_serial(const char *text, void *field, struct err *err);
/* uint64_t: bytes a second, of "100Mbit"; "": 0 */
MUST_CHECK int value_rate(const char *text, void *field, struct err *err);
MUST_CHECK int value_mac(const char *text, void *field, struct err *err);
MUST_CHECK int value_ip(const char *text, void *field, struct err *err);
MUST_CHECK int value_model(const char *text, void *field, struct err *err);
MUST_CHECK int value_pool(const char *text, void *field, struct err *err);
void value_pool_release(void *field);
void value_string_release(void *field);

/* struct spec_crash_loop: a word, or a word and what it is about */
MUST_CHECK int value_crash_loop(const char *text, void *field, struct err *err);
void value_crash_loop_release(void *field);

/* bool: link = up | down */
MUST_CHECK int value_trunk(const char *text, void *field, struct err *err);
MUST_CHECK int value_user(const char *text, void *field, struct err *err);
MUST_CHECK int value_link(const char *text, void *field, struct err *err);

/* struct spec_topology: SOCKETS:CORES:THREADS */
MUST_CHECK int value_topology(const char *text, void *field, struct err *err);
/* struct spec_ready_probe */
MUST_CHECK int value_ready(const char *text, void *field, struct err *err);
void value_ready_release(void *field);
/* struct spec_stop_steps: agent:20s, ..., kill */
MUST_CHECK int value_steps(const char *text, void *field, struct err *err);
/* struct spec_backoff: 1s-1min */
MUST_CHECK int value_backoff(const char *text, void *field, struct err *err);
/* struct spec_burst: 5/10min */
MUST_CHECK int value_burst(const char *text, void *field, struct err *err);
/* A multiple of 1K as a file says it: "10G", "1536M"; new. */
char *value_size_text(uint64_t bytes);

#endif
