/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which accelerator: asked of the device and of the processor's flags, never
 * of QEMU.  The flags are read once; they do not change.
 */
#include "supervisor/accel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

bool accel_has_kvm_device(char why[96])
{
	AUTO_CLOSE int fd =
		sys_openat(AT_FDCWD, "/dev/kvm", O_RDWR | O_CLOEXEC, 0);

	if (fd >= 0) {
		why[0] = '\0';
		return true;
	}
	snprintf(why, 96, "cannot open /dev/kvm: %s", strerror(errno));
	return false;
}

/* True if one of the blank-separated words up to the line's end is it. */
static bool line_has_word(const char *line, const char *word)
{
	size_t len = strlen(word);
	const char *end = line + strcspn(line, "\n");
	const char *at = line;

	while ((at = strstr(at, word)) && at < end) {
		if ((at == line || at[-1] == ' ') &&
			(at[len] == ' ' || at[len] == '\n' || at[len] == '\0'))
			return true;
		at += len;
	}
	return false;
}

/* The first processor stands for all: its block is below 8 KiB. */
static bool read_cpu_flags(void)
{
	char text[8192];
	size_t len = 0;
	ssize_t n;
	const char *flags;
	AUTO_CLOSE int fd =
		sys_openat(AT_FDCWD, "/proc/cpuinfo", O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return false;
	while (len < sizeof(text) - 1 &&
		(n = sys_read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	flags = strstr(text, "\nflags");
	if (!flags)
		return false;
	flags++;
	return line_has_word(flags, "vmx") || line_has_word(flags, "svm");
}

bool accel_has_cpu_flags(void)
{
	static enum { UNREAD, ABSENT, PRESENT } flags;

	if (flags == UNREAD)
		flags = read_cpu_flags() ? PRESENT : ABSENT;
	return flags == PRESENT;
}

/* An ordinary guest hangs on a KVM without the flags: not by itself. */
static void choose_auto(struct accel *out)
{
	char why[96];

	if (!accel_has_cpu_flags()) {
		snprintf(out->reason, sizeof(out->reason),
			"tcg: this processor shows no vmx/svm");
	} else if (!accel_has_kvm_device(why)) {
		snprintf(out->reason, sizeof(out->reason), "tcg: %.90s", why);
	} else {
		out->kvm = true;
	}
}

void accel_remember(const struct accel *accel, char out[96])
{
	snprintf(out, 96, "%s", accel->kvm ? "kvm" : accel->reason);
}

void accel_recall(const char *word, struct accel *out)
{
	out->kvm = str_eq(word, "kvm");
	snprintf(out->reason, sizeof(out->reason), "%s", out->kvm ? "" : word);
}

bool accel_warning(const struct accel *accel, char out[160])
{
	const char *why = accel->reason;

	if (!*why)
		return false;
	snprintf(out, 160,
		"guests run without KVM, so slowly: %.90s (accel = tcg: "
		"no warning)",
		str_starts(why, "tcg: ") ? why + 5 : why);
	return true;
}

int accel_choose(enum spec_accel wish, struct accel *out, struct err *err)
{
	struct accel chosen = { false, "" };
	char why[96];

	switch (wish) {
	case ACCEL_TCG:
		break;
	case ACCEL_KVM:
		if (!accel_has_kvm_device(why))
			return err_set(
				err, ERR_UNSUPPORTED, "accel = kvm: %s", why);
		chosen.kvm = true;
		break;
	case ACCEL_AUTO:
		choose_auto(&chosen);
		break;
	}
	*out = chosen;
	return 0;
}
