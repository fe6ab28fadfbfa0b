/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's events: names to numbers, typed access to their members. */
#ifndef QMP_EVENT_H
#define QMP_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The names after OTHER are QEMU's; the formatter would nest them. */
/* clang-format off */
#define QMP_EVENTS(X)                                                    \
	X(OTHER) /* a name this table does not know */                  \
	X(SHUTDOWN) X(RESET) X(STOP) X(RESUME) X(POWERDOWN) X(SUSPEND)   \
	X(WAKEUP) X(WATCHDOG) X(GUEST_PANICKED) X(BLOCK_IO_ERROR)        \
	X(BLOCK_WRITE_THRESHOLD) X(BLOCK_JOB_COMPLETED)                  \
	X(JOB_STATUS_CHANGE) X(DEVICE_DELETED)                           \
	X(DEVICE_UNPLUG_GUEST_ERROR) X(DEVICE_TRAY_MOVED)                \
	X(VSERPORT_CHANGE) X(ACPI_DEVICE_OST) X(BALLOON_CHANGE)          \
	X(MEMORY_DEVICE_SIZE_CHANGE) X(NETDEV_STREAM_CONNECTED)          \
	X(NETDEV_STREAM_DISCONNECTED) X(MIGRATION)
/* clang-format on */

enum qmp_event_type {
#define X(name) QMP_EV_##name,
	QMP_EVENTS(X)
#undef X
};

struct qmp_event {
	enum qmp_event_type type;
	const char *name; /* as QEMU wrote it */
	json_t *data;     /* borrowed; NULL if there is none */
	int64_t time_us;  /* QEMU's wall clock */
};

enum qmp_event_type qmp_event_type_of(const char *name);
/* A member of data: "" / false / 0 when missing or of another type. */
const char *qmp_event_string(const struct qmp_event *ev, const char *member);
bool qmp_event_bool(const struct qmp_event *ev, const char *member);
int64_t qmp_event_int(const struct qmp_event *ev, const char *member);

#endif
